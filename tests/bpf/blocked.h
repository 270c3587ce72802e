/* SPDX-License-Identifier: Apache-2.0 */
/* The block lists of a loaded object: maps mapped as the agent maps them, chunks made on demand. */
#pragma once

#include "load.h"

#include "block/grace.h"
#include "block/trie.h"
#include "probe/verdicts.h"

#include <errno.h>

struct blocked {
	const struct bed *bed;
	struct pk_trie *trie;
	uint64_t *roots;
	struct pk_blk_ctl *ctl;
	struct pk_blk_list *lists;
	uint32_t chunks;
};

static inline void blocked_grow(struct blocked *b)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pk_blk_chunk", 4, sizeof(union pk_blk_line),
				PK_BLK_CHUNK_LINES, &opts);
	uint32_t index = b->chunks++;
	void *p;

	assert_true(fd >= 0);
	p = mmap(NULL, PK_BLK_CHUNK_LINES * sizeof(union pk_blk_line), PROT_READ | PROT_WRITE,
		 MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	assert_int_equal(bpf_map_update_elem(pk_object_map_fd(b->bed->o, "pk_blk_pool"), &index,
					     &fd, BPF_ANY),
			 0);
	close(fd);
	assert_int_equal(pk_trie_add_chunk(b->trie, index, p, true), 0);
}

static inline void blocked_open(struct blocked *b, const struct bed *bed)
{
	struct pk_trie_memory m = { .wait = pk_grace_wait };

	memset(b, 0, sizeof(*b));
	b->bed = bed;
	b->roots = m.roots = bed_map(bed, "pk_blk_roots", PK_BLK_ROOT_WORDS * sizeof(uint64_t));
	b->ctl = m.ctl = bed_map(bed, "pk_blk_ctl", sizeof(*b->ctl));
	b->lists = bed_map(bed, "pk_blk_lists", PK_BLK_LISTS * sizeof(*b->lists));
	b->ctl->have = PK_BLK_HAVE_V4 | PK_BLK_HAVE_V6;
	assert_int_equal(pk_trie_new(&m, &b->trie), 0);
}

static inline void blocked_list(struct blocked *b, unsigned list, enum pk_blk_mode mode, bool allow)
{
	if (allow)
		b->ctl->have |= PK_BLK_HAVE_ALLOW;
	b->lists[list].word = PK_BLK_LIST_USED | (allow ? PK_BLK_LIST_ALLOW : 0) |
			      (uint32_t)mode << PK_BLK_MODE_SHIFT;
	pk_trie_changed(b->ctl);
}

static inline uint32_t blocked_add(struct blocked *b, const struct pk_trie_rule *rule)
{
	uint32_t line = 0;
	int r;

	while ((r = pk_trie_add(b->trie, rule, &line)) == -ENOSPC)
		blocked_grow(b);
	assert_int_equal(r, 0);
	return line;
}

/* The tables beside the trie, of hosts at least, of which there are enough. */
static inline void blocked_tables(struct blocked *b)
{
	for (uint32_t want = pk_trie_want(b->trie); want; want = pk_trie_want(b->trie))
		for (uint32_t i = 0; i < want; i++)
			blocked_grow(b);
	while (pk_trie_step(b->trie))
		;
	assert_int_not_equal(b->ctl->hosts, 0);
}

/* Hits that are pending go to their rules. */
static inline int blocked_drain(const struct blocked *b)
{
	return pk_verdicts_drain(pk_object_prog_fd(b->bed->o, PK_PROG_DRAIN), (int)b->bed->cpus);
}

/* The maps go with the bed; the mappings stay to the end of the test. */
static inline void blocked_close(struct blocked *b)
{
	pk_trie_free(b->trie);
}
