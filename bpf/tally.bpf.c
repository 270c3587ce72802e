/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pending hits go to their rules, lists and the hook: when a CPU has no room for more, and when the
 * agent wants to read these counters.
 */
#include "lib/tally.h"

#include "lib/emit.h"
#include "lib/verdict.h"

/*
 * After a change its line may be a rule's no more, or another rule's: then the counters it had are
 * gone, too. The brief tells, but is one more line that is in no cache.
 */
static __always_inline bool pk_tally_is_gone(const struct pk_blk_pending *p, __u32 gen)
{
	return p->gen != gen && !pk_blk_brief(p->line);
}

static __always_inline void pk_tally_settle(const struct pk_blk_pending *p, __u32 gen)
{
	union pk_blk_line *l = pk_blk_line(p->line);

	if (!l || pk_tally_is_gone(p, gen) || !pk_blk_covers(&l->rule, p->peer[0], p->peer[1]))
		return;
	if (pk_rule_is_due(*(volatile __u64 *)&l->rule.last_ns, p->first_ns)) {
		pk_event_add(PK_EH_VERDICT, seen); /* it was not told: beyond what anybody reads */
		pk_event_add(PK_EH_VERDICT, filtered);
	}
	pk_rule_count(&l->rule, p->peer, p->packets, p->bytes, p->last_ns);
}

/* Of one list. Atomic: in the agent's context packets that count at once come in between. */
static __always_inline void pk_tally_count_list(__u32 list, __u64 packets, __u64 bytes)
{
	struct pk_blk_count *n = bpf_map_lookup_elem(&pk_blk_cnt, &list);

	if (n && packets) {
		__sync_fetch_and_add(&n->in_packets, packets);
		__sync_fetch_and_add(&n->in_bytes, bytes);
	}
}

static __always_inline void pk_tally_count_hook(__u64 packets, __u64 bytes)
{
	__u32 hook = PK_HOOK_XDP;
	struct pk_pkt_counts *n = bpf_map_lookup_elem(&pk_pkt_cnt, &hook);

	if (!n)
		return;
	__sync_fetch_and_add(&n->n[PK_PKT_SEEN], packets);
	__sync_fetch_and_add(&n->n[PK_PKT_SEEN_BYTES], bytes);
	__sync_fetch_and_add(&n->n[PK_PKT_DROPPED], packets);
}

/* Whatever became of the rules: these packets were dropped. */
static __always_inline void pk_tally_count(const struct pk_blk_tally *t)
{
	__u64 packets = 0, bytes = 0, all_packets = 0, all_bytes = 0;
	__u32 i, list = 0;

	for (i = 0; i < PK_BLK_TALLY && i < t->n; i++) {
		const struct pk_blk_pending *p = &t->v[i];

		if (p->list != list) {
			pk_tally_count_list(list, packets, bytes);
			packets = bytes = 0;
			list = p->list;
		}
		packets += p->packets;
		bytes += p->bytes;
		all_packets += p->packets;
		all_bytes += p->bytes;
	}
	pk_tally_count_list(list, packets, bytes);
	pk_tally_count_hook(all_packets, all_bytes);
}

int pk_tally_flush(struct pk_blk_tally *t)
{
	const struct pk_blk_ctl *ctl = pk_blk_there_is();
	const union pk_blk_line *l;
	__u32 i;

	if (!t || !ctl)
		return 0;
	/* Atomic additions wait for one another, plain reads do not: all come at once. */
	for (i = 0; i < PK_BLK_TALLY && i < t->n; i++) {
		l = pk_blk_line(t->v[i].line);
		if (l)
			(void)*(const volatile __u64 *)&l->rule.packets;
	}
	for (i = 0; i < PK_BLK_TALLY && i < t->n; i++)
		pk_tally_settle(&t->v[i], *(const volatile __u32 *)&ctl->gen);
	pk_tally_count(t);
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
