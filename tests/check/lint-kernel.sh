#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kernel.h against the running kernel; tests/check/kernels.sh does the same for the test kernels.
. tests/check/tap.sh
btf=/sys/kernel/btf/vmlinux
if [ ! -r $btf ]; then
	skip "fields of kernel.h" "this kernel has no BTF"
	finish
fi
if out=$(bash tests/check/kernel-fields.sh $btf 2>&1); then
	ok "fields of kernel.h in $(uname -r): ${out##*$'\n'}"
else
	not_ok "fields of kernel.h in $(uname -r)" "$out"
fi
finish
