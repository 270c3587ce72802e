#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Attacks run for real and give an alert of the right technique; daily work gives none above low.
# What runs and how it is kept apart from the machine is in atomics.py. The tests of Atomic Red Team
# are not part of the project: PICKET_CORPORA names the folder that holds them.

net=pkat
load lib

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	mkdir -p "$run/www"
	printf '#!/bin/sh\nid >/dev/null\n' >"$run/www/x.sh"
	for name in tool.sh atomic.sh page; do cp "$run/www/x.sh" "$run/www/$name"; done
	mkdir -p "$run/www/redcanaryco/atomic-red-team/master/atomics/T1074.001/src"
	cp "$run/www/x.sh" "$run/www/redcanaryco/atomic-red-team/master/atomics/T1074.001/src/Discovery.sh"
	in_server python3 -m http.server -d "$run/www" 80 >/dev/null 2>&1 3>&- &
	others=$!
	# Whoever calls gets a command typed, and is cut off.
	in_server socat TCP-LISTEN:4444,fork,reuseaddr SYSTEM:'echo id; sleep 1; echo exit' >/dev/null 2>&1 3>&- &
	others="$others $!"
	ip -n "${net}c" route add 169.254.169.254/32 via $server_ip
	write_config "$run/picket.yaml"
	# Each story is to have alerts of its own.
	echo "detect: {fold: 1s, rules_dir: $PWD/user/share/rules.d}" >>"$run/picket.yaml"
	start_daemon
	export daemon others
}

teardown_file() {
	kill_children
	clean_net
}

stories() {
	local limit=${PICKET_FULL:+2700}
	timeout "${limit:-580}" /usr/bin/python3 tests/e2e/atomics.py "$1" "$net" "$run/picket.sock" "$run" "${@:2}" \
		>"$run/$1.table" || true
	sed 's/^/# /' "$run/$1.table" >&3
}

@test "own attacks: shells, downloads, injection, sniffing and the like" {
	stories own
	[ "$(grep -c '^ok' "$run/own.table")" -ge 15 ]
	! grep '^MISS' "$run/own.table" || false
}

@test "Atomic Red Team: at least 25 techniques are told as what they are" {
	corpus=${PICKET_CORPORA:-../shared/corpora}/atomic-red-team
	[ -d "$corpus/atomics" ] || skip "no $corpus"
	/usr/bin/python3 -c 'import yaml' || skip "python3-yaml is not installed"
	stories corpus "$corpus"
	[ "$(grep '^ok' "$run/corpus.table" | awk '{ print $2 }' | sort -u | wc -l)" -ge 25 ]
}

@test "daily work gives no alert above low" {
	# shellcheck disable=SC2086
	stories benign ${PICKET_FULL:+1800}
	[ "$(grep -c '^ok' "$run/benign.table")" -ge 9 ]
	! grep '^ALERT' "$run/benign.table" || false
}

# What a scanner of vulnerabilities does: each port once, each service greeted.
scan() {
	in_server /usr/bin/python3 - "$1" <<-'SCAN'
		import socket, sys
		for port in range(1, 200):
		    with socket.socket() as s:
		        s.settimeout(0.2)
		        s.connect_ex((sys.argv[1], port))
	SCAN
}
scans() { api "/v1/alerts?rule=port_scan&limit=10000" | jq -e ".alerts | length $1"; }

@test "the scanner that somebody vouched for is silent, as it is counted; without that it is told" {
	# the sensor watches both ends here: each is the other's remote
	picket --socket "$run/picket.sock" mute port_scan --remote $server_ip/24 --reason "our own scanner" --for 1h
	scan $client_ip
	hits() { picket --socket "$run/picket.sock" mute ls -o json | jq -es '.[-1].hits > 0'; }
	wait_for 10 hits
	scans "== 0"
	picket --socket "$run/picket.sock" mute rm "$(picket --socket "$run/picket.sock" mute ls -o json | jq -s '.[-1].number')" \
		--reason "the scan is over"
	ip -n "${net}c" addr add 10.97.0.9/24 dev "${net}c0"
	scan 10.97.0.9
	wait_for 10 scans "> 0"
}

@test "SIGSTOP to the sensor is told once it goes on" {
	pid=$(api /v1/status | jq .pid)
	kill -STOP "$pid"
	sleep 0.3
	kill -CONT "$pid"
	wait_for 10 eval 'api "/v1/alerts?rule=tamper" | jq -e ".alerts | any(.[]; .finding_info.desc | test(\"stopped by a signal\"))"'
}
