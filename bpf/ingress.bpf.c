/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What arrives by XDP. Counts every packet, drops what a block list says. tc ingress, for where XDP
 * is not possible, is in egress.bpf.c with the rest of tc.
 */
#include "lib/account.h"

#include "lib/quick.h"
#include "lib/sample.h"

static __always_inline int pk_parse_frame(struct xdp_md *ctx, struct pk_pkt *p,
					  enum pk_cur_kind kind)
{
	struct pk_cur c = {
		.data = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
		.ctx = ctx,
		.kind = kind,
	};

	c.len = kind == PK_CUR_XDP ? bpf_xdp_get_buff_len(ctx) : ctx->data_end - ctx->data;
	if (!p->depth)
		pk_set_wire(p, c.len);
	return pk_parse(&c, p);
}

/* Global functions: the verifier checks them once for any p, not once per path that leads there. */
__noinline int pk_parse_xdp(struct xdp_md *ctx, struct pk_pkt *p)
{
	return p ? pk_parse_frame(ctx, p, PK_CUR_XDP) : -1;
}

__noinline int pk_parse_lin(struct xdp_md *ctx, struct pk_pkt *p)
{
	return p ? pk_parse_frame(ctx, p, PK_CUR_XDP_LINEAR) : -1;
}

__noinline int pk_sample_xdp(struct xdp_md *ctx, struct pk_pkt *p)
{
	return p ? pk_sample(ctx, p, PK_CUR_XDP, bpf_xdp_get_buff_len(ctx)) : 0;
}

__noinline int pk_sample_lin(struct xdp_md *ctx, struct pk_pkt *p)
{
	return p ? pk_sample(ctx, p, PK_CUR_XDP_LINEAR, ctx->data_end - ctx->data) : 0;
}

typedef int (*pk_xdp_step)(struct xdp_md *ctx, struct pk_pkt *p);

static __always_inline int pk_xdp_whole(struct xdp_md *ctx, struct pk_pkt_counts *n, bool unlisted,
					pk_xdp_step parse, pk_xdp_step sample)
{
	struct pk_pkt p = {
		.type = PK_TYPE_ETHER, .where = PK_AT_INGRESS, .packets = 1, .unlisted = unlisted
	};

	p.key.ifindex = ctx->ingress_ifindex;
	p.key.netns = pk_netns;
	if (pk_is_drop(pk_outer(n, &p, parse(ctx, &p))))
		return XDP_DROP;
	if (p.want)
		(void)sample(ctx, &p);
	if (p.in_type) {
		pk_enter(&p);
		if (pk_is_drop(pk_inner(n, &p, parse(ctx, &p))))
			return XDP_DROP;
		if (p.want)
			(void)sample(ctx, &p);
	}
	return XDP_PASS;
}

static __always_inline int pk_xdp_run(struct xdp_md *ctx, __u32 bytes, pk_xdp_step parse,
				      pk_xdp_step sample)
{
	int quick = pk_quick(ctx, bytes);
	__u32 hook = PK_HOOK_XDP;
	struct pk_pkt_counts *n;

	if (quick == PK_QUICK_DROP)
		return XDP_DROP;
	n = bpf_map_lookup_elem(&pk_pkt_cnt, &hook);
	if (!n)
		return XDP_PASS;
	return pk_xdp_whole(ctx, n, quick == PK_QUICK_UNLISTED, parse, sample);
}

SEC("xdp.frags")
int pk_xdp(struct xdp_md *ctx)
{
	return pk_xdp_run(ctx, bpf_xdp_get_buff_len(ctx), pk_parse_xdp, pk_sample_xdp);
}

/* For kernels before 5.18, which know no fragments in XDP. */
SEC("xdp")
int pk_xdp_lin(struct xdp_md *ctx)
{
	return pk_xdp_run(ctx, ctx->data_end - ctx->data, pk_parse_lin, pk_sample_lin);
}
