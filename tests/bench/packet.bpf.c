/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For the packet benchmark: a bare XDP_PASS, and a wrapper that gives each run of the same frame
 * another remote end (one of n, drawn at random or counted up) before it tail-calls the program
 * under test or, for its own cost, a bare pass.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} targets SEC(".maps");

struct {
	__u32 target;   /* index into targets */
	__u32 n;        /* remote ends, a power of two */
	__u32 counting; /* 1: next, 0: random */
	__u32 reverse;  /* 1: the remote end is the destination */
	__u64 state;
} wrap SEC(".data") = { .n = 1 };

SEC("xdp.frags")
int b_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("tc")
int b_unspec(struct __sk_buff *skb)
{
	(void)skb;
	return -1;
}

/* Marsaglia's xorshift64. */
static __always_inline __u32 draw(void)
{
	__u64 x = wrap.state;

	if (wrap.counting)
		return wrap.state++;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	wrap.state = x;
	return x >> 20;
}

SEC("xdp.frags")
int b_wrap(struct xdp_md *ctx)
{
	__u8 *d = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 i = draw() & (wrap.n - 1);

	if (d + 54 > end)
		return XDP_ABORTED;
	/* IPv4 source at 26, destination at 30; ports at 34 and 36. */
	if (wrap.reverse) {
		*(__be32 *)(d + 30) = bpf_htonl(0x0a000000 | i);
		*(__be16 *)(d + 36) = bpf_htons(1024 + (i >> 8 & 0x7fff));
	} else {
		*(__be32 *)(d + 26) = bpf_htonl(0x0a000000 | i);
		*(__be16 *)(d + 34) = bpf_htons(1024 + (i >> 8 & 0x7fff));
	}
	bpf_tail_call(ctx, &targets, wrap.target);
	return XDP_ABORTED;
}
