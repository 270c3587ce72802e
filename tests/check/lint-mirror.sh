#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tests/unit mirrors user/ (and tests/unit/tools mirrors tools/): a test names a file that exists, a
# file without a unit test is in untested.txt with what tests it instead.
. tests/check/tap.sh
source_of() {
	case $1 in
	tests/unit/tools/*) echo "tools/${1#tests/unit/tools/}" ;;
	*) echo "user/${1#tests/unit/}" ;;
	esac
}
stray=$(git ls-files 'tests/unit/*.c' | while read -r t; do
	[ -f "$(source_of "$t")" ] || echo "$t: there is no $(source_of "$t")"
done)
verdict "every unit test has its file" "$stray"

untested=$(git ls-files 'user/*/*.c' | while read -r f; do
	[ -f "tests/unit/${f#user/}" ] || grep -q "^$f: ." tests/check/untested.txt ||
		echo "$f: no tests/unit/${f#user/} and no line in tests/check/untested.txt"
done)
verdict "every file has its unit test" "$untested"
stale=$(grep -oE '^user/[^:]+' tests/check/untested.txt | while read -r f; do
	[ -f "$f" ] || echo "$f: gone"
	[ ! -f "tests/unit/${f#user/}" ] || echo "$f: has a unit test now"
done)
verdict "untested.txt is up to date" "$stale"
finish
