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
# shellcheck disable=SC2016
out=$(git ls-files 'user/*.c' 'tools/*.c' | xargs -P 2 -n 4 sh -c '
	eval "clang-tidy --quiet $* -- -std=gnu17 $cpp" 2>/dev/null' tidy | grep -E '(warning|error):' |
	sed "s|^$PWD/||" | sort -u | head -n 30)
verdict tidy "$out"
finish
