#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An agent that nobody can reach fetches its lists from plain file servers, and whatever these do to
# them, only what was signed for it changes anything.

net=pkpl
load lib

wrong_lists="altered unsigned wrongca tohttp round endless long heads busy missing unknown slow"

setup_file() {
	export run=$BATS_FILE_TMPDIR
	export pki=$run/pki keys=$run/keys trusted=$run/keys.d www=$run/www XDG_STATE_HOME=$run/home
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/file "$run" # keys are read without privileges
	make_net
	ip -n ${net}s addr add 10.97.0.66/24 dev ${net}s0
	picket pki init --dir "$pki"
	picket pki issue --dir "$pki" mirror --san $server_ip --san mirror.test --san localhost
	picket pki issue --dir "$pki" reader --name agent
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=other \
		-addext "subjectAltName=IP:$server_ip" -keyout "$run/other.key" -out "$run/other.crt" 2>/dev/null
	for key in default stranger; do picket key new --dir "$keys" $key; done
	mkdir -m 755 "$trusted" "$www" "$www".second
	picket key trust --keys "$trusted" "$keys/default.pub"
	at=https://$server_ip:8443
	lists="\"drop=$at/drop\", \"drop=https://$server_ip:8444/drop\", \"there=$at/to-https\", \"shown=https://$server_ip:8446/shown\", \"named=https://localhost:8447/named\", \"resolved=https://mirror.test:8443/resolved\""
	for name in altered unsigned endless long heads busy missing unknown slow round; do lists+=", \"$name=$at/$name\""; done
	lists+=", \"tohttp=$at/to-http\", \"wrongca=https://$server_ip:8445/drop\""
	write_config "$run/picket.yaml" "slots: 4096"
	# the other end is not ours to keep reachable: 10.97.0.66 is there
	sed -i "s/^netns:.*/netns: {names: [], containers: false}/" "$run/picket.yaml"
	mkdir -p "$run/state"
	cat >>"$run/picket.yaml" <<-CONF
		sign: {keys: $trusted}
		detect: {off: [$(all_but stale_list)]}
		pull:
		  lists: [$lists]
		  interval: 2s
		  timeout: 1s
		  size_max: 1M
		  stale: 6s
		  ca: $pki/ca.crt
		  cert: $pki/agent.crt
		  key: $pki/agent.key
	CONF
	${CC:-gcc} -shared -fPIC -O1 -o "$run/hook.so" tests/e2e/hook/gate.c
	export PICKET_HOOK_KEY=$pki/mirror.key LD_PRELOAD=$run/hook.so
	printf 'nameserver 10.97.0.99\n' >"$run/resolv.conf"
	launch_apart
	unset LD_PRELOAD
	wait_for 20 api /v1/lists
	export daemon
}

teardown_file() {
	kill_children
	in_client "$build/picketd" --config "$run/picket.yaml" --detach >/dev/null 2>&1 || true
	clean_net
}

# With an /etc of its own, so that its resolv.conf can be replaced.
launch_apart() {
	mkdir -p "$run/over"
	nsenter --net=/run/netns/${net}c unshare -m sh -ec "
		mount -t tmpfs tmpfs $run/over && mkdir $run/over/up $run/over/work
		mount -t overlay -o lowerdir=/etc,upperdir=$run/over/up,workdir=$run/over/work overlay /etc
		rm -f /etc/resolv.conf && cp $run/resolv.conf /etc/resolv.conf
		exec $build/picketd --config $run/picket.yaml" >>"$run/log" 2>&1 3>&- &
	daemon=$!
	echo $daemon >"$run/daemon"
}

# mirror PORT DIR [CERT KEY [CLIENT-CA]]: a server at the other end, its pid in mirror. Its log is $run/PORT.
mirror() {
	: >"$run/$1"
	nsenter --net=/run/netns/${net}s python3 tests/e2e/mirror.py $server_ip "$1" "${3:-$pki/mirror.crt}" "${4:-$pki/mirror.key}" \
		"$2" "$run/$1" ${5:+"$5"} 2>>"$run/mirror.log" 3>&- &
	mirror=$!
	echo "$mirror" >"$run/$1.pid"
	wait_for 10 in_client nc -z $server_ip "$1"
}
stop_mirror() { kill "$(cat "$run/$1.pid")" && wait_for 5 is_gone "$(cat "$run/$1.pid")"; }
publish() { picket list sign "$1" --dir "$keys" --whole "${2:-$www}/$(basename "$1" .txt)" "${@:3}" >/dev/null; }
addresses() { seq 0 $(($1 - 1)) | awk '{ printf "100.64.%d.%d\n", int($1 / 256) % 256, $1 % 256 }'; }
pulled() { api /v1/status | jq -c --arg list "$1" '.pull.lists[] | select(.list == $list)'; }
# has LIST FILTER: of what the status says of its fetching.
has() { pulled "$1" | jq -e "$2"; }
version() { api "/v1/lists/$1" | jq -e ".list | .mode == \"enforce\" and .signed.version == $2 and .signed.in_force"; }
pull_pid() { pgrep -x -P "$(cat "$run/daemon")" picketd-pull; }
metric() { api /metrics | grep -F "$1" | awk '{ print $2 }'; }

@test "while no mirror is there the agent works, and says what it waits for" {
	wait_for 10 has drop '.outcome == "unreachable" and .tries.unreachable > 2 and .next > .tried'
	api /v1/status | jq -e '.pull.running'
	picket --socket "$run/picket.sock" status | grep -E '^  drop +unreachable: .* ago from https://.*/drop; next in '
}

@test "the list is fetched and enforced as soon as a mirror is there" {
	{ addresses 999; echo 10.97.0.66; } >"$run/drop.txt"
	in_client ping -qc1 -W1 10.97.0.66
	publish "$run/drop.txt" "$www" --version 1
	mirror 8443 "$www"
	began=$(date +%s%N)
	wait_for 10 version drop 1
	echo "# with the mirror back, in force after $((($(date +%s%N) - began) / 1000000)) ms (interval 2 s)" >&3
	api /v1/lists/drop | jq -e '.list | .entries == 1000 and (.pull.outcome | test("accepted|unchanged"))'
	! in_client ping -qc1 -W1 10.97.0.66 || false
	grep -q "audit: list push drop version 1 signed by [0-9a-f]\{16\} by https://$server_ip:8443/drop (carrier): ok" "$run/log"
	api /v1/lists | jq -e '.lists[] | select(.name == "drop") | .pull.mirror | startswith("https://")'
}

@test "what has not changed costs no byte, and a change comes within the interval" {
	changed=$(api /v1/lists/drop | jq .list.changed)
	unchanged() { [ "$(grep -c '^/drop 304 0 ' "$run/8443")" -gt 2 ]; }
	wait_for 20 unchanged
	[ "$(api /v1/lists/drop | jq .list.changed)" = "$changed" ]
	{ addresses 990; echo 10.97.0.66; } >"$run/drop.txt"
	publish "$run/drop.txt" "$www" --version 2
	began=$(date +%s%N)
	wait_for 10 version drop 2
	# the second mirror is not there: its turn is over at once
	echo "# a new version in force after $((($(date +%s%N) - began) / 1000000)) ms (interval 2 s)" >&3
	[ $((($(date +%s%N) - began) / 1000000)) -lt 4500 ]
}

@test "when a mirror is gone the next one has it" {
	publish "$run/drop.txt" "$www".second --version 3
	mirror 8444 "$www".second
	wait_for 10 version drop 3
	stop_mirror 8443
	publish "$run/drop.txt" "$www".second --version 4
	wait_for 10 version drop 4
	has drop '.tries.unreachable > 0'
}

@test "an old list, that another mirror still has, is refused, and the next mirror asked" {
	mirror 8443 "$www"
	wait_for 15 has drop '.tries.refused > 0'
	grep -q "audit: list push drop .*8443/drop (carrier): replayed" "$run/log"
	version drop 4
	publish "$run/drop.txt" "$www".second --version 5
	wait_for 15 version drop 5
	[ "$(metric "picket_pull_tries_total{list=\"drop\",outcome=\"refused\"}")" -gt 0 ]
}

@test "each wrong answer is told by its own name, and changes nothing" {
	addresses 5 >"$run/altered.txt"
	addresses 6 >"$run/unknown.txt"
	publish "$run/altered.txt" "$www" --version 1
	sed -i '$s/.$/9/' "$www/altered"
	publish "$run/unknown.txt" "$www" --version 1 --key stranger
	addresses 7 >"$www/unsigned"
	mirror 8445 "$www" "$run/other.crt" "$run/other.key"
	wait_for 15 has altered '.outcome == "refused" and .why == "wrong-digest"'
	wait_for 15 has unknown '.outcome == "refused" and .why == "unknown-key"'
	wait_for 15 has unsigned '.outcome == "refused" and .why == "malformed-envelope"'
	wait_for 15 has wrongca '.outcome == "unreachable" and (.why | test("certificate"))'
	wait_for 15 has tohttp '.outcome == "bad-answer" and (.why | test("not by https"))'
	wait_for 15 has round '.outcome == "bad-answer" and (.why | test("redirects"))'
	wait_for 15 has endless '.outcome == "too-large" and (.why | test("pull.size_max"))'
	wait_for 15 has long '.outcome == "too-large"'
	wait_for 15 has heads '.outcome == "too-large" and (.why | test("headers"))'
	wait_for 15 has missing '.outcome == "bad-answer" and .status == 404'
	wait_for 15 has slow '.outcome == "unreachable" and (.why | test("timed out"))'
	# who is asked to wait for an hour waits for the interval
	wait_for 15 has busy '.outcome == "bad-answer" and .status == 503 and .next - .tried <= 2000'
	for name in $wrong_lists; do
		! api "/v1/lists/$name" 2>/dev/null || false
		has $name '.tries.accepted == 0 and .tries.unchanged == 0'
	done
	version drop 5
	grep -q 'audit: list push altered version 1 signed by .* by https://.*/altered (carrier): wrong-digest' "$run/log"
}

@test "a list of another name is refused where a mirror sends it" {
	wait_for 15 has there '.outcome == "refused" and .why == "wrong-name"'
}

@test "a mirror that wants a certificate gets one; names are resolved" {
	addresses 3 >"$run/shown.txt"
	addresses 4 >"$run/named.txt"
	publish "$run/shown.txt" "$www" --version 1
	publish "$run/named.txt" "$www" --version 1
	mirror 8446 "$www" "$pki/mirror.crt" "$pki/mirror.key" "$pki/ca.crt"
	nsenter --net=/run/netns/${net}c python3 tests/e2e/mirror.py 127.0.0.1 8447 "$pki/mirror.crt" "$pki/mirror.key" "$www" "$run/8447" \
		2>>"$run/mirror.log" 3>&- &
	wait_for 15 version shown 1
	wait_for 15 version named 1
}

@test "who resolves names may change, also to another file" {
	addresses 2 >"$run/resolved.txt"
	publish "$run/resolved.txt" "$www" --version 1
	has resolved '.outcome == "unreachable" and (.why | test("[Rr]esolv"))'
	nsenter --net=/run/netns/${net}s dnsmasq -k --conf-file=/dev/null --pid-file= --no-resolv --no-hosts --bind-interfaces --except-interface=lo \
		--listen-address=$server_ip --address=/mirror.test/$server_ip >>"$run/dns.log" 2>&1 3>&- &
	nsenter -m -t "$daemon" sh -c "echo nameserver $server_ip >/etc/next && mv /etc/next /etc/resolv.conf"
	wait_for 20 version resolved 1
	grep -q 'pull: a file that says where servers are has changed: beginning anew' "$run/log"
}

@test "a list that nobody has for long raises an alert, once" {
	told() { api "/v1/alerts?rule=stale_list" | jq -e '[.alerts[] | select(.message | test("list wrongca is out of date"))] | length == 1'; }
	wait_for 20 told
	has wrongca .stale
	api /v1/status | jq -e 'any(.degraded[]; test("list wrongca: no mirror had it for .*: unreachable"))'
	has drop '.stale == false'
}

@test "what fetches has no rights, and code that runs in it can open, load and start nothing" {
	pid=$(pull_pid)
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
	[ "$(pull_pid)" = "$pid" ]
}

@test "when it is killed another one begins; a reload asks for all again" {
	pid=$(pull_pid)
	kill -KILL "$pid"
	publish "$run/drop.txt" "$www".second --version 6
	publish "$run/drop.txt" "$www" --version 6
	wait_for 20 version drop 6
	[ "$(pull_pid)" != "$pid" ]
	has drop '.tries.accepted > 1' # of the one before as well
	picket --socket "$run/picket.sock" list rm drop
	kill -HUP "$daemon"
	wait_for 15 version drop 6
	api /v1/status | jq -e '.pull.running'
}

@test "a million entries come whole, in bounded time and memory, and then cost no byte" {
	[ -n "${PICKET_FULL:-}" ] || skip "PICKET_FULL=1 runs it"
	stop_daemon
	seq 0 999999 | awk '{ printf "100.%d.%d.%d\n", 64 + int($1 / 65536), int($1 / 256) % 256, $1 % 256 }' >"$run/big.txt"
	publish "$run/big.txt" "$www" --version 1
	sed -i -e "s|^  lists: .*|  lists: [\"big=https://$server_ip:8448/big\"]|; s/^  interval: .*/  interval: 5s/; s/^  timeout: .*/  timeout: 20s/" \
		-e 's/^  size_max: .*/  size_max: 64M/; s/^  stale: .*/  stale: 1h/' "$run/picket.yaml"
	launch_apart
	wait_for 20 api /v1/lists
	export daemon
	mirror 8448 "$www"
	began=$(date +%s%N)
	wait_for 60 version big 1
	took=$((($(date +%s%N) - began) / 1000000))
	api /v1/lists/big | jq -e '.list.entries == 1000000 and .list.mode == "enforce"'
	peak() { awk '/^VmHWM/ { print int($2 / 1024) }' /proc/"$1"/status; }
	core=$(pgrep -x -P "$daemon" -u nobody picketd)
	echo "# 1,000,000 entries pulled: $took ms with the wait for the turn, $(stat -c %s "$www/big") bytes; at most $(peak "$core") MiB the agent, $(peak "$(pull_pid)") MiB who fetches" >&3
	[ "$(peak "$core")" -lt 384 ]
	[ "$(peak "$(pull_pid)")" -lt 64 ]
	unchanged() { [ "$(grep -c '^/big 304 0 ' "$run/8448")" -ge 2 ]; }
	wait_for 40 unchanged
	[ "$(grep -c '^/big 200 ' "$run/8448")" = 1 ]
}
