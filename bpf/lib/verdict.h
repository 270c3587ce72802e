/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What block lists say about a packet or a call. The rules of all prefixes that cover the remote
 * address form a chain, the most specific first: of each list the first that fits decides; an
 * allowing list wins over blocking ones, an enforced one over one that only observes; and whatever
 * they say, an address of the safe set is not dropped.
 */
#ifndef PICKET_VERDICT_H
#define PICKET_VERDICT_H

#include "block.h"

/* Who talks to whom, and what was found so far. */
struct pk_blk_query {
	__u64 remote[2], local[2]; /* the 16-byte form */
	__u64 netns;
	__u32 ifindex;
	__be16 rport, lport;
	__u16 dport; /* of the packet, host order */
	__u16 proto;
	__u8 dir;   /* PK_BLK_IN or PK_BLK_OUT */
	__u8 where; /* enum pk_verdict_where */
	__u8 depth;
	__u8 by_who; /* rules of a process are being looked at: prefixes are to be compared */
	__u8 who;    /* drop is one of those */
	__u8 pad[3];
	__u32 packets, bytes;
	/* lines of the rules that decided; 0: none */
	__u32 allow, drop, see;
};

/* The chain from this line on; adds to what is found. Always 0. */
int pk_blk_walk(struct pk_blk_query *q, __u32 line);

/* Counts and reports what was found. True: drop it. */
int pk_blk_settle(struct pk_blk_query *q);

/* Is it worth looking for this address? What there is says so. */
static __always_inline bool pk_blk_is_worth(const struct pk_blk_ctl *ctl,
					    const struct pk_blk_addr *a)
{
	return ctl->have & (a->v6 ? PK_BLK_HAVE_V6 : PK_BLK_HAVE_V4);
}

static __always_inline struct pk_blk_ctl *pk_blk_there_is(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pk_blk_ctl, &zero);
}

/* May the address be in the safe set? Most are told from it by one bit. */
static __always_inline bool pk_blk_may_be_safe(const struct pk_blk_addr *a)
{
	struct pk_blk_safe_map *map;
	__u32 zero = 0, group = a->v6 ? pk_blk_safe_group(a->hi) : a->hi >> 52;

	map = bpf_map_lookup_elem(&pk_blk_safe_map, &zero);
	return map && (a->v6 ? map->v6 : map->v4)[group >> 6 & 63] >> (group & 63) & 1;
}

/* Of the remote address. */
static __always_inline __u32 pk_blk_find(__u64 w0, __u64 w1)
{
	struct pk_blk_ctl *ctl = pk_blk_there_is();
	struct pk_blk_addr a = {};

	if (!ctl || !(ctl->have & (PK_BLK_HAVE_V4 | PK_BLK_HAVE_V6)))
		return 0;
	pk_blk_addr_set(&a, w0, w1);
	return pk_blk_is_worth(ctl, &a) ? pk_blk_lookup(&a, ctl->sites) : 0;
}

#endif
