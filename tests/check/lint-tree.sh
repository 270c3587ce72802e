#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What every tracked file must keep: a licence line, no path of somebody's machine, a sane size; and
# shell scripts that shellcheck has nothing against.
. tests/check/tap.sh

files() { git ls-files "$@" | while read -r f; do [ -f "$f" ] && echo "$f"; done; }

# Data and licence texts carry no line of their own.
licence() {
	files | grep -vE '^(LICENSE|LICENSES/.*|\.gitignore|tests/(replay|fuzz|e2e|unit|bpf)/.*\.(pcap|pcapng|json|ndjson|csv|txt|expected|bin|jsonl|out)|tests/fuzz/corpus/.*|user/share/playbooks/.*\.json)$' |
		while read -r f; do
			line=$(head -n 5 "$f" | grep -a -m 1 'SPDX-License-Identifier:')
			case $f in
			bpf/*.c | bpf/*.h | bpf/*.md) want='GPL-2.0-only OR BSD-2-Clause' ;;
			include/*.h) want='Apache-2.0' ;;
			tests/*.bpf.c) want='GPL-2.0-only OR BSD-2-Clause' ;;
			*) want='Apache-2.0' ;;
			esac
			case $line in
			*"$want"*) ;;
			'') echo "$f: no SPDX line" ;;
			*) echo "$f: ${line##*: } instead of $want" ;;
			esac
		done
}
verdict "licence line in every file" "$(licence)"

# The bracket keeps this file from finding itself.
verdict "no path of a build machine" "$(files | grep -v '^tests/fuzz/corpus/' |
	xargs grep -nIE '/wor[k]/|/tmp/w[t]' 2>/dev/null | head)"

verdict "no C file above 800 lines" "$(files '*.c' '*.h' | xargs wc -l | awk '$1 > 800 && $2 != "total"')"

if command -v shellcheck >/dev/null; then
	verdict "shell scripts" "$(files '*.sh' .ci/run | xargs shellcheck -S warning -e SC2154,SC2034,SC1091 -f gcc 2>&1 | head -n 20)"
else
	skip "shell scripts" "shellcheck is not installed"
fi
finish
