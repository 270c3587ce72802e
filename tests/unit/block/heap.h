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
	bool busy;        /* hits are pending that can not be asked for */
	uint32_t pending; /* line of a hit that a processor keeps apart; 0: none */
};

static inline bool heap_wait(void *arg)
{
	struct heap *h = arg;

	h->waits++;
	if (h->pending && !h->busy) {
		h->chunk[h->pending >> PK_BLK_CHUNK_SHIFT][h->pending % PK_BLK_CHUNK_LINES]
			.rule.packets++;
		h->pending = 0;
	}
	return !h->busy;
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

/* The tables beside the trie, where there is enough for them. */
static inline void heap_tables(struct heap *h)
{
	for (uint32_t want = pk_trie_want(h->trie); want; want = pk_trie_want(h->trie))
		for (uint32_t i = 0; i < want; i++)
			heap_grow(h);
	while (pk_trie_step(h->trie))
		;
}

/* Has this table the chunk, with so many for each of buckets? */
static inline bool heap_is_of(uint32_t table, uint32_t each, uint32_t chunk)
{
	uint32_t first = table & PK_BLK_TABLE_FIRST, n = table >> PK_BLK_TABLE_SHIFT;

	return chunk >= first && chunk < first + n * each;
}

/* Each brief says what its rule is, and there are as many as rules (and places of such). */
static inline void heap_check_briefs(const struct heap *h, uint64_t rules)
{
	uint64_t live = 0;

	for (uint32_t c = 0; c < h->chunks; c++)
		for (uint32_t i = 0; i < PK_BLK_CHUNK_LINES; i++) {
			if (heap_is_of(h->ctl.hosts, 2, c) || heap_is_of(h->ctl.sites, 1, c))
				break;
			uint8_t brief = ((const uint8_t *)h->chunk[c])[i];
			const struct pk_blk_rule *r = &h->chunk[c][i].rule;

			if (!brief)
				continue;
			assert_true(i >= PK_BLK_CHUNK_LINES / 64);
			live += !(r->flags & PK_BLK_EMPTY);
			if (r->flags == (PK_BLK_SEEN0 | PK_BLK_SEEN1 | PK_BLK_HEAD) &&
			    r->list < 126)
				assert_int_equal(brief, (r->list + 1) | (r->next ? 0x80 : 0));
			else
				assert_int_equal(brief, 0x7f);
		}
	assert_int_equal(live, rules);
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
