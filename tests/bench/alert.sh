#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# From an event to its alert, from a block that is asked for to its enforcement, and from an alert
# through its incident and playbook to a packet that the kernel refuses, while 0 and 50,000 other events
# a second pass. Usage: alert.sh BUILD [SECONDS], as root. Stays in namespaces of its own (pkal*).
set -euo pipefail
cd "$(dirname "$0")/../.."
export PICKET_BUILD
PICKET_BUILD=$(realpath "$1")
seconds=${2:-30}
net=pkal run=$(mktemp -d)
. tests/e2e/lib.bash
program=/dev/shm/pk-bench-alert
trap 'kill_children; "$PICKET_BUILD/picketd" -c "$run/picket.yaml" --detach >/dev/null 2>&1 || true
	clean_net; rm -rf "$run" $program $program-*' EXIT

# Whoever is called answers, and takes datagrams that nobody reads.
start_others() {
	ip -n ${net}s route add local 198.18.0.0/16 dev lo
	ip -n ${net}c route add 198.18.0.0/16 via $server_ip
	nsenter --net=/run/netns/${net}s python3 -c '
import socket
held, sink = [], socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sink.bind(("", 9))
calls = socket.create_server(("", 4444), backlog=128)
while True:
    held.append(calls.accept()[0])' &
	others=$!
}

# Attacks by a program whose children are a session each, so that each is an incident of its own: in one,
# addresses wait for each other.
start_attacks() { # start_attacks FIRST
	in_client "$run/crond" "$seconds" "$1" >"$run/refused" &
	attacks=$!
}

# From the event's time in the alert to the first packet refused.
tell_playbook() {
	api "/v1/alerts?limit=10000" | jq -r '.alerts[] | select(.finding_info.analytic.uid == "reverse_shell") |
		"\(.time) \([.. | .ip? // empty | select(startswith("198.18."))][0])"' >"$run/alerts"
	awk '
		NR == FNR { if (!($2 in at) || $1 < at[$2]) at[$2] = $1; next }
		{ attacks++ }
		$2 > 0 && $1 in at { print $2 - at[$1] }
		END { print attacks + 0, length(at) >"/dev/stderr" }' "$run/alerts" "$run/refused" 2>"$run/counts" |
		sort -n >"$run/ms"
	read -r tried told <"$run/counts"
	awk -v tried="$tried" -v told="$told" '
		{ ms[NR] = $1 }
		END {
			printf "%d shells on connections, %d alerts\n", tried, told
			if (NR) printf "%-30s %6d: p50 %.1f, p99 %.1f, max %.1f ms\n",
				"alert to a packet refused", NR, ms[int(NR / 2) + 1], ms[int(NR * 99 / 100) + 1], ms[NR]
			exit NR < tried
		}' "$run/ms" || failed=1
	api /v1/lists/auto | jq -r '"\(.count // (.entries | length)) addresses blocked"'
}

make_net
start_others
write_config "$run/picket.yaml"
cat >>"$run/picket.yaml" <<-YAML
	respond: {enabled: [block], rate: 10000, playbooks: $PWD/user/share/playbooks}
	block: {auto_max: 100000, auto_rate: 10000}
	incident: {max: 4096}
YAML
start_daemon
sleep 2 # the first block in the second after the start waits for kernel memory
cp /bin/true $program
cp "$PICKET_BUILD/tests/bench/respond" "$run/crond"
net_byte=0 failed=0
for rate in ${RATES:-0 50000}; do
	start_attacks 198.18.$((net_byte += 50)).1
	in_client "$PICKET_BUILD/tests/bench/alert" "$run/picket.sock" "$seconds" $rate || failed=1
	wait $attacks
	sleep 1
	tell_playbook
done
exit $failed
