/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many different things were seen, in 64 bytes: linear counting (Whang, Vander-Zanden, Taylor
 * 1990) in 512 bits. Exact to one or so below 50, within a tenth below 1,500, at most 3,200.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pk_count {
	uint64_t bit[8];
};

/* hash: of the thing, with a random key. */
void pk_count_add(struct pk_count *c, uint64_t hash);
/* Was it added? A yes may be wrong, as often as of its bits are set. */
bool pk_count_has(const struct pk_count *c, uint64_t hash);
/* Of both together. */
unsigned pk_count_get(const struct pk_count *a, const struct pk_count *b);
