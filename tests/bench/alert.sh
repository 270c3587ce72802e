#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# From an event to its alert, and from a block to its enforcement, while 0 and 50,000 other events a
# second pass. Usage: alert.sh BUILD [SECONDS], as root. Stays in namespaces of its own (pkal*).
set -euo pipefail
cd "$(dirname "$0")/../.."
export PICKET_BUILD
PICKET_BUILD=$(realpath "$1")
seconds=${2:-10}
net=pkal run=$(mktemp -d)
. tests/e2e/lib.bash
program=/dev/shm/pk-bench-alert
trap 'kill_children; "$PICKET_BUILD/picketd" -c "$run/picket.yaml" --detach >/dev/null 2>&1 || true
	clean_net; rm -rf "$run" $program $program-*' EXIT

make_net
write_config "$run/picket.yaml"
start_daemon
cp /bin/true $program
for rate in ${RATES:-0 50000}; do
	in_client "$PICKET_BUILD/tests/bench/alert" "$run/picket.sock" "$seconds" $rate
	sleep 1
done
