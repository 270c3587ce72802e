/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flow table: hash, lookup, insert, and the end of a flow. What a packet changes in a flow is
 * in account.h; reports and timeouts are the sweep's.
 *
 * A way goes FREE -> BUSY -> LIVE -> DYING -> FREE. Lookups read without lock and use only LIVE
 * ways. Only the sweep frees, long after the way stopped being LIVE, so that whoever found a flow
 * may use it to the end of its program. Inserters of one key meet at one lock: no twins.
 */
#ifndef PICKET_FLOW_H
#define PICKET_FLOW_H

#include "../maps.h"
#include "packet.h"
#include "time.h"

/* In which buckets a key may live, and under which tag. */
struct pk_spot {
	__u32 bucket[2];
	__u32 tag;  /* hash bits | PK_TAG_LIVE */
	__u32 slot; /* where it was found or made: bucket * PK_WAYS + way */
};

static __always_inline __u32 pk_tag_read(const __u32 *tag)
{
	return *(const volatile __u32 *)tag;
}

/*
 * The words of the key that were written in pieces, written again whole: hash and comparison read
 * words, and a load that covers several small stores has to wait until they reach the cache.
 */
static __always_inline void pk_settle_key(struct pk_flow_key *k)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	__u64 a = k->port[0], b = k->port[1], c = k->ifindex, d = k->proto, e = k->vlan[0],
	      f = k->vlan[1], g = k->encap, h = k->depth;
	pk_words *w = (pk_words *)k;

	barrier_var(b); /* or the compiler makes the loads one again */
	barrier_var(c);
	barrier_var(e);
	barrier_var(f);
	barrier_var(g);
	barrier_var(h);
	w[4] = a | b << 16 | c << 32;
	w[6] = d | e << 16 | f << 32 | g << 48 | h << 56;
#endif
}

/* End 0 is the lower (address, port); dir becomes the end that sent this packet. */
static __always_inline void pk_normalise(struct pk_pkt *p)
{
	pk_words *a = (pk_words *)p->key.addr[0], *b = (pk_words *)p->key.addr[1];
	__u64 t;
	__be16 port;
	bool swap;

	if (a[0] != b[0])
		swap = PK_BE64(a[0]) > PK_BE64(b[0]);
	else if (a[1] != b[1])
		swap = PK_BE64(a[1]) > PK_BE64(b[1]);
	else
		swap = PK_BE16(p->key.port[0]) > PK_BE16(p->key.port[1]);
	p->dir = swap;
	if (swap) {
		t = a[0], a[0] = b[0], b[0] = t;
		t = a[1], a[1] = b[1], b[1] = t;
		port = p->key.port[0], p->key.port[0] = p->key.port[1], p->key.port[1] = port;
	}
	pk_settle_key(&p->key);
}

/* NH (Black et al., UMAC) over the eight words of the key, then a mixing step. */
static __always_inline void pk_find_spot(const struct pk_flow_key *key, struct pk_spot *s)
{
	const pk_words *w = (const pk_words *)key;
	__u64 h = 0;
	int i;

#pragma unroll
	for (i = 0; i < 8; i++) {
		__u64 k = pk_hash_key[i];

		h += (__u64)(__u32)(w[i] + k) * (__u32)((w[i] >> 32) + (k >> 32));
	}
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15ull;
	h ^= h >> 29;
	s->bucket[0] = (__u32)h & pk_bucket_mask;
	s->tag = ((__u32)(h >> 32) & ~PK_TAG_STATE) | PK_TAG_LIVE;
	s->bucket[1] = (__u32)((h * 0xd6e8feb86659fd93ull) >> 32) & pk_bucket_mask;
}

static __always_inline bool pk_same_key(const struct pk_flow_key *x, const struct pk_flow_key *y)
{
	const pk_words *a = (const pk_words *)x, *b = (const pk_words *)y;

	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4]) |
		 (a[5] ^ b[5]) | (a[6] ^ b[6]) | (a[7] ^ b[7]));
}

/*
 * The way where a key would like to be. Lookup starts there: the processor can guess that it is
 * right and fetch the flow while the tag is still on its way from memory.
 */
static __always_inline __u32 pk_way(__u32 tag, __u32 i)
{
	return ((tag >> 2) + i) & (PK_WAYS - 1);
}
PK_ASSERT((PK_WAYS & (PK_WAYS - 1)) == 0, "pk_way masks");

/* The live flow of a key in bucket which; f and b are that bucket's. */
static __always_inline struct pk_flow *pk_scan(const struct pk_bucket *b, struct pk_ways *f,
					       const struct pk_flow_key *key, struct pk_spot *s,
					       __u32 which)
{
	__u32 i, w;

	for (i = 0; i < PK_WAYS; i++) {
		w = pk_way(s->tag, i);
		if (pk_tag_read(&b->tag[w]) == s->tag && pk_same_key(&f->way[w].key, key)) {
			s->slot = s->bucket[which] * PK_WAYS + w;
			return &f->way[w];
		}
	}
	return NULL;
}

/* The live flow of a key, or NULL. Without lock; valid to the end of the program. */
static __always_inline struct pk_flow *pk_flow_find(const struct pk_flow_key *key,
						    struct pk_spot *s)
{
	struct pk_flow *flow;
	struct pk_bucket *b;
	struct pk_ways *f;

	b = bpf_map_lookup_elem(&pk_buckets, &s->bucket[0]);
	f = bpf_map_lookup_elem(&pk_flows, &s->bucket[0]);
	if (!b || !f)
		return NULL;
	flow = pk_scan(b, f, key, s, 0);
	if (flow)
		return flow;
	b = bpf_map_lookup_elem(&pk_buckets, &s->bucket[1]);
	f = bpf_map_lookup_elem(&pk_flows, &s->bucket[1]);
	return b && f ? pk_scan(b, f, key, s, 1) : NULL;
}

static __always_inline struct pk_flow *pk_flow_at(__u32 slot)
{
	__u32 bucket = slot / PK_WAYS;
	struct pk_ways *f = bpf_map_lookup_elem(&pk_flows, &bucket);

	if (!f)
		return NULL;
	slot &= PK_WAYS - 1;
	barrier_var(slot); /* for the verifier: nothing is added to f before the check */
	return &f->way[slot];
}

static __always_inline struct pk_table_use *pk_table_use(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pk_use, &zero);
}

/* Whoever clears the bit gives the quota back. */
static __always_inline void pk_leave_half_open(struct pk_flow_meta *m)
{
	struct pk_table_use *use;

	if (!(__sync_fetch_and_and(&m->state, ~PK_FLOW_HALF_OPEN) & PK_FLOW_HALF_OPEN))
		return;
	use = pk_table_use();
	if (use)
		__sync_fetch_and_add(&use->half_open, -1);
}

/* PK_DIR_* of one direction, besides what others set at the same time. */
static __always_inline void pk_turn_set(struct pk_flow_dir *d, __u32 flags)
{
	__sync_fetch_and_or(&d->turn, PK_TURN(flags));
}

static __always_inline void pk_turn_clear(struct pk_flow_dir *d, __u32 flags)
{
	__sync_fetch_and_and(&d->turn, ~PK_TURN(flags));
}

/* LIVE -> DYING; false when another was first. From then on no lookup finds it. */
static __always_inline bool pk_flow_kill(__u32 *tag, __u32 live, struct pk_flow *flow)
{
	if (__sync_val_compare_and_swap(tag, live, (live & ~PK_TAG_STATE) | PK_TAG_DYING) != live)
		return false;
	pk_leave_half_open(&flow->meta);
	return true;
}

static __always_inline __u32 pk_free_ways(const struct pk_bucket *b)
{
	__u32 i, n = 0;

	for (i = 0; i < PK_WAYS; i++)
		n += pk_tag_read(&b->tag[i]) == PK_TAG_FREE;
	return n;
}

/* A free way of this bucket, now BUSY and ours; PK_WAYS: none. */
static __always_inline __u32 pk_take_way(struct pk_bucket *b, __u32 tag)
{
	__u32 i, w;

	for (i = 0; i < PK_WAYS; i++) {
		w = pk_way(tag, i);
		if (pk_tag_read(&b->tag[w]) == PK_TAG_FREE &&
		    __sync_val_compare_and_swap(&b->tag[w], PK_TAG_FREE, PK_TAG_BUSY) ==
			    PK_TAG_FREE)
			return w;
	}
	return PK_WAYS;
}

/* Everything of a new flow but its counters, which the packet itself adds. */
static __always_inline void pk_flow_fill(struct pk_flow *f, const struct pk_pkt *p, __u64 now,
					 __u64 id)
{
	__builtin_memset((char *)f + sizeof(f->key), 0, sizeof(*f) - sizeof(f->key));
	f->key = p->key;
	f->meta.id = id;
	f->meta.start_ns = now;
	f->meta.initiator = p->dir;
	f->meta.state = PK_FLOW_HALF_OPEN;
	if (p->tcp && !(p->tcp_flags & PK_TCP_SYN))
		f->meta.state |= PK_FLOW_MIDSTREAM;
	if (p->tcp && (p->tcp_flags & (PK_TCP_SYN | PK_TCP_ACK)) == (PK_TCP_SYN | PK_TCP_ACK))
		f->meta.initiator = !p->dir;
}

/* One of the two buckets of a key, with what may not be looked up under a lock. */
struct pk_place {
	struct pk_bucket *b;
	struct pk_ways *f;
	__u32 bucket;
};

static __always_inline bool pk_place_get(struct pk_place *l, __u32 bucket)
{
	l->bucket = bucket;
	l->b = bpf_map_lookup_elem(&pk_buckets, &bucket);
	l->f = bpf_map_lookup_elem(&pk_flows, &bucket);
	return l->b && l->f;
}

/* A new flow in a free way of this bucket, or NULL. */
static __always_inline struct pk_flow *pk_place_make(struct pk_place *l, const struct pk_pkt *p,
						     struct pk_spot *s, __u64 now, __u64 id)
{
	__u32 w = pk_take_way(l->b, s->tag);
	struct pk_flow *f;

	if (w >= PK_WAYS)
		return NULL;
	f = &l->f->way[w];
	pk_flow_fill(f, p, now, id);
	__sync_lock_test_and_set(&l->b->tag[w], s->tag); /* published, fully ordered */
	s->slot = l->bucket * PK_WAYS + w;
	return f;
}

/* The flow of this key, found or made; NULL: no way is free. made tells which. */
static __always_inline struct pk_flow *pk_flow_make(const struct pk_pkt *p, struct pk_spot *s,
						    __u64 now, __u64 id, bool *made)
{
	__u32 stripe = s->bucket[0] & (PK_LOCKS - 1), room;
	struct pk_lock *l = bpf_map_lookup_elem(&pk_locks, &stripe);
	struct pk_place x, y, t;
	struct pk_flow *f;

	if (!l || !pk_place_get(&x, s->bucket[0]) || !pk_place_get(&y, s->bucket[1]))
		return NULL;
	bpf_spin_lock(&l->lock);
	f = pk_scan(x.b, x.f, &p->key, s, 0);
	if (!f)
		f = pk_scan(y.b, y.f, &p->key, s, 1);
	if (f) {
		bpf_spin_unlock(&l->lock);
		return f;
	}
	/* The first bucket, so that lookups need not go to the second, while it is less than half
	 * full; then the emptier one, so that both are full only when nearly the whole table is. */
	room = pk_free_ways(x.b);
	if (room <= PK_WAYS / 2 && room < pk_free_ways(y.b))
		t = x, x = y, y = t;
	f = pk_place_make(&x, p, s, now, id);
	if (!f) /* filled up, maybe just now by an inserter of another key */
		f = pk_place_make(&y, p, s, now, id);
	*made = f;
	bpf_spin_unlock(&l->lock);
	return f;
}

#endif
