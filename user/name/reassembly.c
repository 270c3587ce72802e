/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the directions that are being put together: their bytes, and which of them are there. It
 * does not know what they say. Memory of a direction grows as it needs it and ends with it.
 */
#include "name/reassembly.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <errno.h>
#include <string.h>

#define CAP_MIN 2048

struct piece {
	uint32_t from, to; /* in data; sorted, apart */
};

struct stream {
	uint64_t flow;
	uint8_t *data;
	uint32_t cap;
	uint32_t base;  /* sequence number of data[0] */
	uint32_t taken; /* bytes read off the front since the first */
	uint8_t dir, pieces;
	struct piece piece[PK_REASSEMBLY_HOLES];
	uint32_t next, older, newer; /* hash chain; list, 0: none */
};

struct pk_reassembly {
	struct stream *s; /* [0] is not used */
	uint32_t *head, mask, fresh, free, newest, oldest;
	struct pk_reassembly_count count;
	struct pk_hash_key key;
};

struct pk_reassembly *pk_reassembly_new(size_t max)
{
	struct pk_reassembly *r = calloc(1, sizeof(*r));
	uint32_t heads = 64;

	if (!r)
		return NULL;
	r->count.max = max ? max : 1;
	while (heads < r->count.max)
		heads *= 2;
	r->mask = heads - 1;
	r->fresh = 1;
	r->s = calloc(r->count.max + 1, sizeof(*r->s));
	r->head = calloc(heads, sizeof(*r->head));
	pk_hash_key_init(&r->key);
	if (r->s && r->head)
		return r;
	pk_reassembly_free(r);
	return NULL;
}

void pk_reassembly_free(struct pk_reassembly *r)
{
	if (!r)
		return;
	for (uint32_t i = 1; r->s && i < r->fresh; i++)
		free(r->s[i].data);
	free(r->s);
	free(r->head);
	free(r);
}

static uint32_t *head_of(const struct pk_reassembly *r, uint64_t flow, unsigned dir)
{
	return &r->head[pk_hash_mix((flow << 1 | dir) ^ r->key.k[6]) & r->mask];
}

static struct stream *find(const struct pk_reassembly *r, uint64_t flow, unsigned dir)
{
	for (uint32_t i = *head_of(r, flow, dir); i; i = r->s[i].next)
		if (r->s[i].flow == flow && r->s[i].dir == dir)
			return &r->s[i];
	return NULL;
}

static void list_push(struct pk_reassembly *r, struct stream *s)
{
	uint32_t i = (uint32_t)(s - r->s);

	s->newer = 0;
	s->older = r->newest;
	if (r->newest)
		r->s[r->newest].newer = i;
	else
		r->oldest = i;
	r->newest = i;
}

static void list_pop(struct pk_reassembly *r, struct stream *s)
{
	if (s->newer)
		r->s[s->newer].older = s->older;
	else
		r->newest = s->older;
	if (s->older)
		r->s[s->older].newer = s->newer;
	else
		r->oldest = s->newer;
}

static void drop(struct pk_reassembly *r, struct stream *s)
{
	uint32_t i = (uint32_t)(s - r->s), *p = head_of(r, s->flow, s->dir);

	while (*p != i)
		p = &r->s[*p].next;
	*p = s->next;
	list_pop(r, s);
	free(s->data);
	*s = (struct stream){ .next = r->free };
	r->free = i;
	r->count.used--;
}

static struct stream *make(struct pk_reassembly *r, uint64_t flow, unsigned dir, uint32_t seq)
{
	uint32_t i, *head;

	if (!r->free && r->fresh > r->count.max) {
		drop(r, &r->s[r->oldest]);
		r->count.evicted++;
	}
	i = r->free;
	if (i)
		r->free = r->s[i].next;
	else
		i = r->fresh++;
	head = head_of(r, flow, dir);
	r->s[i] = (struct stream){ .flow = flow, .dir = (uint8_t)dir, .base = seq, .next = *head };
	*head = i;
	list_push(r, &r->s[i]);
	r->count.used++;
	return &r->s[i];
}

static int make_room(struct stream *s, uint32_t to)
{
	uint32_t cap = s->cap ? s->cap : CAP_MIN;
	uint8_t *data;

	if (to <= s->cap)
		return 0;
	while (cap < to)
		cap *= 2;
	if (cap > PK_REASSEMBLY_BYTES)
		cap = PK_REASSEMBLY_BYTES;
	data = realloc(s->data, cap);
	if (!data)
		return -ENOMEM;
	s->data = data;
	s->cap = cap;
	return 0;
}

/* A segment from before what was taken for the beginning. */
static int move_back(struct stream *s, uint32_t by)
{
	uint32_t end = s->pieces ? s->piece[s->pieces - 1].to : 0;

	if (s->taken || end + by > PK_REASSEMBLY_BYTES)
		return -ERANGE;
	if (make_room(s, end + by) < 0)
		return -ENOMEM;
	memmove(s->data + by, s->data, end);
	for (unsigned i = 0; i < s->pieces; i++) {
		s->piece[i].from += by;
		s->piece[i].to += by;
	}
	s->base -= by;
	return 0;
}

/* Copies what is not there yet of [from, to), counts what differs. */
static void fill(struct pk_reassembly *r, struct stream *s, uint32_t from, uint32_t to,
		 const uint8_t *data)
{
	uint32_t at = from;

	for (unsigned i = 0; i < s->pieces && at < to; i++) {
		const struct piece *p = &s->piece[i];
		uint32_t a = p->from > at ? p->from : at, b = p->to < to ? p->to : to;

		if (p->to <= at)
			continue;
		if (p->from >= to)
			break;
		if (p->from > at)
			memcpy(s->data + at, data + (at - from), p->from - at);
		if (memcmp(s->data + a, data + (a - from), b - a) != 0)
			r->count.differ++;
		at = b;
	}
	if (at < to)
		memcpy(s->data + at, data + (at - from), to - at);
}

/* Puts [from, to) among the pieces, joined with those it touches. */
static int join(struct stream *s, uint32_t from, uint32_t to)
{
	struct piece out[PK_REASSEMBLY_HOLES + 1];
	unsigned n = 0;
	bool placed = false;

	for (unsigned i = 0; i < s->pieces; i++) {
		const struct piece p = s->piece[i];

		if (p.to < from || p.from > to) {
			if (p.from > to && !placed) {
				out[n++] = (struct piece){ from, to };
				placed = true;
			}
			out[n++] = p;
			continue;
		}
		from = p.from < from ? p.from : from;
		to = p.to > to ? p.to : to;
	}
	if (!placed)
		out[n++] = (struct piece){ from, to };
	if (n > PK_REASSEMBLY_HOLES)
		return -ERANGE;
	memcpy(s->piece, out, n * sizeof(*out));
	s->pieces = (uint8_t)n;
	return 0;
}

static int add(struct pk_reassembly *r, struct stream *s, uint32_t seq, const uint8_t *data,
	       size_t len)
{
	int32_t off = (int32_t)(seq - s->base); /* the numbers wrap */
	struct stream before = *s;
	uint32_t from, to;
	int e;

	if (off < 0 && s->taken) { /* what was read already is not read again */
		if ((uint32_t)-off >= len)
			return 0;
		data += -off;
		len -= (uint32_t)-off;
		off = 0;
	}
	if (off < 0) {
		e = (uint32_t)-off < PK_REASSEMBLY_BYTES ? move_back(s, (uint32_t)-off) : -ERANGE;
		if (e < 0)
			return e;
		off = 0;
	}
	from = (uint32_t)off;
	if (from >= PK_REASSEMBLY_BYTES)
		return -ERANGE;
	to = len > PK_REASSEMBLY_BYTES - from ? PK_REASSEMBLY_BYTES : from + (uint32_t)len;
	if (from == to)
		return 0;
	if (make_room(s, to) < 0)
		return -ENOMEM;
	before = *s;
	e = join(s, from, to);
	if (e < 0)
		return e;
	fill(r, &before, from, to, data); /* by what was there before */
	return 0;
}

static void tell(const struct stream *s, struct pk_reassembled *ret)
{
	uint32_t have = s->pieces && !s->piece[0].from ? s->piece[0].to : 0, all = 0;

	for (unsigned i = 0; i < s->pieces; i++)
		all += s->piece[i].to - s->piece[i].from;
	*ret = (struct pk_reassembled){ .data = s->data,
					.len = have,
					.beyond = all - have,
					.full = have >= PK_REASSEMBLY_BYTES };
}

int pk_reassembly_add(struct pk_reassembly *r, uint64_t flow, unsigned dir, uint32_t seq,
		      const uint8_t *data, size_t len, struct pk_reassembled *ret)
{
	struct stream *s = find(r, flow, dir & 1);
	int e;

	if (s) {
		list_pop(r, s);
		list_push(r, s);
	} else {
		s = make(r, flow, dir & 1, seq);
	}
	e = add(r, s, seq, data, len);
	r->count.refused += e < 0;
	tell(s, ret);
	return e;
}

bool pk_reassembly_has(const struct pk_reassembly *r, uint64_t flow, unsigned dir)
{
	return find(r, flow, dir & 1) != NULL;
}

void pk_reassembly_skip(struct pk_reassembly *r, uint64_t flow, unsigned dir, size_t n)
{
	struct stream *s = find(r, flow, dir & 1);
	uint32_t end, by = (uint32_t)n;

	if (!s || !s->pieces || s->piece[0].from || n > s->piece[0].to)
		return;
	end = s->piece[s->pieces - 1].to;
	memmove(s->data, s->data + by, end - by);
	for (unsigned i = 0; i < s->pieces; i++) {
		s->piece[i].from -= i ? by : 0;
		s->piece[i].to -= by;
	}
	if (!s->piece[0].to)
		memmove(s->piece, s->piece + 1, --s->pieces * sizeof(*s->piece));
	s->base += by;
	s->taken += by;
}

void pk_reassembly_drop(struct pk_reassembly *r, uint64_t flow, unsigned dir)
{
	struct stream *s = find(r, flow, dir & 1);

	if (s)
		drop(r, s);
}

void pk_reassembly_counts(const struct pk_reassembly *r, struct pk_reassembly_count *ret)
{
	*ret = r->count;
}
