/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The verdict: walks the rules that cover an address, asks the safe set, counts, reports. Global
 * functions, which the verifier checks once for packets and calls alike.
 */
#include "lib/verdict.h"

#include "lib/emit.h"
#include "lib/proc.h"
#include "lib/time.h"

#define PK_NEWS_NS 1000000000ull /* for packets a rule is reported at most this often */

static __always_inline bool pk_blk_fits(const struct pk_blk_cond *c, const struct pk_blk_query *q)
{
	if (!(c->dir & q->dir) || (c->proto && c->proto != q->proto) ||
	    (c->ifindex && c->ifindex != q->ifindex))
		return false;
	if (c->port_hi && (q->dport < c->port_lo || q->dport > c->port_hi))
		return false;
	return !c->expires_ns || c->expires_ns > pk_now_tick();
}

static __always_inline __u32 pk_blk_list_word(__u32 list)
{
	struct pk_blk_list *l = bpf_map_lookup_elem(&pk_blk_lists, &list);

	return l ? *(volatile __u32 *)&l->word : 0;
}

static __always_inline __u32 pk_blk_mode(__u32 word)
{
	return (word & PK_BLK_LIST_MODE) >> PK_BLK_MODE_SHIFT;
}

/* Is the rule a part of its list now, and does it speak of this packet? */
static __always_inline bool pk_blk_holds(const union pk_blk_line *l, __u32 word, __u32 line,
					 const struct pk_blk_query *q)
{
	__u8 flags = *(volatile __u8 *)&l->rule.flags;
	union pk_blk_line *c;

	if (flags & PK_BLK_EMPTY || !(word & PK_BLK_LIST_USED) ||
	    !(flags & (word & PK_BLK_LIST_PARITY ? PK_BLK_SEEN1 : PK_BLK_SEEN0)))
		return false;
	if (q->by_who && !pk_blk_covers(&l->rule, q->remote[0], q->remote[1]))
		return false;
	if (!(flags & PK_BLK_COND))
		return true;
	c = pk_blk_line(line + 1);
	return c && pk_blk_fits(&c->cond, q);
}

/* One rule; the line of the next. Global, so that the verifier looks at it once, not 160 times. */
__noinline int pk_blk_visit(struct pk_blk_query *q, __u32 line)
{
	union pk_blk_line *l = pk_blk_line(line);
	__u32 word, mode;

	if (!q || !l)
		return 0;
	word = pk_blk_list_word(l->rule.list);
	mode = pk_blk_mode(word);
	if (mode != PK_BLK_OFF && pk_blk_holds(l, word, line, q)) {
		if (word & PK_BLK_LIST_ALLOW) {
			if (mode == PK_BLK_ENFORCE && !q->allow)
				q->allow = line;
		} else if (mode == PK_BLK_OBSERVE) {
			if (!q->see)
				q->see = line;
		} else if (!q->drop) {
			q->drop = line;
			q->who = q->by_who;
		}
	}
	return *(volatile __u32 *)&l->rule.next & PK_BLK_LINE_MASK;
}

int pk_blk_walk(struct pk_blk_query *q, __u32 line)
{
	__u32 i;

	if (!q)
		return 0;
	for (i = 0; i < PK_BLK_CHAIN_MAX && line; i++)
		line = pk_blk_visit(q, line);
	if (line) { /* the rest is not looked at: counted */
		pk_event_add(PK_EH_VERDICT, seen);
		pk_event_add(PK_EH_VERDICT, oversized);
	}
	return 0;
}

/* Is the remote address in the safe set? Gateways and resolvers are only safe from lists. */
static __always_inline bool pk_blk_is_safe(const struct pk_blk_query *q)
{
	struct pk_blk_safe_key k = { .bits = 128 };
	struct pk_blk_safe_map *map;
	struct pk_blk_safe *s;
	__u64 w0 = PK_BE64(q->remote[0]), w1 = PK_BE64(q->remote[1]);
	bool v4 = !w0 && w1 >> 32 == 0xffff;
	__u32 zero = 0, group = v4 ? w1 >> 20 & 0xfff : pk_blk_safe_group(w0);

	map = bpf_map_lookup_elem(&pk_blk_safe_map, &zero);
	if (!map)
		return false;
	if (!((v4 ? map->v4 : map->v6)[group >> 6 & 63] >> (group & 63) & 1))
		return false;
	__builtin_memcpy(k.addr, q->remote, 16);
	s = bpf_map_lookup_elem(&pk_blk_safe, &k);
	if (!s)
		return false;
	return s->kinds & ~(q->who ? PK_BLK_SAFE_GATEWAY | PK_BLK_SAFE_RESOLVER : 0);
}

static __always_inline void pk_blk_tell(const struct pk_blk_query *q, const struct pk_blk_rule *r,
					__u32 line, __u8 act)
{
	struct pk_verdict *v;

	pk_event_add(PK_EH_VERDICT, seen);
	v = pk_reserve(pk_rb_block, PK_RING_BLOCK, PK_EH_VERDICT, PK_EV_VERDICT, struct pk_verdict);
	if (!v)
		return;
	if (q->where == PK_VERDICT_CONNECT || q->where == PK_VERDICT_SENDMSG)
		pk_task_fill(&v->task, (struct task_struct *)bpf_get_current_task());
	v->netns = q->netns;
	__builtin_memcpy(v->src, q->dir == PK_BLK_IN ? q->remote : q->local, 16);
	__builtin_memcpy(v->dst, q->dir == PK_BLK_IN ? q->local : q->remote, 16);
	v->sport = q->dir == PK_BLK_IN ? q->rport : q->lport;
	v->dport = q->dir == PK_BLK_IN ? q->lport : q->rport;
	v->ifindex = q->ifindex;
	v->proto = q->proto;
	v->list = r->list;
	v->where = q->where;
	v->act = act;
	v->bits = r->bits;
	v->depth = q->depth;
	v->line = line;
	__builtin_memcpy(v->prefix, r->prefix, 16);
	pk_submit(pk_rb_block, PK_EH_VERDICT, v);
}

/*
 * A rule decided. The last address may be torn when two processors write at once: both halves are
 * then of addresses that were dropped.
 */
static __always_inline struct pk_blk_count *pk_blk_hit(const struct pk_blk_query *q, __u32 line,
						       __u8 act)
{
	union pk_blk_line *l = pk_blk_line(line);
	__u64 now = pk_now_tick(), last;
	__u32 list;

	if (!l)
		return NULL;
	last = *(volatile __u64 *)&l->rule.last_ns;
	__sync_fetch_and_add(&l->rule.packets, q->packets);
	__sync_fetch_and_add(&l->rule.bytes, q->bytes);
	if (last < now)
		l->rule.last_ns = now;
	((volatile __u64 *)l->rule.peer)[0] = q->remote[0];
	((volatile __u64 *)l->rule.peer)[1] = q->remote[1];
	/* each refused call: the processes that try are many, and slower than packets */
	if (!last || now - last >= PK_NEWS_NS || q->where == PK_VERDICT_CONNECT)
		pk_blk_tell(q, &l->rule, line, act);
	list = l->rule.list;
	return bpf_map_lookup_elem(&pk_blk_cnt, &list);
}

/* Per CPU, but a call may be interrupted by a packet: hence atomics. */
static __always_inline void pk_blk_count_drop(const struct pk_blk_query *q, struct pk_blk_count *n)
{
	if (q->where == PK_VERDICT_CONNECT || q->where == PK_VERDICT_SENDMSG) {
		__sync_fetch_and_add(&n->calls, 1);
	} else if (q->dir == PK_BLK_IN) {
		__sync_fetch_and_add(&n->in_packets, q->packets);
		__sync_fetch_and_add(&n->in_bytes, q->bytes);
	} else {
		__sync_fetch_and_add(&n->out_packets, q->packets);
		__sync_fetch_and_add(&n->out_bytes, q->bytes);
	}
}

int pk_blk_settle(struct pk_blk_query *q)
{
	struct pk_blk_count *n;
	union pk_blk_line *l;
	__u32 list;

	if (!q)
		return 0;
	if (q->drop && !q->allow && !pk_blk_is_safe(q)) {
		n = pk_blk_hit(q, q->drop, PK_VERDICT_DROP);
		if (n)
			pk_blk_count_drop(q, n);
		return 1;
	}
	if (q->drop && q->allow) {
		l = pk_blk_line(q->allow);
		list = l ? l->rule.list : PK_BLK_LISTS;
		n = bpf_map_lookup_elem(&pk_blk_cnt, &list);
		if (n)
			__sync_fetch_and_add(&n->allowed_packets, q->packets);
	}
	if (q->see && !q->allow) {
		n = pk_blk_hit(q, q->see, PK_VERDICT_OBSERVE);
		if (n) {
			__sync_fetch_and_add(&n->seen_packets, q->packets);
			__sync_fetch_and_add(&n->seen_bytes, q->bytes);
		}
	}
	return 0;
}
