#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Sigma rules in the agent: a program and a connection that fit are alerts, a reload with a broken file
# changes nothing, and a good one counts at once.

bats_require_minimum_version 1.5.0
net=pkru
load lib

setup() {
	run=$BATS_TEST_TMPDIR
	rules=$(mktemp -d /tmp/pkru-XXXXXX) # readable for who reads it: without privileges
	chmod 755 "$rules"
	make_net
	write_config "$run/picket.yaml"
	printf 'detect:\n  rules_dir: %s\n' "$rules" >>"$run/picket.yaml"
	cp "$(type -P true)" "$run/oddtool"
	rule first "{category: process_creation, product: linux}" "{Image|endswith: /oddtool, CommandLine|contains: evil}"
	rule second "{category: network_connection, product: linux}" "{DestinationIp: $server_ip, DestinationPort: 4444, Initiated: 'true', Image|endswith: bash}"
}

teardown() {
	[ -n "$BATS_TEST_COMPLETED" ] || tail -5 "$run/log"
	kill_children
	clean_net
	rm -rf "$rules"
}

rule() { # rule NAME LOGSOURCE SELECTION
	printf 'title: %s\nid: id-%s\nauthor: The test\nlevel: high\ntags: [attack.t1059.004]\nlogsource: %s\ndetection:\n  s: %s\n  condition: s\n' \
		"$1" "$1" "$2" "$3" >"$rules/$1.yml"
}
alerts() { "$build/picket" --socket "$run/picket.sock" alerts -o json; }
told() { alerts | grep -q "\"$1\""; }

@test "rules from files to alerts, and a reload" {
	start_daemon
	"$run/oddtool" fine
	"$run/oddtool" an evil word
	nsenter --net=/run/netns/${net}c bash -c "exec 3<>/dev/tcp/$server_ip/4444" 2>/dev/null || true
	wait_for 10 told id-first
	wait_for 10 told id-second
	[ "$(alerts | grep -c '"id-first"')" = 1 ]
	alerts | grep '"id-first"' | grep -q '"The test"'
	alerts | grep '"id-first"' | grep -q 'T1059.004'

	picket --socket "$run/picket.sock" rule ls -o json | jq -es --arg f "$rules/first.yml" '
		length == 2 and all(.[]; .runs and (.muted | not)) and
		any(.[]; .name == "id-first" and .hits == 1 and .last_hit > 0 and .level == "high" and .file == $f)'
	picket --socket "$run/picket.sock" rule ls | grep -q '^id-first.* high .* runs .* 1 '

	# a file that is half written: what was in force stays, and it is told
	echo 'title: [' >"$rules/third.yml"
	kill -HUP "$daemon"
	wait_for 10 told "Detection rules with errors"
	rule third "{category: process_creation}" "{Image|endswith: /oddtool, CommandLine|contains: other}"
	kill -HUP "$daemon"
	sleep 1
	"$run/oddtool" other
	wait_for 10 told id-third
}

kept_flow() { "$build/picket" --socket "$run/picket.sock" flows --since 1h -o json | grep -q '"port":7321'; }
test_kept() { "$build/picket" --socket "$run/picket.sock" rule test --since 1h "$@"; }

@test "rules against what the store keeps" {
	start_daemon
	start_server 7321
	in_client "$bin/client" tcp $server_ip 7321 kept
	wait_for 20 kept_flow
	stop_daemon
	start_daemon # another agent: what is kept is of one that ran before

	# what fits, as the agent would have told it: process, other side, evidence
	rule third "{category: network_connection, product: linux}" "{DestinationIp: $server_ip, DestinationPort: 7321, Initiated: 'true', Image|endswith: /client, User: root}"
	test_kept -o json "$rules/third.yml" >"$run/out"
	jq -es --arg ip "$server_ip" '
		.[0].finding_info.analytic.uid == "id-third" and
		any(.[0].evidences[]; (.process.name? == "client") and (.process | has("created_time") | not)) and
		any(.[0].evidences[]; .dst_endpoint.ip? == $ip and .traffic.bytes_out > 0) and
		any(.[0].evidences[]; .data.Image? | . != null and endswith("/client")) and
		.[0].unmapped.picket.remote == $ip and
		.[-1].test.alerts == 1 and .[-1].test.flows >= 1 and .[-1].test.not_tested == []' "$run/out"
	test_kept "$rules/third.yml" | grep -q 'High.*third.*client'

	# the other side of it, a near miss, and what flows alone tell
	rule third "{category: network_connection, product: linux}" "{DestinationPort: 7321, Initiated: 'true', Image|endswith: /clien}"
	[ "$(test_kept -o json "$rules/third.yml" | jq .test.alerts)" = 0 ]
	rule third "{category: firewall}" "{dst_port: 7321}"
	[ "$(test_kept -o json "$rules/third.yml" | jq -s '.[-1].test.alerts')" = 2 ] # seen from both namespaces

	# a correlation counts in what is kept
	rule third "{category: network_connection}" "{DestinationPort: 7321, Image|endswith: /client}"
	in_client "$bin/client" tcp $server_ip 7321 again
	twice() { [ "$("$build/picket" --socket "$run/picket.sock" flows --since 1h -o json 'dst port 7321 and proc client' | wc -l)" -ge 2 ]; }
	wait_for 20 twice
	printf 'title: Often\nid: id-often\ncorrelation: {type: event_count, rules: [id-third], group-by: [DestinationIp], timespan: 1h, condition: {gte: 2}}\n' >"$rules/often.yml"
	code=0
	test_kept -o json "$rules" >"$run/out" 2>"$run/err" || code=$?
	[ "$code" = 3 ]
	[ "$(jq -rs 'map(.finding_info.analytic.uid // empty) | sort | join(" ")' "$run/out")" = "id-often" ]
	# process_creation is not kept: said, with status 3; second.yml can be asked
	grep -q "first.yml:1:1: first: events of kind process are not kept" "$run/err"
	[ "$(jq -rs '.[-1].test.not_tested | map(.title) | join(" ")' "$run/out")" = first ]

	# a rule that can't be asked is an error, and not "nothing found"
	run -1 --separate-stderr test_kept "$rules/first.yml"
	[ -z "$output" ]
	[[ $stderr == *"none of its rules can be tested on what is kept"* ]]
	rule third "{category: network_connection, product: linux}" "{CommandLine|contains: x}"
	run -1 test_kept "$rules/third.yml"
	[[ $output == *"CommandLine is not kept of flows"* ]]
	run -1 test_kept "$rules/none.yml"
	run -2 test_kept --replay x.pcap "$rules/third.yml"
	run -2 "$build/picket" rule test "$rules/third.yml"
	run -2 "$build/picket" rule test --since soon "$rules/third.yml"
	[[ $output == *"--since takes a time as in"* ]]
}

@test "what is checked must be there" {
	check() { run --separate-stderr "$build/picket" rule check -q "$@"; }
	check "$rules"
	[ "$status" = 0 ]
	check "$rules/first.yml" "$rules/none.yml"
	[ "$status" = 1 ]
	[[ $stderr == *"none.yml: No such file or directory"* ]]
	check "$run/no-such-directory/"
	[ "$status" = 1 ]
	[[ $stderr == *"no-such-directory/: No such file or directory"* ]]
	mkdir "$run/empty"
	check "$run/empty"
	[ "$status" = 1 ]
	[[ $stderr == *"$run/empty: there is no rule in it"* ]]
	: >"$run/empty/nothing.yml"
	check "$run/empty/nothing.yml"
	[ "$status" = 1 ]
	[[ $stderr == *"nothing.yml: there is no rule in it"* ]]
}

in_capture() { "$build/picket" rule test --replay tests/replay/tcp/conversation.pcap "$@"; }

@test "rules against a capture: what it has not is named, and never nothing found" {
	# what packets tell is tested
	rule first "{category: network_connection, product: linux}" "{DestinationIp: 198.51.100.2, DestinationPort: 80, Initiated: 'true'}"
	rule second "{category: firewall}" "{dst_port: 81}"
	in_capture -o json "$rules" >"$run/out"
	[ "$(jq -rs 'map(.finding_info.analytic.uid // empty) | join(" ")' "$run/out")" = id-first ]

	# a process, a field of one, a side, and a correlation of them
	rule second "{category: process_creation, product: linux}" "{Image|endswith: /oddtool}"
	rule third "{category: network_connection, product: linux}" "{DestinationPort: 80, Image|endswith: /curl}"
	rule fourth "{category: network_connection}" "{DestinationPort: 80, Initiated: 'false'}"
	rule fifth "{product: linux, service: auditd}" "{type: EXECVE}"
	printf 'title: Often\nid: id-often\ncorrelation: {type: event_count, rules: [id-third], group-by: [DestinationIp], timespan: 1h, condition: {gte: 1}}\n' >"$rules/often.yml"
	code=0
	in_capture -o json "$rules" >"$run/out" 2>"$run/err" || code=$?
	cat "$run/err"
	[ "$code" = 3 ]
	[ "$(jq -rs 'map(.finding_info.analytic.uid // empty) | join(" ")' "$run/out")" = id-first ]
	grep -q "second.yml:1:1: second: events of kind process are not in a capture" "$run/err"
	grep -q "third.yml:1:1: third: Image is not in a capture" "$run/err"
	grep -q "fourth.yml:1:1: fourth: Initiated: false is not in a capture" "$run/err"
	grep -q "fifth.yml:1:1: fifth: events of kind audit are not in a capture" "$run/err"
	grep -q "Often: it counts a rule that can't be tested: third" "$run/err"
	grep -q "5 rules were not tested, see above" "$run/err"

	# none that could be: an error, and not a table without rows
	rm "$rules"/first.yml
	run -1 --separate-stderr in_capture "$rules"
	[ -z "$output" ]
	[[ $stderr == *"none of its rules can be tested on a capture"* ]]
}
