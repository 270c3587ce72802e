#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What every tracked file must keep: a licence line, no path of somebody's machine, a sane size; and
# shell scripts that shellcheck has nothing against.
. tests/check/tap.sh

files() { git ls-files "$@" | while read -r f; do [ -f "$f" ] && echo "$f"; done; }

# Data and licence texts carry no line of their own.
licence() {
	files | grep -vE '^(LICENSE|LICENSES/.*|\.gitignore|tests/(replay|fuzz|e2e|unit|bpf)/.*\.(pcap|pcapng|json|ndjson|csv|txt|expected|bin|jsonl|out)|tests/fuzz/corpus/.*|user/share/(openapi|playbooks/.*)\.json)$' |
		xargs awk '
		function judge(want) {
			if (file == "") return
			want = file ~ /^bpf\/.*\.(c|h|md)$|^tests\/.*\.bpf\.c$/ ? "GPL-2.0-only OR BSD-2-Clause" : "Apache-2.0"
			if (line == "") print file ": no SPDX line"
			else if (!index(line, want)) print file ": " line " instead of " want
		}
		FNR == 1 { judge(); file = FILENAME; line = "" }
		FNR <= 5 && line == "" && /SPDX-License-Identifier:/ { line = $0; sub(/.*: /, "", line) }
		FNR > 5 { nextfile }
		END { judge() }'
}
verdict "licence line in every file" "$(licence)"

# The bracket keeps this file from finding itself.
verdict "no path of a build machine" "$(files | grep -v '^tests/fuzz/corpus/' |
	xargs grep -nIE '/wor[k]/|/tmp/w[t]' 2>/dev/null | head)"

verdict "no C file above 800 lines" "$(files '*.c' '*.h' | xargs wc -l | awk '$1 > 800 && $2 != "total"')"

# bash does not end a test at a command with "!" before it, whatever that one says
verdict "no check that can not fail" "$(files 'tests/e2e/*.bats' | xargs awk '
	FNR == 1 { whole = "" }
	{ at = whole == "" ? FNR : at; whole = whole $0 }
	sub(/\\$/, "", whole) || whole ~ /(&&|\|\|)$/ { next }
	whole ~ /^[ \t]+! / && whole !~ /\|\||&&/ { print FILENAME ":" at ": ! ... || false" }
	{ whole = "" }')"

if command -v shellcheck >/dev/null; then
	verdict "shell scripts" "$(files '*.sh' .ci/run | xargs shellcheck -S warning -e SC2154,SC2034,SC1091 -f gcc 2>&1 | head -n 20)"
else
	skip "shell scripts" "shellcheck is not installed"
fi
finish
