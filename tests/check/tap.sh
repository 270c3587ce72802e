# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The few words of TAP that the check scripts speak. Source it, then: ok, not_ok, skip, finish.
tap_n=0 tap_bad=0

ok() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1"
}

# not_ok NAME [DETAILS]
not_ok() {
	tap_n=$((tap_n + 1))
	tap_bad=1
	echo "not ok $tap_n - $1"
	[ -z "${2:-}" ] || sed 's/^/# /' <<<"$2"
}

# verdict NAME DETAILS: details are complaints; none is a pass.
verdict() {
	if [ -z "$2" ]; then ok "$1"; else not_ok "$1" "$2"; fi
}

skip() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

finish() {
	echo "1..$tap_n"
	exit $tap_bad
}
