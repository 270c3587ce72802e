/* SPDX-License-Identifier: Apache-2.0 */
/* What trie.c and adopt.c share of a trie. */
#pragma once

#include "block/hosts.h"
#include "block/sites.h"

/* The most that one node and its words take, and one more node. */
#define PK_TRIE_NODE_LINES 40
/* Slots of a top that has all of them. */
#define PK_TRIE_TOP_LINES (PK_BLK_TOP_SLOTS / 8)

struct pk_trie {
	struct pk_trie_memory mem;
	struct pk_lines lines;
	struct pk_hosts hosts;
	struct pk_sites sites;
	uint64_t rules;
};

/* What the brief of a rule's line is to be. */
uint8_t pk_trie_brief_of(const struct pk_blk_rule *r);

/* Takes an empty rule out, wherever it still is, unless it keeps the place of others. */
void pk_trie_finish(struct pk_trie *t, uint32_t line);
