#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many short conversations, each from a process of its own: every one is a flow with exact packets and
# bytes (tcpdump at both ends is the truth) and the right process at both ends (the server's log and
# the list of started processes are). PICKET_FULL=1 for 1,000 of each kind instead of 200.

net=pkex
load lib
count=$([ -n "${PICKET_FULL:-}" ] && echo 1000 || echo 200)

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	write_config "$run/picket.yaml"
	start_daemon
	export daemon
}

teardown_file() {
	kill_children
	clean_net
}

setup() {
	rm -f "$run"/*.pcap "$run"/*.tcpdump "$run"/server.log "$run"/burst.log
}

teardown() {
	[ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
}

# conversations PORT COUNT PROGRAM...: runs them and compares everything.
conversations() {
	local port=$1 n=$2
	shift 2
	start_server "$port"
	capture c "$port"
	capture s "$port"
	in_client "$bin/burst" "$n" "${parallel:-4}" "$run/burst.log" "$@" >/dev/null
	stop_captures
	flows_of "$port"
	[ "$(grep -cE '^(tcp|udp) ' "$run/server.log")" -ge "$n" ]
	compare "$n"
}

compare() {
	python3 tests/e2e/flows.py exact "$run/flows.json" pkexc0 "$run/c.pcap" | tee -a "$run/figures" &&
		python3 tests/e2e/flows.py exact "$run/flows.json" pkexs0 "$run/s.pcap" &&
		python3 tests/e2e/flows.py clients "$run/flows.json" pkexc0 "$run/server.log" "$run/burst.log" &&
		python3 tests/e2e/flows.py servers "$run/flows.json" pkexs0 "$run/server.log" "$server"
}

@test "short curl connections" {
	conversations 7101 $count curl -s http://$server_ip:7101/id{}x
}

@test "UDP exchanges" {
	conversations 7102 $count "$bin/client" udp $server_ip 7102 id{}x
}

@test "processes that live under 5 ms" {
	parallel=1 # on a busy machine nothing is short
	conversations 7103 $((count > 200 ? 400 : 200)) "$bin/client" tcp $server_ip 7103 id{}x
	short=$(awk '$4 < 5000' "$run/burst.log" | wc -l)
	echo "$short of $(wc -l <"$run/burst.log") lived under 5 ms"
	[ "$short" -ge $((count > 200 ? 200 : 50)) ]
}

@test "IPv6" {
	conversations 7104 50 "$bin/client" tcp $server_ip6 7104 id{}x
}

@test "v4-mapped sockets" {
	conversations 7105 50 "$bin/client" tcp ::ffff:$server_ip 7105 id{}x
}

@test "io_uring connect" {
	conversations 7106 50 "$bin/client" uring $server_ip 7106 id{}x
}

@test "TCP fast open" {
	start_server 7117
	in_client "$bin/client" tfo $server_ip 7117 cookie || [ $? = 2 ] # the cookie goes by address
	kill "$server"
	rm -f "$run/server.log"
	conversations 7107 50 "$bin/client" tfo $server_ip 7107 id{}x
}

@test "vfork and exec: the flow is the child's" {
	start_server 7108
	in_client "$bin/client" vfork $server_ip 7108 vforked
	flows_of 7108
	jq -c '.flows[] | [.unmapped.picket.iface.name, .actor.process]' "$run/flows.json"
	jq -e '.flows | map(select(.unmapped.picket.iface.name == "pkexc0")) | length == 1 and
		(.[0].actor.process | (.cmd_line | contains("client tcp")) and
		 (.parent_process.cmd_line | contains("vfork")))' "$run/flows.json"
}

@test "a passed descriptor has its creator and its user" {
	start_server 7109
	read -r _ creator _ user < <(in_client "$bin/client" pass $server_ip 7109 passed)
	flows_of 7109
	echo "creator $creator, user $user"
	jq -c '.flows[] | [.unmapped.picket.iface.name, .unmapped.picket.src.owner]' "$run/flows.json"
	jq -e --argjson creator "$creator" --argjson user "$user" '.flows |
		map(select(.unmapped.picket.iface.name == "pkexc0")) | length == 1 and
		(.[0].unmapped.picket.src.owner | .creator.pid == $creator and .user.pid == $user)' \
		"$run/flows.json"
}
