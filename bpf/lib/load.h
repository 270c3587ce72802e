/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where packet bytes come from: straight from memory when they lie in the linear part, else copied
 * by a helper. The parser sees only pk_ptr(); in user space (tests, fuzzing) memory is all there
 * is.
 */
#ifndef PICKET_LOAD_H
#define PICKET_LOAD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __bpf__
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#endif

/* Headers deeper than this are out of reach: for the verifier, packet offsets stay below 0xffff. */
#define PK_OFF_MAX 0x7fffu

enum pk_cur_kind { PK_CUR_MEM, PK_CUR_SKB, PK_CUR_XDP_LINEAR, PK_CUR_XDP };

/* A packet being read. kind is a constant where it is used, so that the other kinds vanish. */
struct pk_cur {
	const void *data, *end; /* linear part */
	void *ctx;
	__u32 len; /* bytes of the whole frame that can be read */
	enum pk_cur_kind kind;
	bool failed; /* bytes that exist could not be reached */
};

/* len bytes at off, in place or in buf; NULL: not there (or failed). len is a constant. */
static inline __attribute__((always_inline)) const void *pk_ptr(struct pk_cur *c, __u32 off,
								void *buf, __u32 len)
{
	const void *p;

#ifdef __bpf__
	__u64 at = off;

	/*
	 * For the verifier: what is compared must be what is added. Without this the compiler
	 * compares one copy and adds another, of which kernels before 6.13 know no bound.
	 */
	asm volatile("" : "+r"(at));
	if (at > PK_OFF_MAX)
		return NULL;
	p = c->data + at;
	if (p + len <= c->end)
		return p;
	if (c->kind == PK_CUR_XDP_LINEAR || off + len > c->len)
		return NULL;
	if (c->kind == PK_CUR_SKB && !bpf_skb_load_bytes(c->ctx, off, buf, len))
		return buf;
	if (c->kind == PK_CUR_XDP && !bpf_xdp_load_bytes(c->ctx, off, buf, len))
		return buf;
	c->failed = true;
	return NULL;
#else
	if (off > PK_OFF_MAX || off + len > c->len)
		return NULL;
	p = (const __u8 *)c->data + off;
	return __builtin_memcpy(buf, p, len); /* the bytes may lie at any address */
#endif
}

#endif
