#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Includes point left: layers.txt is the law. user/*.c (main, pipeline) may include everything.
. tests/check/tap.sh

allowed() { # allowed KEY HEADER: is the header open to this room or file?
	local list word
	list=$(sed -n "s|^$1: *||p" tests/check/layers.txt)
	for word in base $list; do
		[ "$word" = '*' ] && return 0
		case $2 in "$word" | "$word"/*) return 0 ;; esac
	done
	return 1
}

rooms() {
	set -f # "*" in the list is a word
	git ls-files 'user/*/*.[ch]' 'tools/*.[ch]' 'tools/*/*.[ch]' | while read -r f; do
		case $f in
		tools/*) room=tools ;;
		*) room=${f#user/} room=${room%%/*} ;;
		esac
		grep -q "^$room:" tests/check/layers.txt || {
			echo "$f: room $room is not in layers.txt"
			continue
		}
		grep -oE '^#include "[^"]+/[^"]+"' "$f" | cut -d'"' -f2 | while read -r header; do
			[ "${header%%/*}" = "$room" ] || [ -e "$(dirname "$f")/$header" ] ||
				allowed "$room" "$header" || allowed "$f" "$header" ||
				echo "$f: may not include $header"
		done
	done
}
verdict "rooms of user/ and tools/" "$(rooms)"

verdict "libbpf only in probe and replay" "$(git grep -lE '#include (<bpf/|"picket.skel.h")' -- user tools |
	grep -vE '^(user/probe/|tools/replay)')"
verdict "no BPF program includes another" "$(git grep -nE '#include ".*\.bpf\.c"' -- bpf tests)"
verdict "the contract needs nothing else" "$(git grep -nE '#include' -- include |
	grep -vE '<(linux/types\.h|picket/[a-z]+\.h)>')"
finish
