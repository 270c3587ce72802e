/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns which lines are free. Rules and nodes take lines; blocks of 1, 2 and 4 words share a line,
 * larger ones take whole lines in a row. Free blocks are used again for their own size only: what
 * is lost that way is bounded by the largest use of each size.
 */
#include "block/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REST_MAX   131072 /* more are not remembered: then it waits */
#define REST_STEP  1024
#define ROW_MIN    16    /* shorter rows are only lines */
#define JOIN_AGAIN 1024  /* lines more than the last time */
#define WORDS_ROW  256   /* lines, 16 KiB */
#define REST_LOW   16384 /* worth a wait before fresh lines are begun */

static const uint16_t class_words[PK_LINES_CLASSES] = { 1,  2,  4,  8,   16,  24, 32,
							48, 64, 96, 128, 192, 256 };

void pk_lines_done(struct pk_lines *l)
{
	free(l->range);
	free(l->rest);
	free(l->single.v);
	free(l->pair.v);
	for (int i = 0; i < PK_LINES_CLASSES; i++)
		free(l->block[i].v);
	*l = (struct pk_lines){ 0 };
}

static int push(struct pk_lines_stack *s, uint32_t at)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 256;
		uint32_t *v = realloc(s->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = at;
	return 0;
}

int pk_lines_add_range(struct pk_lines *l, uint32_t at, uint32_t n)
{
	if (l->n_range == l->cap_range) {
		size_t cap = l->cap_range ? l->cap_range * 2 : 64;
		struct pk_lines_range *v = realloc(l->range, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		l->range = v;
		l->cap_range = cap;
	}
	l->range[l->n_range++] = (struct pk_lines_range){ at, n };
	if (n > l->range[0].n) { /* the longest is used last, see pk_lines_has_room() */
		l->range[l->n_range - 1] = l->range[0];
		l->range[0] = (struct pk_lines_range){ at, n };
	}
	l->free_lines += n;
	return 0;
}

static void mark_lines(uint8_t *map, uint32_t at, uint32_t n)
{
	memset(map + at, 0xff, n);
}

/* Blocks that make up whole lines go into the map, the others stay. */
static void map_blocks(struct pk_lines *l, uint8_t *map)
{
	for (int c = 0; c < PK_LINES_CLASSES; c++) {
		struct pk_lines_stack *s = &l->block[c];

		for (size_t i = 0; i < s->n; i++)
			if (class_words[c] >= 8)
				mark_lines(map, s->v[i] / 8, class_words[c] / 8);
			else
				map[s->v[i] / 8] |=
					(uint8_t)(((1u << class_words[c]) - 1) << s->v[i] % 8);
	}
	for (int c = 0; c < PK_LINES_CLASSES; c++) {
		struct pk_lines_stack *s = &l->block[c];
		size_t n = 0;

		for (size_t i = 0; i < s->n; i++)
			if (map[s->v[i] / 8] != 0xff)
				s->v[n++] = s->v[i];
		s->n = n;
	}
}

/* Free words as a map, a byte a line; what had them as whole lines is empty then. */
static void map_free(struct pk_lines *l, uint8_t *map)
{
	map_blocks(l, map);
	for (size_t i = 0; i < l->single.n; i++)
		mark_lines(map, l->single.v[i], 1);
	for (size_t i = 0; i < l->pair.n; i++)
		mark_lines(map, l->pair.v[i], 2);
	for (size_t i = 0; i < l->n_range; i++)
		mark_lines(map, l->range[i].at, l->range[i].n);
	mark_lines(map, l->words_row.at, l->words_row.n);
	l->single.n = l->pair.n = l->n_range = l->words_row.n = 0;
	l->free_lines = 0;
}

void pk_lines_join(struct pk_lines *l)
{
	uint32_t lines = 0, from = 0;
	uint8_t *map;

	if (l->given < l->joined + JOIN_AGAIN)
		return; /* it would find what it found the last time */
	l->joined = l->given;
	for (uint32_t i = 0; i < PK_BLK_CHUNKS_MAX; i++)
		if (l->chunk[i])
			lines = (i + 1) << PK_BLK_CHUNK_SHIFT;
	map = calloc(lines + 1, 1);
	if (!map)
		return;
	map_free(l, map);
	for (uint32_t i = 0; i <= lines; i++) {
		bool is_free = map[i] == 0xff;

		if (is_free && i % PK_BLK_CHUNK_LINES)
			continue; /* a row ends with its chunk: the next one is elsewhere */
		if (i - from >= ROW_MIN && pk_lines_add_range(l, from, i - from) == 0)
			from = i;
		for (; from < i; from++) /* no memory to remember it: lost until the next start */
			l->free_lines += push(&l->single, from) == 0;
		from = is_free ? i : i + 1;
	}
	free(map);
}

static bool is_whole(const struct pk_lines_range *r)
{
	return r->n == PK_BLK_CHUNK_ROOM && r->at % PK_BLK_CHUNK_LINES == PK_BLK_BRIEF_LINES;
}

static void keep_longest_first(struct pk_lines *l)
{
	for (size_t i = 1; i < l->n_range; i++)
		if (l->range[i].n > l->range[0].n) {
			struct pk_lines_range r = l->range[i];

			l->range[i] = l->range[0];
			l->range[0] = r;
		}
}

static void drop_ranges(struct pk_lines *l, uint32_t from_line, uint32_t to)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_range; i++) {
		if (l->range[i].at >= from_line && l->range[i].at < to)
			l->free_lines -= l->range[i].n;
		else
			l->range[n++] = l->range[i];
	}
	l->n_range = n;
	keep_longest_first(l);
}

bool pk_lines_take_chunks(struct pk_lines *l, uint32_t n, uint32_t *ret_first)
{
	bool whole[PK_BLK_CHUNKS_MAX] = { false };
	uint32_t row = 0, first = 0;

	for (size_t i = 0; i < l->n_range; i++)
		if (is_whole(&l->range[i]))
			whole[l->range[i].at >> PK_BLK_CHUNK_SHIFT] = true;
	for (uint32_t c = 0; c < PK_BLK_CHUNKS_MAX && row < n; c++) {
		row = whole[c] ? row + 1 : 0;
		first = c + 1 - row;
	}
	if (!n || row < n)
		return false;
	drop_ranges(l, first << PK_BLK_CHUNK_SHIFT, (first + n) << PK_BLK_CHUNK_SHIFT);
	for (uint32_t c = first; c < first + n; c++) {
		memset(l->chunk[c], 0, PK_BLK_CHUNK_LINES * sizeof(union pk_blk_line));
		l->is_table[c] = true;
	}
	*ret_first = first;
	return true;
}

bool pk_lines_has_room(const struct pk_lines *l, uint64_t n)
{
	return l->free_lines >= n && l->n_range && l->range[0].n >= PK_TRIE_RULE_LINES;
}

int pk_lines_add_chunk(struct pk_lines *l, uint32_t index, union pk_blk_line *lines)
{
	if (index >= PK_BLK_CHUNKS_MAX || l->chunk[index])
		return -EINVAL;
	l->chunk[index] = lines;
	l->chunks++;
	return 0;
}

bool pk_lines_has_row(const struct pk_lines *l, uint32_t n)
{
	return l->n_range && l->range[0].n >= n;
}

uint64_t pk_lines_in_rows(const struct pk_lines *l, uint32_t n)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < l->n_range; i++)
		lines += l->range[i].n / n * n;
	return lines;
}

/* What rests may be what is wanted. */
static void refill(struct pk_lines *l, const struct pk_lines_stack *s)
{
	if (!s->n && l->n_ripe >= REST_LOW)
		pk_lines_poll(l);
}

/* n lines in a row from a range; short ends of ranges become single lines. */
static uint32_t cut(struct pk_lines *l, uint32_t n)
{
	while (l->n_range) {
		struct pk_lines_range *r = &l->range[l->n_range - 1];
		uint32_t at = r->at;

		if (r->n >= n) {
			r->at += n;
			r->n -= n;
			l->free_lines -= n;
			return at;
		}
		for (; r->n; r->n--, r->at++)
			if (push(&l->single, r->at) < 0)
				l->free_lines--; /* lost until the next start */
		l->n_range--;
	}
	return 0;
}

uint32_t pk_lines_take(struct pk_lines *l, unsigned n)
{
	struct pk_lines_stack *s = n == 1 ? &l->single : &l->pair;
	uint32_t line;

	refill(l, s);
	if (s->n) {
		line = s->v[--s->n];
		l->free_lines -= n;
	} else {
		line = cut(l, n);
	}
	if (line)
		memset(pk_lines_at(l, line), 0, n * sizeof(union pk_blk_line));
	return line;
}

/*
 * Lines for blocks of words. They lie together, apart from the rules they lead to: packets read
 * the words of all entries, and the rules of few, so that the words shall fill few pages.
 */
static uint32_t take_for_words(struct pk_lines *l, unsigned n)
{
	struct pk_lines_range *row = &l->words_row;
	const struct pk_lines_range *last = l->n_range ? &l->range[l->n_range - 1] : NULL;
	uint32_t at;

	if (row->n < n) {
		/* what pk_lines_has_room() promised stays */
		if (!last || last->n < WORDS_ROW + PK_TRIE_RULE_LINES)
			return n == 1 ? pk_lines_take(l, 1) : cut(l, n);
		for (; row->n; row->n--, row->at++)
			l->free_lines += push(&l->single, row->at) == 0;
		*row = (struct pk_lines_range){ cut(l, WORDS_ROW), WORDS_ROW };
	}
	at = row->at;
	row->at += n;
	row->n -= n;
	return at;
}

static int class_of(unsigned n)
{
	for (int i = 0; i < PK_LINES_CLASSES; i++)
		if (n <= class_words[i])
			return i;
	return PK_LINES_CLASSES - 1;
}

unsigned pk_lines_capacity(unsigned n)
{
	return class_words[class_of(n)];
}

uint32_t pk_lines_take_words(struct pk_lines *l, unsigned n)
{
	int c = class_of(n);
	unsigned words = class_words[c], lines = words < 8 ? 1 : words / 8;
	uint32_t line;

	refill(l, &l->block[c]);
	if (!l->block[c].n) {
		line = take_for_words(l, lines);
		if (!line)
			return 0;
		for (unsigned i = words; i < 8; i += words)
			(void)push(&l->block[c], line * 8 + i); /* no memory: lost, no harm */
		l->words += words;
		return line * 8;
	}
	l->words += words;
	return l->block[c].v[--l->block[c].n];
}

int pk_lines_add_block(struct pk_lines *l, uint32_t word, unsigned capacity)
{
	return push(&l->block[class_of(capacity)], word);
}

static void free_chunk(struct pk_lines *l, uint32_t line)
{
	memset(pk_lines_at(l, line), 0, PK_BLK_CHUNK_LINES * sizeof(union pk_blk_line));
	l->is_table[line >> PK_BLK_CHUNK_SHIFT] = false;
	(void)pk_lines_add_range(l, line + PK_BLK_BRIEF_LINES, PK_BLK_CHUNK_ROOM);
}

static void set_free(struct pk_lines *l, const struct pk_lines_rest *r)
{
	/* No memory to remember it: it is lost until the next start, no harm is done. */
	if (r->lines == PK_BLK_CHUNK_LINES)
		free_chunk(l, r->at);
	else if (!r->lines && !r->words)
		l->free_place(l->hosts, r->at);
	else if (!r->lines)
		(void)push(&l->block[class_of(r->words)], r->at);
	else if (!push(r->lines == 1 ? &l->single : &l->pair, r->at))
		l->free_lines += r->lines;
}

void pk_lines_begin(struct pk_lines *l)
{
	l->n_ripe = l->n_rest;
}

static void free_first(struct pk_lines *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		set_free(l, &l->rest[i]);
	l->given += n;
	l->n_rest -= n;
	l->n_ripe -= n;
	l->n_asked = 0;
	memmove(l->rest, l->rest + n, l->n_rest * sizeof(*l->rest));
}

void pk_lines_settle(struct pk_lines *l)
{
	if (l->n_ripe && l->wait(l->arg))
		free_first(l, l->n_ripe);
}

void pk_lines_poll(struct pk_lines *l)
{
	if (!l->begin) {
		pk_lines_settle(l);
		return;
	}
	if (l->n_asked && l->is_over(l->arg, l->moment))
		free_first(l, l->n_asked);
	if (l->n_asked || !l->n_ripe)
		return;
	l->n_asked = l->n_ripe;
	l->moment = l->begin(l->arg);
}

static void rest(struct pk_lines *l, struct pk_lines_rest r)
{
	if (l->n_rest >= REST_MAX / 2 && l->n_rest % REST_STEP == 0)
		pk_lines_poll(l);
	if (l->n_rest >= REST_MAX && l->n_rest % REST_STEP == 0)
		pk_lines_settle(l);
	if (l->n_rest == l->cap_rest) {
		size_t cap = l->cap_rest ? l->cap_rest * 2 : 1024;
		struct pk_lines_rest *v = realloc(l->rest, cap * sizeof(*v));

		if (!v) {
			pk_lines_settle(l);
			if (l->n_rest == l->cap_rest)
				return; /* lost until the next start, no harm is done */
		} else {
			l->rest = v;
			l->cap_rest = cap;
		}
	}
	l->rest[l->n_rest++] = r;
}

void pk_lines_give(struct pk_lines *l, uint32_t line, unsigned n)
{
	rest(l, (struct pk_lines_rest){ .at = line, .lines = (uint16_t)n });
}

void pk_lines_give_words(struct pk_lines *l, uint32_t word, unsigned n)
{
	n = pk_lines_capacity(n);
	l->words -= n;
	rest(l, (struct pk_lines_rest){ .at = word, .words = (uint16_t)n });
}

void pk_lines_give_chunk(struct pk_lines *l, uint32_t chunk)
{
	rest(l, (struct pk_lines_rest){ .at = chunk << PK_BLK_CHUNK_SHIFT,
					.lines = PK_BLK_CHUNK_LINES });
}

void pk_lines_give_place(struct pk_lines *l, uint32_t place)
{
	rest(l, (struct pk_lines_rest){ .at = place });
}
