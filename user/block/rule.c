/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries as rules of the kernel: what they are made of, when they end by the kernel's clock, and
 * the memory that must be there before.
 */
#include "block/lists.h"

#include <errno.h>
#include <string.h>

#define NO_IFINDEX UINT32_MAX /* of an interface that is not there: nothing comes through it */
#define RESERVE    (PK_BLK_CHUNK_ROOM / 2)
#define TABLE_ASKS 3 /* chunks that came and were used for rules instead */

uint64_t pk_rule_boot_ns(const struct pk_block *b, int64_t wall_ms)
{
	int64_t ns;

	if (!wall_ms)
		return 0;
	if (__builtin_mul_overflow(wall_ms, (int64_t)1000000, &ns) ||
	    __builtin_sub_overflow(ns, b->offset_ns, &ns))
		return 0; /* after centuries */
	return ns > 0 ? (uint64_t)ns : 1;
}

void pk_rule_cond(struct pk_block *b, const struct pk_block_entry *e, struct pk_blk_cond *ret)
{
	*ret = (struct pk_blk_cond){
		.expires_ns = pk_rule_boot_ns(b, e->expires_ms),
		.port_lo = e->port_lo,
		.port_hi = e->port_hi,
		.proto = e->proto,
		.dir = e->dir,
	};
	if (!e->iface)
		return;
	ret->ifindex = b->ops.ifindex(b->ops.arg, pk_iface_name(b, e));
	if (!ret->ifindex)
		ret->ifindex = NO_IFINDEX;
}

void pk_rule_have(struct pk_block *b, uint32_t bits, bool on)
{
	uint32_t have = b->ctl->have;

	have = on ? have | bits : have & ~bits;
	if (have == b->ctl->have)
		return;
	__atomic_store_n(&b->ctl->have, have, __ATOMIC_RELEASE);
	pk_trie_changed(b->ctl);
}

/*
 * Of a short prefix many slots are written, one by one: who is killed among them leaves a rule that
 * some addresses have and others do not. So it is seen only while it is whole.
 */
int pk_rule_add(struct pk_block *b, const struct pk_block_list *l, const struct pk_block_entry *e,
		uint8_t flags, uint32_t *ret_line)
{
	struct pk_trie_rule rule = { .bits = e->bits,
				     .v4 = e->v4,
				     .list = (uint16_t)l->index,
				     .has_cond = pk_block_entry_has_cond(e) };
	int r;

	memcpy(rule.prefix, e->prefix, sizeof(rule.prefix));
	if (rule.has_cond)
		pk_rule_cond(b, e, &rule.cond);
	if (!b->family[!e->v4])
		pk_rule_have(b, e->v4 ? PK_BLK_HAVE_V4 : PK_BLK_HAVE_V6, true);
	r = pk_trie_add(b->trie, &rule, ret_line);
	if (r == 0) {
		pk_trie_set_flags(b->trie, *ret_line, flags);
		b->family[!e->v4]++;
	} else if (!b->family[!e->v4]) {
		pk_rule_have(b, e->v4 ? PK_BLK_HAVE_V4 : PK_BLK_HAVE_V6, false);
	}
	return r;
}

void pk_rule_remove(struct pk_block *b, uint32_t line)
{
	const struct pk_blk_rule *rule = pk_trie_rule(b->trie, line);
	bool v4 = pk_guard_is_v4(rule->prefix, rule->bits);

	pk_trie_set_flags(b->trie, line, 0);
	pk_trie_remove(b->trie, line);
	if (b->family[!v4] && !--b->family[!v4])
		pk_rule_have(b, v4 ? PK_BLK_HAVE_V4 : PK_BLK_HAVE_V6, false);
}

void pk_rule_set_expiry(struct pk_block *b, uint32_t line, int64_t expires_ms)
{
	struct pk_blk_cond *c = pk_trie_cond(b->trie, line);

	if (c)
		__atomic_store_n(&c->expires_ns, pk_rule_boot_ns(b, expires_ms), __ATOMIC_RELAXED);
}

void pk_rule_extend(struct pk_block *b, uint32_t line, int64_t expires_ms)
{
	struct pk_blk_cond *c = pk_trie_cond(b->trie, line);
	uint64_t ns = pk_rule_boot_ns(b, expires_ms);

	if (c && c->expires_ns && (!ns || ns > c->expires_ns))
		__atomic_store_n(&c->expires_ns, ns, __ATOMIC_RELAXED);
}

/* The packets still add to both, atomically; from is not decided by any more. */
void pk_rule_carry(struct pk_block *b, uint32_t from, uint32_t to)
{
	const struct pk_blk_rule *a = pk_trie_rule(b->trie, from);
	struct pk_blk_rule *z = pk_trie_rule(b->trie, to);

	if (!a->packets)
		return;
	(void)__atomic_fetch_add(&z->packets, a->packets, __ATOMIC_RELAXED);
	(void)__atomic_fetch_add(&z->bytes, a->bytes, __ATOMIC_RELAXED);
	if (z->last_ns >= a->last_ns)
		return;
	z->last_ns = a->last_ns;
	memcpy(z->peer, a->peer, sizeof(z->peer));
}

int pk_rule_grow(struct pk_block *b, uint64_t lines)
{
	uint64_t chunks = (lines + PK_BLK_CHUNK_ROOM - 1) / PK_BLK_CHUNK_ROOM;
	int r;

	if (b->growing)
		return 0; /* they are on their way */
	if (chunks > PK_BLK_CHUNKS_MAX)
		return -ENOSPC;
	b->grow_error = 0;
	r = b->ops.grow(b->ops.arg, (uint32_t)chunks);
	if (r < 0) {
		b->grow_error = r;
		return r;
	}
	b->growing += (uint32_t)chunks;
	return 0;
}

void pk_rule_reserve(struct pk_block *b)
{
	uint32_t want;

	if (!b->started || b->growing)
		return;
	want = pk_trie_want(b->trie);
	if (!want)
		b->table_asks = 0;
	if (b->grow_error)
		return; /* said by whoever needs it and finds none */
	if (want && b->table_asks++ < TABLE_ASKS)
		(void)pk_rule_grow(b, (uint64_t)want * PK_BLK_CHUNK_ROOM);
	else if (pk_trie_free_lines(b->trie) < RESERVE)
		(void)pk_rule_grow(b, 1);
}
