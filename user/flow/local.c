/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the set of own addresses. It asks nobody: the broker's messages fill it. Open addressing
 * with reference counts, because one address may sit on two interfaces of a namespace.
 */
#include "flow/local.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/ip.h"

#include <string.h>

struct own {
	uint64_t netns;
	uint8_t addr[16];
	uint32_t refs;
	bool taken; /* stays true when refs fall to 0: a tombstone that may be used again */
};

struct pk_local {
	struct own *own;
	size_t mask, used, max;
	bool trust_hooks;
	struct pk_hash_key key;
};

struct pk_local *pk_local_new(size_t max, bool trust_hooks)
{
	struct pk_local *l = calloc(1, sizeof(*l));
	size_t n = 64;

	if (!l)
		return NULL;
	while (n < max * 2)
		n *= 2;
	l->own = calloc(n, sizeof(*l->own));
	l->mask = n - 1;
	l->max = max;
	l->trust_hooks = trust_hooks;
	pk_hash_key_init(&l->key);
	if (l->own)
		return l;
	free(l);
	return NULL;
}

void pk_local_free(struct pk_local *l)
{
	if (!l)
		return;
	free(l->own);
	free(l);
}

/* The entry of this address, or the free place where it would go; NULL: neither. */
static struct own *find(const struct pk_local *l, uint64_t netns, const uint8_t addr[16])
{
	struct own *place = NULL;
	uint64_t w[3];
	size_t at;

	memcpy(w, addr, 16);
	w[2] = netns;
	at = pk_hash_words(&l->key, w, PK_ARRAY_SIZE(w)) & l->mask;
	for (size_t i = 0; i <= l->mask; i++, at = (at + 1) & l->mask) {
		struct own *o = &l->own[at];

		if (!o->taken)
			return place ? place : o;
		if (o->netns == netns && memcmp(o->addr, addr, 16) == 0)
			return o;
		if (!o->refs && !place)
			place = o;
	}
	return place;
}

static void add_one(struct pk_local *l, uint64_t netns, const uint8_t addr[16])
{
	struct own *o = find(l, netns, addr);

	if (!o)
		return;
	if (!o->refs) {
		if (l->used >= l->max)
			return;
		l->used++;
		*o = (struct own){ .netns = netns, .taken = true };
		memcpy(o->addr, addr, 16);
	}
	o->refs++;
}

static void remove_one(struct pk_local *l, uint64_t netns, const uint8_t addr[16])
{
	struct own *o = find(l, netns, addr);

	if (!o || !o->refs)
		return;
	if (--o->refs == 0)
		l->used--;
}

/* The directed broadcast address of an IPv4 network; false where there is none (/31, /32, v6). */
static bool broadcast_of(const uint8_t addr[16], unsigned bits, uint8_t ret[16])
{
	if (!pk_ip_is_v4(addr) || bits < 97 || bits > 126)
		return false;
	memcpy(ret, addr, 16);
	for (unsigned b = bits; b < 128; b++)
		ret[b / 8] |= 0x80 >> b % 8;
	return true;
}

void pk_local_add(struct pk_local *l, uint64_t netns, const uint8_t addr[16], unsigned bits)
{
	uint8_t all[16];

	add_one(l, netns, addr);
	if (broadcast_of(addr, bits, all))
		add_one(l, netns, all);
}

void pk_local_remove(struct pk_local *l, uint64_t netns, const uint8_t addr[16], unsigned bits)
{
	uint8_t all[16];

	remove_one(l, netns, addr);
	if (broadcast_of(addr, bits, all))
		remove_one(l, netns, all);
}

static bool is_loopback(const uint8_t addr[16])
{
	static const uint8_t one[16] = { [15] = 1 };

	return memcmp(addr, one, 16) == 0 || (pk_ip_is_v4(addr) && addr[12] == 127);
}

bool pk_local_has(const struct pk_local *l, uint64_t netns, const uint8_t addr[16])
{
	const struct own *o = find(l, netns, addr);

	return (o && o->refs && o->netns == netns && memcmp(o->addr, addr, 16) == 0);
}

bool pk_local_is_end(const struct pk_local *l, const struct pk_flow *f, unsigned joined, unsigned d)
{
	const struct pk_owner *own = &f->own[d];

	if (!(joined >> d & 1) && (own->cookie || own->user.tgid || own->flags))
		return true;
	if (is_loopback(f->key.addr[d]))
		return true;
	return pk_local_has(l, f->key.netns, f->key.addr[d]);
}

static bool is_group(const uint8_t addr[16])
{
	static const uint8_t all[4] = { 255, 255, 255, 255 };

	if (pk_ip_is_v4(addr))
		return (addr[12] & 0xf0) == 0xe0 || memcmp(addr + 12, all, 4) == 0;
	return addr[0] == 0xff;
}

enum pk_direction pk_local_direction(const struct pk_local *l, const struct pk_flow *f,
				     unsigned joined)
{
	unsigned from = f->meta.initiator & 1, to = !from;
	bool src = pk_local_is_end(l, f, joined, from), dst = pk_local_is_end(l, f, joined, to);

	if (src && dst)
		return PK_DIR_LOCAL;
	if (src)
		return PK_DIR_OUT;
	if (dst)
		return PK_DIR_IN;
	if (l->used && f->dir[from].where == PK_AT_INGRESS && is_group(f->key.addr[to]))
		return PK_DIR_IN;
	if (l->used)
		return PK_DIR_FORWARD;
	if (!l->trust_hooks)
		return PK_DIR_UNKNOWN;
	return f->dir[from].where == PK_AT_EGRESS    ? PK_DIR_OUT
	       : f->dir[from].where == PK_AT_INGRESS ? PK_DIR_IN
						     : PK_DIR_UNKNOWN;
}

const char *pk_direction_name(enum pk_direction d)
{
	static const char *const name[] = { "unknown", "in", "out", "forward", "local" };

	return (unsigned)d < PK_ARRAY_SIZE(name) ? name[d] : "unknown";
}
