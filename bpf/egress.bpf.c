/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tc: what leaves and, where XDP is not possible, what arrives. Counts every packet, drops what a
 * block list says, and lets all others pass to the next program.
 */
#include "lib/account.h"
#include "lib/dns.h"
#include "lib/sample.h"

#include <linux/pkt_cls.h>

#define PK_AF_INET  2
#define PK_AF_INET6 10
#define PK_SOCK_RAW 3

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

__noinline int pk_sample_skb(struct __sk_buff *skb, struct pk_pkt *p)
{
	return p ? pk_sample(skb, p, PK_CUR_SKB, skb->len) : 0;
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

/* The socket that sends; during a handshake its listener. */
static __always_inline struct bpf_sock *pk_sender(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk, *full;

	if (!sk)
		return NULL;
	full = bpf_sk_fullsock(sk);
	return full ? full : bpf_get_listener_sock(sk);
}

/*
 * Is this the socket's own packet? A tunnel keeps the inner packet's socket on the outer packet:
 * that one is the kernel's. Raw and packet sockets may send anything.
 */
static __always_inline bool pk_is_from(const struct bpf_sock *sk, const struct pk_pkt *p)
{
	__u32 a = p->key.port[0], b = p->key.port[1], port;

	barrier_var(a); /* for the verifier: no index into the stack that clang adds by "or" */
	barrier_var(b);
	port = p->dir ? b : a;
	if ((sk->family != PK_AF_INET && sk->family != PK_AF_INET6) || sk->type == PK_SOCK_RAW)
		return true;
	if (sk->protocol != p->key.proto)
		return false;
	return !port || sk->src_port == PK_BE16(port);
}

/* For the verifier: fields beyond struct bpf_sock are read at a number, not at a typed pointer. */
static __always_inline bool pk_is_kernel_sock(struct bpf_sock *sk)
{
	struct sock *at = NULL;

	if (bpf_probe_read_kernel(&at, sizeof(at), &sk))
		return false;
	return BPF_CORE_READ_BITFIELD_PROBED(at, sk_kern_sock);
}

/* Copies the socket's owner into its direction of the flow when it is new there. */
static __always_inline void pk_set_owner(struct bpf_sock *sk, const struct pk_pkt *p)
{
	__u32 bucket = p->slot / PK_WAYS, d = p->dir & 1;
	struct pk_ways *ways = bpf_map_lookup_elem(&pk_flows, &bucket);
	struct pk_sk *s = bpf_sk_storage_get(&pk_sk, sk, NULL, 0);
	struct pk_flow *f;

	if (!ways)
		return;
	f = &ways->way[p->slot & (PK_WAYS - 1)];
	if (s && s->owner.gen && f->dir[d].owner_gen != pk_owner_mark(&s->owner)) {
		f->own[d] = s->owner;
		f->dir[d].owner_gen = pk_owner_mark(&s->owner);
	} else if (!s && !f->dir[d].owner_gen && pk_is_kernel_sock(sk)) {
		f->own[d].flags = PK_OWNER_KERNEL;
	}
}

static __always_inline int pk_tc_run(struct __sk_buff *skb, __u32 hook, __be16 type)
{
	struct pk_pkt_counts *n = bpf_map_lookup_elem(&pk_pkt_cnt, &hook);
	struct bpf_sock *sk = hook == PK_HOOK_TC_EGRESS ? pk_sender(skb) : NULL;
	struct pk_pkt p = { .type = type };
	int r;

	if (!n)
		return TC_ACT_UNSPEC;
	p.where = hook == PK_HOOK_TC_EGRESS ? PK_AT_EGRESS : PK_AT_INGRESS;
	p.raw = type != PK_TYPE_ETHER;
	p.key.ifindex = skb->ifindex;
	p.key.netns = pk_netns;
	p.local = sk && sk->state == BPF_TCP_ESTABLISHED; /* connected UDP, too */
	pk_size_skb(skb, &p);
	r = pk_parse_skb(skb, &p);
	pk_add_headers(skb, &p);
	r = pk_outer(n, &p, r);
	if (pk_is_drop(r))
		return TC_ACT_SHOT;
	if (p.want)
		(void)pk_sample_skb(skb, &p);
	if (!r && sk && pk_is_from(sk, &p))
		pk_set_owner(sk, &p);
	if (hook == PK_HOOK_TC_EGRESS && pk_dns_is_query(&p)) {
		r = pk_dns_query(skb, &p);
		if (r == PK_DNS_TURN)
			return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
		if (r == PK_DNS_DROP)
			return TC_ACT_SHOT;
	}
	if (p.in_type) {
		pk_enter(&p);
		r = pk_inner(n, &p, pk_parse_skb(skb, &p));
		if (pk_is_drop(r))
			return TC_ACT_SHOT;
		if (p.want)
			(void)pk_sample_skb(skb, &p);
		if (!r && sk && pk_is_from(sk, &p))
			pk_set_owner(sk, &p);
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
