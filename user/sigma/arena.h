/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is given back all at once: what a rule set is made of lives as long as the set. */
#pragma once

#include <stddef.h>

struct pk_arena {
	struct pk_arena_block *block; /* newest first */
	size_t used, max;             /* bytes; max 0: no limit */
};

/* Zeroed, aligned for any type; NULL: out of memory, or beyond max. n 0 gives a valid pointer. */
void *pk_arena_alloc(struct pk_arena *a, size_t n);
/* A copy with a NUL behind it; NULL as above. */
char *pk_arena_copy(struct pk_arena *a, const char *s, size_t len);
void pk_arena_done(struct pk_arena *a);
