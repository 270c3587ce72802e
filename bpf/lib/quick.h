/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The plain cases before anything else is paid for: a whole TCP or UDP frame without tags, options
 * and tunnels, from an address that no list has, or that one entry drops without any condition.
 * That drop is counted here, for the hook as well.
 */
#ifndef PICKET_QUICK_H
#define PICKET_QUICK_H

#include "tally.h"
#include "time.h"
#include "verdict.h"

enum { PK_QUICK_UNKNOWN, PK_QUICK_UNLISTED, PK_QUICK_DROP };

/*
 * What the lists say of a sender, by what is at hand; host order. Global functions, one for each
 * family.
 */
int pk_blk_quick4(__u32 addr, __u32 bytes);
int pk_blk_quick6(__u64 hi, __u64 lo, __u32 bytes);

/* Behind an IP header: is it all there, and nothing that would be looked into? */
static __always_inline bool pk_quick_l4(__u8 proto, const struct pk_udp *u, __u32 len)
{
	if (proto == PK_PROTO_TCP)
		return len >= sizeof(struct pk_tcp);
	return proto == PK_PROTO_UDP && len >= sizeof(*u) && u->dport != PK_BE16(4789) &&
	       u->dport != PK_BE16(8472) && u->dport != PK_BE16(6081);
}

/* For the verifier: those of 6.1 and 6.12 know no bound of a number whose bytes were swapped. */
static __always_inline __u64 pk_quick_len(__be16 wire)
{
	__u64 len = PK_BE16(wire);

	barrier_var(len);
	return len & 0xffff;
}

/* No option, no fragment, nothing missing. */
static __always_inline bool pk_quick_ip4(const struct pk_ip4 *ip, const void *end)
{
	__u64 len = pk_quick_len(ip->len);

	if (ip->ver_ihl != 0x45 || ip->frag & PK_BE16(0x3fff) || len < sizeof(*ip) ||
	    (void *)ip + len > end)
		return false;
	return pk_quick_l4(ip->proto, (void *)(ip + 1), len - sizeof(*ip));
}

/* No extension header, nothing missing. */
static __always_inline bool pk_quick_ip6(const struct pk_ip6 *ip, const void *end)
{
	__u64 len = pk_quick_len(ip->len);

	if (ip->ver_tc >> 4 != 6 || !len || (void *)(ip + 1) + len > end)
		return false;
	return pk_quick_l4(ip->next, (void *)(ip + 1), len);
}

/* We are alone here until pk_quick_leave(). False: we came while pk_drain() runs here. */
static __always_inline bool pk_quick_enter(struct pk_blk_tally *t)
{
	if (*(volatile __u32 *)&t->busy)
		return false;
	*(volatile __u32 *)&t->busy = 1;
	barrier();
	return true;
}

static __always_inline void pk_quick_leave(struct pk_blk_tally *t)
{
	barrier();
	*(volatile __u32 *)&t->busy = 0;
}

static __always_inline struct pk_blk_known *pk_quick_slot(struct pk_blk_tally *t, __u32 addr)
{
	return &t->known[(addr >> 8) * 0x9e3779b1u >> 24];
}
PK_ASSERT(PK_BLK_KNOWN == 1u << 8, "bits of the hash");

static __always_inline struct pk_blk_known6 *pk_quick_slot6(struct pk_blk_tally *t, __u64 hi)
{
	return &t->known6[hi * 0x9e3779b97f4a7c15ull >> 57];
}
PK_ASSERT(PK_BLK_KNOWN6 == 1u << 7, "bits of the hash");

/* One hit more of a line, if it is pending here and was hit in this tick. */
static __always_inline bool pk_quick_again(struct pk_blk_tally *t, __u32 line, __u8 at,
					   const struct pk_blk_addr *a, __u32 bytes)
{
	struct pk_blk_pending *p = &t->v[at & (PK_BLK_TALLY - 1)];
	__u64 remote[2];
	bool known;

	if (pk_blk_may_be_safe(a) || !pk_quick_enter(t))
		return false;
	known = at < t->n && p->line == line && p->last_ns == pk_now_tick();
	if (known) {
		pk_blk_addr_words(a, remote);
		p->packets++;
		p->bytes += bytes;
		p->peer[0] = remote[0];
		p->peer[1] = remote[1];
	}
	pk_quick_leave(t);
	return known;
}

/*
 * Most floods come from few addresses: after a drop the first question is whether this one was
 * looked up before, under the lists as they are, and dropped in this very tick.
 */
static __always_inline bool pk_quick_is_known(struct pk_blk_tally *t, __u32 gen,
					      const struct pk_blk_addr *a, __u32 bytes)
{
	const struct pk_blk_known6 *k6;
	const struct pk_blk_known *k;
	__u32 addr = a->hi >> 32;

	if (!(t->flood & PK_BLK_FLOOD_DROP))
		return false;
	if (a->v6) {
		k6 = pk_quick_slot6(t, a->hi);
		return k6->gen == gen && k6->hi == a->hi && (k6->wide || k6->lo == a->lo) &&
		       pk_quick_again(t, k6->line, k6->at, a, bytes);
	}
	k = pk_quick_slot(t, addr);
	return k->gen == gen && addr >> (k->shift & 31) == k->addr &&
	       pk_quick_again(t, k->line, k->at, a, bytes);
}

/* What is known of an address without a look at the lists. */
static __always_inline int pk_quick_by_tally(const struct pk_blk_addr *a, __u32 bytes)
{
	const struct pk_blk_ctl *ctl = pk_blk_there_is();
	struct pk_blk_tally *t = pk_tally();

	if (!ctl || !t || !pk_blk_is_worth(ctl, a))
		return PK_QUICK_UNLISTED;
	if (pk_quick_is_known(t, *(const volatile __u32 *)&ctl->gen, a, bytes))
		return PK_QUICK_DROP;
	return PK_QUICK_UNKNOWN;
}

static __always_inline int pk_quick_of4(__u32 addr, __u32 bytes)
{
	struct pk_blk_addr a = { .hi = (__u64)addr << 32 };
	int r = pk_quick_by_tally(&a, bytes);

	return r == PK_QUICK_UNKNOWN ? pk_blk_quick4(addr, bytes) : r;
}

static __always_inline int pk_quick_of6(const struct pk_ip6 *ip, __u32 bytes)
{
	struct pk_blk_addr a = { .v6 = 1 };
	int r;

	a.hi = (__u64)PK_BE32(ip->src[0]) << 32 | PK_BE32(ip->src[1]);
	a.lo = (__u64)PK_BE32(ip->src[2]) << 32 | PK_BE32(ip->src[3]);
	if (!a.hi && a.lo >> 32 == 0xffff) /* an IPv4 address in its 16-byte form */
		return PK_QUICK_UNKNOWN;
	r = pk_quick_by_tally(&a, bytes);
	return r == PK_QUICK_UNKNOWN ? pk_blk_quick6(a.hi, a.lo, bytes) : r;
}

static __always_inline int pk_quick(struct xdp_md *ctx, __u32 bytes)
{
	void *d = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const struct pk_eth *eth = d;
	const struct pk_ip4 *ip4 = d + sizeof(*eth);
	const struct pk_ip6 *ip6 = d + sizeof(*eth);

	if (pk_replaying || (void *)(ip4 + 1) + sizeof(struct pk_udp) > end)
		return PK_QUICK_UNKNOWN;
	if (eth->type == PK_TYPE_IP4 && pk_quick_ip4(ip4, end))
		return pk_quick_of4(PK_BE32(ip4->src), bytes);
	if (eth->type == PK_TYPE_IP6 && (void *)(ip6 + 1) + sizeof(struct pk_udp) <= end &&
	    pk_quick_ip6(ip6, end))
		return pk_quick_of6(ip6, bytes);
	return PK_QUICK_UNKNOWN;
}

#endif
