#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Somebody makes noise: packets from random sources to random ports and random names, all the time;
# hidden in it a slow scan of one host. Memory stays within its bounds in each second, and the scan is
# told. There are more unanswered flows than the kernel gives a place of their own (flow.half_open_share),
# so of the scan, too, a part is only summed up. PICKET_FULL=1: 10 minutes, with a port in 4 s; else half a
# minute, with five in 2 s.

net=pkad
load lib
seconds=$([ -n "${PICKET_FULL:-}" ] && echo 600 || echo 30)
each=$([ -n "${PICKET_FULL:-}" ] && echo 4 || echo 0.4)

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	write_config "$run/picket.yaml" "idle_timeout: 20s" "half_open_timeout: 10s"
	start_daemon
	export daemon
	# about 4,000 packets a second of TCP and UDP, from 11.0.0.0/8
	cat >"$run/noise.py" <<-'PY'
		import os, random, socket, struct, sys, time
		def sum16(b):
		    s = sum(struct.unpack('!%dH' % (len(b) // 2), b))
		    s = (s & 0xffff) + (s >> 16)
		    return ~((s & 0xffff) + (s >> 16)) & 0xffff
		out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
		dst, seconds = socket.inet_aton(sys.argv[1]), int(sys.argv[2])
		start, n = time.monotonic(), 0
		while (now := time.monotonic()) < start + seconds:
		    if n > (now - start) * 4000:
		        time.sleep(0.002)
		        continue
		    n += 1
		    src = bytes([11]) + os.urandom(3)
		    sport, dport = random.randrange(1, 65536), random.randrange(1, 65536)
		    if n % 4:
		        data = struct.pack('!HHIIBBHHH', sport, dport, n, 0, 5 << 4, 2, 1024, 0, 0)
		        proto = 6
		    else:
		        data = struct.pack('!HHHH', sport, dport, 16, 0) + os.urandom(8)
		        proto = 17
		    if proto == 6:
		        c = sum16(src + dst + struct.pack('!BBH', 0, 6, 20) + data)
		        data = data[:16] + struct.pack('!H', c) + data[18:]
		    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(data), n & 0xffff, 0, 64, proto, 0, src, dst)
		    out.sendto(head + data, (sys.argv[1], 0))
		print(n)
	PY
	# a name that does not exist, 300 times a second; and who says so
	cat >"$run/names.py" <<-'PY'
		import os, random, socket, struct, sys, time
		if sys.argv[1] == 'serve':
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    s.bind((sys.argv[2], 53))
		    while True:
		        q, who = s.recvfrom(512)
		        s.sendto(q[:2] + b'\x81\x83' + q[4:], who)
		def label(n):
		    return bytes([n]) + bytes(random.choice(b'abcdefghijklmnopqrstuvwxyz') for _ in range(n))
		start, n = time.monotonic(), 0
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		while (now := time.monotonic()) < start + int(sys.argv[3]):
		    if n > (now - start) * 300:
		        time.sleep(0.005)
		        continue
		    n += 1
		    q = struct.pack('!HHHHHH', n & 0xffff, 0x0100, 1, 0, 0, 0)
		    s.sendto(q + label(20) + label(12) + b'\x03com\x00\x00\x01\x00\x01', (sys.argv[2], 53))
		print(n)
	PY
	cat >"$run/scan.py" <<-'PY'
		import socket, sys, time
		start, each = time.monotonic(), float(sys.argv[3])
		for i in range(int(float(sys.argv[2]) / each)):
		    time.sleep(max(0, start + i * each - time.monotonic()))
		    s = socket.socket()
		    s.settimeout(1)
		    s.connect_ex((sys.argv[1], 2000 + i * 7))
		    s.close()
	PY
}

teardown_file() {
	kill_children
	clean_net
}

# Resident memory of the whole agent in KiB.
rss() {
	cat /proc/"$daemon"/status $(pgrep -P "$daemon" | sed 's|.*|/proc/&/status|') |
		awk '/^VmRSS/ { sum += $2 } END { print sum }'
}
detectors() { api /v1/detectors | jq "[.detectors[] | select(.on)] | $1"; }

# In the second half of a long run nothing grows any more: what has a capacity has reached it.
levels_off() {
	[ -n "${PICKET_FULL:-}" ] || return 0
	awk '{ r[NR] = $1 } END {
		for (i = 1; i <= NR; i++) { h = i > NR / 2; if (r[i] > m[h]) m[h] = r[i] }
		print "# RSS at most " m[0] " KiB in the first half, " m[1] " in the second"
		exit m[1] > m[0] + 16384
	}' "$run/samples" >&3
}

@test "memory stays within its bounds in a flood of everything random, and the slow scan in it is found" {
	in_server python3 "$run/names.py" serve $server_ip 3>&- &
	others=$!
	sleep 3
	rss_before=$(rss) bound=$(detectors 'map(.bytes_max) | add / 1024 | floor')
	in_server python3 "$run/noise.py" $client_ip "$seconds" >"$run/packets" 3>&- &
	others="$others $!" noise=$!
	in_client python3 "$run/names.py" ask $server_ip "$seconds" >"$run/asked" 3>&- &
	others="$others $!"
	in_server python3 "$run/scan.py" $client_ip "$seconds" "$each" 3>&- &
	others="$others $!"
	while kill -0 $noise 2>/dev/null; do
		detectors '.[] | select(.bytes > .bytes_max)' >>"$run/beyond"
		echo "$(rss) $(detectors 'map(.bytes) | add / 1024 | floor')" >>"$run/samples"
		sleep 0.9
	done
	wait $noise
	read -r rss_max bytes_max < <(awk '$1 > r { r = $1 } $2 > b { b = $2 } END { print r, b }' "$run/samples")
	echo "# $(cat "$run/packets") packets from random sources, $(cat "$run/asked") random names, $(wc -l <"$run/samples") samples" >&3
	echo "# RSS $rss_before KiB before, $rss_max at most; detectors $bytes_max KiB at most, bound $bound" >&3
	detectors 'map(select(.evicted + .refused > 0) | "\(.name) evicted \(.evicted) refused \(.refused)") | join(", ")' | sed 's/^/# /' >&3
	[ ! -s "$run/beyond" ] || { cat "$run/beyond"; false; }
	[ "$(wc -l <"$run/samples")" -ge $((seconds / 2)) ]
	[ "$bytes_max" -le "$bound" ]
	# detectors, and beside them all else that has a capacity: flows live and ended, names, journals
	[ "$rss_max" -le $((rss_before + bound + 196608)) ]
	levels_off
	is_gone "$daemon" && false
	api /v1/status | jq -r '"# flows: \(.kernel_table.created) had a place, \(.kernel_table.refused) were only summed up"' >&3
	api "/v1/alerts?limit=10000" | jq -r '.alerts[].finding_info.analytic.uid' | sort | uniq -c | sed 's/^/# /' >&3
	api "/v1/alerts?limit=10000" | jq -r '.alerts[] | select(.finding_info.analytic.uid == "port_scan") | .finding_info.desc' |
		tee "$run/told"
	grep -F $server_ip "$run/told"
}
