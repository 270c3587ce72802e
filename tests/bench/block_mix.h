/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list like the feeds that people load, made from a seed: the same for every program that asks.
 *
 * IPv4: 85 % single addresses, 10 % /24, 5 % from /16 to /31 (one in 16 of them shorter than /20);
 * anywhere in unicast space but private, loopback, link-local and documentation ranges. The feeds
 * at hand hold 96 % single addresses, 2 % /24, 1.6 % from /12 to /23: this mix is the harder one.
 * IPv6: 50 % /64, 30 % single addresses, 15 % /48, 5 % from /29 to /63, within 32,768 networks of
 * /32: addresses share long beginnings, as those in use do.
 *
 * Misses are drawn from the same space, outside of all entries: for IPv6 from the same networks.
 */
#pragma once

#include "block.h"

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#define MIX_SEED  0x9e3779b97f4a7c15ull
#define MIX_SITES 32768u

/* Left-aligned, host order: IPv4 in the upper half of hi. bits: of its family. */
struct mix_entry {
	uint64_t hi, lo;
	uint32_t bits;
};

struct mix_range {
	uint64_t hi, lo, last_hi, last_lo;
};

struct mix {
	bool v6;
	size_t n, n_ranges;
	struct mix_entry *v;
	struct mix_range *range; /* what they cover, without overlap */
	uint64_t state;
};

static inline uint64_t mix_draw(struct mix *m)
{
	m->state ^= m->state << 13;
	m->state ^= m->state >> 7;
	return m->state ^= m->state << 17;
}

static inline uint64_t mix_hash(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static inline bool mix_is_unicast4(uint32_t a)
{
	uint32_t top = a >> 24, two = a >> 16;

	if (top == 0 || top == 10 || top == 127 || top >= 224)
		return false;
	return two != 0xa9fe && two != 0xc0a8 && a >> 20 != 0xac1 && a >> 22 != 0x191 &&
	       two != 0xc000 && a >> 17 != 0x6309 && two != 0xc633 && two != 0xcb00;
}

static inline void mix_addr(struct mix *m, uint64_t *hi, uint64_t *lo)
{
	uint64_t x;

	if (m->v6) {
		x = mix_hash(MIX_SEED + mix_draw(m) % MIX_SITES);
		*hi = 2ull << 60 | (x >> 36 & 0xfffffffull) << 32 |
		      (mix_draw(m) >> 16 & 0xffffffff);
		*lo = mix_draw(m);
		return;
	}
	do
		x = mix_draw(m) >> 16 & 0xffffffff;
	while (!mix_is_unicast4((uint32_t)x));
	*hi = x << 32;
	*lo = 0;
}

static inline uint32_t mix_bits(struct mix *m, size_t i)
{
	size_t part = (i + 12) % 20;

	if (!m->v6) {
		if (part < 17)
			return 32;
		if (part < 19)
			return 24;
		return (uint32_t)(mix_draw(m) >> 20 & 15 ? 20 + mix_draw(m) % 12
							 : 16 + mix_draw(m) % 4);
	}
	if (part < 6)
		return 128;
	if (part < 16)
		return 64;
	return part < 19 ? 48 : (uint32_t)(29 + mix_draw(m) % 35);
}

static inline uint64_t mix_mask(uint32_t bits) /* of a 64-bit word */
{
	return bits ? ~0ull << (64 - (bits < 64 ? bits : 64)) : 0;
}

static inline int mix_compare(const void *a, const void *b)
{
	const struct mix_entry *x = a, *y = b;

	if (x->hi != y->hi)
		return x->hi < y->hi ? -1 : 1;
	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return x->bits < y->bits ? -1 : x->bits > y->bits;
}

static inline bool mix_less(uint64_t hi, uint64_t lo, uint64_t than_hi, uint64_t than_lo)
{
	return hi != than_hi ? hi < than_hi : lo < than_lo;
}

static inline void mix_cover(struct mix *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct mix_entry *e = &m->v[i];
		struct mix_range *r = m->n_ranges ? &m->range[m->n_ranges - 1] : NULL;

		if (r && !mix_less(r->last_hi, r->last_lo, e->hi, e->lo))
			continue; /* prefixes are nested or apart */
		m->range[m->n_ranges++] =
			(struct mix_range){ e->hi, e->lo, e->hi | ~mix_mask(e->bits),
					    e->lo | ~mix_mask(e->bits > 64 ? e->bits - 64 : 0) };
	}
}

static inline void mix_make(struct mix *m, size_t n, bool v6)
{
	size_t more = n + n / 10 + 16, kept = 0;

	*m = (struct mix){ .v6 = v6, .state = MIX_SEED ^ n << 1 ^ v6 };
	m->v = calloc(more, sizeof(*m->v));
	m->range = calloc(more, sizeof(*m->range));
	if (!m->v || !m->range)
		abort();
	for (size_t i = 0; i < more; i++) {
		struct mix_entry *e = &m->v[i];

		e->bits = mix_bits(m, i);
		mix_addr(m, &e->hi, &e->lo);
		e->hi &= mix_mask(e->bits);
		e->lo &= mix_mask(e->bits > 64 ? e->bits - 64 : 0);
	}
	qsort(m->v, more, sizeof(*m->v), mix_compare);
	for (size_t i = 0; i < more; i++)
		if (!kept || mix_compare(&m->v[i], &m->v[kept - 1]) != 0)
			m->v[kept++] = m->v[i];
	if (kept < n)
		abort();
	for (size_t i = 0; i < n; i++) /* evenly out of those that are left */
		m->v[i] = m->v[i * kept / n];
	m->n = n;
	mix_cover(m);
}

static inline void mix_free(struct mix *m)
{
	free(m->v);
	free(m->range);
}

static inline bool mix_is_covered(const struct mix *m, uint64_t hi, uint64_t lo)
{
	size_t from = 0, to = m->n_ranges;

	while (from < to) {
		size_t mid = (from + to) / 2;
		const struct mix_range *r = &m->range[mid];

		if (mix_less(hi, lo, r->hi, r->lo))
			to = mid;
		else if (mix_less(r->last_hi, r->last_lo, hi, lo))
			from = mid + 1;
		else
			return true;
	}
	return false;
}

/* On the wire. */
static inline struct bb_addr mix_wire(const struct mix *m, uint64_t hi, uint64_t lo)
{
	if (m->v6)
		return (struct bb_addr){ { htobe64(hi), htobe64(lo) } };
	return (struct bb_addr){ { 0, htobe64(0xffffull << 32 | hi >> 32) } };
}

static inline struct bb_addr mix_hit(struct mix *m)
{
	const struct mix_entry *e = &m->v[mix_draw(m) % m->n];
	uint64_t hi = e->hi | (mix_draw(m) & ~mix_mask(e->bits));
	uint64_t lo = e->lo | (mix_draw(m) & ~mix_mask(e->bits > 64 ? e->bits - 64 : 0));

	return mix_wire(m, hi, lo);
}

static inline struct bb_addr mix_miss(struct mix *m)
{
	uint64_t hi, lo;

	do
		mix_addr(m, &hi, &lo);
	while (mix_is_covered(m, hi, lo));
	return mix_wire(m, hi, lo);
}

/* "192.0.2.0/24"; a single address without its length. */
static inline void mix_text(const struct mix *m, const struct mix_entry *e, char *s, size_t size)
{
	struct bb_addr a = mix_wire(m, e->hi, e->lo);
	char addr[INET6_ADDRSTRLEN];
	uint32_t whole = m->v6 ? 128 : 32;

	inet_ntop(m->v6 ? AF_INET6 : AF_INET, (uint8_t *)&a + (m->v6 ? 0 : 12), addr, sizeof(addr));
	if (e->bits == whole)
		snprintf(s, size, "%s", addr);
	else
		snprintf(s, size, "%s/%u", addr, e->bits);
}
