/* SPDX-License-Identifier: Apache-2.0 */
/* Counts different things by the bits that their hashes leave unset. */
#include "detect/count.h"

#include <math.h>

#define BITS 512

void pk_count_add(struct pk_count *c, uint64_t hash)
{
	c->bit[hash / 64 % 8] |= 1ull << (hash % 64);
}

bool pk_count_has(const struct pk_count *c, uint64_t hash)
{
	return c->bit[hash / 64 % 8] >> (hash % 64) & 1;
}

unsigned pk_count_get(const struct pk_count *a, const struct pk_count *b)
{
	unsigned set = 0;

	for (unsigned i = 0; i < 8; i++)
		set += (unsigned)__builtin_popcountll(a->bit[i] | b->bit[i]);
	if (set == BITS)
		set--; /* as many as can be told */
	return (unsigned)lround(BITS * log((double)BITS / (BITS - set)));
}
