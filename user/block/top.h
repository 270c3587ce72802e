/* SPDX-License-Identifier: Apache-2.0 */
/* One word of IPv4's first level: 32 /24s and what is in them. For trie.c and adopt.c. */
#pragma once

#include "block/node.h"

/*
 * The word's new value after rule line, of prefix p, is in it. cover: rule of the prefix that
 * covers p so far, 0 none. What is reachable already is changed by single stores. The caller made
 * sure of room.
 */
uint64_t pk_top_with(struct pk_lines *l, uint64_t top, const struct pk_prefix *p, uint32_t line,
		     uint32_t cover);
/* The same after it was taken out, and cover shows again. Without room nodes stay as they are. */
uint64_t pk_top_without(struct pk_lines *l, uint64_t top, const struct pk_prefix *p, uint32_t line,
			uint32_t cover, bool room);

/* Calls back for the most specific rules within the part of the word that p covers. */
void pk_top_visit(struct pk_lines *l, uint64_t top, const struct pk_prefix *p,
		  void (*each)(void *arg, uint32_t line, bool one), void *arg);

/* First rule of the chain for an address, 0 none. */
uint32_t pk_top_find(const struct pk_lines *l, uint64_t top, const struct pk_prefix *addr);

static inline uint32_t pk_top_map(uint64_t top)
{
	return (uint32_t)(top >> PK_BLK_TOP_MAP);
}
