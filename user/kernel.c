/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads counters as they are and aggregates by their growth. It removes from the kernel's map only
 * destinations that were silent for long: a packet that still held one would be lost to the sum.
 */
#include "kernel.h"

#include "api/state.h"
#include "api/view.h"
#include "base/cleanup.h"
#include "flow/aggregate.h"
#include "probe/counters.h"

#include <string.h>

#define AGGS_MAX    4096 /* of bpf/maps.h */
#define AGG_IDLE_NS 30000000000ull

static void on_agg(void *arg, const struct pk_agg_key *key, const struct pk_agg *agg)
{
	struct pk_view *view = arg;

	(void)pk_agg_table_see(view->aggs, key, agg); /* no room: counted by the table */
}

struct old_aggs {
	struct pk_agg_key key[64];
	size_t n;
	uint64_t before_ns;
};

static void on_old_agg(void *arg, const struct pk_agg_key *key, const struct pk_agg *agg)
{
	struct old_aggs *old = arg;

	if (agg->last_ns < old->before_ns && old->n < PK_ARRAY_SIZE(old->key))
		old->key[old->n++] = *key;
}

/* Makes room in the kernel's map: destinations that were silent for long, which no packet holds. */
static void remove_old_aggs(struct pk_kernel *k, struct pk_view *view)
{
	struct old_aggs old = { .before_ns = view->now_ns - AGG_IDLE_NS };
	struct pk_agg last;

	if (!pk_agg_table_may_forget(view->aggs) || view->now_ns < AGG_IDLE_NS ||
	    pk_counters_aggs(k->fd[PK_FD_AGGS], on_old_agg, &old) < 0)
		return;
	for (size_t i = 0; i < old.n; i++)
		if (pk_counters_agg_remove(k->fd[PK_FD_AGGS], &old.key[i], &last) == 0)
			(void)pk_agg_table_forget(view->aggs, &old.key[i], &last);
}

static void read_aggs(struct pk_kernel *k, struct pk_view *view)
{
	struct pk_agg rest[256];
	uint64_t packets = 0;
	int n;

	for (int h = 0; h < PK_HOOK_PKT_MAX; h++)
		packets += view->state->pkt[h][PK_PKT_AGGREGATE];
	/* a packet is counted just before it is added: look once more after the last change */
	if (packets == k->aggregated && k->settled)
		return;
	k->settled = packets == k->aggregated;
	k->aggregated = packets;
	n = pk_counters_aggs(k->fd[PK_FD_AGGS], on_agg, view);
	if (n > AGGS_MAX / 2)
		remove_old_aggs(k, view);
	if (pk_counters_agg_rest(k->fd[PK_FD_AGG_REST], rest) == 0)
		for (unsigned p = 0; p < PK_ARRAY_SIZE(rest); p++)
			pk_agg_table_see_rest(view->aggs, p, &rest[p]);
}

void pk_kernel_read(struct pk_kernel *k, struct pk_view *view)
{
	struct pk_state *s = view->state;
	struct pk_counters c = { .use = s->use };

	if (k->fd[PK_FD_PKT_CNT] < 0)
		return;
	memcpy(c.pkt, s->pkt, sizeof(c.pkt));
	memcpy(c.ev, s->ev, sizeof(c.ev));
	s->have_maps = pk_counters_read(k->fd[PK_FD_PKT_CNT], k->fd[PK_FD_EV_CNT], k->fd[PK_FD_USE],
					k->cpus, &c) == 0;
	memcpy(s->pkt, c.pkt, sizeof(c.pkt));
	memcpy(s->ev, c.ev, sizeof(c.ev));
	s->use = c.use;
	if (pk_counters_samples(k->fd[PK_FD_SAMPLE_CNT], k->cpus, s->sample) < 0)
		s->have_maps = false;
	pk_state_note_even(s);
	read_aggs(k, view);
}
