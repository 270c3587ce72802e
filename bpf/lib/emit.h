/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ring records: reserve, zero, head, submit; and the counters that make loss a number.
 * A record is built in the ring itself: no shared scratch that preemption could overwrite.
 */
#ifndef PICKET_EMIT_H
#define PICKET_EMIT_H

#include "../maps.h"

static __always_inline struct pk_event_count *pk_event_counts(__u32 hook)
{
	return bpf_map_lookup_elem(&pk_ev_cnt, &hook);
}

/* Counters are per CPU, but a program may be preempted by another on its CPU: hence atomics. */
#define pk_event_add(hook, field)                                                                  \
	do {                                                                                       \
		struct pk_event_count *c_ = pk_event_counts(hook);                                 \
		if (c_)                                                                            \
			__sync_fetch_and_add(&c_->field, 1);                                       \
	} while (0)

static __always_inline __u32 pk_next_seq(__u32 ring)
{
	__u32 *s = bpf_map_lookup_elem(&pk_seq, &ring);

	return s ? __sync_fetch_and_add(s, 1) : 0;
}

/* Stores of 8 bytes, by pieces: clang has no memset above 1 KiB, and would put the pieces together.
 */
static __always_inline void pk_zero(void *rec, __u32 size)
{
	char *p = __builtin_assume_aligned(rec, 8);
	__u32 off = 0;

#pragma clang loop unroll(full)
	for (; off + 512 <= size; off += 512) {
		__builtin_memset(p + off, 0, 512);
		barrier();
	}
	__builtin_memset(p + off, 0, size % 512);
}

/* Reserves and zeroes one record of `type_` on ring map `rb`; NULL after counting ring_full. */
#define pk_reserve(rb, ring, hook, type_, struct_)                                                 \
	({                                                                                         \
		struct_ *r_ = bpf_ringbuf_reserve(&rb, sizeof(struct_), 0);                        \
		__u32 seq_ = pk_next_seq(ring);                                                    \
		if (!r_) {                                                                         \
			pk_event_add(hook, ring_full);                                             \
		} else {                                                                           \
			pk_zero(r_, sizeof(*r_));                                                  \
			r_->hdr.ts = bpf_ktime_get_boot_ns();                                      \
			r_->hdr.size = sizeof(*r_);                                                \
			r_->hdr.type = type_;                                                      \
			r_->hdr.cpu = bpf_get_smp_processor_id();                                  \
			r_->hdr.seq = seq_;                                                        \
		}                                                                                  \
		r_;                                                                                \
	})

/*
 * The kernel wakes the reader when it has read all that came before, so that a burst costs one
 * wake-up and an idle ring no delay. Forcing it costs an interrupt to ourselves for each record.
 */
#define pk_submit(rb, hook, rec)                                                                   \
	do {                                                                                       \
		bpf_ringbuf_submit(rec, 0);                                                        \
		pk_event_add(hook, submitted);                                                     \
	} while (0)

#endif
