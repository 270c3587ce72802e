#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# One fuzz target as one TAP test. Usage: fuzz.sh corpus|fuzz NAME, with PICKET_BUILD set.
# corpus: replays tests/fuzz/corpus/NAME. fuzz: runs FUZZ_SECONDS from there; what it finds stays in
# BUILD/fuzz/NAME, the committed corpus is only read.
mode=$1 name=$2
target=$PICKET_BUILD/tests/fuzz/$name
seeds=tests/fuzz/corpus/$name
found=$PICKET_BUILD/fuzz/$name
echo "1..1"
if [ ! -x "$target" ]; then
	echo "not ok 1 - $mode $name"
	echo "# $target is not built"
	exit 1
fi
export ASAN_OPTIONS=detect_leaks=${FUZZ_LEAKS:-1} UBSAN_OPTIONS=halt_on_error=1
case $mode in
corpus)
	count=$(find "$seeds" -type f 2>/dev/null | wc -l)
	if [ "$count" -eq 0 ]; then
		echo "not ok 1 - corpus $name"
		echo "# $seeds is empty: each target has a corpus in the tree"
		exit 1
	fi
	if find "$seeds" -type f -print0 | xargs -0 "$target" -rss_limit_mb=1024; then
		echo "ok 1 - corpus $name: $count inputs"
	else
		echo "not ok 1 - corpus $name: $count inputs"
		exit 1
	fi
	;;
fuzz)
	mkdir -p "$found"
	args=(-max_total_time="${FUZZ_SECONDS:-5}" -rss_limit_mb=1024 -print_final_stats=1
		-artifact_prefix="$found-")
	args+=("$found")
	[ -d "$seeds" ] && args+=("$seeds")
	if "$target" "${args[@]}"; then
		echo "ok 1 - fuzz $name: ${FUZZ_SECONDS:-5} s"
	else
		echo "not ok 1 - fuzz $name: input kept as $found-*"
		exit 1
	fi
	;;
esac
