/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hits of plain rules, added up by CPU before they go to the rules' own lines, to their lists and
 * to the hook. With a million entries each of these lines is in no cache: a packet that waits for
 * one takes longer than all else that is done for it. Here it waits for none, and when many are
 * written together the reads of their lines overlap. A packet from one of few writes to one line of
 * memory alone. What is pending of a line and what its rule tells make up the whole.
 */
#ifndef PICKET_TALLY_H
#define PICKET_TALLY_H

#include "block.h"

#define PK_NEWS_NS 1000000000ull /* for packets a rule is reported at most this often */

/* It is time to tell of a rule again. */
static __always_inline bool pk_rule_is_due(__u64 last, __u64 now)
{
	return !last || now - last >= PK_NEWS_NS;
}

/* Writes what is pending to its rules, lists and hook. Only while busy. Always 0. */
int pk_tally_flush(struct pk_blk_tally *t);

static __always_inline __u32 pk_tally_hash(__u32 line)
{
	return line * 0x9e3779b1u >> 22;
}
PK_ASSERT(PK_BLK_TALLY_AT == 1u << 10, "bits of the hash");

static __always_inline struct pk_blk_tally *pk_tally(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pk_blk_tally, &zero);
}

/* One hit more of a line that is pending, and not due to be told of. */
static __always_inline bool pk_tally_add(struct pk_blk_tally *t, const struct pk_blk_pending *hit)
{
	__u32 i = t->at[pk_tally_hash(hit->line)];
	struct pk_blk_pending *p = &t->v[i & (PK_BLK_TALLY - 1)];

	if (i >= t->n || p->line != hit->line || pk_rule_is_due(p->last_ns, hit->last_ns))
		return false;
	p->packets++;
	p->bytes += hit->bytes;
	p->last_ns = hit->last_ns;
	p->peer[0] = hit->peer[0];
	p->peer[1] = hit->peer[1];
	return true;
}

/* Room for this line, which is not pending afterwards. */
static __always_inline void pk_tally_make_room(struct pk_blk_tally *t, __u32 line)
{
	__u32 hash = pk_tally_hash(line), i = t->at[hash];

	if (t->n >= PK_BLK_TALLY ||
	    (i < t->n && pk_tally_hash(t->v[i & (PK_BLK_TALLY - 1)].line) == hash))
		(void)pk_tally_flush(t);
}

/* The first hit of a line, after pk_tally_make_room(). */
static __always_inline void pk_tally_put(struct pk_blk_tally *t, const struct pk_blk_pending *hit)
{
	__u32 n = t->n & (PK_BLK_TALLY - 1);

	t->at[pk_tally_hash(hit->line)] = n;
	t->v[n] = *hit;
	t->n = n + 1;
}

/* A rule decided about that many packets. The last address may be torn when two processors write at
 * once: both halves are then of addresses that were dropped. */
static __always_inline void pk_rule_count(struct pk_blk_rule *r, const __u64 remote[2],
					  __u32 packets, __u64 bytes, __u64 now)
{
	__sync_fetch_and_add(&r->packets, packets);
	__sync_fetch_and_add(&r->bytes, bytes);
	if (r->last_ns < now)
		r->last_ns = now;
	((volatile __u64 *)r->peer)[0] = remote[0];
	((volatile __u64 *)r->peer)[1] = remote[1];
}

#endif
