#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The contract between kernel and agent does not change by accident: sizes, offsets and numbers of
# event.h, map.h and block.h are those of abi.txt. To change it: raise PK_ABI, then run
#   tests/check/lint-abi.sh update
. tests/check/tap.sh
bpftool=$(make -s --no-print-directory print-BPFTOOL)
bpf=$(make -s --no-print-directory print-BPF_FLAGS)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

types() { sed -nE "s/^$1 (pk_[a-z_0-9]+) \{.*/\1/p" include/picket/event.h include/picket/map.h include/picket/block.h; }
{
	echo '#include <picket/block.h>'
	echo '#include <picket/map.h>'
	for s in $(types struct); do echo "struct $s v_$s;"; done
	for e in $(types enum); do echo "enum $e e_$e;"; done
} >"$dir/abi.c"
# shellcheck disable=SC2086
if ! clang $bpf -c "$dir/abi.c" -o "$dir/abi.o" 2>"$dir/err"; then
	not_ok abi "$(cat "$dir/err")"
	finish
fi
{
	echo "# SPDX-License-Identifier: Apache-2.0"
	echo "# Made by tests/check/lint-abi.sh update from include/picket/event.h, map.h and block.h."
	grep -ohE '^#define PK_ABI [0-9]+' include/picket/event.h
	python3 tests/check/btf.py "$bpftool" layout "$dir/abi.o"
} >"$dir/abi.txt"

if [ "${1:-}" = update ]; then
	cp "$dir/abi.txt" tests/check/abi.txt
	exit 0
fi
expected=$(types struct | wc -l)
found=$(grep -c '^struct' "$dir/abi.txt")
verdict "all $expected structs are in the dump" "$([ "$expected" = "$found" ] || echo "$found found")"
verdict "layout is that of abi.txt" "$(diff -u0 tests/check/abi.txt "$dir/abi.txt" | tail -n +3)"
finish
