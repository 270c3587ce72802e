#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The shortest story, also run on every test kernel: load, attach, see one connection over lo and
# one over veth with the process that made it, leave nothing behind.

net=pksm
load lib

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	write_config "$run/picket.yaml"
	start_daemon
	start_server 7001
	export daemon server
}

teardown_file() {
	kill_children
	clean_net
}

# flow_with JQ: some flow of port 7001 satisfies it.
flow_with() { api "/v1/flows?state=all&filter=port%207001" | jq -e ".flows | any(.[]; $1)"; }

@test "hooks are attached on both ends of the pair" {
	is_covered
}

@test "a connection over veth has the client's process" {
	in_client "$bin/client" tcp $server_ip 7001 smoke-veth
	wait_for 10 flow_with '.unmapped.picket.iface.name == "pksmc0" and .actor.process.name == "client" and (.actor.process.cmd_line | endswith("smoke-veth"))'
}

@test "and at the server's end the server's process" {
	wait_for 10 flow_with ".unmapped.picket.iface.name == \"pksms0\" and .unmapped.picket.dst.owner.user.pid == $server"
}

@test "a connection over lo has both processes" {
	in_server "$bin/client" tcp 127.0.0.1 7001 smoke-lo
	wait_for 10 flow_with ".unmapped.picket.iface.name == \"lo\" and .actor.process.name == \"client\" and .unmapped.picket.dst.owner.user.pid == $server"
}

@test "counters balance: every packet is in a flow, an aggregate or refused for a reason" {
	api /v1/status | jq -e '.packets.ok and .events.ok'
}

@test "SIGTERM ends it and leaves no hook" {
	kill -TERM "$daemon"
	wait_for 15 is_gone "$daemon"
	left=$(hooks_of c && hooks_of s)
	echo "left: $left"
	[ -z "$left" ]
	[ ! -e "$run/picket.sock" ]
}
