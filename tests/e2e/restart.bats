#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# SIGKILL at random points under traffic: either process of the agent, also while it starts. When the
# broker dies the pipeline ends too and no hook stays behind; when the pipeline dies another one takes
# its place. The next start covers everything, and nothing is counted twice. PICKET_FULL=1: 50 times instead of 8.

net=pkrs
load lib
rounds=$([ -n "${PICKET_FULL:-}" ] && echo 50 || echo 8)

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	write_config "$run/picket.yaml"
	mkdir -p "$run/state"
}

teardown_file() {
	kill_children
	clean_net
}

no_hooks() { [ -z "$(hooks_of c; hooks_of s)" ]; }

@test "SIGKILL at random points leaves no hook" {
	start_server 7301
	nsenter --net=/run/netns/pkrsc "$bin/burst" 1000000 1 /dev/null "$bin/client" udp $server_ip 7301 traffic 3>&- &
	others=$!
	for i in $(seq "$rounds"); do
		launch_daemon
		sleep "$((RANDOM % 2)).$((RANDOM % 900 + 100))"
		victim=$daemon
		[ $((RANDOM % 2)) = 0 ] || victim=$(pgrep -P "$daemon" | head -n 1)
		victim=${victim:-$daemon} # it had no pipeline yet
		family="$daemon $(pgrep -P "$daemon" | tr '\n' ' ')"
		kill -KILL "$victim"
		if [ "$victim" != "$daemon" ]; then
			has_other() { pgrep -P "$daemon" | grep -qv "^$victim$"; }
			wait_for 10 has_other || { echo "round $i: no new pipeline"; false; }
			family="$family $(pgrep -P "$daemon" | tr '\n' ' ')"
			kill -KILL "$daemon"
		fi
		for pid in $family; do
			wait_for 10 is_gone "$pid" || { echo "round $i: $pid lives on"; false; }
		done
		wait_for 5 no_hooks || { echo "round $i: $(hooks_of c; hooks_of s)"; false; }
	done
	echo "$rounds rounds"
	kill -INT $others $server
}

@test "and the next start counts every conversation once" {
	rm -f "$run/server.log"
	start_daemon
	start_server 7302
	capture c 7302
	capture s 7302
	in_client "$bin/burst" 100 2 "$run/burst.log" "$bin/client" tcp $server_ip 7302 id{}x
	stop_captures
	flows_of 7302
	python3 tests/e2e/flows.py exact "$run/flows.json" pkrsc0 "$run/c.pcap"
	python3 tests/e2e/flows.py exact "$run/flows.json" pkrss0 "$run/s.pcap"
	kill_children
}
