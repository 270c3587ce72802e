#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A list of 100,000 entries to a fleet of AGENTS agents on this machine (fleet.c: all of an agent but
# the kernel's part), by push and through three NATS servers. A tenth is off at first, a twentieth has
# no room for it, and one of the servers is killed in the middle. Usage: fleet.sh BUILD [AGENTS
# [push|nats]], at least 20 agents.
set -euo pipefail
cd "$(dirname "$0")/../.."
PICKET_BUILD=$(realpath "$1")
agents=${2:-500} part=${3:-both} entries=${ENTRIES:-100000}
export PICKET_BUILD bin=$PICKET_BUILD/tests/e2e net=pkfl nats_hosts=web1
run=$(mktemp -d)
export run XDG_STATE_HOME=$run/home
# shellcheck source=tests/e2e/lib.bash disable=SC1091
. tests/e2e/lib.bash
# shellcheck source=tests/e2e/nats.bash disable=SC1091
. tests/e2e/nats.bash
off=$((agents / 10)) weak=$((agents / 20))
on=$((agents - off - weak))
trap 'stop; nats_stop; rm -rf "$run"' EXIT

now() { date +%s%N; }
wire() { cat /sys/class/net/lo/statistics/tx_bytes; }
ms() { echo $((($(now) - $1) / 1000000)); }
picket() { "$PICKET_BUILD/picket" "$@"; }

ready() { [ "$(grep -c "gate: certificates were read" "$run/fleet.log")" -ge "$1" ]; }
# start FIRST COUNT [weak]: until they listen
start() {
	local before
	before=$(grep -c "gate: certificates were read" "$run/fleet.log" || true)
	"$PICKET_BUILD/tests/bench/fleet" "$run" "$@" >"$run/started.$1" 2>>"$run/fleet.log" &
	started="${started:-} $!"
	wait_for 120 ready $((before + $2))
}
# The agents end with it.
stop() {
	local pid
	for pid in ${started:-}; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	started=
}
# in_force VERSION FROM TO: how many of these agents have it, each asked on its own socket
in_force() {
	local i n=0
	for ((i = $2; i < $3; i++)); do
		curl -s --max-time 5 --unix-socket "$run/sock/$i" http://x/v1/lists/drop 2>/dev/null |
			command jq -e ".list | .entries == $entries and .mode == \"enforce\" and .signed.version == $1 and .signed.in_force" >/dev/null && n=$((n + 1))
	done
	echo $n
}
# said VERSION COUNT: so many agents say that it is in force
said() { [ "$(grep -c "audit: list push drop version $1 .*: ok\$" "$run/fleet.log")" -ge "$2" ]; }
sign() {
	seq 0 $((entries - 1)) | awk -v v="$1" '{ x = ($1 * 2654435761 + v) % 4294967296; printf "%d.%d.%d.%d\n", 11 + int(x / 16777216) % 89, int(x / 65536) % 256, int(x / 256) % 256, x % 256 }' | sort -u >"$run/drop.txt"
	entries=$(wc -l <"$run/drop.txt")
	picket list sign "$run/drop.txt" --dir "$run/keys" --version "$1" >/dev/null
}
# push OPTION...: prints what came of it
push() {
	local began
	began=$(now)
	picket push "$run/drop.txt" --pki "$run/pki" --max-fail "$agents" -o json "$@" >"$run/pushed" || true
	echo "$(ms "$began") ms; $(command jq -rs 'group_by(.outcome) | map("\(length) \(.[0].outcome)") | join(", ")' "$run/pushed"); $(command jq -s 'map(.sent) | add' "$run/pushed") bytes sent"
}

# agents_up: those that are not off at first
agents_up() {
	local began
	began=$(now)
	rm -rf "$run/state" "$run/sock" # as new hosts
	mkdir -p "$run"/{sock,state}
	start 0 $on
	start $on $weak weak
	echo "$((on + weak)) agents up, $off off, in $(ms "$began") ms"
}
footprint() { ps -C fleet -o rss= | awk '{ s += $1 } END { printf "resident, all processes: %d MiB\n", s / 1024 }'; }

through_push() {
	agents_up
	sign 1
	echo "list: $entries entries, $(stat -c %s "$run/drop.txt") bytes"
	echo "push: $(push --to "$run/hosts.yaml")"
	echo "asked one by one: $(in_force 1 0 $on) of $on have it, $(in_force 1 $on $((on + weak))) of $weak without room"
	start $((on + weak)) $off
	echo "push --resume after the others came: $(push --resume)"
	echo "asked one by one: $(in_force 1 $((on + weak)) "$agents") of $off have it"
	footprint
	stop
}

through_nats() {
	local began bytes
	nats_has || {
		echo "no nats-server: not run"
		return
	}
	nats_start
	# shellcheck disable=SC2154
	echo "$nats_servers" >"$run/nats/servers"
	agents_up
	sign 2
	began=$(now) bytes=$(wire)
	picket list publish --server "$nats_servers" --ca "$run/nats/ca.pem" --cert "$run/nats/admin.pem" --key "$run/nats/admin.key" "$run/drop.txt" >/dev/null
	sleep 0.5
	nats_kill 2 KILL
	wait_for 300 said 2 $on || true
	echo "NATS, one server killed: $(ms "$began") ms; $(($(wire) - bytes)) bytes on the wire, with what servers tell each other"
	echo "asked one by one: $(in_force 2 0 $on) of $on have it, $(in_force 2 $on $((on + weak))) of $weak without room"
	began=$(now) bytes=$(wire)
	start $((on + weak)) $off
	wait_for 300 said 2 $((on + off)) || true
	echo "those that were off: $(ms "$began") ms after they came; $(($(wire) - bytes)) bytes"
	echo "asked one by one: $(in_force 2 $((on + weak)) "$agents") of $off have it"
	footprint
	stop
}

mkdir -p "$run"/keys.d && chmod 755 "$run"
touch "$run/fleet.log"
picket pki init --dir "$run/pki" >/dev/null
picket pki issue --dir "$run/pki" web --san 127.0.0.1 >/dev/null
picket pki issue --dir "$run/pki" operator >/dev/null
cp "$run"/pki/{ca.crt,ca.crl,web.crt,web.key} "$run"
picket key new --dir "$run/keys" default >/dev/null
picket key trust --keys "$run/keys.d" "$run/keys/default.pub" >/dev/null
{
	echo "groups:"
	echo "  all:"
	for ((i = 0; i < agents; i++)); do echo "    - 127.0.0.1:$((20000 + i))"; done
} >"$run/hosts.yaml"

[ "$part" = nats ] || through_push
[ "$part" = push ] || through_nats
grep -v notice: "$run/fleet.log" | head -n 5 || true
