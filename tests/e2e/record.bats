#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Recordings: whose packets are in a file, from the first to the last, beside what tcpdump sees at the
# same interface; rings of files; what memory held before; what happens when somebody dies or the
# disk is full.

bats_require_minimum_version 1.5.0
net=pkre
load lib

setup_file() {
	export run=$BATS_FILE_TMPDIR
	export PICKET_SOCKET=$run/picket.sock
	make_net
	# as many packets on the wire as through the hooks: none are merged or split on the way
	in_client ethtool -K ${net}c0 gro off tso off gso off >/dev/null
	in_server ethtool -K ${net}s0 gro off tso off gso off >/dev/null
	write_config "$run/picket.yaml"
	echo "sample: {keep: 16}" >>"$run/picket.yaml"
	start_daemon
	mkdir "$run/www"
	head -c 300000 /dev/urandom >"$run/www/data"
	cat >"$run/server.py" <<-END
		import http.server
		class Handler(http.server.SimpleHTTPRequestHandler):
		    protocol_version = "HTTP/1.1"
		http.server.ThreadingHTTPServer(("$server_ip", 7080), Handler).serve_forever()
	END
	(cd "$run/www" && exec nsenter --net="/run/netns/${net}s" python3 "$run/server.py") \
		>/dev/null 2>&1 3>&- &
	server=$!
	wait_for 30 in_client curl -sf -o /dev/null http://$server_ip:7080/
	sleep 4 # these flows are over
	export daemon server
}

teardown_file() {
	kill_children
	clean_net
}

teardown() {
	local pid
	for pid in ${recorders:-}; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	recorders=
	for pid in ${captures:-}; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	captures=
}

recordings() { api /v1/status | jq -e "(.capture.recordings | length) == $1"; }

# record_start N ARGUMENT...: in the background; N go on then. Its summary is in $run/summary.
record_start() {
	local n=$1
	shift
	"$build/picket" record -o json "$@" >"$run/summary" 2>"$run/complaints" 3>&- &
	recorder=$!
	recorders="${recorders:-} $recorder"
	wait_for 10 recordings "$n" || {
		cat "$run/complaints"
		return 1
	}
	sleep 0.3 # the kernel knows
}

record_stop() { # record_stop PID
	sleep 1.5   # the last packets are read
	kill -INT "$1"
	wait "$1"
}

fetch() { in_client curl -sf -o /dev/null "http://$server_ip:7080/${1:-data}"; }

fields() { # fields FILE FILTER FIELD...
	local file=$1 filter=$2 args=() field
	shift 2
	for field; do
		args+=(-e "$field")
	done
	tshark -r "$file" -Y "$filter" -T fields "${args[@]}" 2>"$run/tshark"
	# a file that is cut in a block, or has a wrong one, is complained about
	! grep -iE 'cut short|damaged|corrupt|error' "$run/tshark" || false
}

@test "a flow of a named process is whole, from SYN to the last FIN, as tcpdump sees it" {
	capture c 7080
	record_start 1 -w "$run/curl.pcapng" proc curl
	fetch
	in_client python3 -c "
import socket
s = socket.create_connection(('$server_ip', 7080)); s.send(b'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
while s.recv(4096): pass"
	stop_captures
	record_stop "$recorder"
	port=$(fields "$run/curl.pcapng" "tcp.flags.syn == 1 && tcp.flags.ack == 0" tcp.srcport | sort -u)
	echo "$port"
	[ "$(wc -w <<<"$port")" = 1 ] # curl's flow and no other
	want=$(tcpdump -nr "$run/c.pcap" "tcp port $port" 2>/dev/null | wc -l)
	at="frame.interface_name == \"${net}c0\""
	fields "$run/curl.pcapng" "$at" frame.number frame.len frame.cap_len tcp.flags frame.comment \
		>"$run/packets"
	echo "tcpdump $want, recorded $(wc -l <"$run/packets")"
	cat "$run/summary"
	[ "$want" -gt 100 ]
	[ "$(wc -l <"$run/packets")" = "$want" ]
	# each whole, and with its process and flow in the comment
	! grep -vE '^[0-9]+\s+([0-9]+)\s+\1\s+\S+\s+pid [0-9]+ curl \(.* flow [0-9a-f]{16}' "$run/packets" || false
	[ "$(awk 'NR == 1 { print $4 }' "$run/packets")" = 0x0002 ]
	[ "$(fields "$run/curl.pcapng" "$at && tcp.flags.fin == 1" frame.number | wc -l)" = 2 ]
	# all bytes of it
	sum() { tcpdump -nr "$1" -s 0 -w - "tcp port $port" 2>/dev/null | tshark -r - -T fields -e frame.len 2>/dev/null | awk '{ n += $1 } END { print n }'; }
	[ "$(awk '{ n += $2 } END { print n }' "$run/packets")" = "$(sum "$run/c.pcap")" ]
	jq -e '.ended == "user" and .missed == 0 and .dropped == 0 and .cut == 0 and .files_made == 1' "$run/summary"
}

@test "the file tells its interfaces, times and directions; it is private" {
	capinfos "$run/curl.pcapng" >"$run/infos"
	grep -q "Capture application: Picket" "$run/infos"
	grep -q "Name = ${net}c0" "$run/infos"
	grep -q "Description = net namespace" "$run/infos"
	grep -q "Filter string = proc curl" "$run/infos"
	grep -q "Time resolution = 0x09" "$run/infos"
	[ "$(stat -c %a "$run/curl.pcapng")" = 600 ]
	fields "$run/curl.pcapng" "frame.interface_name == \"${net}c0\"" frame.packet_flags_direction \
		tcp.dstport | awk '($2 == 7080) != ($1 ~ /2$/) { print; bad = 1 } END { exit bad }'
	fields "$run/curl.pcapng" "" frame.time_epoch | awk -v now="$(date +%s)" \
		'now - $1 > 600 || $1 - now > 5 { print; bad = 1 } END { exit bad }'
	grep -qE 'recording [0-9]+ by root began: proc curl' "$run/log"
	grep -qE 'recording [0-9]+ of root ended \(user\)' "$run/log"
}

@test "an existing file is not written to, a link never" {
	run picket record -w "$run/curl.pcapng" --duration 1s proc nobody
	[ "$status" = 1 ]
	[[ $output == *--force* ]]
	ln -s "$run/other" "$run/link.pcapng"
	run picket record --force -w "$run/link.pcapng" --duration 1s proc nobody
	[ "$status" = 1 ]
	[ ! -e "$run/other" ]
	ln "$run/curl.pcapng" "$run/second"
	before=$(sha256sum <"$run/second")
	picket record --force -w "$run/curl.pcapng" --duration 1s proc nobody
	[ "$before" = "$(sha256sum <"$run/second")" ] # it became another file
}

@test "what is wrong is refused, and no file is left" {
	run picket record -w "$run/new.pcapng" 'prot 1'
	[ "$status" = 2 ]
	[[ $output == *^* ]]
	[ ! -e "$run/new.pcapng" ]
	run picket record -w "$run/new.pcapng" --duration soon
	[ "$status" = 2 ]
	[ ! -e "$run/new.pcapng" ]
	run picket record proc curl
	[ "$status" = 2 ]
	run picket record -w - --rotate-size 1M
	[ "$status" = 2 ]
	run picket record -w /nowhere/x proc curl
	[ "$status" = 1 ]
	[[ $output == *"No such file"* ]]
}

@test "a ring of files: each is complete, the oldest go" {
	mkdir "$run/ring"
	record_start 1 -w "$run/ring/web.pcapng" --rotate-size 50K --files 3 port 7080
	for _ in 1 2 3; do
		fetch
	done
	record_stop "$recorder"
	cat "$run/summary"
	[ "$(find "$run/ring" -name 'web_*.pcapng' | wc -l)" = 3 ]
	jq -e '.files_made > 10 and .files_removed == .files_made - 3 and (.files | length) == 3' "$run/summary"
	for file in "$run"/ring/*; do
		# a packet of many segments may be larger than that by itself
		[ "$(stat -c %s "$file")" -lt 150000 ]
		[ "$(fields "$file" tcp frame.comment | grep -cE 'pid [0-9]+ (curl|python3)')" -gt 0 ]
		capinfos -c "$file" >"$run/infos"
	done
	[ "$(find "$run/ring" -type f | sort | tail -n 1)" = "$(jq -r '.files[-1]' "$run/summary")" ]
}

# A connection that says a word, waits for a line on $run/go, says another and ends.
talk() {
	nsenter --net="/run/netns/${net}c" python3 -c "
import socket, time, os
s = socket.create_connection(('$server_ip', 7080))
s.send(b'HEAD /?first HTTP/1.1\r\nHost: a\r\n\r\n')
s.recv(4096)
while not os.path.exists('$run/go'): time.sleep(0.1)
s.send(b'HEAD /?second HTTP/1.1\r\nHost: a\r\n\r\n')
s.recv(4096)
time.sleep(0.2)" 3>&- &
	talker=$!
	sleep 3
}

@test "begun after the flow: what memory held of its first packets comes first" {
	rm -f "$run/go"
	talk
	record_start 1 -w "$run/late.pcapng" --before 1m pid $talker
	touch "$run/go"
	wait "$talker"
	record_stop "$recorder"
	at="frame.interface_name == \"${net}c0\""
	fields "$run/late.pcapng" "$at" frame.time_relative tcp.flags frame.len frame.cap_len
	[ "$(fields "$run/late.pcapng" "$at" tcp.flags | head -n 2 | xargs)" = "0x0002 0x0012" ]
	# what came later is whole, and nothing is there twice
	fields "$run/late.pcapng" "$at && http.request.uri == \"/?second\"" frame.len frame.cap_len |
		awk '$1 != $2 { exit 1 } { n++ } END { exit n != 1 }'
	[ "$(fields "$run/late.pcapng" "$at && tcp.flags.syn == 1" frame.number | wc -l)" = 2 ]
	[ "$(fields "$run/late.pcapng" "$at" frame.time_epoch tcp.seq_raw tcp.flags | sort | uniq -d | wc -l)" = 0 ]
	[ "$(fields "$run/late.pcapng" "$at && tcp.flags.fin == 1" frame.number | wc -l)" = 2 ]
}

@test "packets in memory can be taken out afterwards" {
	fetch
	sleep 1.5
	picket record -w "$run/memory.pcapng" --memory --before 20s -o json port 7080 >"$run/summary"
	fields "$run/memory.pcapng" "tcp.flags.syn == 1 && tcp.flags.ack == 0" frame.comment | grep -q curl
	picket record -w "$run/none.pcapng" --memory port 1
	[ -z "$(fields "$run/none.pcapng" "" frame.number)" ]
	picket status | grep -E 'in memory: [0-9]+ packets, .* of 16.*B, the oldest of'
	api /v1/status | jq -e '.capture.memory | .packets > 0 and .bytes <= .max and .oldest > 0'
	grep -qE 'packets in memory were taken by root: port 7080' "$run/log"
}

@test "two recordings at once: each has its own; one that is killed leaves no mark" {
	record_start 1 -w "$run/a.pcapng" --snaplen 60 port 7080
	first=$recorder
	cp "$run/summary" "$run/summary.a"
	record_start 2 -w "$run/b.pcapng" proc curl
	second=$recorder
	fetch
	sleep 1.5
	kill -KILL "$first"
	wait "$first" || true
	wait_for 10 recordings 1
	fetch
	record_stop "$second"
	at="frame.interface_name == \"${net}c0\""
	syns() { fields "$1" "$at && tcp.flags.syn == 1 && tcp.flags.ack == 0" frame.number | wc -l; }
	[ "$(syns "$run/a.pcapng")" = 1 ] # readable, though nobody ended it
	[ "$(syns "$run/b.pcapng")" = 2 ]
	[ "$(fields "$run/a.pcapng" "" frame.cap_len | sort -n | tail -n 1)" = 60 ]
	wait_for 10 recordings 0
	seen() { api /v1/status | jq '[.rings[] | select(.ring == "record")][0].records'; }
	sleep 1
	count=$(seen)
	fetch
	sleep 1.5
	[ "$(seen)" = "$count" ]
}

@test "limits end it: packets, time" {
	record_start 1 -w "$run/few.pcapng" --packets 7 port 7080
	fetch
	wait "$recorder"
	[ "$(fields "$run/few.pcapng" "" frame.number | wc -l)" = 7 ]
	jq -e '.ended == "packets" and .packets == 7' "$run/summary"
	record_start 1 -w "$run/short.pcapng" --duration 2s port 7080
	wait "$recorder"
	jq -e '.ended == "duration"' "$run/summary" || cat "$run/complaints"
}

@test "through a pipe; a reader that has seen enough ends it" {
	picket record -w - proc curl 2>"$run/complaints" 3>&- >"$run/pipe.pcapng" &
	recorders=$!
	wait_for 10 recordings 1
	fetch
	sleep 1.5
	[ "$(fields "$run/pipe.pcapng" "tcp" frame.number | wc -l)" -gt 100 ]
	kill -INT "$recorders"
	wait "$recorders"
	(picket record -w - port 7080 2>/dev/null 3>&- || true) | head -c 100 >/dev/null &
	wait_for 10 recordings 1
	fetch
	wait_for 10 recordings 0
}

@test "a full disk is told, and what was written is readable" {
	mkdir -p "$run/small"
	mount -t tmpfs -o size=128k none "$run/small"
	record_start 1 -w "$run/small/full.pcapng" port 7080
	fetch || true
	rc=0
	wait "$recorder" || rc=$?
	cat "$run/complaints"
	packets=$(fields "$run/small/full.pcapng" "" frame.number | wc -l) || rc=cut
	umount "$run/small"
	[ "$rc" = 1 ]
	grep -q "No space left on device" "$run/complaints"
	[ "$packets" -gt 20 ]
}
