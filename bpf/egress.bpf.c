/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tc: what leaves and, where XDP is not possible, what arrives. Counts every packet and lets every
 * packet pass to the next program.
 */
#include "lib/account.h"

#include <linux/pkt_cls.h>

/* Global function: the verifier checks it once for any p, not once per path that leads there. */
__noinline int pk_parse_skb(struct __sk_buff *skb, struct pk_pkt *p)
{
	struct pk_cur c = {
		.data = (void *)(long)skb->data,
		.end = (void *)(long)skb->data_end,
		.ctx = skb,
		.len = skb->len,
		.kind = PK_CUR_SKB,
	};

	return p ? pk_parse(&c, p) : -1;
}

/*
 * Packets and bytes on the wire: a GSO or GRO packet stands for several, whose headers the stack
 * has added up on egress only; a tag that hardware took or will add is not in the frame.
 */
static __always_inline void pk_size_skb(struct __sk_buff *skb, struct pk_pkt *p)
{
	__u32 wire = skb->wire_len;

	p->packets = skb->gso_segs ? skb->gso_segs : 1;
	if (wire < skb->len)
		wire = skb->len;
	if (skb->vlan_present) {
		pk_add_vlan(p, PK_BE16(skb->vlan_tci));
		p->tag_bytes = sizeof(struct pk_vlan) * p->packets;
	}
	pk_set_wire(p, wire);
}

/* Header bytes of the later segments, known after parsing. */
static __always_inline void pk_add_headers(struct __sk_buff *skb, struct pk_pkt *p)
{
	if (p->packets > 1 && p->wire == skb->len)
		p->bytes += (p->packets - 1) * p->off;
	p->bytes += p->tag_bytes;
}

/* A connected UDP socket is in this state, too. */
static __always_inline bool pk_is_established(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return false;
	sk = bpf_sk_fullsock(sk);
	return sk && sk->state == BPF_TCP_ESTABLISHED;
}

static __always_inline int pk_tc_run(struct __sk_buff *skb, __u32 hook, __be16 type)
{
	struct pk_pkt_counts *n = bpf_map_lookup_elem(&pk_pkt_cnt, &hook);
	struct pk_pkt p = { .type = type };
	int r;

	if (!n)
		return TC_ACT_UNSPEC;
	p.where = hook == PK_HOOK_TC_EGRESS ? PK_AT_EGRESS : PK_AT_INGRESS;
	p.key.ifindex = skb->ifindex;
	p.key.netns = pk_netns;
	if (hook == PK_HOOK_TC_EGRESS)
		p.local = pk_is_established(skb);
	pk_size_skb(skb, &p);
	r = pk_parse_skb(skb, &p);
	pk_add_headers(skb, &p);
	(void)pk_outer(n, &p, r);
	if (p.in_type) {
		pk_enter(&p);
		pk_inner(n, &p, pk_parse_skb(skb, &p));
	}
	return TC_ACT_UNSPEC;
}

SEC("tc")
int pk_tc_out(struct __sk_buff *skb)
{
	return pk_tc_run(skb, PK_HOOK_TC_EGRESS, PK_TYPE_ETHER);
}

/* For devices whose frames have no Ethernet header (tun, WireGuard, IP tunnels). */
SEC("tc")
int pk_tc_out_l3(struct __sk_buff *skb)
{
	return pk_tc_run(skb, PK_HOOK_TC_EGRESS, skb->protocol);
}

SEC("tc")
int pk_tc_in(struct __sk_buff *skb)
{
	return pk_tc_run(skb, PK_HOOK_TC_INGRESS, PK_TYPE_ETHER);
}

SEC("tc")
int pk_tc_in_l3(struct __sk_buff *skb)
{
	return pk_tc_run(skb, PK_HOOK_TC_INGRESS, skb->protocol);
}
