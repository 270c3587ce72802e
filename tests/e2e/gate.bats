#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The API over TLS: who gets in, what each role may, what hostile clients get, and what somebody who
# took over the gate's process could do. The admin on the unix socket is served all the time.

net=pktg
load lib

gate=https://$client_ip:7443

setup_file() {
	export run=$BATS_FILE_TMPDIR
	export pki=$run/pki other=$run/other
	make_net
	picket pki init --dir "$pki"
	picket pki issue --dir "$pki" web1 --san $client_ip
	for role in reader analyst operator admin; do
		picket pki issue --dir "$pki" $role
	done
	picket pki issue --dir "$pki" operator --name mallory
	picket pki issue --dir "$pki" operator --name short --days 1
	picket pki init --dir "$other"
	picket pki issue --dir "$other" admin
	write_config "$run/picket.yaml" "slots: 4096"
	cat >>"$run/picket.yaml" <<-CONF
		gate:
		  listen: "$client_ip:7443"
		  cert: $pki/web1.crt
		  key: $pki/web1.key
		  ca: $pki/ca.crt
		  crl: $pki/ca.crl
		  timeout: 2s
		  rate: 100
		  body_max: 1M
		  connections: 64
		sign:
		  require: false
	CONF
	${CC:-gcc} -shared -fPIC -O1 -o "$run/hook.so" tests/e2e/hook/gate.c
	export PICKET_HOOK_KEY=$pki/web1.key LD_PRELOAD=$run/hook.so
	start_daemon
	unset LD_PRELOAD
	export daemon
	wait_for 10 ask reader /v1/healthz
}

teardown_file() {
	kill_children
	in_client "$build/picketd" --config "$run/picket.yaml" --detach >/dev/null 2>&1 || true
	clean_net
}

# Each test ends with the admin being served on the unix socket.
teardown() { api /v1/healthz | jq -e '.status == "ok"' >/dev/null; }

# curl from the other end of the wire. tls NAME ARG...; ask NAME PATH ARG... fails on errors;
# status NAME PATH ARG... prints the status, 000 when there is none.
tls() {
	local who=$1
	shift
	in_server curl -sS --max-time 20 --cacert "$pki/ca.crt" --cert "$pki/$who.crt" --key "$pki/$who.key" "$@"
}
ask() { tls "$1" -f "$gate$2" "${@:3}"; }
status() { tls "$1" -o /dev/null -w '%{http_code}' "$gate$2" "${@:3}" 2>/dev/null || true; }

# refused CAUSE: how often, by the metrics, once the gate has told its counts (every second).
refused() { api /metrics | awk -v k="picket_gate_refused_total{cause=\"$1\"}" '$1 == k { print $2 }'; }
has_refused() { [ "$(refused "$1")" -gt "$2" ]; } # CAUSE MORE_THAN
audited() { grep -q "audit: .* was refused: $1" "$run/log"; }

# curl's words for a handshake that fails: in it, or right after it, as TLS 1.3 tells the client late
# and the reset may meet its request (55: not sent, 52: nothing came, 56: reset).
is_refused() {
	echo "curl: $1"
	[[ $1 =~ ^(35|52|55|56)$ ]]
}

gate_pid() { pgrep -P "$daemon" -x picketd-gate; }

@test "each role may what it may, and no more" {
	[ "$(ask reader /v1/healthz)" = '{"status":"ok"}' ]
	ask reader /v1/status | jq -e '.version' >/dev/null
	wait_for 10 ask reader /healthz || tls reader "$gate/healthz"
	[ "$(ask reader /healthz)" = '{"status":"ok"}' ]
	tls reader -f -D "$run/head" "$gate/metrics" >"$run/metrics"
	grep -qi '^content-type: text/plain; version=0.0.4' "$run/head"
	grep -q '^picket_healthy 1$' "$run/metrics"
	grep -q "^picket_interface_covered{netns=\"\",iface=\"${net}c0\",direction=\"ingress\"} 1\$" "$run/metrics"
	for role in reader analyst; do
		[ "$(status $role /v1/blocks -X POST -d '{"targets":["198.51.100.7"]}')" = 403 ]
		[ "$(status $role /v1/lists/x -X PUT -d '198.51.100.7')" = 403 ]
	done
	ask operator /v1/blocks -X POST -d '{"targets":["198.51.100.7"]}' | jq -e '.added | length == 1' >/dev/null
	ask admin /v1/lists/net?format=plain -X PUT -d '198.51.100.9' | jq -e '.added == 1' >/dev/null
	ask reader /v1/check?ip=198.51.100.9 | jq -e '.' >/dev/null
	for role in reader analyst operator; do
		[ "$(status $role /v1/detach -X POST)" = 403 ]
	done
	grep -q 'audit: POST /v1/blocks by CN=operator,O=Picket (operator, [0-9a-f]\{64\}): 200' "$run/log"
	grep -q 'audit: PUT /v1/lists/x by CN=reader,O=Picket (reader, [0-9a-f]\{64\}): 403' "$run/log"
	tls reader -o "$run/body" -D "$run/head" -X POST "$gate/v1/detach"
	grep -qi '^content-type: application/problem+json' "$run/head"
	jq -e '.status == 403' "$run/body" >/dev/null
	picket --socket "$run/picket.sock" list rm net
}

@test "a list of 20,000 entries passes whole, both ways" {
	for i in $(seq 0 19999); do echo "100.64.$((i / 256)).$((i % 256))"; done >"$run/big"
	ask operator "/v1/lists/big?format=plain" -X PUT --data-binary @"$run/big" | jq -e '.entries == 20000' >/dev/null
	ask reader /v1/lists/big/export | grep -c 100.64 | grep -qx 20000
	ask operator /v1/lists/big -X DELETE | jq -e '.removed == 20000' >/dev/null
}

@test "streams go on, and end with their reader" {
	timeout 5 nsenter --net=/run/netns/${net}s curl -sS -N --cacert "$pki/ca.crt" --cert "$pki/reader.crt" \
		--key "$pki/reader.key" "$gate/v1/live" >"$run/live" || true
	[ "$(wc -l <"$run/live")" -ge 2 ]
	jq -es 'length >= 2' "$run/live" >/dev/null
}

@test "no certificate, another authority's, an expired one, TLS 1.2: no handshake" {
	before=$(api /v1/lists | jq -c '[.lists[] | [.name, .entries]]')
	run in_server curl -sS --max-time 10 --cacert "$pki/ca.crt" "$gate/v1/healthz"
	is_refused "$status"
	run in_server curl -sS --max-time 10 --cacert "$pki/ca.crt" --cert "$other/admin.crt" --key "$other/admin.key" "$gate/v1/healthz"
	is_refused "$status"
	run tls admin --tls-max 1.2 "$gate/v1/healthz"
	is_refused "$status"
	# an expired one, signed by the right authority
	openssl req -new -key "$pki/short.key" -subj /CN=short -out "$run/late.csr"
	printf 'subjectAltName=URI:urn:picket:role:admin\nextendedKeyUsage=clientAuth\n' >"$run/ext"
	openssl x509 -req -in "$run/late.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -days -1 -extfile "$run/ext" -out "$run/late.crt" 2>/dev/null
	run in_server curl -sS --max-time 10 --cacert "$pki/ca.crt" --cert "$run/late.crt" --key "$pki/short.key" "$gate/v1/healthz"
	is_refused "$status"
	# a certificate for servers is none for clients
	run tls web1 "$gate/v1/healthz"
	is_refused "$status"
	for cause in no_certificate unknown_authority tls_version expired bad_certificate; do
		wait_for 5 has_refused $cause 0
	done
	audited "it shows no certificate"
	audited "its certificate is of another authority"
	audited "it does not speak TLS 1.3"
	audited "its certificate has expired"
	grep -q 'audit: 10.97.0.2 (CN=short) was refused: its certificate has expired' "$run/log"
	# the right authority, but no role
	openssl x509 -req -in "$run/late.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -days 1 -out "$run/norole.crt" 2>/dev/null
	[ "$(in_server curl -sS -o /dev/null -w '%{http_code}' --cacert "$pki/ca.crt" --cert "$run/norole.crt" --key "$pki/short.key" "$gate/v1/healthz")" = 403 ]
	wait_for 5 has_refused no_role 0
	[ "$(api /v1/lists | jq -c '[.lists[] | [.name, .entries]]')" = "$before" ]
}

@test "what is revoked is out after a reload, its open connection too" {
	ask mallory /v1/healthz
	nsenter --net=/run/netns/${net}s curl -sS -N --cacert "$pki/ca.crt" --cert "$pki/mallory.crt" --key "$pki/mallory.key" \
		"$gate/v1/live" >"$run/open" 2>/dev/null 3>&- &
	stream=$!
	wait_for 10 test -s "$run/open"
	picket pki revoke --dir "$pki" mallory
	kill -HUP "$daemon"
	wait_for 10 is_gone "$stream"
	run tls mallory "$gate/v1/healthz"
	is_refused "$status"
	wait_for 5 has_refused revoked 0
	audited "its certificate is revoked"
	wait_for 10 ask operator /v1/healthz
}

@test "the host's certificate is renewed without a restart; a wrong file changes nothing" {
	before=$(gate_pid)
	old=$(openssl x509 -in "$pki/web1.crt" -noout -serial)
	picket pki issue --dir "$pki" web1 --san $client_ip --renew
	kill -HUP "$daemon"
	shown() { echo | in_server openssl s_client -connect $client_ip:7443 2>/dev/null | openssl x509 -noout -serial; }
	renewed() { [ "$(shown)" = "$(openssl x509 -in "$pki/web1.crt" -noout -serial)" ]; }
	wait_for 10 renewed
	[ "$(shown)" != "$old" ]
	cp "$pki/web1.key" "$run/keep"
	cp "$pki/reader.key" "$pki/web1.key"
	kill -HUP "$daemon"
	wait_for 10 grep -q 'gate.key is not what it should be' "$run/log"
	ask reader /v1/healthz
	cp "$run/keep" "$pki/web1.key"
	[ "$(gate_pid)" = "$before" ]
}

@test "bodies and headers that are too large, and what is no HTTP, are refused" {
	before=$(api /v1/lists | jq -c '[.lists[] | [.name, .entries]]')
	head -c 2000000 /dev/zero >"$run/zero"
	[ "$(status operator /v1/lists/x -X PUT --data-binary @"$run/zero")" = 413 ]
	# 10 GiB by its own word
	code=$(tls operator -o /dev/null -w '%{http_code}' -X PUT -H 'Content-Length: 10737418240' -H 'Expect:' -d x "$gate/v1/lists/x" 2>/dev/null || true)
	[ "$code" = 413 ]
	# 10 GiB without a word, until it is cut
	code=$(head -c 10737418240 /dev/zero | tls operator -o "$run/body" -w '%{http_code}' -X PUT -H 'Transfer-Encoding: chunked' \
		-H 'Expect:' -T - "$gate/v1/lists/x" 2>/dev/null || true)
	[[ $code =~ ^(413|000)$ ]]
	# more than the agent takes at once is refused by it, not by the end of the gate
	wait_for 5 has_refused too_large 1
	audited "its request is too large"
	[[ $(status reader /v1/healthz -H "X: $(head -c 9000 /dev/zero | tr '\0' a)") =~ ^(000|4..)$ ]]
	[[ $(status reader "/v1/flows?filter=$(head -c 9000 /dev/zero | tr '\0' a)") =~ ^(000|4..)$ ]]
	[ "$(status reader /v1/nothing)" = 404 ]
	[ "$(status reader /v1/flows -X DELETE)" = 405 ]
	for bytes in 'GET\r\n\r\n' 'X /v1/healthz HTTP/1.1\r\n\r\n' 'GET /v1/healthz HTTP/9.9\r\n\r\n' '\0\0\0\0\r\n\r\n' \
		'GET http://[::1 HTTP/1.1\r\n\r\n' 'PUT /v1/lists/x HTTP/1.1\r\nContent-Length: -5\r\n\r\n' \
		'PUT /v1/lists/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n' 'GET /\x80 HTTP/1.1\r\n\r\n'; do
		# shellcheck disable=SC2059
		answer=$( (printf "$bytes"; sleep 0.3) | in_server timeout 5 openssl s_client -quiet -connect $client_ip:7443 \
			-CAfile "$pki/ca.crt" -cert "$pki/operator.crt" -key "$pki/operator.key" 2>/dev/null | tr -d '\0' | head -1 || true)
		echo "$bytes: $answer"
		[[ $answer != "HTTP/1.1 2"* && $answer != "HTTP/1.1 500"* ]]
	done
	wait_for 5 has_refused malformed 4
	audited "what it sent is no request"
	# also what evhttp answers by itself is a problem
	printf 'BREW /v1/healthz HTTP/1.1\r\n\r\n' >"$run/brew"
	(cat "$run/brew"; sleep 0.3) | in_server timeout 5 openssl s_client -quiet -connect $client_ip:7443 -CAfile "$pki/ca.crt" \
		-cert "$pki/operator.crt" -key "$pki/operator.key" >"$run/body" 2>/dev/null || true
	grep -q '^Content-Type: application/problem+json' "$run/body"
	grep '^{' "$run/body" | jq -e '.status == 501' >/dev/null
	for body in '{' '[]' '{"targets":' '{"targets":7}' '{"targets":["198.51.100.7"],"targets":[]}' $'{"targets":["\x80"]}' \
		"$(printf '[%.0s' {1..3000})" '{"nothing":1}'; do
		[ "$(status operator /v1/blocks -X POST --data-binary "$body")" = 400 ]
	done
	grep -q 'audit: POST /v1/blocks by CN=operator,O=Picket (operator, [0-9a-f]*): 400' "$run/log"
	[ "$(api /v1/lists | jq -c '[.lists[] | [.name, .entries]]')" = "$before" ]
	ask reader /v1/healthz
}

@test "a client that asks too often is told so, others are not" {
	in_server curl -sS --max-time 30 --cacert "$pki/ca.crt" --cert "$pki/analyst.crt" --key "$pki/analyst.key" \
		-o /dev/null -w '%{http_code}\n' "$gate/v1/healthz?[1-300]" 2>/dev/null | sort | uniq -c >"$run/codes" || true
	cat "$run/codes"
	grep -q 429 "$run/codes"
	wait_for 5 has_refused rate 0
	[ "$(status reader /v1/healthz)" = 200 ]
}

@test "1,000 connections that say nothing hold up nobody for long" {
	nsenter --net=/run/netns/${net}s python3 - $client_ip 3>&- <<-'PY' &
		import socket, sys, time
		all = []
		for i in range(1000):
		    s = socket.socket()
		    s.setblocking(False)
		    s.connect_ex((sys.argv[1], 7443))
		    all.append(s)
		time.sleep(4)
	PY
	slow=$!
	sleep 0.5
	wait_for 10 ask reader /v1/healthz
	api /v1/status >/dev/null
	wait "$slow"
	ask reader /v1/healthz
	[ "$(ls /proc/"$(gate_pid)"/fd | wc -l)" -lt 90 ]
	wait_for 5 has_refused evicted 500
	grep -q 'audit: [0-9]* more were refused, too many for a line each' "$run/log"
	api /v1/status | jq -e '.gate | .listening and .handshakes > 20 and .refused.evicted > 500 and .certificate.to > .certificate.from' >/dev/null
	picket --socket "$run/picket.sock" status | grep -qE '^  refused:.* [0-9]+ evicted'
}

@test "the gate has no rights, and code that runs in it can open, load and start nothing" {
	pid=$(gate_pid)
	grep -qE '^CapEff:\s*0+$' /proc/"$pid"/status
	grep -qE '^CapBnd:\s*0+$' /proc/"$pid"/status
	grep -qE '^NoNewPrivs:\s*1$' /proc/"$pid"/status
	grep -qE '^Seccomp:\s*2$' /proc/"$pid"/status
	! ls -l /proc/"$pid"/fd | grep -qE 'bpf|\.key' || false
	kill -USR2 "$pid"
	wait_for 10 grep -q 'hook: end' "$run/log"
	grep '^hook:' "$run/log"
	[ "$(grep -c '^hook: .* refused$' "$run/log")" = 12 ]
	! grep -q '^hook: .* DONE$' "$run/log" || false
	[ "$(gate_pid)" = "$pid" ]
	ask reader /v1/healthz
}

@test "a gate that is killed comes back, and the rest goes on" {
	pid=$(gate_pid)
	kill -KILL "$pid"
	api /v1/healthz >/dev/null
	wait_for 10 ask reader /v1/healthz
	[ "$(gate_pid)" != "$pid" ]
	# what was counted before is not forgotten
	has_refused evicted 500
}

@test "calls generated from the API's document find nothing, over TLS" {
	in_server python3 tests/e2e/openapi.py "$gate" --cacert "$pki/ca.crt" --cert "$pki/admin.crt" --key "$pki/admin.key" \
		--seed "${PICKET_SEED:-7}" --part "$([ -n "${PICKET_FULL:-}" ] && echo 1 || echo 0.08)"
}

@test "without a certificate it does not listen, and says so" {
	mv "$pki/web1.crt" "$run/web1.crt"
	kill -KILL "$(gate_pid)"
	is_deaf() { api /v1/status | jq -e '.gate.listening == false and any(.degraded[]; test("the gate does not listen"))'; }
	wait_for 10 is_deaf
	# the socket that the one before listened on is there still, and nobody is let in
	[ "$(status reader /v1/healthz --max-time 2)" = 000 ]
	mv "$run/web1.crt" "$pki/web1.crt"
	kill -HUP "$daemon"
	hears() { api /v1/status | jq -e '.gate.listening and (any(.degraded[]; test("the gate")) | not)'; }
	wait_for 10 ask reader /v1/healthz
	wait_for 10 hears # said by another process than the one that answers
}
