#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over user/ and tools/, with the checks of .clang-tidy.
. tests/check/tap.sh
version=$(clang-tidy --version 2>/dev/null | grep -oE 'version [0-9]+' | grep -oE '[0-9]+')
if [ "$version" != 14 ]; then
	skip tidy "the checks are those of clang-tidy 14, here is ${version:-none}"
	finish
fi
cpp=$(make -s --no-print-directory print-CPPFLAGS)
export cpp
# What was right is not looked at again until it, a header of it or the checks change.
right=${PICKET_BUILD:-build}/tidy
stale() {
	local f stamp deps
	git ls-files 'user/*.c' 'tools/*.c' | while read -r f; do
		stamp=$right/$f.ok deps=${PICKET_BUILD:-build}/${f%.c}.d
		# shellcheck disable=SC2046
		[ -f "$stamp" ] && [ -f "$deps" ] &&
			[ -z "$(find .clang-tidy $(sed -n '1,/^$/{s/^[^:]*://;s/\\$//;p}' "$deps") -newer "$stamp" 2>&1)" ] ||
			echo "$f"
	done
}
export right
# shellcheck disable=SC2016
out=$(stale | xargs -r -P 2 -n 4 sh -c '
	found=$(eval "clang-tidy --quiet $* -- -std=gnu17 $cpp" 2>/dev/null | grep -E "(warning|error):")
	[ -z "$found" ] || { echo "$found"; exit 0; }
	for f in "$@"; do mkdir -p "$right/${f%/*}" && touch "$right/$f.ok"; done' tidy |
	sed "s|^$PWD/||" | sort -u | head -n 30)
verdict tidy "$out"
finish
