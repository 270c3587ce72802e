#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `picket dns` and `picket tls`: what dig and openssl did, as a person and a script see it.

bats_require_minimum_version 1.5.0
net=pkdn
load lib

setup_file() {
	export run=$BATS_FILE_TMPDIR
	export PICKET_SOCKET=$run/picket.sock
	make_net
	write_config "$run/picket.yaml"
	start_daemon
	start_resolver
	start_tls
	ask good.example >"$run/dig"
	ask missing.example >/dev/null
	ask -t HTTPS good.example >/dev/null
	ask +tcp tcp.example >/dev/null
	# A clear screen, a dot inside a label, a byte that is no UTF-8.
	ask '\027[2J\.x\255.example' >/dev/null
	in_client dig -p 5 +tries=1 +timeout=1 @$server_ip lost.example >/dev/null || true
	in_client timeout 5 openssl s_client -connect $server_ip:4433 -servername shop.example \
		-alpn h2,http/1.1 </dev/null >"$run/s_client" 2>&1 || true
	export daemon
}

teardown_file() {
	kill_children
	clean_net
}

start_resolver() {
	nsenter --net="/run/netns/${net}s" dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root \
		--no-resolv --no-hosts --bind-interfaces --listen-address=$server_ip --pid-file= \
		--local-ttl=77 --address=/good.example/192.0.2.1 --address=/tcp.example/192.0.2.2 \
		--local=/example/ >"$run/dnsmasq.log" 2>&1 3>&- &
	wait_for 10 in_client dig +tries=1 +timeout=1 @$server_ip ready.example
}

start_tls() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=shop.example \
		-days 2 -keyout "$run/key.pem" -out "$run/cert.pem" 2>/dev/null
	nsenter --net="/run/netns/${net}s" openssl s_server -accept 4433 -cert "$run/cert.pem" \
		-key "$run/key.pem" -alpn h2 -quiet </dev/null >"$run/s_server.log" 2>&1 3>&- &
	wait_for 10 in_client nc -z $server_ip 4433
}

ask() { in_client dig +tries=1 +timeout=2 @$server_ip "$@"; }

# is_shown PATTERN COMMAND...: who asked comes a moment after what was asked.
is_shown() { picket "${@:2}" | grep -q "$1"; }

# Standard input is UTF-8 without any character that a terminal would obey or hide.
is_harmless() {
	python3 -c '
import sys, unicodedata
text = sys.stdin.buffer.read().decode("utf-8")
bad = {hex(ord(c)) for c in text if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs") and c != "\n"}
sys.exit(f"raw: {sorted(bad)}" if bad else 0)'
}

@test "a question: who asked whom, the code, the TTL, the address" {
	wait_for 10 is_shown ' HTTPS ' dns name good.example and proc dig
	run picket dns name good.example and proc dig
	[ "$status" = 0 ]
	[[ ${lines[0]} == TIME*PID*PROGRAM*SERVER*TYPE*NAME*RCODE*MS*TTL*ANSWER ]]
	grep -E ' dig +10\.97\.0\.2:53 +A +good\.example +NOERROR +[0-9.]+ +77 192\.0\.2\.1$' <<<"$output"
	grep -E ' dig +10\.97\.0\.2:53 +HTTPS +good\.example +[A-Z]+ ' <<<"$output"
}

@test "no such name, no answer, a question over TCP" {
	wait_for 10 is_shown ' tcp.example ' dns name tcp.example and proc dig
	picket dns name missing.example | grep -E ' missing\.example +NXDOMAIN '
	picket dns name tcp.example | grep -E ' tcp\.example +NOERROR +[0-9.]+ +77 192\.0\.2\.2$'
	picket dns -o json name tcp.example | jq -se '.[0].connection_info.protocol_name == "tcp"'
}

@test "json is the OCSF record, csv has its columns, the filter's errors are told" {
	wait_for 10 is_shown ' A ' dns name good.example and proc dig
	picket dns -o json name good.example | jq -se 'all(.[]; .class_uid == 4003) and
		any(.[]; .query.type == "A" and .answers[0].rdata == "192.0.2.1" and .rcode == "NoError"
			and .actor.process.name == "dig")'
	picket dns -o csv proc dig | python3 -c '
import csv, sys
rows = [r for r in csv.DictReader(sys.stdin) if r["name"] == "good.example" and r["type"] == "A"]
assert len(rows) == 1 and rows[0]["ttl"] == "77" and rows[0]["program"] == "dig", rows
assert int(rows[0]["pid"]) > 0 and float(rows[0]["ms"]) > 0 and int(rows[0]["time"]) > 1e12, rows'
	run --separate-stderr picket dns 'name good.example and prot 1'
	[ "$status" = 2 ]
	[ "${stderr_lines[2]}" = "                        ^" ]
	run picket dns --all
	[ "$status" = 2 ]
}

@test "a hostile name reaches no terminal raw" {
	wait_for 10 is_shown '027' dns proc dig
	for format in table json csv; do
		picket dns -o $format >"$run/text"
		is_harmless <"$run/text"
		grep -F 027 "$run/text"
	done
	# As in a zone file, in the table.
	picket dns proc dig | grep -F ' \027[2j\.x\255.example '
}

@test "follow shows a question as it comes" {
	timeout 20 "$build/picket" dns --follow name later.example >"$run/follow" 3>&- &
	local follower=$!
	for _ in 1 2 3 4 5 6 7 8; do
		ask later.example >/dev/null
		! grep -q ' dig .* later.example' "$run/follow" || break
		sleep 0.5
	done
	kill $follower
	grep -E ' dig +10\.97\.0\.2:53 +A +later\.example +NXDOMAIN ' "$run/follow"
}

@test "a handshake: who, over what, version, ALPN, JA4, name" {
	wait_for 10 is_shown openssl tls sni shop.example
	run picket tls sni shop.example and proc openssl
	[ "$status" = 0 ]
	[[ ${lines[0]} == TIME*PID*PROGRAM*SERVER*OVER*VERSION*ALPN*ECH*JA4*NAME ]]
	grep -E ' openssl +10\.97\.0\.2:4433 +tcp +TLS 1\.3 +h2,http/1\.1 +t13d[0-9]{4}h2_[0-9a-f]{12}_[0-9a-f]{12} shop\.example$' \
		<<<"$output"
	picket tls -o json sni shop.example | jq -se 'all(.[]; .class_uid == 4001) and
		.[0].tls.sni == "shop.example" and .[0].actor.process.name == "openssl"'
	picket tls -o csv 'proc openssl' | python3 -c '
import csv, sys
rows = [r for r in csv.DictReader(sys.stdin) if r["name"] == "shop.example"]
assert rows and rows[0]["version"] == "TLS 1.3" and rows[0]["alpn"] == "h2,http/1.1", rows'
}

@test "help shows examples, and completion knows the commands" {
	for command in dns tls; do
		picket $command --help | grep -q '^Examples:'
		for shell in bash zsh fish; do
			picket completion $shell | grep -qw $command
		done
	done
	picket completion bash | grep -E 'dns\).*--follow.*--output'
}
