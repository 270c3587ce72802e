/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes a flood out of one packet: flood.c sends the same frame for ever (live frames of
 * BPF_PROG_RUN), this gives each a new source and passes it to the device's peer.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "Dual BSD/GPL";

/* Ethernet 14, IPv4 20 without options, TCP 20: built by flood.c. */
#define SRC_AT    26
#define IP_SUM_AT 24
#define SPORT_AT  34
#define FRAME_MIN 54

__u64 pk_flood_sent;

SEC("xdp")
int pk_flood(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 source = bpf_get_prandom_u32();
	__u32 sum;

	if (data + FRAME_MIN > end)
		return XDP_DROP;
	/* 11.0.0.0/8: never an address of a test; flood.c left the sum without the source. */
	source = (source & 0xffffff00u) | 11u;
	*(__u32 *)(data + SRC_AT) = source;
	*(__u16 *)(data + SPORT_AT) = (__u16)bpf_get_prandom_u32();
	sum = 0xffff & ~*(__u16 *)(data + FRAME_MIN - 2);
	sum += (source & 0xffff) + (source >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*(__u16 *)(data + IP_SUM_AT) = (__u16)~sum;
	__sync_fetch_and_add(&pk_flood_sent, 1);
	return XDP_TX;
}
