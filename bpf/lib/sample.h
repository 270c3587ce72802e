/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The first bytes of what a flow carries, to user space: what a hook does with a packet of which
 * pk_account() said in p->want that something is left to do. How much is taken, and whether at
 * all, is decided in sample.bpf.c, which sees 16 bytes; the hook copies.
 */
#ifndef PICKET_SAMPLE_H
#define PICKET_SAMPLE_H

#include "app.h"
#include "emit.h"
#include "load.h"
#include "packet.h"
#include "time.h"

/* What is to be taken of one packet. */
struct pk_plan {
	struct pk_peek peek;                 /* in: the first bytes of the payload, to = how many */
	__u32 have;                          /* in: bytes of the frame that can be read */
	__u32 payload_off, payload_len, seq; /* in: as in struct pk_sample */
	__u32 data_len;                      /* out: bytes to take; why tells whether at all */
	__u32 number;
	__u64 flow;
	__u64 ts;  /* one for both records of a packet: so its reader knows that they are of one */
	__u32 row; /* enum pk_sample_row or enum pk_app: where it counts */
	__u8 why;  /* PK_SAMPLE_* */
	__u8 app;
	__u8 initiator;
	__u8 pad;
};

/* Decides, counts what is not taken, and moves the flow's sampling on. Always 0. */
int pk_plan_sample(struct pk_pkt *p, struct pk_plan *t);

/* Per CPU, but a program may be interrupted by another on its CPU: hence atomics. */
#define pk_row_add(row, field, more)                                                               \
	do {                                                                                       \
		__u32 row_ = row;                                                                  \
		struct pk_sample_count *c_ = bpf_map_lookup_elem(&pk_sample_cnt, &row_);           \
		if (c_)                                                                            \
			__sync_fetch_and_add(&c_->field, more);                                    \
	} while (0)

/* Where the payload of this layer lies in the frame, and how long it is on the wire. */
static __always_inline void pk_plan_place(struct pk_plan *t, const struct pk_pkt *p)
{
	__u16 proto = p->key.proto;

	t->payload_off = p->off;
	t->seq = p->tcp ? p->seq + !!(p->tcp_flags & PK_TCP_SYN) : 0;
	if (proto == PK_KEY_ARP) {
		t->payload_off = p->l3_off;
		t->payload_len = sizeof(struct pk_arp);
		return;
	}
	if (p->opaque || p->frag == PK_FRAG_LATER)
		return;
	if (proto == PK_PROTO_TCP) {
		t->payload_len = p->tcp ? p->payload : 0;
		return;
	}
	if (proto != PK_PROTO_UDP && proto != PK_PROTO_ICMP && proto != PK_PROTO_ICMP6)
		return;
	t->payload_off += 8;
	if (p->l3_end > t->payload_off)
		t->payload_len = p->l3_end - t->payload_off;
}

/* len bytes at off of the frame; len is bounded and not 0. */
static __always_inline bool pk_copy(void *ctx, enum pk_cur_kind kind, __u32 off, void *to,
				    __u32 len)
{
	const void *data;

	if (kind == PK_CUR_SKB)
		return !bpf_skb_load_bytes(ctx, off, to, len);
	if (kind == PK_CUR_XDP)
		return !bpf_xdp_load_bytes(ctx, off, to, len);
	data = (void *)(long)((struct xdp_md *)ctx)->data;
	if (off > PK_OFF_MAX) /* for the verifier */
		return false;
	return !bpf_probe_read_kernel(to, len, data + off); /* the caller knows that it is there */
}

static __noinline void pk_fill_sample(struct pk_sample *s, const struct pk_pkt *p,
				      const struct pk_plan *t, __u32 len)
{
	const __u32 ring = t->why & PK_SAMPLE_RECORD ? PK_RING_RECORD : PK_RING_SAMPLE;

	s->hdr.ts = t->ts;
	s->hdr.size = (sizeof(*s) + len + 7) & ~7u;
	s->hdr.type = PK_EV_SAMPLE;
	s->hdr.flags = 0;
	s->hdr.cpu = bpf_get_smp_processor_id();
	s->hdr.seq = pk_next_seq(ring);
	s->key = p->key;
	s->flow = t->flow;
	s->slot = p->slot;
	s->frame_len = p->wire;
	s->data_len = len;
	s->l3_off = p->l3_off;
	s->payload_off = t->payload_off;
	s->payload_len = t->payload_len;
	s->seq = t->seq;
	s->number = t->number;
	s->why = t->why;
	s->app = t->app;
	s->dir = p->dir;
	s->initiator = t->initiator;
	s->where = p->where;
	s->tcp_flags = p->tcp_flags;
	s->raw = p->raw;
	s->frag = p->frag == PK_FRAG_FIRST;
}

static __always_inline void pk_count_taken(const struct pk_plan *t, __u32 len)
{
	__u32 payload = len > t->payload_off ? len - t->payload_off : 0;

	pk_row_add(t->row, sampled, 1);
	pk_row_add(t->row, bytes, len);
	if (t->row != PK_ROW_KEEP && payload < t->payload_len)
		pk_row_add(t->row, cut, 1);
}

/*
 * A record with room for up to max bytes: the ring wants to know sizes when the program is loaded.
 * The kernel wakes the reader at the record that follows what was read, and at no other: so no
 * record may ask for silence, or those behind it wait for the agent's tick.
 */
#define pk_take_up_to(max, rb)                                                                     \
	({                                                                                         \
		struct pk_sample *s_;                                                              \
		__u32 last_ = t->data_len - 1;                                                     \
                                                                                                   \
		s_ = bpf_ringbuf_reserve(&rb, sizeof(*s_) + (max), 0);                             \
		barrier_var(last_); /* for the verifier: up to 6.12 "not 0" is no lower bound */   \
		if (!s_) {                                                                         \
			(void)pk_next_seq(t->why &PK_SAMPLE_RECORD ? PK_RING_RECORD                \
								   : PK_RING_SAMPLE);              \
			pk_row_add(t->row, ring_full, 1);                                          \
		} else if (last_ >= (max) || !pk_copy(ctx, kind, 0, s_ + 1, last_ + 1)) {          \
			bpf_ringbuf_discard(s_, 0);                                                \
			pk_row_add(t->row, unread, 1);                                             \
		} else {                                                                           \
			pk_fill_sample(s_, p, t, last_ + 1);                                       \
			bpf_ringbuf_submit(s_, 0);                                                 \
			pk_count_taken(t, last_ + 1);                                              \
		}                                                                                  \
	})

/* Headers alone; a query or a small ClientHello; a whole frame of 1,500; several merged ones. */
#define PK_TAKE_SMALL  120u
#define PK_TAKE_MEDIUM 632u
#define PK_TAKE_FRAME  1656u
#define PK_TAKE_LARGE  4600u
#define PK_TAKE_HELLO  (PK_HELLO_MAX + 512u)

static __always_inline void pk_take_sample(void *ctx, const struct pk_pkt *p,
					   const struct pk_plan *t, enum pk_cur_kind kind)
{
	if (t->data_len <= PK_TAKE_SMALL)
		pk_take_up_to(PK_TAKE_SMALL, pk_rb_sample);
	else if (t->data_len <= PK_TAKE_MEDIUM)
		pk_take_up_to(PK_TAKE_MEDIUM, pk_rb_sample);
	else if (t->data_len <= PK_TAKE_FRAME)
		pk_take_up_to(PK_TAKE_FRAME, pk_rb_sample);
	else if (t->data_len <= PK_TAKE_LARGE)
		pk_take_up_to(PK_TAKE_LARGE, pk_rb_sample);
	else
		pk_take_up_to(PK_TAKE_HELLO, pk_rb_sample);
}

static __always_inline void pk_take_record(void *ctx, const struct pk_pkt *p,
					   const struct pk_plan *t, enum pk_cur_kind kind)
{
	if (t->data_len <= PK_TAKE_SMALL)
		pk_take_up_to(PK_TAKE_SMALL, pk_rb_record);
	else if (t->data_len <= PK_TAKE_FRAME)
		pk_take_up_to(PK_TAKE_FRAME, pk_rb_record);
	else if (t->data_len <= PK_TAKE_HELLO)
		pk_take_up_to(PK_TAKE_HELLO, pk_rb_record);
	else
		pk_take_up_to(PK_SAMPLE_DATA_MAX, pk_rb_record);
}

/* have: bytes of the frame that can be read. kind is a constant, ctx of that kind. Always 0. */
static __always_inline int pk_sample(void *ctx, struct pk_pkt *p, enum pk_cur_kind kind, __u32 have)
{
	struct pk_plan t = { .have = have };
	__u32 n;

	pk_plan_place(&t, p);
	n = have > t.payload_off ? have - t.payload_off : 0;
	if (n > t.payload_len)
		n = t.payload_len;
	if (n > sizeof(t.peek.w))
		n = sizeof(t.peek.w);
	n--;
	barrier_var(n); /* for the verifier: up to 6.12 "not 0" is no lower bound */
	if (n < sizeof(t.peek.w) && pk_copy(ctx, kind, t.payload_off, t.peek.w, n + 1))
		t.peek.to = n + 1;
	(void)pk_plan_sample(p, &t);
	if (t.why || (p->want & PK_DIR_RECORD))
		t.ts = pk_now();
	if (t.why)
		pk_take_sample(ctx, p, &t, kind);
	if (p->want & PK_DIR_RECORD) {
		t.why = PK_SAMPLE_RECORD;
		t.row = PK_ROW_RECORD;
		t.data_len = have < PK_SAMPLE_DATA_MAX ? have : PK_SAMPLE_DATA_MAX;
		pk_row_add(PK_ROW_RECORD, seen, 1);
		pk_take_record(ctx, p, &t, kind);
	}
	return 0;
}

#endif
