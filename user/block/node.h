/* SPDX-License-Identifier: Apache-2.0 */
/* One range of a trie and what is in it: putting a prefix in, painting, taking out. For trie.c. */
#pragma once

#include "block/lines.h"

/* A prefix in its family: left-aligned, host order, bits from the family's own first. */
struct pk_prefix {
	uint64_t hi, lo;
	unsigned bits;
	bool v6;
};

void pk_prefix_of(const uint8_t prefix[16], unsigned bits16, bool v4, struct pk_prefix *ret);
/* Whether a rule is of IPv4 is told by its prefix: those of ::ffff:0:0/96 are. */
void pk_prefix_of_rule(const struct pk_blk_rule *rule, struct pk_prefix *ret);

static inline uint64_t pk_slot_leaf(uint32_t line)
{
	return line ? (uint64_t)line << PK_BLK_LINE_SHIFT | PK_BLK_LEAF : 0;
}

static inline uint32_t pk_slot_line(uint64_t slot)
{
	return (uint32_t)(slot >> PK_BLK_LINE_SHIFT) & PK_BLK_LINE_MASK;
}

/* The next 8 bits from pos on, and so on; pos is a multiple of 8. */
unsigned pk_prefix_byte(const struct pk_prefix *p, unsigned pos);
bool pk_prefix_agrees(uint64_t hi, uint64_t lo, const struct pk_prefix *p, unsigned bits);

/*
 * The slot's new value after rule line, of prefix p longer than used bits, is in it. def: of the
 * node that has the slot, 0 none. cover: rule of the prefix that covers p so far, 0 none. What is
 * reachable already is changed by single stores. The caller made sure of room.
 */
uint64_t pk_node_with(struct pk_lines *l, uint64_t slot, unsigned used, uint32_t def,
		      const struct pk_prefix *p, uint32_t line, uint32_t cover);
/* The same after it was taken out, and cover shows again. */
uint64_t pk_node_without(struct pk_lines *l, uint64_t slot, unsigned used, uint32_t def,
			 const struct pk_prefix *p, uint32_t line, uint32_t cover);
/* The whole range: where from was the most specific rule, to is. */
uint64_t pk_node_paint(struct pk_lines *l, uint64_t slot, uint32_t def, uint32_t from, uint32_t to);

/* The same in place, without memory: nodes and their words stay, as much too large as they are. */
uint64_t pk_node_clear(struct pk_lines *l, uint64_t slot, uint32_t def, const struct pk_prefix *p,
		       uint32_t line, uint32_t cover);
/*
 * Calls back for the most specific rules within the part of the slot that p covers. one: what
 * paints that part needs a node for it.
 */
void pk_node_visit(struct pk_lines *l, uint64_t slot, unsigned used, const struct pk_prefix *p,
		   void (*each)(void *arg, uint32_t line, bool one), void *arg);

/* The slot that the first bits of an address lead to: a node that asks for later ones, or no node.
 */
uint64_t pk_node_down(const struct pk_lines *l, uint64_t slot, const struct pk_prefix *addr,
		      unsigned bits);
/* First rule of the chain for an address (bits is that of the family), 0 none. */
uint32_t pk_node_find(const struct pk_lines *l, uint64_t slot, const struct pk_prefix *addr);

unsigned pk_node_count(const struct pk_blk_node *n); /* words it has */
