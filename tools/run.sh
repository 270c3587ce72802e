#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `make run`: starts the daemon of this build beside whatever is installed, opens the live view, and
# takes everything away again when the view is left.
set -eu
build=$1
dir=$(mktemp -d /run/picket-run.XXXXXX)
daemon=
cleanup() {
	trap - EXIT INT TERM HUP
	if [ -n "$daemon" ]; then
		kill -TERM "$daemon" 2>/dev/null || true
		wait "$daemon" 2>/dev/null || true
	fi
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

[ "$(id -u)" = 0 ] || {
	echo "make run needs root to load programs into the kernel: sudo make run" >&2
	exit 1
}
cat >"$dir/picket.yaml" <<CONF
api: {socket: $dir/picket.sock, group: ""}
dirs: {run: $dir, state: $dir/state, lock: $dir/lock}
CONF
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
	# No terminal: print flows as they are reported.
	"$build/picket" --socket "$dir/picket.sock" flows --follow
fi
