/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorted entries, each with the index of the one that covers it: an address is looked up by one
 * binary search, and what else speaks about it is on the way up.
 */
#include "api/against.h"

#include "base/ip.h"
#include "block/domain.h"
#include "block/format.h"

#include <stdlib.h>
#include <string.h>

struct pk_against {
	const struct pk_block_entry *v;
	size_t n;
	const struct pk_block_texts *texts;
	int32_t *
		parent; /* the entry before it of the same or a shorter prefix that covers it; -1 */
};

static bool covers(const struct pk_block_entry *a, const struct pk_block_entry *b)
{
	return a->v4 == b->v4 && a->bits <= b->bits && pk_ip_in(b->prefix, a->prefix, a->bits);
}

struct pk_against *pk_against_new(const struct pk_block_entry *v, size_t n,
				  const struct pk_block_texts *texts)
{
	struct pk_against *a = n < INT32_MAX ? calloc(1, sizeof(*a)) : NULL;

	if (!a)
		return NULL;
	*a = (struct pk_against){ .v = v, .n = n, .texts = texts };
	a->parent = calloc(n ? n : 1, sizeof(*a->parent));
	if (!a->parent) {
		free(a);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		int32_t up = (int32_t)i - 1;

		while (up >= 0 && !covers(&v[up], &v[i]))
			up = a->parent[up];
		a->parent[i] = up;
	}
	return a;
}

void pk_against_free(struct pk_against *a)
{
	if (!a)
		return;
	free(a->parent);
	free(a);
}

/* The last entry that does not come after the address. */
static int64_t last_before(const struct pk_against *a, const struct pk_block_entry *host)
{
	size_t lo = 0, hi = a->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct pk_block_entry *e = &a->v[mid];
		int c = (int)host->v4 - (int)e->v4; /* IPv4 first */

		if (!c)
			c = memcmp(e->prefix, host->prefix, sizeof(e->prefix));
		if (c <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (int64_t)lo - 1;
}

static bool is_met(const struct pk_against *a, const struct pk_block_entry *e,
		   const struct pk_against_query *q)
{
	return (e->dir & q->dir) && (!e->proto || e->proto == q->proto) &&
	       ((!e->port_lo && !e->port_hi) || (q->port >= e->port_lo && q->port <= e->port_hi)) &&
	       (!e->iface ||
		(q->iface && strcmp(q->iface, pk_block_text_at(a->texts, e->iface)) == 0));
}

int64_t pk_against_find(const struct pk_against *a, const struct pk_against_query *q)
{
	struct pk_block_entry host = { .bits = 128, .v4 = pk_ip_is_v4(q->addr) };
	int64_t at;

	memcpy(host.prefix, q->addr, sizeof(host.prefix));
	at = last_before(a, &host);
	while (at >= 0 && (!covers(&a->v[at], &host) || !is_met(a, &a->v[at], q)))
		at = a->parent[at];
	return at;
}

static int64_t find_name(const struct pk_list_data *d, const char *name)
{
	size_t lo = 0, hi = d->n_names;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(name, pk_block_text_at(&d->texts, d->names[mid].text));

		if (!c)
			return (int64_t)mid;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return -1;
}

int64_t pk_against_name(const struct pk_list_data *d, const char *name)
{
	struct pk_domain_suffix above[PK_DOMAIN_LABELS];
	char text[PK_DOMAIN_MAX];
	const char *why;
	int64_t at = -1;
	size_t n;

	if (!d->n_names || pk_domain_normalise(name, strcspn(name, ":"), text, &why) < 0)
		return -1;
	n = pk_domain_suffixes(text, strlen(text), above);
	for (size_t i = 0; i < n && at < 0; i++)
		at = find_name(d, text + above[i].at);
	return at;
}
