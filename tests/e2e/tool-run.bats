#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What `make run` does after the build: a daemon of its own, flows on the screen, nothing left.

net=pktr
load lib

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	cat >"$run/more.yaml" <<-CONF
		interfaces: {include: ["${net}*", lo]}
		netns: {names: [${net}s], containers: false}
	CONF
	start_server 7002
	export server
}

teardown_file() {
	kill "$(cat "$run/runner")" 2>/dev/null || true
	kill_children
	clean_net
}

private_dirs() { find /run -maxdepth 1 -name 'picket-run.*' | sort; }

@test "run.sh shows flows with their process, and leaves nothing when it is stopped" {
	before=$(private_dirs)
	PICKET_RUN_CONF=$run/more.yaml nsenter --net=/run/netns/${net}c tools/run.sh "$build" \
		>"$run/out" 2>"$run/err" 3>&- &
	runner=$!
	echo "$runner" >"$run/runner"
	wait_for 20 grep -q START "$run/out" || {
		cat "$run/err"
		false
	}
	in_client "$bin/client" tcp $server_ip 7002 run-me
	wait_for 10 grep -q "$server_ip:7002 .*run-me" "$run/out"
	kill -TERM "$runner"
	wait_for 20 is_gone "$runner"
	[ "$(private_dirs)" = "$before" ]
	left=$(hooks_of c && hooks_of s)
	echo "left: $left"
	[ -z "$left" ]
}

@test "run.sh tells why the daemon does not start" {
	echo 'flow: {slots: many}' >"$run/bad.yaml"
	PICKET_RUN_CONF=$run/bad.yaml run nsenter --net=/run/netns/${net}c tools/run.sh "$build"
	[ "$status" = 1 ]
	[[ $output == *"flow.slots"* ]]
}
