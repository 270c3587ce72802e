#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What Picket costs, in one run: the programs of tests/bench (ns per packet, events a second), then the
# agent idle and under load beside softflowd and tcpdump on the same veth traffic.
# Usage: run.sh BUILD [SECONDS], as root. Stays in namespaces of its own (pkbe*).
set -euo pipefail
cd "$(dirname "$0")/../.."
export PICKET_BUILD
PICKET_BUILD=$(realpath "$1")
seconds=${2:-10}
net=pkbe run=$(mktemp -d)
. tests/e2e/lib.bash
trap 'kill_children; clean_net; rm -rf "$run"' EXIT

[ "$(id -u)" = 0 ] || {
	echo "bench: needs root" >&2
	exit 1
}

echo "# $(uname -r), $(nproc) CPUs, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
for source in tests/bench/*.c; do
	case $source in *.bpf.c | tests/bench/alert.c | tests/bench/block.c | tests/bench/fleet.c | tests/bench/live.c | tests/bench/respond.c | tests/bench/\*.c) continue ;; esac
	name=$(basename "$source" .c)
	echo "== $name"
	"$PICKET_BUILD/tests/bench/$name"
done

ticks=$(getconf CLK_TCK)
# cpu PID...: CPU seconds used so far by these processes and their children.
# shellcheck disable=SC2046
cpu() {
	local pid
	for pid; do
		cat "/proc/$pid/stat" $(pgrep -P "$pid" | sed 's|.*|/proc/&/stat|') 2>/dev/null
	done | sed 's/^.*) //' | awk -v hz="$ticks" '{ sum += $12 + $13 } END { printf "%.2f", sum / hz }'
}
# shellcheck disable=SC2046
rss() {
	cat "/proc/$1/status" $(pgrep -P "$1" | sed 's|.*|/proc/&/status|') 2>/dev/null |
		awk '/^VmRSS/ { sum += $2 } END { printf "%.1f", sum / 1024 }'
}

# measure NAME PID COMMAND...: runs the load, prints what the watcher took for it.
measure() {
	local name=$1 pid=$2 before after start took
	shift 2
	before=$([ "$pid" = - ] && echo 0 || cpu "$pid")
	start=$(date +%s.%N)
	"$@" >"$run/load" 2>&1 </dev/null
	took=$(echo "$(date +%s.%N) - $start" | bc)
	if [ "$pid" = - ]; then
		printf '%-12s %28s\n' "$name" "$(result)"
		return
	fi
	after=$(cpu "$pid")
	printf '%-12s %28s   CPU %5.1f %% of a core, RSS %6s MiB\n' "$name" "$(result)" \
		"$(echo "($after - $before) * 100 / $took" | bc -l)" "$(rss "$pid")"
}

# What the load itself said.
result() {
	if grep -q 'frames in' "$run/load"; then
		sed -nE 's/.* ([0-9]+) a second.*/\1 packets\/s/p' "$run/load"
	elif [ -s "$run/load" ]; then
		jq -r '"\(.end.sum_received.bits_per_second / 1e8 | round / 10) Gbit/s"' "$run/load" \
			2>/dev/null || head -n 1 "$run/load"
	fi
}

idle() { sleep "$seconds"; }
stream() { in_client iperf3 -J -c $server_ip -t "$seconds"; }
flood() {
	in_client "$bin/flood" "$bin/flood.bpf.o" "${net}c0" \
		"$(ip -n ${net}s -j link show ${net}s0 | jq -r '.[0].address')" $server_ip 9 "$seconds"
}

loads() { # loads NAME PID
	local load
	for load in idle stream flood; do
		echo "-- $load"
		measure "$1" "$2" $load
	done
}

make_net
in_server ethtool -K ${net}s0 gro on >/dev/null 2>&1 || true
nsenter --net=/run/netns/${net}s iperf3 -s >/dev/null 2>&1 &
others=$!
wait_for 10 in_client bash -c "</dev/tcp/$server_ip/5201"

echo "== without a watcher"
for load in stream flood; do
	echo "-- $load"
	measure none - $load
done

echo "== tcpdump (to /dev/null)"
nsenter --net=/run/netns/${net}s tcpdump -i ${net}s0 -n -w /dev/null 2>"$run/tcpdump" &
pid=$!
sleep 1
loads tcpdump $pid
kill -INT $pid && wait $pid || true
sed -n '/packets/s/^/   /p' "$run/tcpdump"

if command -v softflowd >/dev/null; then
	echo "== softflowd"
	nsenter --net=/run/netns/${net}s softflowd -d -i ${net}s0 -n 127.0.0.1:9995 \
		-p "$run/sf.pid" -c "$run/sf.ctl" >"$run/sf.log" 2>&1 &
	pid=$!
	sleep 1
	loads softflowd $pid
	softflowctl -c "$run/sf.ctl" statistics 2>/dev/null | grep -iE 'dropped|forcibly' | sed 's/^/   /' ||
		true
	kill "$pid" || true
fi

echo "== picketd (both namespaces, processes and sockets of the whole machine)"
write_config "$run/picket.yaml" "active_timeout: 10s" "idle_timeout: 1m" "sweep_interval: 1s"
start_daemon
loads picketd "$daemon"
api /v1/status | jq -r '"   packets: balanced \(.packets.ok), aggregated \(.aggregates.packets); \(
	[.programs[] | select(.runs > 0) | "\(.name) \(.ns_per_run * 10 | round / 10) ns x \(.runs)"] | join(", "))"'
