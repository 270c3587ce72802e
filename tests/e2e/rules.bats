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
