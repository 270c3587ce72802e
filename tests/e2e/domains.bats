#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Blocking by name, with a real resolver (dnsmasq), a TLS server and programs (dig, curl, openssl,
# python): answered addresses for as long as the answer counts, hellos over TCP and QUIC,
# queries, what is shared with other names, and each record saying which name was the cause.

bats_require_minimum_version 1.5.0
net=pkdn
load lib
evil=10.97.0.10 evil6=fd97::10 cdn=10.97.0.11

picket() { "$build/picket" --socket "$run/picket.sock" "$@"; }
answers() { api /v1/lists; }
# Not through nsenter: it also needs the resolver.
as_client() { ip netns exec ${net}c "$@"; }
ask() { as_client dig +tries=1 +time=3 @$server_ip "$@"; }
launch() {
	launch_daemon
	wait_for 20 answers
}

start_resolver() {
	nsenter --net=/run/netns/${net}s dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv \
		--no-hosts --bind-interfaces --listen-address=$server_ip,$server_ip6 --user=root \
		--pid-file="$run/dnsmasq.pid" \
		--host-record=notevil.example,10.97.0.12,3 --host-record=evil.example,$evil,$evil6,3 --host-record=www.evil.example,$evil,3 \
		--host-record=host.example,10.97.0.12,3 --cname=alias.evil.example,host.example,3 \
		--host-record=ads.example,$cdn,3 --host-record=shop.example,$cdn,3 \
		--host-record=own.evil.example,$client_ip,3 --host-record=lo.evil.example,127.0.0.1,3 \
		--log-queries --log-facility="$run/dnsmasq.log" >"$run/dnsmasq.out" 2>&1 3>&- &
	others="${others:-} $!"
	wait_for 10 in_client dig +tries=1 +time=1 @$server_ip shop.example
}

start_tls() { # start_tls ADDRESS
	[ -f "$run/key.pem" ] || openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x \
		-keyout "$run/key.pem" -out "$run/cert.pem" 2>/dev/null
	# one thread a connection: s_server would wait for the one that was cut
	nsenter --net=/run/netns/${net}s python3 -c '
import socket, ssl, sys, threading, time
c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
c.load_cert_chain(sys.argv[2], sys.argv[3])
l = socket.create_server((sys.argv[1], 443))
def serve(s):
    time.sleep(0.05) # the way there and back, which a veth does not have
    try:
        s = c.wrap_socket(s, server_side=True)
        s.recv(4096)
        s.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        s.close()
    except OSError:
        pass
while True:
    threading.Thread(target=serve, args=(l.accept()[0],), daemon=True).start()
' "$1" "$run/cert.pem" "$run/key.pem" >"$run/tls.out" 2>&1 3>&- &
	others="${others:-} $!"
	wait_for 10 tls "$1" warm.example
}
# tls ADDRESS NAME: a whole handshake, and a request.
tls() {
	printf 'GET / HTTP/1.0\r\n\r\n' | timeout 4 nsenter --net=/run/netns/${net}c openssl s_client \
		-quiet -connect "$1:443" -servername "$2" 2>/dev/null | grep -q 'HTTP/1.0 200'
}

setup() {
	run=$BATS_TEST_TMPDIR
	mkdir -p "$run/state" /etc/netns/${net}c
	make_net
	for a in $evil/24 $cdn/24 10.97.0.12/24 $evil6/64; do
		ip -n ${net}s addr add $a dev ${net}s0 nodad 2>/dev/null || ip -n ${net}s addr add $a dev ${net}s0
	done
	echo "nameserver $server_ip" >/etc/netns/${net}c/resolv.conf
	write_config "$run/picket.yaml"
	sed -i "s/^netns:.*/netns: {names: [], containers: false}/" "$run/picket.yaml"
	echo "block: {answer_ttl_min: 1s}" >>"$run/picket.yaml"
	launch
	start_resolver
}

teardown() {
	[ -n "$BATS_TEST_COMPLETED" ] || tail -5 "$run/log"
	kill_children
	"$build/picketd" --config "$run/picket.yaml" --detach >/dev/null 2>&1 || true
	clean_net
	rm -f /etc/netns/${net}c/resolv.conf
	rmdir /etc/netns/${net}c 2>/dev/null || true
	[ ! -e /sys/fs/bpf/$net ]
}

blocked_by() { # blocked_by FILTER: an event like that was told
	picket events -n 10000 -o json | jq -es "any(.[]; .disposition == \"Blocked\" and ($1))"
}
is_blocked() { picket check "$1" | grep -q BLOCKED; }
is_open() { ! is_blocked "$1"; }

@test "a listed name's answered addresses are blocked as long as the answer counts" {
	start_tls $evil
	picket block evil.example --reason C2
	[ "$(ask +short www.evil.example)" = $evil ]
	wait_for 2 is_blocked $evil
	run ! tls $evil other.example
	picket check www.evil.example | grep "blocked because of it: $evil"
	picket check $evil | grep 'evil.example of list manual: answer to a lookup of www.evil.example, ttl 3'
	wait_for 5 blocked_by '.dst_endpoint.ip == "'$evil'" and
		(.unmapped.picket.reason | startswith("evil.example of list manual"))'
	# IPv6, and what an alias leads to
	[ "$(ask +short aaaa evil.example)" = $evil6 ]
	wait_for 2 is_blocked $evil6
	[ "$(ask +short alias.evil.example | tail -n 1)" = 10.97.0.12 ]
	wait_for 2 is_blocked 10.97.0.12
	# the answer counts no more
	wait_for 6 is_open $evil
	tls $evil other.example
	wait_for 6 is_open $evil6
	# its own address, and loopback, are never blocked, whoever answers that
	[ "$(ask +short own.evil.example)" = $client_ip ]
	[ "$(ask +short lo.evil.example)" = 127.0.0.1 ]
	sleep 0.5
	is_open $client_ip
	is_open 127.0.0.1
	picket check evil.example | grep 'as they must be reached: 2'
	# unblocked: free at once
	[ "$(ask +short www.evil.example)" = $evil ]
	wait_for 2 is_blocked $evil
	picket unblock evil.example
	wait_for 2 is_open $evil
}

@test "from the answer on the wire to enforced: measured" {
	picket block evil.example
	as_client python3 - $server_ip $evil <<'END' | tee "$run/race" >&3
import socket, statistics, struct, sys, time
server, evil = sys.argv[1:]
q = struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + b"\4evil\7example\0" + struct.pack(">2H", 1, 1)
took = []
for i in range(20):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(3)
    s.connect((server, 53))
    s.send(q)
    s.recv(1500)
    t = time.monotonic()
    while time.monotonic() - t < 2:
        try:
            c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            c.connect((evil, 9))
            c.close()
        except PermissionError:
            took.append((time.monotonic() - t) * 1000)
            break
    time.sleep(3.3 if i < 3 else 0)
print("# enforced after the answer, ms: first %.2f, %.2f, %.2f; then at once (still in force): %.2f"
      % (took[0], took[1], took[2], statistics.median(took[4:])))
sys.exit(len(took) != 20 or max(took[:3]) > 500)
END
	[ -s "$run/race" ]
	# and from the hello on the wire to the last byte behind it that came through
	nsenter --net=/run/netns/${net}s python3 -c '
import socket, sys, time
l = socket.create_server((sys.argv[1], 4443))
print("ready", flush=True)
s = l.accept()[0]
s.settimeout(1)
first = last = 0
try:
    while s.recv(65536):
        last = time.monotonic()
        first = first or last
except OSError:
    pass
print("# cut after the hello, ms: %.2f" % ((last - first) * 1000))' $cdn >"$run/cut" 3>&- &
	server=$!
	wait_for 5 grep -q ready "$run/cut"
	in_client timeout 5 python3 -c '
import socket, ssl, sys, time
out = ssl.MemoryBIO()
c = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="evil.example")
try:
    c.do_handshake()
except ssl.SSLWantReadError:
    pass
s = socket.create_connection((sys.argv[1], 4443))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
s.send(out.read())
for i in range(1000):
    s.send(b"x")
    time.sleep(0.0002)' $cdn || true
	wait $server || true
	server=
	tail -n 1 "$run/cut" >&3
	[ "$(awk '{ print int($NF) }' "$run/cut" | tail -n 1)" -lt 150 ]
}

@test "what carries the name is cut, over TCP, QUIC and HTTP; others at the address are served" {
	start_tls $cdn
	start_server 4433
	start_server2
	picket block ads.example --sni-only --reason tracking
	[ "$(ask +short ads.example)" = $cdn ]
	sleep 0.3
	is_open $cdn
	tls $cdn shop.example
	run ! tls $cdn ads.example
	run ! tls $cdn www.ads.example
	tls $cdn shop.example
	wait_for 5 blocked_by '.tls.sni == "www.ads.example" and .unmapped.picket.name == "ads.example" and
		.unmapped.picket.list == "manual" and .unmapped.picket.reason == "tracking"'
	picket check ads.example | grep 'connections cut that named it: 2'
	# QUIC: the first flight is one Initial, and what follows gets no answer (the address that an
	# echo without a source of its own comes from)
	[ "$(in_client "$bin/quic" $server_ip 4433 shop.example)" = "20 of 20" ]
	[ "$(in_client "$bin/quic" $server_ip 4433 ads.example)" = "0 of 20" ]
	wait_for 5 blocked_by '.tls.sni == "ads.example" and .connection_info.protocol_name == "udp"'
	# HTTP
	in_client curl -sS --max-time 4 -H 'Host: shop.example' http://$cdn:8080/ -o /dev/null
	run ! in_client curl -sS --max-time 4 -H 'Host: ads.example:8080' http://$cdn:8080/ -o /dev/null
	wait_for 5 blocked_by '.unmapped.picket.where == "http"'
}

# Answers after a second, so that what carries the name is seen before.
start_server2() {
	nsenter --net=/run/netns/${net}s python3 -c '
import http.server, time
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(1)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("", 8080), H).serve_forever()' >/dev/null 2>&1 3>&- &
	others="${others:-} $!"
	wait_for 10 in_client curl -sS --max-time 4 http://$server_ip:8080/ -o /dev/null
}

@test "an address that other names have, too, is left open; its name is cut all the same" {
	start_tls $cdn
	[ "$(ask +short shop.example)" = $cdn ]
	picket block ads.example
	[ "$(ask +short ads.example)" = $cdn ]
	sleep 0.5
	is_open $cdn
	picket check ads.example | grep 'as other names have them, too: 1'
	run ! tls $cdn ads.example
	tls $cdn shop.example
}

would_cut() { # would_cut LISTED...: by the first of them
	printf '%s\n' "$@" >"$run/names"
	picket list test "$run/names" -o json |
		jq -es "any(.[]; .name == \"$1\" and .flows >= 1 and (.examples | length > 0))"
}

@test "a list of names against the flows so far, before it is loaded" {
	start_tls $cdn
	[ "$(ask +short shop.example)" = $cdn ]
	tls $cdn www.ads.example
	wait_for 10 would_cut ads.example never.example # said in its hello
	wait_for 10 would_cut shop.example              # what its address was resolved from
	run ! would_cut never.example
	tls $cdn www.ads.example # nothing has changed
}

@test "queries are refused where asked, at once, and the record says who asked" {
	picket block evil.example --refuse-query --reason C2
	wait_for 2 test "$(api /v1/lists | jq .memory.refused_names)" = 1
	start=$(date +%s%N)
	ask WWW.Evil.example | tee "$run/dig" | grep 'status: REFUSED'
	took=$((($(date +%s%N) - start) / 1000000))
	echo "# refused in $took ms" >&3
	[ $took -lt 1000 ]
	as_client dig +tries=1 +time=3 @$server_ip6 aaaa evil.example | grep 'status: REFUSED'
	[ "$(ask +short notevil.example)" = 10.97.0.12 ]
	[ "$(ask +short shop.example)" = $cdn ]
	! grep -i 'query.*evil.example from' "$run/dnsmasq.log" | grep -v notevil || false
	run ! as_client getent hosts evil.example
	wait_for 5 blocked_by '.query.hostname == "www.evil.example" and .actor.process.name == "dig" and
		.unmapped.picket.name == "evil.example" and .unmapped.picket.reason == "C2"'
	picket check evil.example | grep -E 'queries refused: [3-9]'
	# whole lists, and without the agent
	printf '0.0.0.0 worse.example\n0.0.0.0 shop.example\n' >"$run/feed.hosts"
	picket list load --refuse-query "$run/feed.hosts" --name feed
	wait_for 3 refuses shop.example
	wait_for 5 is_saved
	kill -KILL "$daemon"
	wait "$daemon" 2>/dev/null || true
	refuses evil.example
	refuses shop.example
	launch
	refuses evil.example
	picket list show feed -o json | jq -es 'map(.name) == ["shop.example", "worse.example"]'
	picket check worse.example | grep BLOCKED
	picket list rm feed
	picket unblock evil.example
	wait_for 3 resolves shop.example
	[ "$(ask +short evil.example)" = $evil ]
}
refuses() { ask "$1" | grep -q 'status: REFUSED'; }
resolves() { [ -n "$(ask +short "$1")" ]; }
is_saved() { api /v1/lists | jq -e 'all(.lists[]; .saved)'; }

@test "names that many share need --wide; bad names change nothing" {
	run ! picket block com
	run picket block co.uk
	[[ "$output" == *"public suffix"*"--wide"* ]]
	picket block co.uk --wide
	picket unblock co.uk
	run ! picket block 'ev il.example'
	printf 'evil.example\nbad..name\n' >"$run/feed.txt"
	run picket list load "$run/feed.txt" --name feed
	[[ "$output" == *"feed.txt:2"* ]]
	picket block bücher.example | grep xn--bcher-kva.example
}

@test "a million names: loaded, saved, found; memory is bounded and shown" {
	awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "0.0.0.0 host%d.zone%d.example\n", i, i % 50021 }' \
		>"$run/million.hosts"
	picket list load "$run/million.hosts" --name million | tee "$run/loaded" >&3
	grep -q '1000000 entries in force' "$run/loaded"
	api /v1/lists | jq -c '.memory | {names, name_bytes}' >&3
	[ "$(api /v1/lists | jq .memory.name_bytes)" -lt $((160 << 20)) ]
	picket check www.host999999.zone49600.example | grep -q 'host999999.zone49600.example  list million'
	run picket check host999999.zone1.example
	[[ "$output" == *"no list speaks about it"* ]]
	# one of them goes, a file that differs by one comes
	picket unblock host7.zone7.example --list million
	picket list load "$run/million.hosts" --name million | grep '1 came, 0 went, 999999 stayed'
}
