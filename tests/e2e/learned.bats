#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What detectors learned over the death of the agent: killed with SIGKILL and started again, it does not
# tell a known destination as new, and tells a new one at once. A file that is damaged is set aside.

net=pkle
load lib

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	write_config "$run/picket.yaml"
	echo "detect: {learning_time: 3s, learned_every: 1s, off: [$(all_but new_destination)]}" >>"$run/picket.yaml"
	cat >"$run/service.py" <<-'END'
		import socket, sys
		s = socket.socket()
		s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		s.bind(("0.0.0.0", 7400))
		s.listen()
		for port in sys.argv[2:]:
		    socket.socket().connect_ex((sys.argv[1], int(port)))
	END
	start_daemon
}

teardown_file() {
	kill_children
	clean_net
}

# A service that calls these ports of the far host, which refuses.
service() { in_client python3 "$run/service.py" $server_ip "$@"; }
learned() { api /v1/status | jq -e ".learned | $1"; }
# tells PORT: this agent has told it as a new destination.
tells() {
	api /v1/alerts | jq -e --arg p "port $1" '[.alerts[] | select(.finding_info.title == "New destination of a service" and (tostring | contains($p)))] | length > 0'
}
kill_all() {
	local family
	daemon=$(cat "$run/daemon")
	family="$(pgrep -P "$daemon" | tr '\n' ' ') $daemon"
	kill -KILL $family # the pipeline first: it can save nothing at its end
	for pid in $family; do wait_for 10 is_gone "$pid"; done
}

@test "a known destination is not told as new by the agent that comes after a SIGKILL" {
	service 7401
	sleep 4 # it has learned
	service 7402
	wait_for 20 tells 7402 || { api /v1/alerts; cat "$run/log"; false; }
	local saves
	saves=$(learned .saves)
	wait_for 10 learned ".saves > $saves + 1 and .rows >= 1"
	kill_all
	start_daemon
	learned '.loaded >= 1 and .damaged == 0 and .not_loaded == 0'
	service 7401 7402 7403
	wait_for 20 tells 7403 || { api /v1/alerts; cat "$run/log"; false; }
	! tells 7401 || false
	! tells 7402 || false
}

@test "what it saves at its end is whole" {
	kill -TERM "$(cat "$run/daemon")"
	wait_for 15 is_gone "$(cat "$run/daemon")"
	[ "$(stat -c '%a' "$run/state/learned")" = 700 ]
	[ "$(stat -c '%a' "$run/state/learned/detectors")" = 600 ]
	[ ! -e "$run/state/learned/detectors.new" ]
	start_daemon
	learned '.loaded >= 1 and .damaged == 0'
	service 7403 7404
	wait_for 20 tells 7404
	! tells 7403 || false
}

@test "a damaged file is set aside and counted, and detectors learn anew" {
	kill_all
	truncate -s -1 "$run/state/learned/detectors"
	start_daemon
	learned '.loaded == 0 and .damaged == 1'
	[ -e "$run/state/learned/detectors.damaged" ]
	picket --socket "$run/picket.sock" status | grep -q "is kept in learned/detectors.damaged"
	api /v1/status | jq -e 'any(.notices[]; .text | contains("it is damaged"))'
	service 7403
	wait_for 10 learned '.saves > 0 and .rows >= 1'
	sleep 4
	service 7403 7405
	wait_for 20 tells 7405
	! tells 7403 || false
}
