/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Datagrams that a local socket receives: the owner goes into the flow, which the packet programs
 * have made by then, at the local end. TCP never needs it: its socket answers, so that tc egress
 * sees it. Counts nothing and lets everything pass.
 */
#include "lib/flow.h"
#include "lib/sock.h"

#define PK_PASS     1
#define PK_SOCK_RAW 3

/* In egress.bpf.c. */
int pk_parse_skb(struct __sk_buff *skb, struct pk_pkt *p);

/* The owner of the sending side is not taken away by who merely listens, too (multicast). */
static __always_inline void pk_own(struct pk_flow *f, __u32 end, const struct pk_owner *o)
{
	if (f->dir[end].owner_gen == pk_owner_mark(o))
		return;
	if (f->own[end].cookie && f->own[end].cookie != o->cookie)
		return;
	f->own[end] = *o;
	f->dir[end].owner_gen = pk_owner_mark(o);
}

static __always_inline void pk_receive(struct __sk_buff *skb, const struct pk_sk *s)
{
	struct pk_pkt p = { .type = skb->protocol, .wire = skb->len };
	struct pk_spot spot = {};
	struct pk_flow *f;

	p.key.ifindex = skb->ifindex;
	p.key.netns = s->netns;
	if (pk_parse_skb(skb, &p))
		return;
	pk_normalise(&p);
	pk_find_spot(&p.key, &spot);
	f = pk_flow_find(&p.key, &spot);
	if (f)
		pk_own(f, !p.dir, &s->owner);
}

/* A raw ICMP socket is given the host's ICMP, whoever it is for; its own it asks for by sending. */
static __always_inline bool pk_is_receiver(const struct bpf_sock *sk)
{
	if (sk->protocol == PK_PROTO_TCP)
		return false;
	return sk->type != PK_SOCK_RAW ||
	       (sk->protocol != PK_PROTO_ICMP && sk->protocol != PK_PROTO_ICMP6);
}

SEC("cgroup_skb/ingress")
int pk_skb_in(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct pk_sk *s;

	if (!sk)
		return PK_PASS;
	sk = bpf_sk_fullsock(sk);
	if (!sk || !pk_is_receiver(sk))
		return PK_PASS;
	s = bpf_sk_storage_get(&pk_sk, sk, NULL, 0);
	if (s && s->owner.gen)
		pk_receive(skb, s);
	return PK_PASS;
}
