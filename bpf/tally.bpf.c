/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pending hits go to their rules: when a CPU has no room for more, and when the agent wants to read
 * the rules' counters.
 */
#include "lib/tally.h"

#include "lib/emit.h"

/* Its line may be a rule's no more, or another rule's: then the counters it had are gone, too. */
static __always_inline void pk_tally_settle(const struct pk_blk_pending *p)
{
	union pk_blk_line *l = pk_blk_line(p->line);

	if (!l || !pk_blk_brief(p->line) || !pk_blk_covers(&l->rule, p->peer[0], p->peer[1]))
		return;
	if (pk_rule_is_due(*(volatile __u64 *)&l->rule.last_ns, p->first_ns)) {
		pk_event_add(PK_EH_VERDICT, seen); /* it was not told: beyond what anybody reads */
		pk_event_add(PK_EH_VERDICT, filtered);
	}
	pk_rule_count(&l->rule, p->peer, p->packets, p->bytes, p->last_ns);
}

int pk_tally_flush(struct pk_blk_tally *t)
{
	union pk_blk_line *l;
	__u32 i;

	if (!t)
		return 0;
	/* Atomic additions wait for one another, plain reads do not: all come at once. */
	for (i = 0; i < PK_BLK_TALLY && i < t->n; i++)
		t->v[i].line = pk_tally_line(t->v[i].line);
	for (i = 0; i < PK_BLK_TALLY && i < t->n; i++) {
		(void)pk_blk_brief(t->v[i].line);
		l = pk_blk_line(t->v[i].line);
		if (l)
			(void)*(volatile __u64 *)&l->rule.packets;
	}
	for (i = 0; i < PK_BLK_TALLY && i < t->n; i++)
		pk_tally_settle(&t->v[i]);
	t->n = 0;
	return 0;
}

/*
 * On the CPU it is run on: as an interrupt, or in the agent's own context when it is there already,
 * where packets come in between. 1: a packet is being counted there; ask again.
 */
SEC("raw_tp")
int pk_drain(void *ctx)
{
	struct pk_blk_tally *t = pk_tally();

	(void)ctx;
	if (!t)
		return 0;
	if (*(volatile __u32 *)&t->busy)
		return 1;
	*(volatile __u32 *)&t->busy = 1;
	barrier();
	(void)pk_tally_flush(t); /* always 0 */
	barrier();
	*(volatile __u32 *)&t->busy = 0;
	return 0;
}
