#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A signed list is pushed from one end of a wire to the other, as a new user would do it, and every way
# to push a wrong one is refused by its own name, with nothing changed.

net=pkps
load lib

setup_file() {
	export run=$BATS_FILE_TMPDIR
	export pki=$run/pki keys=$run/keys trusted=$run/keys.d XDG_STATE_HOME=$run/home
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/file "$run" # keys are read without privileges
	make_net
	picket pki init --dir "$pki"
	picket pki issue --dir "$pki" web1 --san $client_ip
	picket pki issue --dir "$pki" operator
	picket pki issue --dir "$pki" reader
	for key in default second stranger old; do picket key new --dir "$keys" $key; done
	mkdir -m 755 "$trusted"
	picket key trust --keys "$trusted" "$keys"/{default,second,old}.pub
	write_config "$run/picket.yaml" "slots: 4096"
	cat >>"$run/picket.yaml" <<-CONF
		gate: {listen: "$client_ip:7443", cert: $pki/web1.crt, key: $pki/web1.key, ca: $pki/ca.crt, crl: $pki/ca.crl}
		sign: {keys: $trusted, lists: ["critical=2"]}
	CONF
	start_daemon
	export daemon
	wait_for 10 gate_is_there
}

teardown_file() {
	kill_children
	in_client "$build/picketd" --config "$run/picket.yaml" --detach >/dev/null 2>&1 || true
	in_server "$build/picketd" --config "$run/two.yaml" --detach >/dev/null 2>&1 || true
	clean_net
}

gate_is_there() { in_server curl -sS -f --cacert "$pki/ca.crt" --cert "$pki/reader.crt" --key "$pki/reader.key" https://$client_ip:7443/v1/healthz; }

# push FILE ARG...: from the other end of the wire. One JSON line a host.
push() { in_server "$build/picket" push "$@" --pki "$pki" --to $client_ip -o json; }
sign() { picket list sign "$1" --dir "$keys" "${@:2}" >/dev/null; }
addresses() { seq 0 $(($1 - 1)) | awk -v o="${2:-0}" '{ printf "100.%d.%d.%d\n", 64 + int($1 / 65536) + o, int($1 / 256) % 256, $1 % 256 }'; }
in_force() { picket --socket "$run/picket.sock" list export "$1" 2>/dev/null | grep -c ^100 || true; }

# is_refused CODE FILE ARG...: told so, and what is in force is what was before.
is_refused() {
	local code=$1 before
	before=$(api /v1/lists | jq -c '[.lists[] | {name, entries, mode, changed}]')
	run push "${@:2}"
	echo "$output"
	[ "$status" = 1 ]
	[ "$(jq -r .outcome <<<"${lines[0]}")" = "$code" ]
	[ "$(api /v1/lists | jq -c '[.lists[] | {name, entries, mode, changed}]')" = "$before" ]
	grep -q "audit: list push .*: $code\$" "$run/log"
}

@test "1,000 entries are signed, pushed and enforced; the plan changes nothing" {
	addresses 1000 >"$run/drop.txt"
	sign "$run/drop.txt" --version 5 --expires 1d
	picket list verify --keys "$trusted" "$run/drop.txt"
	push "$run/drop.txt" --dry-run | jq -e '.outcome == "plan" and .added == 1000'
	[ "$(in_force drop)" = 0 ]
	answer=$(push "$run/drop.txt")
	echo "# 1,000 entries: $(jq -r .ms <<<"$answer") ms with look and confirmation" >&3
	jq -e '.outcome == "ok" and .added == 1000 and .ms < 10000' <<<"$answer"
	[ "$(in_force drop)" = 1000 ]
	api /v1/lists/drop | jq -e '.list | .mode == "enforce" and .signed.version == 5 and .signed.in_force and (has("confirm_by") | not)'
	push "$run/drop.txt" | jq -e '.outcome == "same" and .sent == 0'
	fingerprint=$(openssl x509 -in "$pki/operator.crt" -noout -fingerprint -sha256 | cut -d= -f2 | tr -d : | tr A-F a-f)
	grep -q "audit: list push drop version 5 signed by [0-9a-f]\{16\} by CN=operator,O=Picket (operator), $fingerprint: ok" "$run/log"
}

@test "bodies come packed over TLS; what is no coding, a bomb or damaged is refused, with nothing changed" {
	before=$(api /v1/lists/drop | jq -c '.list | [.etag, .entries]')
	# 12 KB of addresses, the envelope and all, in less than half
	addresses 1000 30 >"$run/packed.txt"
	sign "$run/packed.txt" --version 1
	push "$run/packed.txt" --dry-run | jq -e '.outcome == "plan" and .added == 1000 and .sent < 6000'
	answer=$(push "$run/packed.txt")
	jq -e '.outcome == "ok" and .added == 1000 and .sent < 6000' <<<"$answer"
	[ "$(in_force packed)" = 1000 ]
	# refused_with STATUS CODING FILE: also in the log, by who asked
	refused_with() {
		local got
		got=$(in_server curl -sS -o "$run/answer" -D "$run/heads" -w '%{http_code}' --cacert "$pki/ca.crt" --cert "$pki/operator.crt" \
			--key "$pki/operator.key" -X PUT -H "Content-Encoding: $2" --data-binary @"$3" "https://$client_ip:7443/v1/lists/drop?signed=1")
		[ "$got" = "$1" ]
		jq -e --argjson s "$1" '.status == $s' "$run/answer"
		wait_for 5 grep -q "audit: PUT /v1/lists/drop by CN=operator.*: $1\$" "$run/log"
		[ "$(api /v1/lists/drop | jq -c '.list | [.etag, .entries]')" = "$before" ]
	}
	refused_with 415 br "$run/packed.txt"
	grep -qi '^accept-encoding: gzip, zstd' "$run/heads"
	head -c 300000000 /dev/zero | gzip >"$run/bomb.gz"
	refused_with 413 gzip "$run/bomb.gz"
	head -c 300000000 /dev/zero | zstd -q >"$run/bomb.zst"
	refused_with 413 zstd "$run/bomb.zst"
	head -c 5000 "$run/bomb.gz" >"$run/cut.gz"
	refused_with 400 gzip "$run/cut.gz"
	refused_with 400 gzip "$run/packed.txt"
	picket --socket "$run/picket.sock" list rm packed
}

@test "a change of it is sent as a delta" {
	{ addresses 990; echo 198.19.113.7; } >"$run/drop.txt"
	sign "$run/drop.txt" --version 6
	answer=$(push "$run/drop.txt")
	echo "$answer"
	jq -e '.outcome == "ok" and .added == 1 and .removed == 10 and .sent < 1500' <<<"$answer"
}

@test "each wrong list is refused by its own name, and nothing changes" {
	addresses 5 >"$run/bad.txt"
	cp "$run/bad.txt" "$run/critical.txt"
	sign "$run/bad.txt" --name drop --version 4
	is_refused replayed "$run/bad.txt"
	sign "$run/bad.txt" --name drop --version 6
	is_refused version-reused "$run/bad.txt"
	sign "$run/bad.txt" --name drop --version 7 --key stranger
	is_refused unknown-key "$run/bad.txt"
	sign "$run/critical.txt" --version 1
	is_refused threshold-not-met "$run/critical.txt"
	sign "$run/critical.txt" --add --key second
	push "$run/critical.txt" | jq -e '.outcome == "ok"'
	# one byte of the signature, and one of what is signed
	sign "$run/bad.txt" --name drop --version 7
	cp "$run/bad.txt.dsse" "$run/keep"
	jq -c '.signatures[0].sig |= (if .[0:1] == "A" then "B" else "A" end) + .[1:]' "$run/keep" >"$run/bad.txt.dsse"
	is_refused bad-signature "$run/bad.txt"
	jq -c '.payload |= (@base64d | sub("\"version\":7"; "\"version\":8") | @base64)' "$run/keep" >"$run/bad.txt.dsse"
	is_refused bad-signature "$run/bad.txt"
	# one byte of the list: the tool sends no such thing, a server in between may
	cp "$run/keep" "$run/bad.txt.dsse"
	{ cat "$run/keep"; sed '1s/$/9/' "$run/bad.txt"; } >"$run/altered"
	code=$(in_server curl -sS --cacert "$pki/ca.crt" --cert "$pki/operator.crt" --key "$pki/operator.key" -X PUT \
		--data-binary @"$run/altered" "https://$client_ip:7443/v1/lists/drop?signed=1" | jq -r .code)
	[ "$code" = wrong-digest ]
	# unsigned, over the network
	code=$(in_server curl -sS --cacert "$pki/ca.crt" --cert "$pki/operator.crt" --key "$pki/operator.key" -X PUT \
		--data-binary @"$run/bad.txt" "https://$client_ip:7443/v1/lists/drop" | jq -r .code)
	[ "$code" = signature-required ]
	run push "$run/bad.txt" --as reader
	[ "$(jq -r .outcome <<<"${lines[0]}")" = forbidden ]
	sign "$run/bad.txt" --name drop --version 7 --expires 1s
	sleep 1.1
	is_refused expired "$run/bad.txt"
	faketime_future
	is_refused from-the-future "$run/bad.txt"
	picket key retire --keys "$trusted" "$(key_id old)"
	kill -HUP "$daemon"
	sign "$run/bad.txt" --name drop --version 7 --key old
	is_retired() { push "$run/bad.txt" | jq -e '.outcome == "retired-key"'; }
	wait_for 10 is_retired
	is_refused retired-key "$run/bad.txt"
	[ "$(in_force drop)" = 990 ]
}

key_id() { picket list sign "$run/drop.txt" --dir "$keys" --key "$1" --out "$run/who" >/dev/null && jq -r '.signatures[0].keyid' "$run/who"; }

# Signed with a statement of tomorrow by the key itself, as the tool would not.
faketime_future() {
	sign "$run/bad.txt" --name drop --version 7
	python3 - "$run/bad.txt.dsse" "$keys/default.key" <<-'PY'
		import base64, json, re, subprocess, sys, tempfile
		e = json.load(open(sys.argv[1]))
		p = base64.b64decode(e["payload"]).decode()
		p = re.sub(r'"created":"\d{4}', lambda m: m.group(0)[:-4] + str(int(m.group(0)[-4:]) + 1), p)
		p = re.sub(r'"expires":"\d{4}', lambda m: m.group(0)[:-4] + str(int(m.group(0)[-4:]) + 2), p).encode()
		t = e["payloadType"].encode()
		with tempfile.NamedTemporaryFile() as f:
		    f.write(b"DSSEv1 %d %s %d %s" % (len(t), t, len(p), p))
		    f.flush()
		    sig = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", sys.argv[2], "-in", f.name],
		                         check=True, capture_output=True).stdout
		e["payload"] = base64.b64encode(p).decode()
		e["signatures"][0]["sig"] = base64.b64encode(sig).decode()
		json.dump(e, open(sys.argv[1], "w"), separators=(",", ":"))
	PY
}

@test "a host that is off gets it later; too many failures stop the push" {
	printf 'groups:\n  web:\n    - %s\n    - %s:7444\n' $client_ip $client_ip >"$run/hosts.yaml"
	sign "$run/drop.txt" --version 8
	run in_server "$build/picket" push "$run/drop.txt" --pki "$pki" --to "$run/hosts.yaml" --group web -o json
	[ "$status" = 1 ]
	[ "$(jq -r '"\(.host) \(.outcome)"' <<<"$output" | sort | tr '\n' ';')" = "$client_ip:7443 ok;$client_ip:7444 unreachable;" ]
	run in_server "$build/picket" push "$run/drop.txt" --pki "$pki" --resume -o json
	[ "$status" = 1 ]
	[ "$(jq -r .host <<<"$output")" = "$client_ip:7444" ]
	sign "$run/drop.txt" --version 9
	answer=$(in_server "$build/picket" push "$run/drop.txt" --pki "$pki" --to $client_ip:7444 --to $client_ip \
		--canary 1 --max-fail 0 -o json 2>/dev/null || true)
	[ "$(jq -sr 'map(.outcome) | join(" ")' <<<"$answer")" = "unreachable not-tried" ]
}

@test "a share of the hosts comes first, the others so much later; what was missed is brought by --resume" {
	printf 'groups:\n  web:\n    - %s\n    - %s:7445\n    - %s:7446\n    - %s:7447\n' $client_ip $client_ip $client_ip $client_ip >"$run/four.yaml"
	sign "$run/drop.txt" --version 10
	began=$(date +%s)
	answer=$(in_server "$build/picket" push "$run/drop.txt" --pki "$pki" --to "$run/four.yaml" --canary 25% --wait 3s --max-fail 0 \
		--parallel 1 -o json 2>/dev/null || true)
	[ $(($(date +%s) - began)) -ge 3 ]
	[ "$(jq -sr 'map(.outcome) | join(" ")' <<<"$answer")" = "ok unreachable not-tried not-tried" ]
	# a canary that fails: the others are not tried, and nobody waits for them
	printf 'groups:\n  web:\n    - %s:7445\n    - %s\n' $client_ip $client_ip >"$run/two.yaml"
	sign "$run/drop.txt" --version 11
	began=$(date +%s)
	answer=$(in_server "$build/picket" push "$run/drop.txt" --pki "$pki" --to "$run/two.yaml" --canary 1% --wait 30s --max-fail 0 \
		-o json 2>/dev/null || true)
	[ $(($(date +%s) - began)) -lt 20 ]
	[ "$(jq -sr 'map(.outcome) | join(" ")' <<<"$answer")" = "unreachable not-tried" ]
	# the host is off, comes back, and gets what it missed
	stop_daemon
	answer=$(push "$run/drop.txt" || true)
	jq -e '.outcome == "unreachable"' <<<"$answer"
	start_daemon
	wait_for 10 gate_is_there
	answer=$(in_server "$build/picket" push "$run/drop.txt" --pki "$pki" --resume -o json 2>/dev/null || true)
	jq -se --arg h "$client_ip:7443" '.[] | select(.host == $h) | .outcome == "ok"' <<<"$answer"
	api /v1/lists/drop | jq -e '.list.signed | .version == 11 and .in_force'
	# and is not asked again
	run in_server "$build/picket" push "$run/drop.txt" --pki "$pki" --resume -o json
	[[ $output != *"$client_ip:7443\""* ]]
}

# A second host: an agent of its own at the other end, which watches nothing but has lists and a gate.
start_second() {
	mkdir -p "$run/two/state"
	picket pki issue --dir "$pki" web2 --san $server_ip
	sed -e "s|$run/|$run/two/|g; s|dirs: {run: $run,|dirs: {run: $run/two,|; s|/sys/fs/bpf/$net|/sys/fs/bpf/${net}2|" \
		-e "s|$run/two/pki|$run/pki|g; s|$run/two/keys.d|$run/keys.d|g; s|web1|web2|g; s|$client_ip:7443|$server_ip:7443|" \
		-e 's|^interfaces:.*|interfaces: {include: [none0]}|; s|^netns:.*|netns: {containers: false}|' "$run/picket.yaml" >"$run/two.yaml"
	nsenter --net="/run/netns/${net}s" "$build/picketd" --config "$run/two.yaml" >>"$run/two/log" 2>&1 3>&- &
	second=$!
	second_is_there() { in_client curl -sS -f --cacert "$pki/ca.crt" --cert "$pki/reader.crt" --key "$pki/reader.key" https://$server_ip:7443/v1/healthz; }
	wait_for 20 second_is_there
}
# fleet ARG...: from the first host's namespace. One JSON line a host.
fleet() { in_client "$build/picket" fleet status --pki "$pki" -o json "$@" 2>/dev/null; }
of() { jq -r --arg h "$1" 'select(.host == $h) | '"$2" <<<"$answer"; }

@test "of a fleet: versions in force, drift, coverage, losses, last seen" {
	start_second
	export XDG_STATE_HOME=$run/fleet-home # so that only what is pushed here is wanted
	printf 'groups:\n  web:\n    - %s\n    - %s\n    - %s:7448\n' $client_ip $server_ip $client_ip >"$run/fleet.yaml"
	one=$client_ip:7443 two=$server_ip:7443 off=$client_ip:7448
	addresses 20 40 >"$run/fleet.txt"
	sign "$run/fleet.txt" --version 1
	in_client "$build/picket" push "$run/fleet.txt" --pki "$pki" --to $client_ip --to $server_ip -o json
	status=0
	answer=$(fleet --to $client_ip --to $server_ip) || status=$?
	echo "$answer"
	[ $status = 0 ]
	[ "$(of $one '.state + " " + (.lists[] | select(.list == "fleet") | "\(.version) \(.wanted) \(.state)")')" = "ok 1 1 same" ]
	[ "$(of $two '.state + " " + (.lists[] | select(.list == "fleet") | "\(.version) \(.wanted) \(.state)")')" = "ok 1 1 same" ]
	[ "$(of $one '.coverage.covered >= 2 and .lost_total >= 0 and .certificate_to > .seen and (.version | length > 0)')" = true ]
	# a list of one's own besides what is wanted is shown, and no drift
	[ "$(of $one '[.lists[] | select(.list == "drop")] | length')" = 1 ]
	# one host gets the next version, the other is left behind; the third was never seen
	sign "$run/fleet.txt" --version 2
	in_client "$build/picket" push "$run/fleet.txt" --pki "$pki" --to $client_ip -o json
	status=0
	answer=$(fleet --to "$run/fleet.yaml" --list "$run/fleet.txt") || status=$?
	echo "$answer"
	[ $status = 4 ]
	[ "$(of $one .state)" = ok ]
	[ "$(of $two '.state + " " + (.lists[] | select(.list == "fleet") | "\(.version)<\(.wanted) \(.state)")')" = "drift 1<2 behind" ]
	[ "$(of $off '.state + " \(.seen)"')" = "unreachable null" ]
	status=0
	answer=$(fleet --to $client_ip --to $server_ip --list "$run/fleet.txt") || status=$?
	[ $status = 3 ]
	# turned off by hand; removed
	picket --socket "$run/picket.sock" list mode fleet off
	answer=$(fleet --to $client_ip) || true
	[ "$(of $one '.lists[] | select(.list == "fleet") | .state')" = off ]
	picket --socket "$run/picket.sock" list rm fleet
	answer=$(fleet --to $client_ip) || true
	[ "$(of $one '.state + " " + (.lists[] | select(.list == "fleet") | .state)')" = "drift missing" ]
	# as people read it
	in_client "$build/picket" fleet status --pki "$pki" --to "$run/fleet.yaml" --list "$run/fleet.txt" >"$run/table" 2>&1 || true
	cat "$run/table"
	grep -q "^$client_ip:7443 *drift *now *.*fleet missing" "$run/table"
	grep -q "^$server_ip:7443 *drift *now *fleet 1<2 *[0-9]*/" "$run/table"
	grep -q "^$client_ip:7448 *unreachable *never" "$run/table"
	grep -q "3 hosts: 0 as they should be, 2 not, 1 did not answer" "$run/table"
	# off now, and when it was seen is remembered; a certificate that counts nowhere
	kill $second
	wait_for 20 is_gone $second
	answer=$(fleet --to $server_ip) || true
	[ "$(of $two '.state + " \(.seen > 0) \(.lists)"')" = "unreachable true null" ]
	picket pki init --dir "$run/elsewhere"
	picket pki issue --dir "$run/elsewhere" reader
	status=0
	answer=$(fleet --to $client_ip --cert "$run/elsewhere/reader.crt" --key "$run/elsewhere/reader.key") || status=$?
	[ $status = 4 ]
}

@test "a replay is refused after a restart, also of a list that is gone" {
	picket --socket "$run/picket.sock" list rm critical
	stop_daemon
	start_daemon
	wait_for 10 gate_is_there
	sign "$run/bad.txt" --name drop --version 5
	is_refused replayed "$run/bad.txt"
	sign "$run/critical.txt" --version 1 --key default --key second --ttl 1h
	is_refused version-reused "$run/critical.txt"
}

@test "a list whose signature ends while it is in force raises an alert, and stays" {
	sign "$run/bad.txt" --name brief --version 1 --expires 4s
	push "$run/bad.txt" | jq -e '.outcome == "ok"'
	told() { api "/v1/alerts?rule=stale_list" | jq -e '[.alerts[] | select(.message | test("list brief is out of date"))] | length == 1'; }
	wait_for 20 told
	[ "$(in_force brief)" = 5 ]
}

@test "with sign.expired: drop it is turned off then, and a new version turns it on again" {
	stop_daemon
	sed -i 's/^sign: {/sign: {expired: drop, /' "$run/picket.yaml"
	start_daemon
	wait_for 10 gate_is_there
	addresses 5 56 >"$run/brief.txt" # which no other list has
	sign "$run/brief.txt" --version 2 --expires 4s
	push "$run/brief.txt" | jq -e '.outcome == "ok"'
	verdict_is() { api "/v1/check?ip=100.120.0.3" | jq -e --arg v "$1" '.verdict == $v'; }
	mode_is() { api /v1/lists/brief | jq -e --arg m "$1" '.list.mode == $m'; }
	mode_is enforce
	verdict_is drop
	wait_for 20 mode_is off
	verdict_is pass
	told() { api "/v1/alerts?rule=stale_list" | jq -e '[.alerts[] | select(.message | test("list brief is out of date"))] | length == 1'; }
	wait_for 20 told
	grep -q "signed list brief: the signature of version 2 has expired, it is turned off" "$run/log"
	[ "$(in_force brief)" = 5 ] # it is all there, out of force
	sign "$run/brief.txt" --version 3 --expires 1d
	push "$run/brief.txt" | jq -e '.outcome == "ok"'
	mode_is enforce
	verdict_is drop
	sed -i 's/expired: drop, //' "$run/picket.yaml"
}

@test "a million entries, and a thousand changes of them as kilobytes" {
	[ -n "${PICKET_FULL:-}" ] || skip "PICKET_FULL=1 runs it"
	addresses 1000000 >"$run/big.txt"
	sign "$run/big.txt" --next
	answer=$(push "$run/big.txt")
	echo "# 1,000,000 entries: $(jq -r .ms <<<"$answer") ms, $(jq -r .sent <<<"$answer") bytes" >&3
	jq -e '.outcome == "ok" and .added == 1000000 and .ms < 60000' <<<"$answer"
	awk 'NR % 1000 == 0 { sub(/^100/, "101") } { print }' "$run/big.txt" >"$run/new" && mv "$run/new" "$run/big.txt"
	sign "$run/big.txt" --next
	answer=$(push "$run/big.txt")
	echo "# 1,000 changed: $(jq -r .ms <<<"$answer") ms, $(jq -r .sent <<<"$answer") bytes" >&3
	jq -e '.outcome == "ok" and .added == 1000 and .sent < 100000' <<<"$answer"
}
