/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of the kernel's beside the trie (<picket/block.h>): chunks that follow one another, made
 * and filled while another one, or none, is in force. What is in it is hosts.c's and sites.c's.
 */
#pragma once

#include "block/lines.h"

struct pk_table {
	uint32_t first, n; /* buckets: as many as n chunks have lines; 0: there is none */
	uint32_t chunks;   /* that have them, from the first on */
	uint64_t used;     /* places that somebody has */
};

/* Takes chunks for a table. Ret: how many in a row it lacks for that, 0: none. */
uint32_t pk_table_begin(struct pk_lines *l, uint32_t n, uint32_t chunks, struct pk_table *ret);
/* The next one is whole: *word says so, and the chunks of the one before are given back. */
void pk_table_switch(struct pk_lines *l, struct pk_table *now, struct pk_table *next,
		     uint32_t *word);
/* The table of an agent before us goes, ours is made anew. Programs may still read it. */
void pk_table_drop(uint32_t *word);

/* pk_blk_ctl's word for it. */
static inline uint32_t pk_table_word(const struct pk_table *t)
{
	return t->first | t->n << PK_BLK_TABLE_SHIFT;
}
