/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of memory, cut from the front. Nothing is freed before all is. */
#include "sigma/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 65536
#define ALIGN       16

struct pk_arena_block {
	struct pk_arena_block *older;
	size_t used, size;
	_Alignas(ALIGN) char data[];
};

static struct pk_arena_block *block_add(struct pk_arena *a, size_t n)
{
	size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;
	struct pk_arena_block *b = calloc(1, sizeof(*b) + size);

	if (!b)
		return NULL;
	b->size = size;
	b->older = a->block;
	a->block = b;
	return b;
}

void *pk_arena_alloc(struct pk_arena *a, size_t n)
{
	struct pk_arena_block *b = a->block;
	void *p;

	if (n > SIZE_MAX / 2)
		return NULL;
	n = (n + ALIGN - 1) / ALIGN * ALIGN;
	if (a->max && a->used + n > a->max)
		return NULL;
	if ((!b || b->size - b->used < n) && !(b = block_add(a, n)))
		return NULL;
	p = b->data + b->used;
	b->used += n;
	a->used += n;
	return p;
}

char *pk_arena_copy(struct pk_arena *a, const char *s, size_t len)
{
	char *p = pk_arena_alloc(a, len + 1);

	if (p && len)
		memcpy(p, s, len);
	return p;
}

void pk_arena_done(struct pk_arena *a)
{
	while (a->block) {
		struct pk_arena_block *older = a->block->older;

		free(a->block);
		a->block = older;
	}
	*a = (struct pk_arena){ 0 };
}
