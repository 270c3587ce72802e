/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of <picket/block.h>'s first level for IPv4. Bitmap and place of the slots are one word,
 * so that both change by one store. A slot that is there changes in place; one more is put behind
 * all others or in a new block. What is below a slot is node.c's.
 */
#include "block/top.h"

#include <assert.h>

#define SLOTS PK_BLK_TOP_SLOTS
#define DEPTH 24 /* bits that are used where a slot is reached */

static uint32_t base_of(uint64_t top)
{
	return (uint32_t)top;
}

static unsigned count_of(uint64_t top)
{
	return (unsigned)__builtin_popcount(pk_top_map(top));
}

static uint64_t top_of(uint32_t map, uint32_t base)
{
	return (uint64_t)map << PK_BLK_TOP_MAP | base;
}

static __u64 *word_of(const struct pk_lines *l, uint64_t top, unsigned i)
{
	uint32_t before = pk_top_map(top) & ((1u << i) - 1);

	return pk_lines_word(l, base_of(top) + (uint32_t)__builtin_popcount(before));
}

static void expand(const struct pk_lines *l, uint64_t top, uint64_t slot[SLOTS])
{
	uint32_t map = pk_top_map(top);

	for (unsigned i = 0; i < SLOTS; i++)
		slot[i] = !map           ? pk_slot_leaf(base_of(top))
			  : map >> i & 1 ? *word_of(l, top, i)
					 : 0;
}

/* All of them nothing, or one and the same leaf. */
static bool is_even(const uint64_t slot[SLOTS])
{
	for (unsigned i = 1; i < SLOTS; i++)
		if (slot[i] != slot[0])
			return false;
	return (slot[0] & 3) == PK_BLK_NONE || (slot[0] & 3) == PK_BLK_LEAF;
}

static uint64_t make(struct pk_lines *l, const uint64_t slot[SLOTS])
{
	uint32_t map = 0, base;
	__u64 *to;

	if (is_even(slot))
		return top_of(0, pk_slot_line(slot[0]));
	for (unsigned i = 0; i < SLOTS; i++)
		map |= (uint32_t) !!slot[i] << i;
	base = pk_lines_take_words(l, (unsigned)__builtin_popcount(map));
	assert(base); /* the caller saw to it */
	to = pk_lines_word(l, base);
	for (unsigned i = 0; i < SLOTS; i++)
		if (slot[i])
			*to++ = slot[i];
	return top_of(map, base);
}

static void give(struct pk_lines *l, uint64_t top)
{
	if (pk_top_map(top))
		pk_lines_give_words(l, base_of(top), count_of(top));
}

/* The slots that p covers or, one, lies in. */
static uint32_t part_of(const struct pk_prefix *p)
{
	unsigned n = p->bits >= DEPTH             ? 1
		     : p->bits <= PK_BLK_TOP_BITS ? SLOTS
						  : 1u << (DEPTH - p->bits);
	unsigned first = (unsigned)(p->hi >> (64 - DEPTH)) & (SLOTS - 1);

	return (n < SLOTS ? (1u << n) - 1 : ~0u) << (n < SLOTS ? first : 0);
}

static uint64_t slot_with(struct pk_lines *l, uint64_t slot, const struct pk_prefix *p,
			  uint32_t line, uint32_t cover)
{
	return p->bits > DEPTH ? pk_node_with(l, slot, DEPTH, 0, p, line, cover)
			       : pk_node_paint(l, slot, 0, cover, line);
}

static uint64_t slot_without(struct pk_lines *l, uint64_t slot, const struct pk_prefix *p,
			     uint32_t line, uint32_t cover, bool room)
{
	if (p->bits <= DEPTH)
		return pk_node_paint(l, slot, 0, line, cover);
	return room ? pk_node_without(l, slot, DEPTH, 0, p, line, cover)
		    : pk_node_clear(l, slot, 0, p, line, cover);
}

static void store(__u64 *word, uint64_t value)
{
	if (*word != value)
		__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* Is slot i to come behind all that are there, and is there a place for its word? */
static bool may_append(uint64_t top, unsigned i)
{
	unsigned count = count_of(top);

	return count && !(pk_top_map(top) >> i) && count < pk_lines_capacity(count);
}

/* After changes in place: a smaller block where slots are empty now, none where all are alike. */
static uint64_t shrink(struct pk_lines *l, uint64_t top)
{
	uint64_t slot[SLOTS], now;
	unsigned n = 0;

	expand(l, top, slot);
	for (unsigned i = 0; i < SLOTS; i++)
		n += !!slot[i];
	if (!is_even(slot) &&
	    (n == count_of(top) || !pk_lines_has_row(l, SLOTS * sizeof(slot[0]) / 64)))
		return top;
	now = make(l, slot);
	give(l, top);
	return now;
}

uint64_t pk_top_with(struct pk_lines *l, uint64_t top, const struct pk_prefix *p, uint32_t line,
		     uint32_t cover)
{
	uint32_t map = pk_top_map(top), part = part_of(p), rest;
	unsigned first = (unsigned)__builtin_ctz(part), count = count_of(top);
	uint64_t slot[SLOTS], now;

	if (!map && part == ~0u)
		return base_of(top) == cover ? top_of(0, line) : top;
	if ((map & part) == part) {
		for (rest = part; rest; rest &= rest - 1) {
			__u64 *word = word_of(l, top, (unsigned)__builtin_ctz(rest));

			store(word, slot_with(l, *word, p, line, cover));
		}
		return part == ~0u ? shrink(l, top) : top;
	}
	if (part == 1u << first && may_append(top, first)) {
		store(pk_lines_word(l, base_of(top) + count), slot_with(l, 0, p, line, cover));
		return top_of(map | part, base_of(top));
	}
	expand(l, top, slot);
	for (rest = part; rest; rest &= rest - 1) {
		uint64_t *s = &slot[__builtin_ctz(rest)];

		*s = slot_with(l, *s, p, line, cover);
	}
	now = make(l, slot);
	give(l, top);
	return now;
}

uint64_t pk_top_without(struct pk_lines *l, uint64_t top, const struct pk_prefix *p, uint32_t line,
			uint32_t cover, bool room)
{
	uint32_t map = pk_top_map(top), part = part_of(p);

	if (!map)
		return base_of(top) == line && part == ~0u ? top_of(0, cover) : top;
	for (part &= map; part; part &= part - 1) {
		__u64 *word = word_of(l, top, (unsigned)__builtin_ctz(part));

		store(word, slot_without(l, *word, p, line, cover, room));
	}
	return shrink(l, top);
}

void pk_top_visit(struct pk_lines *l, uint64_t top, const struct pk_prefix *p,
		  void (*each)(void *arg, uint32_t line, bool one), void *arg)
{
	uint32_t part = pk_top_map(top) & part_of(p);

	if (!pk_top_map(top) && base_of(top))
		each(arg, base_of(top), false);
	for (; part; part &= part - 1)
		pk_node_visit(l, *word_of(l, top, (unsigned)__builtin_ctz(part)), DEPTH, p, each,
			      arg);
}

uint32_t pk_top_find(const struct pk_lines *l, uint64_t top, const struct pk_prefix *addr)
{
	unsigned i = (unsigned)(addr->hi >> (64 - DEPTH)) & (SLOTS - 1);

	if (!pk_top_map(top))
		return base_of(top);
	if (!(pk_top_map(top) >> i & 1))
		return 0;
	return pk_node_find(l, *word_of(l, top, i), addr);
}
