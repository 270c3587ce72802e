/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the list of prefixes; the kernel's set and bits follow it. A bit is set before the prefix
 * is there, and cleared after it went, so that no packet is dropped in between.
 */
#include "probe/safeset.h"

#include "base/ip.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define V4_BITS 96 /* of the 16-byte form, before IPv4's own */

static uint64_t be64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static void set_bit(__u64 map[64], uint32_t i)
{
	map[i >> 6] |= 1ULL << (i & 63);
}

/* As pk_blk_is_safe() looks for them. */
static void set_bits(struct pk_blk_safe_map *m, const struct pk_blk_safe_key *k)
{
	static const uint8_t v4[16] = { [10] = 0xff, [11] = 0xff };
	uint32_t first, n;

	if (k->bits >= V4_BITS && pk_ip_is_v4(k->addr)) {
		n = k->bits - V4_BITS < 12 ? 1u << (12 - (k->bits - V4_BITS)) : 1;
		first = (uint32_t)(be64(k->addr + 8) >> 20) & 0xfff;
		for (uint32_t i = 0; i < n; i++)
			set_bit(m->v4, (first + i) & 0xfff);
		return;
	}
	if (k->bits >= 28)
		set_bit(m->v6, pk_blk_safe_group(be64(k->addr)));
	else
		memset(m->v6, 0xff, sizeof(m->v6));
	if (pk_ip_in(v4, k->addr, k->bits)) /* so short that IPv4 is within */
		memset(m->v4, 0xff, sizeof(m->v4));
}

static int write_map(struct pk_safeset *s, const struct pk_blk_safe_map *m)
{
	uint32_t zero = 0;
	int r;

	if (!memcmp(m, &s->map, sizeof(*m)))
		return 0;
	r = bpf_map_update_elem(s->map_fd, &zero, m, BPF_ANY);
	if (!r)
		s->map = *m;
	return r;
}

static void clear_bits(struct pk_safeset *s)
{
	struct pk_blk_safe_map m = {};

	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].in_kernel)
			set_bits(&m, &s->v[i].key);
	(void)write_map(s, &m); /* a bit too many only costs time */
}

static bool covers(const struct pk_blk_safe_key *a, const struct pk_blk_safe_key *b)
{
	return a->bits <= b->bits && pk_ip_in(b->addr, a->addr, a->bits);
}

static uint32_t kinds_of(const struct pk_safe_prefix *p)
{
	uint32_t kinds = 0;

	for (int i = 0; i < PK_SAFE_KINDS; i++)
		kinds |= p->refs[i] ? 1u << i : 0;
	return kinds;
}

static uint32_t kinds_for(const struct pk_safeset *s, const struct pk_blk_safe_key *key)
{
	uint32_t kinds = 0;

	for (size_t i = 0; i < s->n; i++)
		if (covers(&s->v[i].key, key))
			kinds |= kinds_of(&s->v[i]);
	return kinds;
}

static void put_kernel(struct pk_safeset *s, struct pk_safe_prefix *p)
{
	struct pk_blk_safe value = { .kinds = p->kinds };
	struct pk_blk_safe_map m = s->map;

	set_bits(&m, &p->key);
	s->missing -= p->shown && !p->in_kernel;
	p->in_kernel =
		!write_map(s, &m) && !bpf_map_update_elem(s->set_fd, &p->key, &value, BPF_ANY);
	s->missing += !p->in_kernel;
}

/* One prefix as it must be now. */
static void settle(struct pk_safeset *s, struct pk_safe_prefix *p)
{
	uint32_t all = kinds_for(s, &p->key), kinds = all;
	/* An exception from nothing needs no place. */
	bool show = kinds_of(p) || (p->except && all);

	if (p->except)
		kinds &= PK_BLK_SAFE_OWN | PK_BLK_SAFE_PROTOCOL;
	if (show && (!p->shown || p->kinds != kinds)) {
		p->kinds = kinds;
		put_kernel(s, p);
		p->shown = true;
		s->tell(s->arg, &p->key, kinds, false);
	} else if (!show && p->shown) {
		if (p->in_kernel)
			(void)bpf_map_delete_elem(s->set_fd, &p->key);
		else
			s->missing--;
		p->in_kernel = p->shown = false;
		clear_bits(s);
		s->tell(s->arg, &p->key, p->kinds, true);
	}
}

/* A prefix changed: those within it, too. Whatever has no reason left goes. */
static void changed(struct pk_safeset *s, struct pk_blk_safe_key key)
{
	for (size_t i = 0; i < s->n; i++)
		if (covers(&key, &s->v[i].key))
			settle(s, &s->v[i]);
	for (size_t i = s->n; i-- > 0;)
		if (!s->v[i].shown && !s->v[i].except && !kinds_of(&s->v[i]))
			s->v[i] = s->v[--s->n];
}

static bool is_same(const struct pk_blk_safe_key *a, const struct pk_blk_safe_key *b)
{
	return a->bits == b->bits && !memcmp(a->addr, b->addr, 16);
}

static struct pk_safe_prefix *find(const struct pk_safeset *s, const struct pk_blk_safe_key *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (is_same(&s->v[i].key, key))
			return &s->v[i];
	return NULL;
}

static struct pk_safe_prefix *find_or_add(struct pk_safeset *s, const struct pk_blk_safe_key *key)
{
	struct pk_safe_prefix *p = find(s, key);

	if (p)
		return p;
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;

		p = reallocarray(s->v, cap, sizeof(*p));
		if (!p)
			return NULL;
		s->v = p;
		s->cap = cap;
	}
	p = &s->v[s->n++];
	*p = (struct pk_safe_prefix){ .key = *key };
	return p;
}

static int bit_of(uint32_t kind)
{
	return __builtin_ctz(kind);
}

int pk_safeset_add(struct pk_safeset *s, const struct pk_blk_safe_key *key, uint32_t kind)
{
	struct pk_safe_prefix *p = find_or_add(s, key);

	if (!p)
		return -ENOMEM;
	if (!p->refs[bit_of(kind)]++)
		changed(s, *key);
	return 0;
}

void pk_safeset_remove(struct pk_safeset *s, const struct pk_blk_safe_key *key, uint32_t kind)
{
	struct pk_safe_prefix *p = find(s, key);

	if (p && p->refs[bit_of(kind)] && !--p->refs[bit_of(kind)])
		changed(s, *key);
}

static bool is_loopback(const uint8_t addr[16])
{
	static const uint8_t one[16] = { [15] = 1 };

	return !memcmp(addr, one, 16) || (pk_ip_is_v4(addr) && addr[12] == 127);
}

int pk_safeset_except(struct pk_safeset *s, const uint8_t addr[16], bool on)
{
	struct pk_blk_safe_key key = { .bits = 128 };
	struct pk_safe_prefix *p;

	memcpy(key.addr, addr, 16);
	if (on && (is_loopback(addr) || kinds_for(s, &key) & PK_BLK_SAFE_OWN))
		return -EPERM;
	p = on ? find_or_add(s, &key) : find(s, &key);
	if (!p)
		return on ? -ENOMEM : 0;
	p->except = on;
	changed(s, key);
	return 0;
}

void pk_safeset_retry(struct pk_safeset *s)
{
	for (size_t i = 0; s->missing && i < s->n; i++) {
		struct pk_safe_prefix *p = &s->v[i];

		if (!p->shown || p->in_kernel)
			continue;
		put_kernel(s, p);
		if (!p->in_kernel) {
			clear_bits(s);
			return; /* still no room */
		}
	}
}

void pk_safeset_tell(const struct pk_safeset *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].shown)
			s->tell(s->arg, &s->v[i].key, s->v[i].kinds, false);
}

void pk_safeset_done(struct pk_safeset *s)
{
	free(s->v);
	s->v = NULL;
	s->n = s->cap = 0;
}
