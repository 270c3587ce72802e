/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A prefix of at least 18 bits lies in one word; a shorter one has whole words. Words are stored
 * one by one, each right before and after.
 */
#include "block/maybe.h"

#define GROUP_BITS 24

/* The words of p's groups and, within each, its bits. */
struct span {
	uint64_t *word;
	uint32_t n, first; /* first: of the word, counted from the first group of all */
	uint64_t mask;
};

static struct span span_of(const struct pk_trie *t, const struct pk_prefix *p)
{
	uint32_t group = (uint32_t)(p->hi >> (64 - GROUP_BITS));
	uint32_t n = p->bits >= GROUP_BITS ? 1 : 1u << (GROUP_BITS - p->bits);

	return (struct span){
		.word = t->mem.roots + PK_BLK_MAYBE_AT + group / 64,
		.n = n < 64 ? 1 : n / 64,
		.first = group / 64,
		.mask = n < 64 ? ((1ull << n) - 1) << group % 64 : ~0ull,
	};
}

void pk_maybe_set(struct pk_trie *t, const struct pk_prefix *p)
{
	struct span s;

	if (p->v6)
		return;
	s = span_of(t, p);
	for (uint32_t i = 0; i < s.n; i++)
		if (~s.word[i] & s.mask)
			__atomic_store_n(&s.word[i], s.word[i] | s.mask, __ATOMIC_RELEASE);
}

/* What the trie says of 64 groups, of which mask counts. */
static uint64_t wanted(const struct pk_trie *t, uint32_t word, uint64_t mask)
{
	uint64_t slot = t->mem.roots[word / 4], ret = 0;

	if ((slot & 3) == PK_BLK_NONE)
		return 0;
	if ((slot & 3) == PK_BLK_LEAF)
		return mask;
	for (; mask; mask &= mask - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(mask);
		struct pk_prefix group = {
			.hi = ((uint64_t)word * 64 + bit) << (64 - GROUP_BITS),
			.bits = GROUP_BITS,
		};

		if (pk_node_meets(&t->lines, slot, &group))
			ret |= 1ull << bit;
	}
	return ret;
}

uint64_t pk_maybe_renew(struct pk_trie *t, const struct pk_prefix *p)
{
	uint64_t missing = 0;
	struct span s;

	if (p->v6)
		return 0;
	s = span_of(t, p);
	for (uint32_t i = 0; i < s.n; i++) {
		uint64_t want = wanted(t, s.first + i, s.mask);
		uint64_t now = (s.word[i] & ~s.mask) | want;

		missing += (unsigned)__builtin_popcountll(want & ~s.word[i]);
		if (now != s.word[i])
			__atomic_store_n(&s.word[i], now, __ATOMIC_RELEASE);
	}
	return missing;
}

bool pk_maybe_has(const struct pk_trie *t, const struct pk_prefix *addr)
{
	struct span s;

	if (addr->v6)
		return true;
	s = span_of(t, addr);
	return *s.word & s.mask;
}
