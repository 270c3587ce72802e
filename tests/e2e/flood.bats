#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A SYN flood with random sources at the full rate of the kernel's packet generator: the agent lives,
# its memory stays in bounds, every packet is counted in a flow or an aggregate, and a conversation
# that went on all the time has exact counters. PICKET_FULL=1: 10 s instead of 3.

net=pkfl
load lib
seconds=$([ -n "${PICKET_FULL:-}" ] && echo 10 || echo 3)

setup_file() {
	export run=$BATS_FILE_TMPDIR
	make_net
	write_config "$run/picket.yaml" "idle_timeout: 20s"
	start_daemon
	export daemon
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
# What the driver itself handed to XDP on both ends: the generator's own count holds frames too that
# found the peer's queue full.
driver() {
	local side
	for side in c s; do
		nsenter --net="/run/netns/pkfl$side" ethtool -S "pkfl${side}0"
	done | awk '/rx_queue_[0-9]+_xdp_packets/ { sum += $2 } END { print sum + 0 }'
}
hook() { api /v1/status | jq ".packets.hooks[] | select(.hook == \"$1\") | $2"; }

@test "flood: alive, in bounds, every packet accounted, the steady conversation exact" {
	nsenter --net=/run/netns/pkfls socat TCP-LISTEN:7201,reuseaddr EXEC:cat 3>&- &
	others=$!
	capture c 7201
	capture s 7201
	sleep 0.3
	for i in $(seq $((seconds * 25 + 50))); do
		echo "line $i"
		sleep 0.04
	done | in_client socat -t 3 - TCP:$server_ip:7201 >"$run/echoed" 3>&- &
	steady=$!
	sleep 1
	before=$(hook xdp .seen) driver_before=$(driver) rss_before=$(rss)
	mac=$(ip -n pkfls -j link show pkfls0 | jq -r '.[0].address')
	in_client "$bin/flood" "$bin/flood.bpf.o" pkflc0 "$mac" $server_ip 9 "$seconds" >"$run/flood" 3>&- &
	flood=$!
	for i in $(seq $((seconds * 2))); do
		api /v1/healthz >/dev/null
		sleep 0.5
	done
	wait $flood
	wait $steady
	cat "$run/flood"
	sent=$(cut -d' ' -f1 "$run/flood")
	given=$(($(driver) - driver_before))
	seen=$(($(hook xdp .seen) - before))
	rss_after=$(rss)
	echo "sent $sent, the driver gave $given to XDP, XDP saw $seen, RSS $rss_before -> $rss_after KiB"
	[ "$given" -ge $((sent / 4)) ]
	[ $((seen > given ? seen - given : given - seen)) -le 50 ] # read one after the other, steadily fed
	api /v1/status | jq -c '.packets.hooks[] | {hook, seen, flow, aggregate, balance}'
	api /v1/status | jq -c '.kernel_table, {aggregated: .aggregates.packets}'
	is_gone "$daemon" && false
	[ "$rss_after" -lt $((rss_before + 131072)) ]
	wait_for 10 eval 'api /v1/status | jq -e ".packets.ok"'
	wait_for 10 eval 'api /v1/status | jq -e "(.packets.hooks | map(.aggregate) | add) == .aggregates.packets"'
	[ "$(wc -l <"$run/echoed")" = $((seconds * 25 + 50)) ]
	stop_captures
	flows_of 7201
	python3 tests/e2e/flows.py exact "$run/flows.json" pkflc0 "$run/c.pcap"
	python3 tests/e2e/flows.py exact "$run/flows.json" pkfls0 "$run/s.pcap"
}
