/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the copy of the kernel's safe set and the rules of what is refused. A load of a million
 * entries walks both in order, once.
 */
#include "block/guard.h"

#include "base/buf.h"
#include "base/ip.h"
#include "block/lists.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HALF_OF_IPV4 (1ull << 31)

void pk_guard_done(struct pk_guard *g)
{
	free(g->v);
	free(g->range[0]);
	free(g->range[1]);
	*g = (struct pk_guard){ 0 };
}

static pk_u128 number(const uint8_t a[16])
{
	pk_u128 n = 0;

	for (int i = 0; i < 16; i++)
		n = n << 8 | a[i];
	return n;
}

struct pk_guard_range pk_guard_range_of(const uint8_t prefix[16], unsigned bits)
{
	pk_u128 host = bits >= 128 ? 0 : ~(pk_u128)0 >> bits, lo = number(prefix) & ~host;

	return (struct pk_guard_range){ .lo = lo, .hi = lo | host };
}

bool pk_guard_is_v4(const uint8_t prefix[16], unsigned bits)
{
	return bits >= 96 && pk_ip_is_v4(prefix);
}

static int compare_key(const struct pk_blk_safe_key *a, const struct pk_blk_safe_key *b)
{
	int r = memcmp(a->addr, b->addr, sizeof(a->addr));

	return r ? r : (a->bits > b->bits) - (a->bits < b->bits);
}

int pk_guard_set(struct pk_guard *g, const struct pk_blk_safe_key *key, uint32_t kinds)
{
	size_t i = 0;
	bool same;

	if (key->bits > 128)
		return -EINVAL;
	while (i < g->n && compare_key(&g->v[i].key, key) < 0)
		i++;
	same = i < g->n && compare_key(&g->v[i].key, key) == 0;
	g->stale = true;
	if (same && kinds) {
		g->v[i].kinds = kinds;
		return 0;
	}
	if (same) {
		g->n--;
		memmove(g->v + i, g->v + i + 1, (g->n - i) * sizeof(*g->v));
	}
	if (same || !kinds)
		return 0;
	if (g->n == g->cap) {
		size_t cap = g->cap ? g->cap * 2 : 64;
		struct pk_guard_item *v = realloc(g->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		g->v = v;
		g->cap = cap;
	}
	memmove(g->v + i + 1, g->v + i, (g->n - i) * sizeof(*g->v));
	g->v[i] = (struct pk_guard_item){ .key = *key, .kinds = kinds, .is_new = true };
	g->n++;
	return 0;
}

uint32_t pk_guard_kinds(const struct pk_guard *g, const uint8_t addr[16])
{
	uint32_t kinds = 0;

	for (size_t i = 0; i < g->n; i++)
		if (pk_ip_in(addr, g->v[i].key.addr, g->v[i].key.bits))
			kinds |= g->v[i].kinds;
	return kinds;
}

const char *pk_guard_text(uint32_t kinds)
{
	static const char *const name[] = { "own address",        "default gateway",
					    "resolver",           "admin session",
					    "management network", "needed by protocols" };
	static char out[128];
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		if (kinds >> i & 1)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s", n ? ", " : "",
					      name[i]);
	return out;
}

/* What the safe set covers, merged: sorted by lo already, a shorter prefix before a longer one. */
static int make_ranges(struct pk_guard *g)
{
	if (!g->stale)
		return 0;
	for (int f = 0; f < 2; f++) {
		struct pk_guard_range *v = realloc(g->range[f], (g->n + 1) * sizeof(*v));

		if (!v)
			return -ENOMEM;
		g->range[f] = v;
		g->n_range[f] = 0;
		for (size_t i = 0; i < g->n; i++) {
			struct pk_blk_safe_key *k = &g->v[i].key;
			struct pk_guard_range r = pk_guard_range_of(k->addr, k->bits);

			if (pk_guard_is_v4(k->addr, k->bits) != !f)
				continue;
			if (g->n_range[f] && v[g->n_range[f] - 1].hi >= r.lo)
				continue; /* prefixes nest: it is inside */
			v[g->n_range[f]++] = r;
		}
	}
	g->stale = false;
	return 0;
}

int pk_guard_begin(struct pk_guard_walk *w, struct pk_guard *g, const struct pk_block_ask *ask,
		   struct pk_block_done *done)
{
	*w = (struct pk_guard_walk){ .g = g, .ask = ask, .done = done };
	return make_ranges(g);
}

void pk_guard_refuse(struct pk_block_done *d, const struct pk_block_entry *e, const char *covers,
		     const char *fmt, ...)
{
	struct pk_block_refusal *r;
	va_list ap;

	d->refused_total++;
	if (d->n_refused == PK_BLOCK_REFUSALS)
		return;
	if (!d->refused)
		d->refused = calloc(PK_BLOCK_REFUSALS, sizeof(*d->refused));
	if (!d->refused)
		return; /* it is counted all the same */
	r = &d->refused[d->n_refused++];
	if (e)
		pk_entry_text(e, r->prefix);
	(void)snprintf(r->covers, sizeof(r->covers), "%s", covers);
	va_start(ap, fmt);
	(void)vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
}

void pk_guard_refuse_name(struct pk_block_done *d, const char *name, const char *why)
{
	size_t at = d->n_refused;

	pk_guard_refuse(d, NULL, "", "%s; --wide if it is meant", why);
	if (d->n_refused > at)
		(void)snprintf(d->refused[at].prefix, sizeof(d->refused[at].prefix), "%s", name);
}

static bool is_forced(const struct pk_block_ask *ask, const uint8_t addr[16])
{
	for (size_t i = 0; i < ask->n_force; i++)
		if (memcmp(ask->force[i], addr, 16) == 0)
			return true;
	return false;
}

/* The entry touches the safe set: is each address that it covers one that may be covered? */
static bool refuse_covering(struct pk_guard_walk *w, const struct pk_block_entry *e)
{
	char covers[56], addr[PK_IP_TEXT];

	for (size_t i = 0; i < w->g->n; i++) {
		const struct pk_guard_item *s = &w->g->v[i];
		struct pk_block_entry k = { .bits = (uint8_t)s->key.bits };

		k.v4 = pk_guard_is_v4(s->key.addr, s->key.bits);
		memcpy(k.prefix, s->key.addr, 16);
		if (k.v4 != e->v4)
			continue;
		if (e->bits > k.bits && pk_ip_in(e->prefix, k.prefix, k.bits)) {
			memcpy(k.prefix, e->prefix, 16); /* it is inside: this much of it */
			k.bits = e->bits;
		} else if (e->bits > k.bits || !pk_ip_in(k.prefix, e->prefix, e->bits)) {
			continue;
		}
		if (is_forced(w->ask, k.prefix) && (e->bits < 128 || !(s->kinds & PK_BLK_SAFE_OWN)))
			continue;
		pk_entry_text(&k, covers);
		if (is_forced(w->ask, k.prefix)) { /* a wider one may: it blocks the rest */
			pk_guard_refuse(w->done, e, covers, "%s; packets of it are never dropped",
					pk_guard_text(s->kinds));
			return false;
		}
		pk_guard_refuse(w->done, e, covers, "%s; --force-cover %s if it is meant",
				pk_guard_text(s->kinds), pk_ip_format(k.prefix, addr));
		return false;
	}
	return true;
}

void pk_guard_space(struct pk_guard_walk *w, const struct pk_block_entry *e)
{
	struct pk_guard_range r;

	if (!e->v4)
		return;
	r = pk_guard_range_of(e->prefix, e->bits);
	if (r.hi < w->v4_end)
		return;
	if (r.lo < w->v4_end)
		r.lo = w->v4_end;
	w->v4_space += (uint64_t)(r.hi - r.lo + 1);
	w->v4_end = r.hi + 1;
}

bool pk_guard_entry(struct pk_guard_walk *w, const struct pk_block_entry *e)
{
	struct pk_guard_range r = pk_guard_range_of(e->prefix, e->bits);
	const struct pk_guard_range *safe = w->g->range[!e->v4];
	size_t *at = &w->at[!e->v4], n = w->g->n_range[!e->v4];
	unsigned bits = e->v4 ? e->bits - 96u : e->bits, least = e->v4 ? 8 : 19;

	while (*at < n && safe[*at].hi < r.lo)
		++*at;
	if (bits < least && !w->ask->wide) {
		pk_guard_refuse(w->done, e, "", "shorter than /%u; --wide if it is meant", least);
		return false;
	}
	if (*at < n && safe[*at].lo <= r.hi && !refuse_covering(w, e))
		return false;
	pk_guard_space(w, e);
	return true;
}

bool pk_guard_end(struct pk_guard_walk *w)
{
	if (w->ask->wide || w->v4_space <= HALF_OF_IPV4)
		return true;
	pk_guard_refuse(w->done, NULL, "",
			"all entries together cover more than half of IPv4; --wide if it is meant");
	return false;
}
