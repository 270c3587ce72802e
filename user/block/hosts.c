/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns which place a host has. A place that was left keeps its line until programs can not mean it
 * any more: so a hit is of the rule it was found by. While a larger table is filled every change
 * goes into both.
 */
#include "block/hosts.h"

#include "block/node.h"

#define HOSTS_MIN 8192u /* fewer are in the processor's cache anyway */
#define USUAL     13u   /* hosts a bucket when a table is made; at FULL there is a larger one */
#define FULL      15u
#define REST      (1u << PK_BLK_PLACE_RESTS) /* once in a place's line for each time that it rests */
#define REST_MAX  (UINT32_MAX / REST)

struct bucket {
	uint32_t *place, *line;
	uint32_t at; /* the first place's number */
};

static bool is_host(const struct pk_blk_rule *r)
{
	struct pk_prefix p;

	if (r->bits != 128)
		return false;
	pk_prefix_of_rule(r, &p);
	return !p.v6;
}

static uint32_t mixed_of(const struct pk_blk_rule *r)
{
	const uint8_t *a = r->prefix + 12;

	return pk_blk_mix((uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 | a[3]);
}

static struct bucket bucket_of(const struct pk_hosts *h, const struct pk_table *t, uint32_t mixed)
{
	uint32_t word = pk_table_word(t);
	uint32_t line = pk_blk_table_line(word) + pk_blk_bucket(word, mixed) * 2;

	return (struct bucket){ .place = (uint32_t *)pk_lines_at(h->lines, line),
				.line = (uint32_t *)pk_lines_at(h->lines, line + 1),
				.at = (line + 1) * PK_BLK_BUCKET };
}

/* The place that is this line's, or a free one. -1: there is none, he is in the trie. */
static int find_place(const struct bucket *b, uint32_t mixed, uint32_t line)
{
	int free_at = -1;

	for (uint32_t i = 0; i < PK_BLK_BUCKET; i++) {
		uint32_t at = (mixed + i) % PK_BLK_BUCKET;

		if ((b->line[at] & PK_BLK_LINE_MASK) == line && b->line[at] / REST < REST_MAX)
			return (int)at;
		if (!b->line[at] && free_at < 0)
			free_at = (int)at;
	}
	return free_at;
}

static void put(const struct pk_hosts *h, struct pk_table *t, uint32_t mixed, uint32_t line,
		uint8_t brief)
{
	struct bucket b = bucket_of(h, t, mixed);
	int at = find_place(&b, mixed, line);

	if (at < 0)
		return;
	if (!b.line[at])
		__atomic_store_n(&b.line[at], line, __ATOMIC_RELEASE);
	t->used += !(b.place[at] & 0xff);
	__atomic_store_n(&b.place[at], mixed << 8 | brief, __ATOMIC_RELEASE);
}

void pk_hosts_put(struct pk_hosts *h, const struct pk_blk_rule *r, uint32_t line, uint8_t brief)
{
	uint32_t mixed;

	if (!is_host(r))
		return;
	h->n++;
	mixed = mixed_of(r);
	if (h->now.n)
		put(h, &h->now, mixed, line, brief);
	if (h->next.n)
		put(h, &h->next, mixed, line, brief);
}

void pk_hosts_count(struct pk_hosts *h, const struct pk_blk_rule *r)
{
	h->n += is_host(r);
}

static void forget(const struct pk_hosts *h, struct pk_table *t, uint32_t mixed)
{
	struct bucket b = bucket_of(h, t, mixed);

	for (uint32_t i = 0; i < PK_BLK_BUCKET; i++) {
		if (b.place[i] >> 8 != (mixed & 0xffffff) || !(b.place[i] & 0xff))
			continue;
		__atomic_store_n(&b.place[i], mixed << 8, __ATOMIC_RELEASE);
		b.line[i] += REST;
		t->used--;
		pk_lines_give_place(h->lines, b.at + i);
	}
}

void pk_hosts_forget(struct pk_hosts *h, const struct pk_blk_rule *r)
{
	uint32_t mixed;

	if (!is_host(r))
		return;
	h->n--;
	mixed = mixed_of(r);
	if (h->now.n)
		forget(h, &h->now, mixed);
	if (h->next.n)
		forget(h, &h->next, mixed);
}

/* Is the place one of this table? */
static bool has_place(const struct pk_table *t, uint32_t place)
{
	uint32_t chunk = place / PK_BLK_BUCKET >> PK_BLK_CHUNK_SHIFT;

	return chunk >= t->first && chunk < t->first + 2 * t->n;
}

void pk_hosts_free_place(void *hosts, uint32_t place)
{
	const struct pk_hosts *h = hosts;
	const struct pk_table *t = has_place(&h->now, place) ? &h->now : &h->next;
	uint32_t line = place / PK_BLK_BUCKET, at = place % PK_BLK_BUCKET, *left;
	const uint32_t *places;

	if (!has_place(t, place))
		return; /* of a table that went */
	places = (uint32_t *)pk_lines_at(h->lines, line - 1);
	left = (uint32_t *)pk_lines_at(h->lines, line) + at;
	*left -= REST;
	if (*left < REST && !(places[at] & 0xff)) /* nobody's, and nobody has come back */
		*left = 0;
}

uint32_t pk_hosts_want(struct pk_hosts *h)
{
	uint64_t chunks = h->n / (USUAL * PK_BLK_CHUNK_LINES) + 1;

	if (h->next.n || h->n < HOSTS_MIN || chunks > PK_BLK_CHUNKS_MAX / 4 ||
	    h->n <= (uint64_t)h->now.n * FULL * PK_BLK_CHUNK_LINES)
		return 0;
	h->at = 0;
	return pk_table_begin(h->lines, (uint32_t)chunks, (uint32_t)chunks * 2, &h->next);
}

/* The rules of a chunk whose briefs say all: those in the trie, and no others, have one. */
static void take_chunk(struct pk_hosts *h, uint32_t chunk)
{
	for (uint32_t i = 0; i < PK_BLK_CHUNK_LINES; i++) {
		uint32_t line = (chunk << PK_BLK_CHUNK_SHIFT) + i;
		uint8_t brief = *pk_lines_brief(h->lines, line);
		const struct pk_blk_rule *r;

		if (!pk_brief_is_plain(brief))
			continue;
		r = &pk_lines_at(h->lines, line)->rule;
		if (is_host(r))
			put(h, &h->next, mixed_of(r), line, brief);
	}
}

bool pk_hosts_step(struct pk_hosts *h, uint32_t *word)
{
	if (!h->next.n)
		return false;
	if (h->at < PK_BLK_CHUNKS_MAX) {
		while (h->at < PK_BLK_CHUNKS_MAX &&
		       (!h->lines->chunk[h->at] || h->lines->is_table[h->at]))
			h->at++;
		if (h->at < PK_BLK_CHUNKS_MAX)
			take_chunk(h, h->at++);
		return true;
	}
	pk_table_switch(h->lines, &h->now, &h->next, word);
	return false;
}
