#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All C is as clang-format leaves it. One version judges: they differ in details.
. tests/check/tap.sh
tool=$(command -v clang-format-14 clang-format | head -n 1)
version=$("$tool" --version 2>/dev/null | grep -oE '[0-9]+' | head -n 1)
if [ "$version" != 14 ]; then
	skip format "the style is judged by clang-format 14, here is ${version:-none}"
	finish
fi
verdict format "$(git ls-files '*.c' '*.h' | xargs "$tool" --dry-run -Werror 2>&1 | grep -E 'error:' |
	cut -d: -f1,2 | sort -u | head -n 40)"
finish
