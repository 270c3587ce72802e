/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the memory of a list's entries and their order. Knows nothing of what they mean. */
#include "block/entries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 512u

void pk_entries_done(struct pk_entries *s)
{
	for (size_t i = 0; i < s->pieces; i++)
		if (s->piece[i].own)
			free(s->piece[i].v);
	free(s->piece);
	free(s->base);
	*s = (struct pk_entries){ 0 };
}

int pk_entries_take(struct pk_entries *s, struct pk_block_entry *v, size_t n)
{
	size_t pieces = (n + PIECE - 1) / PIECE;
	struct pk_entries_piece *piece = calloc(pieces ? pieces : 1, sizeof(*piece));

	if (!piece)
		return -ENOMEM;
	for (size_t i = 0; i < pieces; i++) {
		size_t left = n - i * PIECE;

		piece[i].v = v + i * PIECE;
		piece[i].n = piece[i].room = left < PIECE ? (uint32_t)left : PIECE;
	}
	*s = (struct pk_entries){
		.piece = piece, .pieces = pieces, .cap = pieces ? pieces : 1, .base = v, .n = n
	};
	return 0;
}

struct pk_block_entry *pk_entries_get(const struct pk_entries *s, struct pk_entries_at at)
{
	if (at.piece >= s->pieces || at.i >= s->piece[at.piece].n)
		return NULL;
	return &s->piece[at.piece].v[at.i];
}

void pk_entries_next(const struct pk_entries *s, struct pk_entries_at *at)
{
	if (at->piece < s->pieces && ++at->i >= s->piece[at->piece].n)
		*at = (struct pk_entries_at){ .piece = at->piece + 1 };
}

/* The last piece that begins at or before key; 0 if there is none. */
static size_t piece_of(const struct pk_entries *s, const struct pk_block_entry *key)
{
	size_t lo = 0, hi = s->pieces;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (pk_block_entry_compare(&s->piece[mid].v[0], key) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : 0;
}

/* Where in the piece the first that is not less is; n: behind the last. */
static uint32_t place_in(const struct pk_entries_piece *q, const struct pk_block_entry *key)
{
	uint32_t lo = 0, hi = q->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (pk_block_entry_compare(&q->v[mid], key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct pk_entries_at pk_entries_from(const struct pk_entries *s, const struct pk_block_entry *key)
{
	struct pk_entries_at at = { .piece = piece_of(s, key) };

	if (at.piece >= s->pieces)
		return at;
	at.i = place_in(&s->piece[at.piece], key);
	if (at.i == s->piece[at.piece].n)
		return (struct pk_entries_at){ .piece = at.piece + 1 };
	return at;
}

struct pk_block_entry *pk_entries_find(const struct pk_entries *s, const struct pk_block_entry *key)
{
	struct pk_block_entry *e = pk_entries_get(s, pk_entries_from(s, key));

	return e && pk_block_entry_compare(e, key) == 0 ? e : NULL;
}

static int add_piece(struct pk_entries *s, size_t at, const struct pk_block_entry *v, uint32_t n)
{
	struct pk_entries_piece *piece = s->piece;
	struct pk_block_entry *copy;

	if (s->pieces == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 4;

		piece = realloc(piece, cap * sizeof(*piece));
		if (!piece)
			return -ENOMEM;
		s->piece = piece;
		s->cap = cap;
	}
	copy = malloc(PIECE * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, v, n * sizeof(*copy));
	memmove(piece + at + 1, piece + at, (s->pieces - at) * sizeof(*piece));
	piece[at] = (struct pk_entries_piece){ .v = copy, .n = n, .room = PIECE, .own = true };
	s->pieces++;
	return 0;
}

/* Room for one more in piece p: the half of a full one, or what is a part of base, moves. */
static int make_room(struct pk_entries *s, size_t p)
{
	struct pk_entries_piece *q = &s->piece[p];
	uint32_t keep = q->n == PIECE ? PIECE / 2 : 0;
	int r;

	if (q->n < q->room)
		return 0;
	r = add_piece(s, p + 1, q->v + keep, q->n - keep);
	if (r < 0)
		return r;
	q = &s->piece[p];
	q->n = keep;
	if (!keep) /* the copy takes its place */
		memmove(q, q + 1, (--s->pieces - p) * sizeof(*q));
	return 0;
}

int pk_entries_insert(struct pk_entries *s, const struct pk_block_entry *e)
{
	struct pk_entries_piece *q;
	uint32_t i;
	int r;

	if (!s->pieces) {
		r = add_piece(s, 0, e, 1);
		s->n += r == 0;
		return r;
	}
	r = make_room(s, piece_of(s, e));
	if (r < 0)
		return r;
	q = &s->piece[piece_of(s, e)];
	i = place_in(q, e);
	memmove(q->v + i + 1, q->v + i, (q->n - i) * sizeof(*q->v));
	q->v[i] = *e;
	q->n++;
	s->n++;
	return 0;
}

void pk_entries_remove(struct pk_entries *s, struct pk_entries_at at)
{
	struct pk_entries_piece *q = &s->piece[at.piece];

	q->n--;
	s->n--;
	memmove(q->v + at.i, q->v + at.i + 1, (q->n - at.i) * sizeof(*q->v));
	if (q->n)
		return;
	if (q->own)
		free(q->v);
	s->pieces--;
	memmove(q, q + 1, (s->pieces - at.piece) * sizeof(*q));
}
