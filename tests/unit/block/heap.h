/* SPDX-License-Identifier: Apache-2.0 */
/* A trie on heap memory, as the maps would be, with chunks added when it runs out. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "block/trie.h"

struct heap {
	struct pk_trie *trie;
	uint64_t *roots;
	struct pk_blk_ctl ctl;
	union pk_blk_line *chunk[PK_BLK_CHUNKS_MAX];
	uint32_t chunks;
	unsigned waits;
};

static inline void heap_wait(void *arg)
{
	((struct heap *)arg)->waits++;
}

static inline void heap_trie(struct heap *h)
{
	struct pk_trie_memory m = {
		.roots = h->roots, .ctl = &h->ctl, .wait = heap_wait, .arg = h
	};

	assert_int_equal(pk_trie_new(&m, &h->trie), 0);
}

static inline void heap_init(struct heap *h)
{
	memset(h, 0, sizeof(*h));
	h->roots = calloc(PK_BLK_ROOT_WORDS, sizeof(uint64_t));
	assert_non_null(h->roots);
	heap_trie(h);
}

static inline void heap_grow(struct heap *h)
{
	union pk_blk_line *c = calloc(PK_BLK_CHUNK_LINES, sizeof(*c));

	assert_non_null(c);
	h->chunk[h->chunks] = c;
	assert_int_equal(pk_trie_add_chunk(h->trie, h->chunks++, c, true), 0);
}

static inline uint32_t heap_add(struct heap *h, const struct pk_trie_rule *r)
{
	uint32_t line = 0;
	int e = pk_trie_add(h->trie, r, &line);

	if (e == -28) { /* ENOSPC */
		heap_grow(h);
		e = pk_trie_add(h->trie, r, &line);
	}
	assert_int_equal(e, 0);
	return line;
}

static inline void heap_done(struct heap *h)
{
	pk_trie_free(h->trie);
	for (uint32_t i = 0; i < h->chunks; i++)
		free(h->chunk[i]);
	free(h->roots);
}
