#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The judge is judged: what must count as a failure does, and the last line is exact.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/tests/check" "$dir/tests/e2e" "$dir/tests/unit/x"
cp tests/check/suite.sh "$dir/tests/check/"
n=0 bad=0

fake() { # fake NAME TEXT: a test script
	printf '#!/bin/bash\n%s\n' "$2" >"$dir/tests/e2e/$1.t"
	chmod +x "$dir/tests/e2e/$1.t"
}
expect() { # expect WHAT "LAST LINE" STATUS
	local last rc=0 got
	got=$(TEST_TIMEOUT=2 TESTS='' bash "$dir/tests/check/suite.sh" "$dir/build" e2e 2>&1) || rc=$?
	last=${got##*$'\n'}
	n=$((n + 1))
	if [ "$last" = "$2" ] && [ "$rc" = "$3" ]; then
		echo "ok $n - suite: $1"
	else
		echo "not ok $n - suite: $1"
		echo "# got \"$last\" status $rc, wanted \"$2\" status $3"
		bad=1
	fi
	rm -f "$dir"/tests/e2e/*.t
}

if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP needs root: it runs a fake e2e group"
	exit 0
fi
expect "nothing ran is a failure" "0 passed, 0 failed, 0 skipped" 1
fake a 'echo 1..2; echo ok 1 - a; echo "ok 2 - b # SKIP no reason"'
expect "passed and skipped" "1 passed, 0 failed, 1 skipped" 0
fake a 'echo 1..0 "# SKIP not here"'
expect "all skipped is not a success" "0 passed, 0 failed, 1 skipped" 1
fake a 'echo 1..1; echo ok 1'
fake b 'echo 1..1; echo not ok 1 - b; exit 1'
expect "a failure" "1 passed, 1 failed, 0 skipped" 1
fake a 'echo 1..1; echo ok 1; kill -SEGV $$'
expect "a crash after the last test" "1 passed, 1 failed, 0 skipped" 1
fake a 'echo 1..3; echo ok 1'
expect "fewer tests than planned" "1 passed, 1 failed, 0 skipped" 1
fake a 'echo ok 1'
expect "no plan" "1 passed, 1 failed, 0 skipped" 1
fake a 'echo 1..1; sleep 20; echo ok 1'
expect "a timeout" "0 passed, 1 failed, 0 skipped" 1
fake a 'echo 1..1; cat; echo ok 1'
expect "no standard input" "1 passed, 0 failed, 0 skipped" 0
fake a 'echo 1..1; echo ok 1; echo 1..2; echo ok 1; echo ok 2'
expect "two groups in one file" "3 passed, 0 failed, 0 skipped" 0
echo "1..$n"
exit $bad
