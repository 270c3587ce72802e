#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Alerts to real receivers: each gets every one at least once, doubles are the same record by uid and
# sequence, whatever dies in between; a receiver with a wrong certificate gets none.

net=pksk
load lib

setup_file() {
	export run=$BATS_FILE_TMPDIR
	chmod 755 "$BATS_RUN_TMPDIR" "$run"
	make_net
	(
		cd "$run"
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca \
			-keyout ca.key -out ca.pem
		for name in localhost other.invalid; do
			openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
				-keyout "$name.key" -out "$name.csr"
			openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
				-extfile <(echo "subjectAltName=DNS:$name") -out "$name.pem"
		done
	) 2>"$run/openssl.log"
}

setup() { rm -rf "$run/state" "$run"/*.got; }
teardown() {
	kill_children
	! mountpoint -q "$run/small" || umount "$run/small"
	[ ! -e "$run/ours" ] || rm -rf "$run/ours" /run/systemd/journal
}
teardown_file() { clean_net; }

# receiver LOG ARGUMENT...: in the client's namespace; its pid is in $receiver.
receiver() {
	local log=$run/$1.log
	shift
	: >"$log"
	nsenter --net="/run/netns/${net}c" python3 tests/e2e/receivers.py "$@" >>"$log" 2>&1 3>&- &
	receiver=$!
	others="${others:-} $receiver"
	wait_for 10 grep -q ready "$log"
}

# with_sinks KEYS: a configuration with that sink section; then the daemon.
with_sinks() {
	write_config "$run/picket.yaml"
	echo "sink: {$1}" >>"$run/picket.yaml"
	echo "detect: {off: [$(all_but fileless)]}" >>"$run/picket.yaml"
	start_daemon
}

odd() {
	cp /bin/true "/dev/shm/pksk-odd-$1"
	in_client "/dev/shm/pksk-odd-$1"
	rm -f "/dev/shm/pksk-odd-$1"
}
is_alert() { api /v1/alerts | jq -e --arg n "pksk-odd-$1" 'any(.alerts[]; tostring | contains($n))'; }
got() { grep -q "pksk-odd-$2\b" "$run/$1.got"; }
sink_says() { api /v1/status | jq -e --arg n "$1" ".sinks.sinks[] | select(.name == \$n) | $2"; }
# Beside them the incident that they are.
alerts_in() { jq -c 'select(.class_uid == 2004)' "$1" | wc -l; }
# Every telling once; what came twice is the same.
no_difference() {
	jq -ce '[.metadata.uid, .metadata.sequence]' "$run/$1.got" | sort | uniq -c
	[ "$(jq -c '[.metadata.uid, .metadata.sequence]' "$run/$1.got" | sort -u | wc -l)" = \
		"$(sort -u "$run/$1.got" | wc -l)" ]
}

@test "to a file, which somebody moves away, and to standard output" {
	with_sinks "file: $run/out/alerts.jsonl, stdout: true"
	ln -sfn out/alerts.jsonl "$run/file.got"
	odd 1
	wait_for 10 got file 1
	[ "$(stat -c %a "$run/out" "$run/out/alerts.jsonl" | tr '\n' ' ')" = "750 640 " ]
	mv "$run/out/alerts.jsonl" "$run/out/alerts.old"
	odd 2
	wait_for 10 got file 2
	[ "$(alerts_in "$run/out/alerts.jsonl")" = 1 ]
	ln -sfn log "$run/stdout.got"
	wait_for 5 got stdout 2
	[ "$(alerts_in "$run/out/alerts.old")" = 1 ]
	sink_says file '.sent >= 3 and .waiting == 0 and .failed == 0 and .dropped == 0'
}

@test "syslog over TLS, with the certificate checked" {
	receiver syslog syslog 6514 "$run/syslog.got" "$run/localhost.pem" "$run/localhost.key"
	with_sinks "syslog: tls://localhost:6514, ca: $run/ca.pem"
	odd 1
	wait_for 15 got syslog 1
	kill "$receiver"
	wait "$receiver" || true
	odd 2
	wait_for 15 sink_says syslog '.failed > 0 and .waiting >= 1 and (.trouble | length > 0)'
	receiver syslog syslog 6514 "$run/syslog.got" "$run/localhost.pem" "$run/localhost.key"
	wait_for 60 got syslog 2
	no_difference syslog
	kill "$receiver"
	wait "$receiver" || true
	# another host's certificate, from the same authority
	receiver syslog syslog 6514 "$run/syslog.got" "$run/other.invalid.pem" "$run/other.invalid.key"
	odd 3
	wait_for 60 sink_says syslog '.trouble // "" | contains("ostname mismatch")'
	got syslog 3 && false
	api /v1/status | jq -e '.degraded | any(startswith("sink syslog: "))'
}

@test "syslog over TCP" {
	receiver syslog syslog 6601 "$run/syslog.got"
	with_sinks "syslog: tcp://127.0.0.1:6601, severity: high"
	odd 1
	wait_for 15 got syslog 1
	jq -e '.severity_id >= 4' "$run/syslog.got"
}

@test "webhook over HTTPS that fails at first; the agent is killed in between; nothing is lost" {
	receiver webhook webhook 8443 "$run/webhook.got" 1000 "$run/localhost.pem" "$run/localhost.key"
	with_sinks "webhook: 'https://localhost:8443/in', webhook_header: 'Authorization: Bearer secret', ca: $run/ca.pem"
	for k in 1 2 3; do odd $k; done
	wait_for 10 is_alert 3
	wait_for 20 sink_says webhook '.waiting >= 4 and .failed > 0 and .trouble == "the receiver answers 503"'
	family="$daemon $(pgrep -P "$daemon")"
	kill -KILL $family
	for pid in $family; do wait_for 10 is_gone "$pid"; done
	kill "$receiver"
	wait "$receiver" || true
	start_daemon
	odd 4
	wait_for 10 is_alert 4
	receiver webhook webhook 8443 "$run/webhook.got" 1 "$run/localhost.pem" "$run/localhost.key"
	for k in 1 2 3 4; do wait_for 60 got webhook $k; done
	no_difference webhook
	wait_for 10 sink_says webhook '.waiting == 0 and .trouble == null and .dropped == 0 and .refused == 0'
}

@test "webhook, compressed" {
	receiver webhook webhook 8080 "$run/webhook.got" 0
	with_sinks "webhook: 'http://127.0.0.1:8080/', webhook_header: 'Authorization: Bearer secret', webhook_gzip: true"
	odd 1
	wait_for 15 got webhook 1
}

@test "a full disk does not keep alerts from who listens" {
	receiver syslog syslog 6601 "$run/syslog.got"
	mkdir -p "$run/small"
	mount -t tmpfs -o size=4m,mode=755 none "$run/small"
	write_config "$run/picket.yaml"
	sed -i "s#state: $run/state#state: $run/small#" "$run/picket.yaml"
	echo "sink: {syslog: 'tcp://127.0.0.1:6601'}" >>"$run/picket.yaml"
	start_daemon
	head -c 8M /dev/zero >"$run/small/filler" 2>/dev/null || true
	odd 1
	wait_for 15 got syslog 1
}

@test "the journal, as fields" {
	[ ! -e /run/systemd/journal/socket ] || skip "journald has its socket here"
	mkdir -p /run/systemd/journal
	: >"$run/ours"
	receiver journal journal /run/systemd/journal/socket "$run/journal.got"
	with_sinks "journal: true"
	odd 1
	wait_for 15 got journal 1
}

@test "a receiver that can not be named right is refused at once" {
	write_config "$run/picket.yaml"
	echo "sink: {syslog: 'udp://collector:514'}" >>"$run/picket.yaml"
	run "$build/picketd" --config "$run/picket.yaml" --check-config
	[ "$status" = 1 ]
	[[ $output == *"sink.syslog"*"tls, tcp"* ]]
}
