/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns sums of packets without a flow, and what of each sum the kernel's map still holds, so that a
 * counter can be read again and again and only its growth counts. Destinations are an
 * open-addressing table that is never emptied; when it is nearly full the kernel's map is left to
 * fill up, and the kernel goes on by protocol. Totals stay exact. It does not read maps itself.
 */
#include "flow/aggregate.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <errno.h>
#include <string.h>

#define PROTOS 257 /* the last: not an IP protocol */
#define WORDS  (sizeof(struct pk_agg_key) / 8)

struct pk_agg_table {
	struct pk_agg_entry *e; /* free: packets == 0 */
	size_t mask, used, max;
	uint64_t refused;
	size_t kernel_max;
	struct pk_agg total, proto[PROTOS], rest[PROTOS];
	struct pk_hash_key key;
};

struct pk_agg_table *pk_agg_table_new(size_t max, size_t kernel_max)
{
	struct pk_agg_table *t = calloc(1, sizeof(*t));
	size_t n = 64;

	if (!t)
		return NULL;
	if (max < 2 * kernel_max)
		max = 2 * kernel_max;
	t->kernel_max = kernel_max;
	while (n < max * 2)
		n *= 2;
	t->e = calloc(n, sizeof(*t->e));
	t->mask = n - 1;
	t->max = max;
	pk_hash_key_init(&t->key);
	if (t->e)
		return t;
	free(t);
	return NULL;
}

void pk_agg_table_free(struct pk_agg_table *t)
{
	if (!t)
		return;
	free(t->e);
	free(t);
}

static void sum(struct pk_agg *to, const struct pk_agg *more)
{
	if (!to->packets || more->first_ns < to->first_ns)
		to->first_ns = more->first_ns;
	if (more->last_ns > to->last_ns)
		to->last_ns = more->last_ns;
	to->packets += more->packets;
	to->bytes += more->bytes;
}

/* What `now` has more than `last`; a counter that began again counts whole. */
static struct pk_agg more_than(const struct pk_agg *now, const struct pk_agg *last)
{
	struct pk_agg d = *now;

	if (now->packets >= last->packets && now->bytes >= last->bytes) {
		d.packets -= last->packets;
		d.bytes -= last->bytes;
	}
	return d;
}

static void add_proto(struct pk_agg_table *t, unsigned proto, const struct pk_agg *more)
{
	sum(&t->total, more);
	sum(&t->proto[proto < PROTOS ? proto : PROTOS - 1], more);
}

void pk_agg_table_see_rest(struct pk_agg_table *t, unsigned proto, const struct pk_agg *kernel)
{
	unsigned i = proto < PROTOS ? proto : PROTOS - 1;
	struct pk_agg more = more_than(kernel, &t->rest[i]);

	if (!more.packets)
		return;
	add_proto(t, i, &more);
	t->rest[i] = *kernel;
}

/* The entry of this key, or the free one where it goes. */
static struct pk_agg_entry *find(struct pk_agg_table *t, const struct pk_agg_key *key)
{
	uint64_t w[WORDS];
	size_t at;

	memcpy(w, key, sizeof(w));
	at = pk_hash_words(&t->key, w, WORDS) & t->mask;
	while (t->e[at].sum.packets && memcmp(&t->e[at].key, key, sizeof(*key)) != 0)
		at = (at + 1) & t->mask;
	return &t->e[at];
}

int pk_agg_table_see(struct pk_agg_table *t, const struct pk_agg_key *key,
		     const struct pk_agg *kernel)
{
	struct pk_agg_entry *e = find(t, key);
	struct pk_agg more;

	if (!e->sum.packets) {
		if (!kernel->packets)
			return 0;
		if (t->used >= t->max) {
			t->refused++;
			return -ENOSPC;
		}
		t->used++;
		*e = (struct pk_agg_entry){ .key = *key };
	}
	more = more_than(kernel, &e->kernel);
	e->kernel = *kernel;
	if (!more.packets)
		return 0;
	sum(&e->sum, &more);
	add_proto(t, key->proto, &more);
	return 0;
}

int pk_agg_table_forget(struct pk_agg_table *t, const struct pk_agg_key *key,
			const struct pk_agg *last)
{
	int r = pk_agg_table_see(t, key, last);

	if (r == 0)
		find(t, key)->kernel = (struct pk_agg){ 0 };
	return r;
}

bool pk_agg_table_may_forget(const struct pk_agg_table *t)
{
	return t->used + t->kernel_max <= t->max;
}

void pk_agg_table_total(const struct pk_agg_table *t, struct pk_agg *ret_sum)
{
	*ret_sum = t->total;
}

const struct pk_agg *pk_agg_table_proto(const struct pk_agg_table *t, unsigned proto)
{
	return &t->proto[proto < PROTOS ? proto : PROTOS - 1];
}

size_t pk_agg_table_top(const struct pk_agg_table *t, struct pk_agg_entry *ret, size_t n)
{
	size_t have = 0;

	for (size_t i = 0; i <= t->mask && n; i++) {
		const struct pk_agg_entry *e = &t->e[i];
		size_t at = have < n ? have : n - 1;

		if (!e->sum.packets || (have == n && e->sum.packets <= ret[n - 1].sum.packets))
			continue;
		for (; at > 0 && ret[at - 1].sum.packets < e->sum.packets; at--)
			ret[at] = ret[at - 1];
		ret[at] = *e;
		have += have < n;
	}
	return have;
}

void pk_agg_table_counts(const struct pk_agg_table *t, struct pk_table_use_count *ret_use)
{
	*ret_use = (struct pk_table_use_count){ .used = t->used,
						.max = t->max,
						.refused = t->refused };
}
