#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Includes point left: layers.txt is the law. user/*.c (main, pipeline) may include everything.
. tests/check/tap.sh

# A target of layers.txt opens a room or one header of it, "*" opens all; a header beside the file is its own.
rooms() {
	git ls-files 'user/*/*.[ch]' 'tools/*.[ch]' 'tools/*/*.[ch]' | xargs awk '
	BEGIN {
		while ((getline line < "tests/check/layers.txt") > 0)
			if (line !~ /^#/ && split(line, part, ":") == 2)
				law[part[1]] = " base " part[2] " "
	}
	function open_to(key, header, n, i, word) {
		if (!(key in law)) return 0
		n = split(law[key], word, " ")
		for (i = 1; i <= n; i++)
			if (word[i] == "*" || header == word[i] || index(header, word[i] "/") == 1) return 1
		return 0
	}
	function exists(path, line, r) {
		r = (getline line < path) >= 0
		close(path)
		return r
	}
	FNR == 1 {
		room = FILENAME
		if (!sub(/^user\//, "", room)) room = "tools"
		sub(/\/.*/, "", room)
		if (!(room in law)) print FILENAME ": room " room " is not in layers.txt"
	}
	/^#include "[^"]+\/[^"]+"/ {
		split($0, part, "\"")
		header = part[2]
		dir = FILENAME
		sub(/[^\/]*$/, "", dir)
		if (index(header, room "/") != 1 && !exists(dir header) && !open_to(room, header) &&
		    !open_to(FILENAME, header))
			print FILENAME ": may not include " header
	}'
}
verdict "rooms of user/ and tools/" "$(rooms)"

verdict "libbpf only in probe and replay" "$(git grep -lE '#include (<bpf/|"picket.skel.h")' -- user tools |
	grep -vE '^(user/probe/|tools/replay)')"
verdict "no BPF program includes another" "$(git grep -nE '#include ".*\.bpf\.c"' -- bpf tests)"
verdict "the contract needs nothing else" "$(git grep -nE '#include' -- include |
	grep -vE '<(linux/types\.h|picket/[a-z]+\.h)>')"
finish
