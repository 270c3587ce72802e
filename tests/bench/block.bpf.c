/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For the benchmark of block lists: a wrapper that gives each run of the same frame another source,
 * the next of a prepared row, before it tail-calls the program under test; and the programs beside
 * Picket's own: one small parser, then Picket's lookup, an LPM trie, a hash map asked once for each
 * length in use, or a hash map asked for whole addresses only. Drop on a hit, pass on a miss. One
 * program has no structure at all: it reads one line of an array of 64 bytes an entry, as whoever
 * counts for each entry must.
 */
#include "lib/block.h"

#include <bpf/bpf_endian.h>

#include "block.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* Picket's own maps are put in their place before the object is loaded. */
struct pk_map_blk_pool pk_blk_pool SEC(".maps");
struct pk_map_blk_roots pk_blk_roots SEC(".maps");
struct pk_map_blk_ctl pk_blk_ctl SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, BB_TARGETS);
	__type(key, __u32);
	__type(value, __u32);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BB_ROW);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bb_addr);
} row SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct bb_lpm4);
	__type(value, __u32);
} lpm4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct bb_lpm6);
	__type(value, __u32);
} lpm6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct bb_hash4);
	__type(value, __u32);
} hash4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct bb_hash6);
	__type(value, __u32);
} hash6 SEC(".maps");

struct bb_line {
	__u64 word[8];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bb_line);
} lines SEC(".maps");

struct bb_state bb SEC(".data");

struct bb_ends {
	__u64 w0, w1; /* source in its 16-byte form */
};

/* Ethernet, then the fixed header of IPv4 or IPv6. 0: neither. */
static __always_inline int parse(struct xdp_md *ctx, struct bb_ends *e)
{
	void *d = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct pk_eth *eth = d;

	if (d + sizeof(*eth) + sizeof(struct pk_ip4) > end)
		return 0;
	if (eth->type == PK_TYPE_IP4) {
		struct pk_ip4 *ip = d + sizeof(*eth);

		e->w0 = 0;
		e->w1 = (__u64)ip->src << 32 | 0xffff0000u;
		return 4;
	}
	if (eth->type == PK_TYPE_IP6 && d + sizeof(*eth) + sizeof(struct pk_ip6) <= end) {
		struct pk_ip6 *ip = d + sizeof(*eth);

		e->w0 = ip->src[0] | (__u64)ip->src[1] << 32;
		e->w1 = ip->src[2] | (__u64)ip->src[3] << 32;
		return 6;
	}
	return 0;
}

static __always_inline int verdict(bool hit)
{
	if (!hit)
		return XDP_PASS;
	bb.hits++;
	return XDP_DROP;
}

SEC("xdp.frags")
int bb_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

SEC("xdp.frags")
int bb_lookup(struct xdp_md *ctx)
{
	struct pk_blk_addr a = {};
	struct bb_ends e = {};
	struct pk_blk_ctl *ctl;
	__u32 zero = 0;

	ctl = bpf_map_lookup_elem(&pk_blk_ctl, &zero);
	if (!ctl || !parse(ctx, &e))
		return XDP_PASS;
	pk_blk_addr_set(&a, e.w0, e.w1);
	return verdict(pk_blk_lookup(&a, ctl->sites) != 0);
}

/* Which line depends on what was read before, as in a chain: reads can't overlap. */
SEC("xdp.frags")
int bb_floor(struct xdp_md *ctx)
{
	struct bb_ends e = {};
	struct bb_line *l;
	__u32 i;

	if (!parse(ctx, &e) || !bb.n_lines)
		return XDP_PASS;
	i = (((e.w0 ^ e.w1) * 0x9e3779b97f4a7c15ull >> 32) + bb.read) % bb.n_lines;
	l = bpf_map_lookup_elem(&lines, &i);
	if (!l)
		return XDP_ABORTED;
	bb.read = *(volatile __u64 *)&l->word[0];
	return XDP_PASS;
}

SEC("xdp.frags")
int bb_lpm(struct xdp_md *ctx)
{
	struct bb_ends e = {};
	int v = parse(ctx, &e);

	if (v == 4) {
		struct bb_lpm4 k = { .bits = 32, .addr = e.w1 >> 32 };

		return verdict(bpf_map_lookup_elem(&lpm4, &k) != NULL);
	}
	if (v == 6) {
		struct bb_lpm6 k = { .bits = 128, .addr = { e.w0, e.w1 } };

		return verdict(bpf_map_lookup_elem(&lpm6, &k) != NULL);
	}
	return XDP_PASS;
}

/* The first bits of a word in network order; bits is at most 64. */
static __always_inline __u64 first(__u64 w, __u32 bits)
{
	return bits ? bpf_cpu_to_be64(bpf_be64_to_cpu(w) & ~0ull << ((64 - bits) & 63)) : 0;
}

static __always_inline bool in_hash4(__be32 addr, __u32 bits)
{
	struct bb_hash4 k = { .bits = bits };

	k.addr = bpf_htonl(bpf_ntohl(addr) & ~0u << ((32 - bits) & 31));
	return bpf_map_lookup_elem(&hash4, &k) != NULL;
}

static __always_inline bool in_hash6(const struct bb_ends *e, __u32 bits)
{
	struct bb_hash6 k = { .bits = bits };

	k.addr[0] = bits > 64 ? e->w0 : first(e->w0, bits);
	k.addr[1] = bits > 64 ? first(e->w1, bits - 64) : 0;
	return bpf_map_lookup_elem(&hash6, &k) != NULL;
}

SEC("xdp.frags")
int bb_hash(struct xdp_md *ctx)
{
	struct bb_ends e = {};
	int v = parse(ctx, &e);
	__u32 i, bits;

	if (!v)
		return XDP_PASS;
	for (i = 0; i < BB_LENGTHS && i < bb.n_lengths; i++) {
		bits = bb.length[i];
		if (v == 4 ? in_hash4(e.w1 >> 32, bits) : in_hash6(&e, bits))
			return verdict(true);
	}
	return verdict(false);
}

SEC("xdp.frags")
int bb_hosts(struct xdp_md *ctx)
{
	struct bb_ends e = {};
	int v = parse(ctx, &e);

	if (!v)
		return XDP_PASS;
	return verdict(v == 4 ? in_hash4(e.w1 >> 32, 32) : in_hash6(&e, 128));
}

SEC("xdp.frags")
int bb_wrap(struct xdp_md *ctx)
{
	__u8 *d = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 i = bb.at++ & (BB_ROW - 1);
	struct bb_addr *a = bpf_map_lookup_elem(&row, &i);

	if (!a || d + 54 > end)
		return XDP_ABORTED;
	if (bb.v6) {
		*(__u64 *)(d + 22) = a->w[0];
		*(__u64 *)(d + 30) = a->w[1];
	} else {
		*(__be32 *)(d + 26) = a->w[1] >> 32;
	}
	bpf_tail_call(ctx, &targets, bb.target);
	return XDP_ABORTED;
}
