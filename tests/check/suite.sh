#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs test groups and adds up what they say in TAP. Usage: suite.sh BUILD GROUP...
# Groups: lint unit corpus bpf replay e2e fuzz. One line per test file, the output of what failed,
# the skipped tests with their reasons, and as last line "N passed, N failed, N skipped".
# A crash, a timeout, a missing or wrong plan and a test file that ran nothing are failures.
# TEST_TIMEOUT (seconds per file), FUZZ_SECONDS (per target), TESTS (only files matching this glob).
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

[ $# -ge 2 ] || {
	echo "usage: suite.sh BUILD GROUP..." >&2
	exit 2
}
build=$(realpath -m "$1")
shift
here=$(pwd)
export PICKET_BUILD=$build PICKET_ROOT=$here
export PICKET_CORPORA=${PICKET_CORPORA:-$here/../shared/corpora}
export CMOCKA_MESSAGE_OUTPUT=TAP LC_ALL=C.UTF-8
logs=$build/test-logs
skips=$logs/skipped
mkdir -p "$logs"
: >"$skips"
passed=0 failed=0 skipped=0

# Reads TAP on standard input, prints "passed failed skipped problem"; skip reasons to file $1.
# A file may hold several plans (one cmocka group each): their sum is what must have run.
count_tap() {
	awk -v skips="$1" -v name="$2" '
	/^1\.\.[0-9]+/ {
		plans++
		n = $1
		sub(/^1\.\./, "", n)
		planned += n
		if (n == 0) {
			reason = $0
			if (sub(/^1\.\.0 *# *[Ss][Kk][Ii][Pp][^ ]* */, "", reason)) {
				whole++
				print name ": " reason >> skips
			}
		}
		next
	}
	/^(not )?ok( |$)/ {
		ran++
		if (match($0, /# *[Ss][Kk][Ii][Pp]/)) {
			skip++
			text = $0
			sub(/^(not )?ok *[0-9]* *-? */, "", text)
			sub(/# *[Ss][Kk][Ii][Pp][^ ]* */, "# ", text)
			print name ": " text >> skips
		} else if (/^not ok/ && !/# *[Tt][Oo][Dd][Oo]/) {
			fail++
		} else {
			pass++
		}
		next
	}
	/^Bail out!/ { bail = 1 }
	END {
		problem = "-"
		if (bail) problem = "bailed_out"
		else if (!plans) problem = "no_plan"
		else if (planned != ran) problem = "planned_" planned "_ran_" ran + 0
		else if (!ran && !whole) problem = "nothing_ran"
		print pass + 0, fail + 0, skip + whole, problem
	}'
}

# run NAME TIMEOUT COMMAND... : one test file.
run() {
	local name=$1 limit=$2 log start rc p f s problem word=ok
	shift 2
	if [ -n "${TESTS:-}" ]; then
		# shellcheck disable=SC2053
		[[ $name == $TESTS ]] || return 0
	fi
	log=$logs/${name//\//_}.log
	start=$(date +%s.%N)
	timeout -k 10 "$limit" "$@" >"$log" 2>&1 </dev/null
	rc=$?
	read -r p f s problem < <(count_tap "$skips" "$name" <"$log")
	case $rc in
	0) ;;
	124 | 137) problem="timeout_after_${limit}_s" ;;
	*) [ "$f" -gt 0 ] || problem="exit_status_$rc" ;;
	esac
	if [ "$problem" != - ]; then
		f=$((f + 1))
	fi
	[ "$f" -eq 0 ] || word=FAIL
	[ "$p$f" != 00 ] || word=skip
	printf '%-4s  %-40s %4d passed' $word "$name" "$p"
	[ "$f" -eq 0 ] || printf ', %d failed' "$f"
	[ "$s" -eq 0 ] || printf ', %d skipped' "$s"
	[ "$problem" = - ] || printf ' (%s)' "${problem//_/ }"
	printf '  %.1f s\n' "$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { print b - a }')"
	if [ "$f" -gt 0 ]; then
		grep -vE '^ok( |$)' "$log" | tail -n "${TEST_TAIL:-80}" | sed 's/^/      | /'
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# Counts a whole file as skipped.
skip() {
	skipped=$((skipped + 1))
	printf '%-4s  %-40s %s\n' skip "$1" "$2"
	echo "$1: $2" >>"$skips"
}

# Test programs of a folder: C sources (their binaries), bats files and executable scripts.
run_folder() {
	local folder=$1 limit=$2 programs=$3 file name
	while read -r file; do
		name=${file#tests/}
		case $file in
		*.bpf.c) ;;
		*.c)
			[ "$programs" = yes ] || continue
			run "${name%.c}" "$limit" "$build/tests/${name%.c}"
			;;
		*.bats) run "$name" "$limit" bats --tap "$file" ;;
		*) [ -x "$file" ] && run "$name" "$limit" "$file" ;;
		esac
	done < <(find "tests/$folder" -type f \( -name '*.c' -o -name '*.bats' -o -name '*.t' \) \
		2>/dev/null | sort)
}

as_root() { # as_root GROUP PROGRAMS LIMIT: a group that needs root
	if [ "$(id -u)" != 0 ]; then
		skip "$1" "needs root"
		return
	fi
	run_folder "$1" "$3" "$2"
}

fuzz_targets() { find tests/fuzz -maxdepth 1 -name '*.c' 2>/dev/null | sort; }

for group; do
	case $group in
	lint)
		for script in tests/check/lint-*.sh; do
			name=${script##*/lint-}
			run "lint/${name%.sh}" "${TEST_TIMEOUT:-300}" bash "$script"
		done
		;;
	unit) run_folder unit "${TEST_TIMEOUT:-120}" yes ;;
	bpf) as_root bpf yes "${TEST_TIMEOUT:-300}" ;;
	replay) as_root replay yes "${TEST_TIMEOUT:-900}" ;;
	e2e) as_root e2e no "${TEST_TIMEOUT:-900}" ;;
	corpus)
		while read -r file; do
			name=$(basename "$file" .c)
			run "corpus/$name" "${TEST_TIMEOUT:-120}" bash tests/check/fuzz.sh corpus "$name"
		done < <(fuzz_targets)
		;;
	fuzz)
		while read -r file; do
			name=$(basename "$file" .c)
			run "fuzz/$name" $((${FUZZ_SECONDS:-5} + 60)) bash tests/check/fuzz.sh fuzz "$name"
		done < <(fuzz_targets)
		;;
	*)
		echo "no such group: $group" >&2
		exit 2
		;;
	esac
done

if [ -s "$skips" ]; then
	echo "Skipped:"
	sed 's/^/  /' "$skips"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
