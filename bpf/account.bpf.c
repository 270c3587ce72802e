/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a packet does to its flow: counters, TCP state, fragments, aggregates. One global function,
 * which the verifier checks once for any struct pk_pkt, whoever calls it.
 */
#include "lib/account.h"

#include "lib/flow.h"
#include "lib/verdict.h"

#define PK_FRAG_NS    (60ull * 1000000000) /* RFC 8200: a datagram is given up after 60 s */
#define PK_ACK_WINDOW 65535u

/*
 * Ports of a fragmented datagram: the first fragment leaves them for the others. A fragment whose
 * first was not seen (or too long ago) keeps ports 0.
 */
__noinline int pk_frag_join(struct pk_pkt *p)
{
	struct pk_frag_key k = {};
	struct pk_frag v = {}, *found;
	__u64 now = pk_now();

	if (!p)
		return 0;
	__builtin_memcpy(k.src, p->key.addr[0], 16);
	__builtin_memcpy(k.dst, p->key.addr[1], 16);
	k.netns = p->key.netns;
	k.id = p->frag_id;
	k.proto = p->frag_proto;
	if (p->frag == PK_FRAG_FIRST) {
		v.sport = p->key.port[0];
		v.dport = p->key.port[1];
		v.proto = p->key.proto;
		v.ns = now;
		(void)bpf_map_update_elem(&pk_frags, &k, &v, BPF_ANY); /* a cache: orphans count */
		return 0;
	}
	found = bpf_map_lookup_elem(&pk_frags, &k);
	if (!found || now - found->ns > PK_FRAG_NS) {
		p->notes |= 1u << PK_PKT_FRAGMENT_ORPHAN;
		return 0;
	}
	p->key.port[0] = found->sport;
	p->key.port[1] = found->dport;
	p->key.proto = found->proto;
	return 0;
}

static __always_inline void pk_agg_add(struct pk_agg *a, const struct pk_pkt *p, __u64 now)
{
	__sync_fetch_and_add(&a->packets, p->packets);
	__sync_fetch_and_add(&a->bytes, p->bytes);
	if (!a->first_ns)
		a->first_ns = now;
	if (a->last_ns < now)
		a->last_ns = now;
}

/* No slot: counted by destination, or when there are too many of those, by protocol. */
__noinline int pk_aggregate(struct pk_pkt *p)
{
	struct pk_agg_key k = {};
	struct pk_agg zero = {}, *a;
	__u64 now = pk_now_tick();
	__u32 rest;

	if (!p)
		return 0;
	__builtin_memcpy(k.dst, p->key.addr[(p->dir ^ 1) & 1], 16);
	k.netns = p->key.netns;
	k.ifindex = p->key.ifindex;
	k.dport = p->key.port[(p->dir ^ 1) & 1];
	k.proto = p->key.proto;
	k.where = p->where;
	a = bpf_map_lookup_elem(&pk_aggs, &k);
	if (!a) {
		(void)bpf_map_update_elem(&pk_aggs, &k, &zero, BPF_NOEXIST); /* or another did */
		a = bpf_map_lookup_elem(&pk_aggs, &k);
	}
	if (!a) {
		rest = p->key.proto < 255 ? p->key.proto : 255;
		a = bpf_map_lookup_elem(&pk_agg_rest, &rest);
	}
	if (a)
		pk_agg_add(a, p, now);
	return 0;
}

/* An id no other flow since boot has: 32 ns and the CPU; when replaying, the number of the flow. */
static __always_inline __u64 pk_flow_id(__u64 now, const struct pk_table_use *use)
{
	if (pk_replaying)
		return use->created + 1;
	return (now >> 5) << 10 | (bpf_get_smp_processor_id() & 1023);
}

/*
 * The flow for a packet that found none: made (or just made by another CPU), unless the quota of
 * half-open flows is used up or no slot is free: then -1. Global, as all that happens seldom is:
 * the verifier checks it once, not once per way to it.
 */
__noinline int pk_flow_new(struct pk_pkt *p, struct pk_spot *s)
{
	struct pk_table_use *use = pk_table_use();
	__u64 now = pk_now();
	struct pk_knobs *k;
	struct pk_flow *f;
	__u32 zero = 0;
	bool made = false;

	k = bpf_map_lookup_elem(&pk_knobs, &zero);
	if (!p || !s || !use || !k)
		return -1;
	if (use->half_open >= k->half_open_max && !p->local) {
		__sync_fetch_and_add(&use->refused, 1);
		return -1;
	}
	f = pk_flow_make(p, s, now, pk_flow_id(now, use), &made);
	if (made) {
		__sync_fetch_and_add(&use->created, 1);
		__sync_fetch_and_add(&use->used, 1);
		__sync_fetch_and_add(&use->half_open, 1);
	} else if (!f) {
		__sync_fetch_and_add(&use->refused, 1);
	}
	return f ? 0 : -1;
}

/* The ACK that ends the handshake must name what the SYN-ACK offered: a blind sender can't. */
static __always_inline bool pk_ack_fits(const struct pk_pkt *p, const struct pk_flow_dir *peer)
{
	return peer->tcp_next - p->ack <= PK_ACK_WINDOW;
}

static __always_inline void pk_handshake(struct pk_flow *f, const struct pk_pkt *p,
					 struct pk_flow_dir *d, struct pk_flow_dir *peer)
{
	__u8 f2 = p->tcp_flags & (PK_TCP_SYN | PK_TCP_ACK);
	struct pk_flow_meta *m = &f->meta;

	if (f2 == PK_TCP_SYN && !m->syn_ns) {
		m->syn_ns = pk_now();
		m->initiator = p->dir;
	} else if (f2 == (PK_TCP_SYN | PK_TCP_ACK) && !m->synack_ns) {
		m->synack_ns = pk_now();
	} else if (f2 == PK_TCP_ACK && m->syn_ns && m->synack_ns && !m->rtt_us &&
		   p->dir == m->initiator && d->packets == 2 && peer->packets == 1 &&
		   pk_ack_fits(p, peer)) {
		/* A repeated SYN or SYN-ACK makes it ambiguous (Karn): then there is none. */
		m->rtt_us = (pk_now() - m->syn_ns) / 1000;
	}
}

/* Is this flow no longer half-open? Seen both ways and, for TCP, the handshake (or its end) seen.
 */
static __always_inline bool pk_is_open(const struct pk_flow *f, const struct pk_pkt *p,
				       const struct pk_flow_dir *d, const struct pk_flow_dir *peer)
{
	if (!(peer->started & PK_DIR_SEEN))
		return false;
	if (f->key.proto != PK_PROTO_TCP)
		return true;
	if (!(d->tcp_flags & PK_TCP_ACK) || !(peer->tcp_flags & PK_TCP_ACK))
		return false;
	return p->tcp && (p->tcp_flags & PK_TCP_ACK) && !(p->tcp_flags & PK_TCP_SYN) &&
	       pk_ack_fits(p, peer);
}

/* What is to be done with the packets of a direction that begins. */
static __always_inline __u32 pk_first_wants(const struct pk_pkt *p)
{
	__u16 proto = p->key.proto;
	struct pk_knobs *k;
	__u32 zero = 0, want;

	k = bpf_map_lookup_elem(&pk_knobs, &zero);
	if (!k)
		return 0;
	want = k->mark & PK_DIR_RECORD;
	if (k->sample_rate &&
	    (proto == PK_PROTO_TCP || proto == PK_PROTO_UDP || proto == PK_PROTO_ICMP ||
	     proto == PK_PROTO_ICMP6 || proto == PK_KEY_ARP))
		want |= PK_DIR_SAMPLE;
	return k->keep_packets ? want | PK_DIR_KEEP : want;
}

/* A stream whose other end has most to say may never use up its samples: then it is over, too. */
#define PK_SAMPLE_PACKETS 1024

/* What is left to do for the hook, which has the packet's bytes. */
static __always_inline __u32 pk_wants(const struct pk_flow *f, struct pk_flow_dir *d,
				      const struct pk_pkt *p)
{
	__u32 want = d->started & (PK_DIR_SAMPLE | PK_DIR_KEEP | PK_DIR_RECORD);

	if (!p->tcp || !(want & PK_DIR_SAMPLE))
		return want;
	if (d->packets > PK_SAMPLE_PACKETS && f->meta.app[p->dir & 1] != PK_APP_DNS) {
		pk_turn_clear(d, PK_DIR_SAMPLE);
		return want & ~PK_DIR_SAMPLE;
	}
	return p->payload ? want : want & ~PK_DIR_SAMPLE;
}

/*
 * All that happens seldom in a flow: first packet of a direction, a TCP flag for the first time,
 * half-open flows, samples. Keeps the third line (meta) out of the established flow's way.
 */
__noinline int pk_flow_turn(struct pk_flow *f, struct pk_pkt *p)
{
	struct pk_flow_dir *d, *peer;
	__u32 state = 0;

	if (!f || !p)
		return 0;
	d = &f->dir[p->dir & 1];
	peer = &f->dir[(p->dir ^ 1) & 1];

	if (!(d->started & PK_DIR_SEEN)) {
		d->first_ns = pk_now();
		d->last_ns = d->first_ns;
		d->ttl = p->ttl;
		d->dscp = p->dscp;
		d->where = p->where;
		d->tcp_next = p->seq;
		pk_turn_set(d, PK_DIR_SEEN | pk_first_wants(p));
	}
	if (p->tcp) {
		if ((p->tcp_flags & PK_TCP_SYN) && !d->looked_at)
			f->dir[1].sample_at[p->dir & 1] = p->seq + 1;
		pk_handshake(f, p, d, peer);
		if (p->tcp_flags & PK_TCP_FIN)
			state |= p->dir ? PK_FLOW_FIN1 : PK_FLOW_FIN0;
		if (p->tcp_flags & PK_TCP_RST)
			state |= PK_FLOW_RST;
		if (state)
			__sync_fetch_and_or(&f->meta.state, state);
	}
	if ((d->started & PK_DIR_OPEN) == PK_DIR_SEEN && pk_is_open(f, p, d, peer)) {
		pk_leave_half_open(&f->meta);
		pk_turn_set(peer, PK_DIR_OPEN);
		pk_turn_set(d, PK_DIR_OPEN);
	}
	p->want = pk_wants(f, d, p);
	return 0;
}

/* Kills the live flow of a key, wherever it is: its connection is over and a new one begins. */
__noinline int pk_flow_end(struct pk_flow_key *key, struct pk_spot *s)
{
	struct pk_bucket *b;
	struct pk_ways *f;
	__u32 i, j, w, bucket;

	if (!key || !s)
		return 0;
	for (j = 0; j < 2; j++) {
		bucket = s->bucket[j]; /* before 6.2 a map's key may not lie in an argument */
		b = bpf_map_lookup_elem(&pk_buckets, &bucket);
		f = bpf_map_lookup_elem(&pk_flows, &bucket);
		if (!b || !f)
			return 0;
		for (i = 0; i < PK_WAYS; i++) {
			w = pk_way(s->tag, i);
			if (pk_tag_read(&b->tag[w]) == s->tag && pk_same_key(&f->way[w].key, key))
				return pk_flow_kill(&b->tag[w], s->tag, &f->way[w]);
		}
	}
	return 0;
}

/* A new connection on the ports of one that is over or was cut. */
static __always_inline bool pk_is_reborn(const struct pk_flow *f, const struct pk_pkt *p)
{
	__u32 state = f->meta.state, fins = PK_FLOW_FIN0 | PK_FLOW_FIN1;

	return (p->tcp_flags & (PK_TCP_SYN | PK_TCP_ACK)) == PK_TCP_SYN &&
	       ((state & PK_FLOW_RST) || (state & fins) == fins ||
		(f->dir[p->dir & 1].started & PK_DIR_CUT));
}

static __always_inline void pk_tcp_sequence(struct pk_flow_dir *d, const struct pk_pkt *p)
{
	__u32 next =
		p->seq + p->payload + !!(p->tcp_flags & PK_TCP_SYN) + !!(p->tcp_flags & PK_TCP_FIN);

	if ((__s32)(next - d->tcp_next) > 0)
		d->tcp_next = next;
	else if (p->payload)
		__sync_fetch_and_add(&d->retransmits, 1);
}

/*
 * One packet more; or PK_ACCOUNT_CUT. An established flow touches its key and this one direction,
 * nothing else, and has one test to pass: its TCP flags were all seen before, and nothing else is
 * to be done. The plain loads come first: the processor issues them while the key is still on its
 * way from memory, which it can't do for the atomic additions.
 */
static __always_inline int pk_flow_add(struct pk_flow *f, struct pk_pkt *p)
{
	struct pk_flow_dir *d = &f->dir[p->dir & 1];
	__u64 last = *(volatile __u64 *)&d->last_ns;
	__u32 turn = *(volatile __u32 *)&d->turn, flags = PK_TURN_TCP(p->tcp_flags);
	bool odd = (turn & (PK_TURN(0xff) | flags)) != (PK_TURN(PK_DIR_OPEN) | flags);
	__u64 now = pk_now_tick();

	if (odd && (turn & PK_TURN(PK_DIR_CUT))) {
		if (last < now)
			d->last_ns = now; /* it stays as long as somebody tries */
		return PK_ACCOUNT_CUT;
	}
	__sync_fetch_and_add(&d->packets, p->packets);
	__sync_fetch_and_add(&d->bytes, p->bytes);
	if (last < now)
		d->last_ns = now;
	if (odd) {
		if ((turn & flags) != flags)
			__sync_fetch_and_or(&d->turn, flags);
		(void)pk_flow_turn(f, p);
	}
	if (p->tcp)
		pk_tcp_sequence(d, p);
	if (p->frag != PK_FRAG_NO)
		__sync_fetch_and_add(&d->fragments, p->packets);
	return 0;
}

static __always_inline struct pk_flow *pk_find_or_make(struct pk_pkt *p, struct pk_spot *s)
{
	struct pk_flow *f;

	f = pk_flow_find(&p->key, s);
	if (f && p->tcp && (p->tcp_flags & PK_TCP_SYN) && pk_is_reborn(f, p)) {
		(void)pk_flow_end(&p->key, s);
		f = NULL;
	}
	if (f)
		return f;
	return pk_flow_new(p, s) ? NULL : pk_flow_at(s->slot);
}

/* A rule covers the remote end of this packet: true when it is to be dropped. */
__noinline int pk_blk_packet(struct pk_pkt *p, __u32 line)
{
	struct pk_blk_query q = {};
	const pk_words *from, *to;

	if (!p)
		return 0;
	from = (const pk_words *)p->key.addr[0];
	to = (const pk_words *)p->key.addr[1];
	q.netns = p->key.netns;
	q.ifindex = p->key.ifindex;
	q.proto = p->key.proto;
	q.dport = PK_BE16(p->key.port[1]);
	q.depth = p->depth;
	q.packets = p->packets;
	q.bytes = p->bytes;
	if (p->where == PK_AT_INGRESS) {
		q.remote[0] = from[0], q.remote[1] = from[1];
		q.local[0] = to[0], q.local[1] = to[1];
		q.rport = p->key.port[0];
		q.lport = p->key.port[1];
		q.dir = PK_BLK_IN;
		q.where = PK_VERDICT_INGRESS;
	} else {
		q.remote[0] = to[0], q.remote[1] = to[1];
		q.local[0] = from[0], q.local[1] = from[1];
		q.rport = p->key.port[1];
		q.lport = p->key.port[0];
		q.dir = PK_BLK_OUT;
		q.where = PK_VERDICT_EGRESS;
	}
	(void)pk_blk_walk(&q, line);
	return pk_blk_settle(&q);
}

/* Sender first, as parsed. The remote end is who sent what arrives, and who gets what leaves. */
static __always_inline bool pk_is_blocked(struct pk_pkt *p)
{
	const pk_words *from = (const pk_words *)p->key.addr[0];
	const pk_words *to = (const pk_words *)p->key.addr[1];
	bool in = p->where == PK_AT_INGRESS;
	__u32 line;

	if (p->unlisted || p->key.proto == PK_KEY_ARP)
		return false;
	line = pk_blk_find(in ? from[0] : to[0], in ? from[1] : to[1]);
	return line && pk_blk_packet(p, line);
}

/* See lib/account.h. */
__noinline int pk_account(struct pk_pkt *p)
{
	struct pk_spot s = {};
	struct pk_flow *f;
	int r = -1;

	if (!p)
		return -1;
	if (p->frag != PK_FRAG_NO)
		(void)pk_frag_join(p);
	if (pk_is_blocked(p))
		return PK_ACCOUNT_DROP;
	pk_normalise(p);
	pk_find_spot(&p->key, &s);
	f = pk_find_or_make(p, &s);
	if (f)
		r = pk_flow_add(f, p);
	else if (!p->depth)
		(void)pk_aggregate(p);
	p->slot = s.slot;
	return r;
}
