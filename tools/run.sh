#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `make run`: starts the daemon of this build beside whatever is installed, opens the live view, and
# takes everything away again when the view is left. PICKET_RUN_CONF names a file with further keys.
set -eu
build=$1
[ "$(id -u)" = 0 ] || {
	echo "make run needs root to load programs into the kernel: sudo make run" >&2
	exit 1
}
dir=$(mktemp -d /run/picket-run.XXXXXX)
daemon='' viewer=''
cleanup() {
	trap - EXIT INT TERM HUP
	[ -z "$viewer" ] || kill -TERM "$viewer" 2>/dev/null || true
	if [ -n "$daemon" ]; then
		kill -TERM "$daemon" 2>/dev/null || true
		wait "$daemon" 2>/dev/null || true
	fi
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

cat >"$dir/picket.yaml" <<CONF
api: {socket: $dir/picket.sock, group: ""}
dirs: {run: $dir, lock: $dir/lock, state: $dir/state}
CONF
[ -z "${PICKET_RUN_CONF:-}" ] || install -D -m 644 "$PICKET_RUN_CONF" "$dir/conf.d/run.yaml"
"$build/picketd" --config "$dir/picket.yaml" >"$dir/log" 2>&1 &
daemon=$!
tries=0
until "$build/picket" --socket "$dir/picket.sock" status >/dev/null 2>&1; do
	tries=$((tries + 1))
	if ! kill -0 "$daemon" 2>/dev/null || [ $tries -gt 150 ]; then
		echo "picketd did not start:" >&2
		cat "$dir/log" >&2
		exit 1
	fi
	sleep 0.1
done
if [ -t 0 ] && [ -t 1 ]; then
	"$build/picket" --socket "$dir/picket.sock" top || cat "$dir/log" >&2
else
	# No terminal: print flows as they are reported. In the background, as a shell that waits for a
	# command does not see signals before that ends.
	"$build/picket" --socket "$dir/picket.sock" flows --follow &
	viewer=$!
	wait "$viewer"
fi
