#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The wire between an agent and its NATS servers is cut: the servers live, and nothing says that they
# are out of reach. Alerts wait on disk and come once each, a list that was published meanwhile comes.

net=pknu
load lib
nats_address=$server_ip
load nats

nats_netns=${net}s

setup_file() {
	export run=$BATS_FILE_TMPDIR
	nats_has || return 0
	nats_begin
	nats_keys
	write_config "$run/picket.yaml"
	nats_section web1 >>"$run/picket.yaml"
	cat >>"$run/picket.yaml" <<-CONF
		sign: {keys: $trusted}
		sink: {nats: true}
		pull: {lists: ["drop=nats"], interval: 5s, ca: $run/nats/ca.pem}
		detect: {off: [$(all_but fileless)]}
	CONF
	start_daemon
	export daemon
}

setup() { nats_has || skip "no nats-server"; }
teardown_file() {
	nats_has || return 0
	nats_end
}

part() { ip -n ${net}c link set ${net}c0 down; }
join() { ip -n ${net}c link set ${net}c0 up; }

# Each of these alerts, and each once.
all_once() {
	local k
	stream_once || return 1
	for k in "$@"; do grep -q "pknu-odd-$k\b" "$run/stream" || return 1; done
}
# publish VERSION ENTRIES: from the servers' side
publish() {
	seq 0 $(($2 - 1)) | awk '{ printf "100.64.%d.%d\n", int($1 / 256), $1 % 256 }' >"$run/drop.txt"
	picket list sign "$run/drop.txt" --dir "$keys" --version "$1" >/dev/null
	wait_for 40 in_server "$build/picket" list publish --server "$nats_servers" --ca "$run/nats/ca.pem" \
		--cert "$run/nats/admin.pem" --key "$run/nats/admin.key" "$run/drop.txt"
}
version() { api /v1/lists/drop | jq -e ".list | .mode == \"enforce\" and .entries == $2 and .signed.version == $1 and .signed.in_force"; }

@test "cut: alerts wait on disk, also when the agent is killed, and the list of meanwhile comes after" {
	publish 1 1000
	wait_for 20 version 1 1000
	odd 1
	wait_for 20 in_stream 1
	part
	for k in 2 3; do odd $k; done
	wait_for 60 sink_says '.waiting >= 2 and .failed > 0 and (.trouble | length > 0)'
	publish 2 900
	nats_has_leader # the servers are well
	family="$daemon $(pgrep -P "$daemon")"
	kill -KILL $family
	for pid in $family; do wait_for 10 is_gone "$pid"; done
	start_daemon
	odd 4
	wait_for 10 is_alert 4
	wait_for 30 sink_says '.waiting >= 3'
	version 1 1000 # what was in force stays
	[ -z "$(nats_as admin read "$nats_stream" | grep -o 'pknu-odd-[234]')" ]
	join
	for k in 2 3 4; do wait_for 90 in_stream $k; done
	wait_for 60 version 2 900
	wait_for 20 sink_says '.waiting == 0 and .trouble == null and .dropped == 0 and .refused == 0'
	all_once 1 2 3 4
}

@test "a wire that comes and goes while alerts do: each arrives once" {
	for k in 1 2 3 4; do
		for i in 1 2 3; do odd $k$i; done
		part
		for i in 4 5 6; do odd $k$i; done
		sleep $((k * 2))
		join
		for i in 7 8 9; do odd $k$i; done
	done
	wait_for 20 is_alert 49
	wait_for 120 in_stream 49
	wait_for 90 sink_says '.waiting == 0 and .trouble == null and .dropped == 0 and .refused == 0'
	all_once $(for k in 1 2 3 4; do seq "${k}1" "${k}9"; done)
}
