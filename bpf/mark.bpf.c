/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Marks flows when the agent asks: to be recorded, to be cut. One flow, which must still be the one
 * that was meant, or all there are.
 */
#include "maps.h"

#include "lib/flow.h"

#define PK_MARKS (PK_DIR_RECORD | PK_DIR_CUT)

struct pk_marking {
	__u32 set, clear;
	__u32 found;
	__u32 pad;
};

static __always_inline void pk_mark_flow(struct pk_flow *f, struct pk_marking *m)
{
	__u32 i;

	for (i = 0; i < 2; i++) {
		if (m->set)
			pk_turn_set(&f->dir[i], m->set);
		if (m->clear)
			pk_turn_clear(&f->dir[i], m->clear);
	}
	m->found++;
}

/* A function of its own for the verifier, as the sweep's. */
__noinline int pk_mark_way(__u32 index, __u32 way, struct pk_marking *m)
{
	struct pk_bucket *b = bpf_map_lookup_elem(&pk_buckets, &index);
	struct pk_ways *ways = bpf_map_lookup_elem(&pk_flows, &index);

	if (!b || !ways || !m || way >= PK_WAYS)
		return 0;
	if ((pk_tag_read(&b->tag[way]) & PK_TAG_STATE) == PK_TAG_LIVE)
		pk_mark_flow(&ways->way[way], m);
	return 0;
}

static long pk_mark_bucket(void *map, __u32 *index, struct pk_bucket *b, struct pk_marking *m)
{
	__u32 i;

	(void)map;
	for (i = 0; i < PK_WAYS; i++)
		if (b->tag[i])
			pk_mark_way(*index, i, m);
	return 0;
}

/* Its way is not freed under us: that takes longer after its end than we do. */
static __always_inline void pk_mark_one(__u64 id, __u32 slot, struct pk_marking *m)
{
	__u32 bucket = slot / PK_WAYS;
	struct pk_bucket *b = bpf_map_lookup_elem(&pk_buckets, &bucket);
	struct pk_flow *f = pk_flow_at(slot);

	if (!b || !f)
		return;
	slot &= PK_WAYS - 1;
	barrier_var(slot); /* for the verifier: nothing is added to b before the check */
	if ((pk_tag_read(&b->tag[slot]) & PK_TAG_STATE) == PK_TAG_LIVE && f->meta.id == id)
		pk_mark_flow(f, m);
}

SEC("syscall")
int pk_mark(struct pk_mark_ctx *ctx)
{
	struct pk_marking m = { .set = ctx->set & PK_MARKS, .clear = ctx->clear & PK_MARKS };

	if (ctx->flow)
		pk_mark_one(ctx->flow, ctx->slot, &m);
	else
		(void)bpf_for_each_map_elem(&pk_buckets, pk_mark_bucket, &m, 0);
	ctx->found = m.found;
	return 0;
}
