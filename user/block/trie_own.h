/* SPDX-License-Identifier: Apache-2.0 */
/* What trie.c and adopt.c share of a trie. */
#pragma once

#include "block/lines.h"

struct pk_trie {
	struct pk_trie_memory mem;
	struct pk_lines lines;
	uint64_t rules;
};
