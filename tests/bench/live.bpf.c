/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sender and the plainest receiver of live.c: one frame sent for ever (live frames of
 * BPF_PROG_RUN), each time with the next source of a prepared row; and a bare XDP_DROP.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "block.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* Ethernet 14, then IPv4 20 or IPv6 40, UDP 8: built by live.c. */
#define SRC4_AT   26
#define IP_SUM_AT 24
#define SRC6_AT   22
#define FRAME_MIN 62

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BB_FLOOD);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bb_addr);
} row SEC(".maps");

struct bb_flood flood SEC(".data");

static __always_inline __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16) ~((sum & 0xffff) + (sum >> 16));
}

SEC("xdp")
int bb_send(struct xdp_md *ctx)
{
	__u8 *d = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 i = flood.sent++ & (BB_FLOOD - 1), source;
	struct bb_addr *a = bpf_map_lookup_elem(&row, &i);

	if (!a || d + FRAME_MIN > end)
		return XDP_ABORTED;
	if (flood.v6) {
		*(__u64 *)(d + SRC6_AT) = a->w[0];
		*(__u64 *)(d + SRC6_AT + 8) = a->w[1];
		return XDP_TX;
	}
	source = a->w[1] >> 32;
	*(__u32 *)(d + SRC4_AT) = source;
	*(__u16 *)(d + IP_SUM_AT) = fold(flood.sum + (source & 0xffff) + (source >> 16));
	return XDP_TX;
}

SEC("xdp")
int bb_drop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}
