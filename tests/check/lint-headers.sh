#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each header compiles alone; the contract also as C++ and for BPF.
. tests/check/tap.sh
eval "cpp=($(make -s --no-print-directory print-CPPFLAGS))"
warn='-Wall -Wextra -Werror -Wno-unused-function -Wno-unused-const-variable'
bpf=$(make -s --no-print-directory print-BPF_FLAGS)

# alone COMPILER... : reads header names, prints what fails.
alone() {
	local f out
	while read -r f; do
		out=$(printf '#include "%s"\n' "$PWD/$f" | "$@" -fsyntax-only - 2>&1) ||
			echo "$f: $(head -n 3 <<<"$out")"
	done
}
# shellcheck disable=SC2086
{
	verdict "C headers" "$(git ls-files 'user/*.h' 'tools/*.h' 'include/*.h' |
		alone gcc -std=gnu17 "${cpp[@]}" $warn -x c)"
	verdict "contract as C++" "$(git ls-files 'include/*.h' |
		alone clang++ -std=c++17 -Iinclude $warn -x c++)"
	verdict "BPF headers" "$(git ls-files 'include/picket/event.h' 'include/picket/map.h' 'bpf/*.h' |
		alone clang $bpf -Wno-unused-function -x c)"
}
finish
