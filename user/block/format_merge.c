/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorts entries, makes one of doubles, and counts what a shorter prefix covers. A million entries
 * are sorted by radix in place of the 20 comparisons each that qsort() would make: by the first 64
 * bits that tell them apart, byte by byte, skipping bytes that are the same in all; what is equal
 * there (doubles, mostly) is put in order by comparison.
 */
#include "base/cleanup.h"
#include "block/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INSERT_MAX 16 /* entries that are sorted by insertion */
#define AHEAD      16 /* entries that are fetched before they are copied */

struct key {
	uint64_t k;
	uint32_t i; /* entry, as written */
	uint32_t pad;
};

struct hist {
	uint32_t n[8][256];
};

/* IPv4: address and bits, so that equal keys are the same prefix; IPv6: the first half. */
static uint64_t key_of(const struct pk_block_entry *e)
{
	uint64_t hi;
	uint32_t v4;

	if (e->v4) {
		memcpy(&v4, e->prefix + 12, 4);
		return (uint64_t)__builtin_bswap32(v4) << 32 | (uint64_t)e->bits << 24;
	}
	memcpy(&hi, e->prefix, 8);
	return __builtin_bswap64(hi);
}

/* Sorts by k, stable; the result is in a. */
static void radix(struct key *a, struct key *b, size_t n, struct hist *h)
{
	struct key *from = a, *to = b;

	memset(h, 0, sizeof(*h));
	for (size_t i = 0; i < n; i++)
		for (int d = 0; d < 8; d++)
			h->n[d][a[i].k >> 8 * d & 0xff]++;
	for (int d = 0; d < 8; d++) {
		uint32_t *at = h->n[d], sum = 0;
		struct key *was = from;

		if (n && at[a[0].k >> 8 * d & 0xff] == n)
			continue;
		for (int v = 0; v < 256; v++) {
			uint32_t here = at[v];

			at[v] = sum;
			sum += here;
		}
		for (size_t i = 0; i < n; i++)
			to[at[from[i].k >> 8 * d & 0xff]++] = from[i];
		from = to;
		to = was;
	}
	if (from != a)
		memcpy(a, from, n * sizeof(*a));
}

/* What was written first comes first among equals. */
static int compare(const void *x, const void *y, void *entries)
{
	const struct pk_block_entry *v = entries;
	const struct key *a = x, *b = y;
	int r = pk_block_entry_compare(&v[a->i], &v[b->i]);

	return r ? r : (a->i > b->i) - (a->i < b->i);
}

static void sort_run(struct key *k, size_t n, struct pk_block_entry *v)
{
	if (n > INSERT_MAX) {
		qsort_r(k, n, sizeof(*k), compare, v);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct key moved = k[i];
		size_t at = i;

		for (; at && compare(&moved, &k[at - 1], v) < 0; at--)
			k[at] = k[at - 1];
		k[at] = moved;
	}
}

static void sort_runs(struct key *k, size_t n, struct pk_block_entry *v)
{
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && k[end].k == k[i].k; end++)
			;
		if (end - i > 1)
			sort_run(k + i, end - i, v);
	}
}

/*
 * Entries as the keys say, in new memory. They lie scattered: fetching them ahead of time is worth
 * a second copy, and five times as fast as moving them about in place.
 */
static int arrange(struct pk_list_data *d, const struct key *k)
{
	struct pk_block_entry *v = malloc(d->n * sizeof(*v));

	if (!v)
		return -ENOMEM;
	pk_reader_populate(v, d->n * sizeof(*v));
	for (size_t i = 0; i < d->n; i++) {
		if (i + AHEAD < d->n) {
			const char *next = (const char *)&d->v[k[i + AHEAD].i];

			__builtin_prefetch(next);
			__builtin_prefetch(next + sizeof(*v) - 1);
		}
		v[i] = d->v[k[i].i];
	}
	free(d->v);
	d->v = v;
	return 0;
}

static bool is_sorted(const struct pk_list_data *d)
{
	for (size_t i = 1; i < d->n; i++)
		if (pk_block_entry_compare(&d->v[i - 1], &d->v[i]) > 0)
			return false;
	return true;
}

static int sort(struct pk_list_data *d)
{
	_cleanup_free_ struct key *a = NULL, *b = NULL;
	_cleanup_free_ struct hist *h = NULL;
	size_t n4 = 0, at4 = 0, at6;

	if (is_sorted(d))
		return 0;
	if (d->n > UINT32_MAX)
		return -EFBIG;
	a = malloc(d->n * sizeof(*a));
	b = malloc(d->n * sizeof(*b));
	h = malloc(sizeof(*h));
	if (!a || !b || !h)
		return -ENOMEM;
	pk_reader_populate(a, d->n * sizeof(*a));
	pk_reader_populate(b, d->n * sizeof(*b));
	for (size_t i = 0; i < d->n; i++)
		n4 += d->v[i].v4;
	at6 = n4;
	for (size_t i = 0; i < d->n; i++)
		a[d->v[i].v4 ? at4++ : at6++] = (struct key){ key_of(&d->v[i]), (uint32_t)i, 0 };
	radix(a, b, n4, h);
	radix(a + n4, b, d->n - n4, h);
	sort_runs(a, n4, d->v);
	sort_runs(a + n4, d->n - n4, d->v);
	free(PK_TAKE(b));
	return arrange(d, a);
}

static void unite(struct pk_list_data *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		struct pk_block_entry *e = &d->v[i], *last = n ? &d->v[n - 1] : NULL;

		if (!last || pk_block_entry_compare(last, e) != 0) {
			d->v[n++] = *e;
			continue;
		}
		d->doubles++;
		if (last->expires_ms && (!e->expires_ms || e->expires_ms > last->expires_ms))
			last->expires_ms = e->expires_ms;
	}
	d->n = n;
}

static bool covers(const struct pk_block_entry *a, const struct pk_block_entry *b)
{
	unsigned whole = a->bits / 8, rest = a->bits % 8;

	if (a->v4 != b->v4 || a->bits >= b->bits || memcmp(a->prefix, b->prefix, whole) != 0)
		return false;
	return !rest || ((a->prefix[whole] ^ b->prefix[whole]) >> (8 - rest)) == 0;
}

/* Entries come in order, all with the same conditions: the widest one so far tells. */
struct cover {
	const struct pk_block_entry *widest;
};

static bool is_covered(struct cover *c, const struct pk_block_entry *e)
{
	if (c->widest && covers(c->widest, e))
		return true;
	c->widest = e;
	return false;
}

static int by_condition(const void *x, const void *y)
{
	const struct pk_block_entry *a = *(const struct pk_block_entry *const *)x;
	const struct pk_block_entry *b = *(const struct pk_block_entry *const *)y;
	int r = pk_block_entry_compare_cond(a, b);

	return r ? r : (a > b) - (a < b);
}

/* Most lists have one set of conditions; entries with others are set aside and grouped. */
static int count_covered(struct pk_list_data *d)
{
	_cleanup_free_ const struct pk_block_entry **rest = NULL;
	struct cover c = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (pk_block_entry_compare_cond(&d->v[i], &d->v[0]) == 0)
			d->covered += is_covered(&c, &d->v[i]);
		else
			n++;
	}
	if (!n)
		return 0;
	rest = malloc(n * sizeof(*rest));
	if (!rest)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < d->n; i++)
		if (pk_block_entry_compare_cond(&d->v[i], &d->v[0]) != 0)
			rest[n++] = &d->v[i];
	qsort(rest, n, sizeof(*rest), by_condition);
	for (size_t i = 0; i < n; i++) {
		if (!i || pk_block_entry_compare_cond(rest[i - 1], rest[i]) != 0)
			c.widest = NULL;
		d->covered += is_covered(&c, rest[i]);
	}
	return 0;
}

static int compare_names(const void *a, const void *b, void *texts)
{
	const struct pk_block_name *x = a, *y = b;

	if (x->text == y->text) /* each text is there once */
		return 0;
	return strcmp(pk_block_text_at(texts, x->text), pk_block_text_at(texts, y->text));
}

/* Said more than once: the first reason, the latest end, all that is to be done. */
static void unite_names(struct pk_block_name *to, const struct pk_block_name *n)
{
	if (!n->expires_ms || (to->expires_ms && n->expires_ms > to->expires_ms))
		to->expires_ms = n->expires_ms;
	if (!to->reason)
		to->reason = n->reason;
	if (!(n->how & PK_BLOCK_SNI_ONLY))
		to->how &= (uint8_t)~PK_BLOCK_SNI_ONLY;
	to->how |= n->how & PK_BLOCK_REFUSE;
}

static void sort_names(struct pk_list_data *d)
{
	size_t n = 0;

	if (d->n_names)
		qsort_r(d->names, d->n_names, sizeof(*d->names), compare_names, &d->texts);
	for (size_t i = 0; i < d->n_names; i++) {
		if (n && d->names[n - 1].text == d->names[i].text)
			unite_names(&d->names[n - 1], &d->names[i]);
		else
			d->names[n++] = d->names[i];
	}
	d->n_names = n;
}

/* Gives back what is not needed, which is up to the half. */
static void shrink(struct pk_list_data *d)
{
	struct pk_block_entry *v = d->n ? realloc(d->v, d->n * sizeof(*v)) : NULL;

	if (v)
		d->v = v;
}

int pk_list_merge(struct pk_list_data *d)
{
	int r = sort(d);

	if (r < 0)
		return r;
	unite(d);
	shrink(d);
	sort_names(d);
	return count_covered(d);
}
