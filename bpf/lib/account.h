/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What every packet hook does around parse and account: both layers, and the counters. Per hook,
 * and exactly: SEEN = FLOW + AGGREGATE + the reasons for which pk_parse() refuses a packet.
 */
#ifndef PICKET_ACCOUNT_H
#define PICKET_ACCOUNT_H

#include "../maps.h"
#include "parse.h"

/* What pk_account() says of a packet that a block list drops, and of one whose flow was cut: they
 * are in no flow. */
#define PK_ACCOUNT_DROP (-2)
#define PK_ACCOUNT_CUT  (-3)

/*
 * Verdict and account for one parsed layer. Normalises p->key, sets p->dir, p->slot, p->want (what
 * is left to do for the hook, see sample.h) and may add to p->notes. 0: counted in the flow at
 * p->slot; -1: no room: an outer layer is in an aggregate; PK_ACCOUNT_DROP, PK_ACCOUNT_CUT.
 */
int pk_account(struct pk_pkt *p);

static __always_inline bool pk_is_drop(int r)
{
	return r == PK_ACCOUNT_DROP || r == PK_ACCOUNT_CUT;
}

static __always_inline void pk_count_notes(struct pk_pkt_counts *n, __u32 notes, __u32 packets)
{
	__u32 i;

	for (i = PK_PKT_TRUNCATED_L4; i < PK_PKT_COUNT_MAX; i++)
		if (notes & (1u << i))
			n->n[i] += packets;
}
PK_ASSERT(PK_PKT_COUNT_MAX <= 32, "notes is a 32-bit set");

static __always_inline void pk_count(struct pk_pkt_counts *n, int which, __u32 packets)
{
	if (which >= 0 && which < PK_PKT_COUNT_MAX)
		n->n[which] += packets;
}

/* The outer layer is parsed: r is its reason. Returns what pk_account() did, or -1. */
static __always_inline int pk_outer(struct pk_pkt_counts *n, struct pk_pkt *p, int r)
{
	n->n[PK_PKT_SEEN] += p->packets;
	n->n[PK_PKT_SEEN_BYTES] += p->bytes;
	if (r) {
		pk_count(n, r, p->packets);
		r = -1;
	} else {
		r = pk_account(p);
		n->n[r == PK_ACCOUNT_DROP  ? PK_PKT_DROPPED
		     : r == PK_ACCOUNT_CUT ? PK_PKT_CUT
		     : r                   ? PK_PKT_AGGREGATE
					   : PK_PKT_FLOW] += p->packets;
	}
	if (p->notes)
		pk_count_notes(n, p->notes, p->packets);
	return r;
}

/* Makes p the layer inside. */
static __always_inline void pk_enter(struct pk_pkt *p)
{
	struct pk_pkt in = {
		.off = p->in_off,
		.type = p->in_type,
		.depth = 1,
		.where = p->where,
		.raw = p->raw,
		.packets = p->packets,
		.wire = p->wire,
	};
	__u32 bytes = pk_replaying ? p->wire : p->bytes; /* in_off counts from the frame's start */

	in.bytes = bytes > p->in_off ? bytes - p->in_off : 0;

	in.key.ifindex = p->key.ifindex;
	in.key.netns = p->key.netns;
	in.key.encap = p->in_encap;
	in.key.vni = p->in_vni;
	in.key.depth = 1;
	*p = in;
}

/* The same for the layer inside: no part of SEEN, and in no aggregate. */
static __always_inline int pk_inner(struct pk_pkt_counts *n, struct pk_pkt *p, int r)
{
	if (r) {
		n->n[PK_PKT_TUNNEL_BAD] += p->packets;
		r = -1;
	} else {
		r = pk_account(p);
		n->n[pk_is_drop(r) ? PK_PKT_TUNNEL_DROPPED
		     : r           ? PK_PKT_TUNNEL_REFUSED
				   : PK_PKT_TUNNEL_INNER] += p->packets;
	}
	if (p->notes)
		pk_count_notes(n, p->notes, p->packets);
	return r;
}

/* When replaying, the capture says how long the packet was. */
static __always_inline void pk_set_wire(struct pk_pkt *p, __u32 wire)
{
	__u32 zero = 0, add = 0;
	struct pk_replay_ctx *r;

	if (pk_replaying) {
		r = bpf_map_lookup_elem(&pk_replay, &zero);
		if (r && r->wire_bytes > wire)
			wire = r->wire_bytes;
		if (r)
			add = r->add_bytes;
	}
	p->wire = wire;
	p->bytes = wire + add;
}

#endif
