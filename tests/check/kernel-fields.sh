#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compares every field that bpf/kernel.h names with a kernel's BTF.
# Usage: kernel-fields.sh BTF-FILE. Prints what is missing; status 1 if anything is.
# Fields that some kernels lack are listed in kernel-optional.txt, with the reason.
set -euo pipefail
btf=$1
bpftool=$(make -s --no-print-directory print-BPFTOOL)
bpf=$(make -s --no-print-directory print-BPF_FLAGS)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
{
	echo '#include "kernel.h"'
	sed -nE 's/^(struct|union) ([a-z_0-9]+) \{.*/\1 \2 v_\2;/p' bpf/kernel.h
} >"$dir/k.c"
if ! grep -qE ' v_' "$dir/k.c"; then
	echo "kernel.h names no type" >&2
	exit 0
fi
# shellcheck disable=SC2086
clang $bpf -c "$dir/k.c" -o "$dir/k.o"
optional=$(sed -nE 's/^([a-z_0-9.]+):.*/\1/p' tests/check/kernel-optional.txt)
# shellcheck disable=SC2086
python3 tests/check/btf.py "$bpftool" compare "$dir/k.o" "$btf" $optional
