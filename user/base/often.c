/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the counters. When they fade is the caller's to say. */
#include "base/often.h"

#include "base/hash.h"

#include <stdlib.h>

#define ROWS 4

struct pk_often {
	uint8_t cell[ROWS][PK_OFTEN_CELLS];
};

_Static_assert(sizeof(struct pk_often) == PK_OFTEN_BYTES, "what tables state as their bound");

struct pk_often *pk_often_new(void)
{
	return calloc(1, sizeof(struct pk_often));
}

void pk_often_free(struct pk_often *o)
{
	free(o);
}

static size_t cell(uint64_t hash, unsigned row)
{
	uint64_t h = hash + row * ((hash >> 32) | 1); /* Kirsch and Mitzenmacher 2006 */

	return pk_hash_mix(h) & (PK_OFTEN_CELLS - 1);
}

unsigned pk_often_get(const struct pk_often *o, uint64_t hash)
{
	unsigned least = UINT8_MAX;

	for (unsigned row = 0; row < ROWS; row++)
		if (o->cell[row][cell(hash, row)] < least)
			least = o->cell[row][cell(hash, row)];
	return least;
}

/* Only the smallest counters grow: the others hold more than this key. */
unsigned pk_often_add(struct pk_often *o, uint64_t hash)
{
	unsigned n = pk_often_get(o, hash);

	if (n == UINT8_MAX)
		return n;
	for (unsigned row = 0; row < ROWS; row++)
		if (o->cell[row][cell(hash, row)] == n)
			o->cell[row][cell(hash, row)]++;
	return n + 1;
}

void pk_often_halve(struct pk_often *o)
{
	for (unsigned row = 0; row < ROWS; row++)
		for (size_t i = 0; i < PK_OFTEN_CELLS; i++)
			o->cell[row][i] /= 2;
}
