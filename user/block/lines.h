/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of the tries: lines in chunks, and blocks of words within lines. What is freed rests
 * until no packet program can still read it. For trie.c only.
 */
#pragma once

#include "block/trie.h"

#define PK_LINES_CLASSES 13

struct pk_lines_range {
	uint32_t at, n;
};

struct pk_lines_stack {
	uint32_t *v;
	size_t n, cap;
};

struct pk_lines_rest {
	uint32_t at;
	uint16_t lines; /* 0: a block of words; PK_BLK_CHUNK_LINES: a chunk of another use */
	uint16_t words; /* both 0: a place of hosts.h */
};

struct pk_lines {
	union pk_blk_line *chunk[PK_BLK_CHUNKS_MAX];
	bool is_table[PK_BLK_CHUNKS_MAX]; /* the chunk has no lines now, but is of a table */
	uint32_t chunks;                  /* that are there */
	bool (*wait)(void *arg);          /* as in trie.h */
	uint64_t (*begin)(void *arg);
	bool (*is_over)(void *arg, uint64_t moment);
	void *arg;
	void (*free_place)(void *hosts, uint32_t place);
	void *hosts;
	struct pk_lines_range *range; /* never used, or found free by adoption */
	size_t n_range, cap_range;
	struct pk_lines_range words_row;               /* the next lines for blocks of words */
	struct pk_lines_stack single, pair;            /* free lines, and pairs of them */
	struct pk_lines_stack block[PK_LINES_CLASSES]; /* free blocks of words */
	struct pk_lines_rest *rest;
	size_t n_rest, cap_rest;
	size_t n_ripe;  /* of them, given by changes that are complete */
	size_t n_asked; /* of them, that are free when the moment is over */
	uint64_t moment;
	uint64_t free_lines, words;
	uint64_t given, joined; /* lines and blocks given back so far; when they were joined last */
};

void pk_lines_done(struct pk_lines *l);
int pk_lines_add_chunk(struct pk_lines *l, uint32_t index, union pk_blk_line *lines);
/* Lines at..at+n are free: a new chunk, or what adoption found unused. */
int pk_lines_add_range(struct pk_lines *l, uint32_t at, uint32_t n);

/* Are n lines free, and PK_TRIE_RULE_LINES of them in a row? */
bool pk_lines_has_room(const struct pk_lines *l, uint64_t n);
/* Lines and blocks that lie in a row become one again: looks through all memory, at its limit. */
void pk_lines_join(struct pk_lines *l);
/* Are n lines in a row free? */
bool pk_lines_has_row(const struct pk_lines *l, uint32_t n);

/* NULL: no such line. */
static inline union pk_blk_line *pk_lines_at(const struct pk_lines *l, uint32_t line)
{
	uint32_t c = line >> PK_BLK_CHUNK_SHIFT;

	return c < PK_BLK_CHUNKS_MAX && l->chunk[c] ? &l->chunk[c][line & (PK_BLK_CHUNK_LINES - 1)]
						    : NULL;
}

/* Where the byte of <picket/block.h> about a line is; NULL: no such line. */
static inline uint8_t *pk_lines_brief(const struct pk_lines *l, uint32_t line)
{
	uint32_t c = line >> PK_BLK_CHUNK_SHIFT;

	return c < PK_BLK_CHUNKS_MAX && l->chunk[c]
		       ? (uint8_t *)l->chunk[c] + (line & (PK_BLK_CHUNK_LINES - 1))
		       : NULL;
}

static inline __u64 *pk_lines_word(const struct pk_lines *l, uint32_t word)
{
	union pk_blk_line *at = pk_lines_at(l, word >> 3);

	return at ? &at->word[word & 7] : NULL;
}

/* Lines that are free in rows of at least n. */
uint64_t pk_lines_in_rows(const struct pk_lines *l, uint32_t n);

/* n is 1 or 2. 0: no room. Zeroed. */
uint32_t pk_lines_take(struct pk_lines *l, unsigned n);
void pk_lines_give(struct pk_lines *l, uint32_t line, unsigned n);

/* Words a block of n holds (1 to 256): the smallest class. */
unsigned pk_lines_capacity(unsigned n);
uint32_t pk_lines_take_words(struct pk_lines *l, unsigned n); /* 0: no room */
void pk_lines_give_words(struct pk_lines *l, uint32_t word, unsigned n);
/* A block within a line that adoption found unused; capacity 1, 2 or 4. */
int pk_lines_add_block(struct pk_lines *l, uint32_t word, unsigned capacity);

/*
 * n chunks that follow one another, none of which has a line in use: emptied, and not of lines any
 * more until they are given back. False: there are none.
 */
bool pk_lines_take_chunks(struct pk_lines *l, uint32_t n, uint32_t *ret_first);
void pk_lines_give_chunk(struct pk_lines *l, uint32_t chunk);
/* Rests as lines do, and is told to free_place() then. */
void pk_lines_give_place(struct pk_lines *l, uint32_t place);

/* A change begins: what it gives is still reachable until it ends, and is not settled before. */
void pk_lines_begin(struct pk_lines *l);
/* What earlier changes gave is free when the programs have ended that ran then: looks, and waits
 * for nothing if it can. */
void pk_lines_poll(struct pk_lines *l);
/* Waits for the programs that run, then what earlier changes gave is free, if trie.h's wait() says
 * so. */
void pk_lines_settle(struct pk_lines *l);
