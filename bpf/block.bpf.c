/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The verdict: walks the rules that cover an address, asks the safe set, counts, reports. Global
 * functions, which the verifier checks once for packets and calls alike.
 */
#include "lib/verdict.h"

#include "lib/emit.h"
#include "lib/proc.h"
#include "lib/quick.h"
#include "lib/time.h"

#define PK_NEWS_MAX  1000u /* all rules together are reported so often in PK_NEWS_NS, per CPU */
#define PK_LOOKS_MAX 64u   /* and looked at, whether there is something to tell, in a tick */

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
	struct pk_blk_addr a = {};
	struct pk_blk_safe *s;

	pk_blk_addr_set(&a, q->remote[0], q->remote[1]);
	if (!pk_blk_may_be_safe(&a))
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
 * A flood from many listed addresses is dropped at the same rate as one from few: what is more than
 * anybody reads is not told, but counted.
 */
static __always_inline bool pk_blk_has_news_left(__u64 now)
{
	__u32 zero = 0;
	struct pk_blk_news *n = bpf_map_lookup_elem(&pk_blk_news, &zero);

	if (!n)
		return true;
	if (now - n->since_ns >= PK_NEWS_NS) {
		n->since_ns = now;
		n->told = 0;
	}
	return n->told < PK_NEWS_MAX;
}

static __always_inline bool pk_blk_may_tell(__u64 now)
{
	__u32 zero = 0;
	struct pk_blk_news *n = bpf_map_lookup_elem(&pk_blk_news, &zero);

	if (pk_blk_has_news_left(now)) {
		if (n)
			n->told++;
		return true;
	}
	pk_event_add(PK_EH_VERDICT, seen);
	pk_event_add(PK_EH_VERDICT, filtered);
	return false;
}

static __always_inline struct pk_blk_count *pk_blk_hit(const struct pk_blk_query *q, __u32 line,
						       __u8 act)
{
	union pk_blk_line *l = pk_blk_line(line);
	__u64 now = pk_now_tick(), last;
	__u32 list;

	if (!l)
		return NULL;
	last = *(volatile __u64 *)&l->rule.last_ns;
	pk_rule_count(&l->rule, q->remote, q->packets, q->bytes, now);
	/* each refused call: the processes that try are many, and slower than packets */
	if (q->where == PK_VERDICT_CONNECT || (pk_rule_is_due(last, now) && pk_blk_may_tell(now)))
		pk_blk_tell(q, &l->rule, line, act);
	list = l->rule.list;
	return bpf_map_lookup_elem(&pk_blk_cnt, &list);
}

/* Per CPU. Packets come with softirqs off, so that nothing is between; calls do not. */
static __always_inline void pk_blk_count_drop(const struct pk_blk_query *q, struct pk_blk_count *n)
{
	if (q->where == PK_VERDICT_CONNECT || q->where == PK_VERDICT_SENDMSG) {
		__sync_fetch_and_add(&n->calls, 1);
	} else if (q->dir == PK_BLK_IN) {
		n->in_packets += q->packets;
		n->in_bytes += q->bytes;
	} else {
		n->out_packets += q->packets;
		n->out_bytes += q->bytes;
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

/*
 * Is this rule to be told of? Its line, which is in no cache in a flood from many addresses, is
 * only looked at while there is something left to tell, and of so many packets in a tick.
 */
static __always_inline bool pk_quick_is_news(struct pk_blk_tally *t, __u32 line, __u64 now)
{
	union pk_blk_line *l;

	if (t->now_ns != now) {
		t->now_ns = now;
		t->looks = 0;
	}
	if (t->looks >= PK_LOOKS_MAX || !pk_blk_has_news_left(now))
		return false;
	t->looks++;
	l = pk_blk_line(line);
	return l && pk_rule_is_due(*(volatile __u64 *)&l->rule.last_ns, now);
}

/* What was found of an address. line: of the first rule; 0: none. */
struct pk_quick_found {
	__u32 line, brief;
	__u32 bits; /* of its family: all that begin with them have the same */
	__u32 gen;  /* pk_blk_ctl.gen before */
};

static __always_inline __u32 pk_quick_list(const struct pk_quick_found *f)
{
	return (f->brief & PK_BLK_BRIEF_LOOK) - 1;
}

static __always_inline bool pk_quick_count(struct pk_blk_tally *t, const struct pk_quick_found *f,
					   const struct pk_blk_addr *a, __u32 bytes)
{
	struct pk_blk_pending hit = { .line = f->line,
				      .list = pk_quick_list(f),
				      .gen = f->gen,
				      .packets = 1,
				      .bytes = bytes,
				      .last_ns = pk_now_tick() };
	bool counted;

	if (!pk_quick_enter(t))
		return false;
	pk_blk_addr_words(a, hit.peer);
	hit.first_ns = hit.last_ns;
	counted = pk_tally_add(t, &hit);
	if (!counted) {
		pk_tally_make_room(t, hit.line);
		counted = !pk_quick_is_news(t, hit.line, hit.last_ns);
		if (counted)
			pk_tally_put(t, &hit);
	}
	pk_quick_leave(t);
	return counted;
}

static __always_inline void pk_quick_remember4(struct pk_blk_tally *t, __u32 addr,
					       const struct pk_quick_found *f)
{
	struct pk_blk_known *k = pk_quick_slot(t, addr);
	__u32 shift = f->bits >= 24 && f->bits <= 32 ? 32 - f->bits : 0;

	k->addr = addr >> (shift & 31);
	k->gen = f->gen;
	k->line = f->line;
	k->shift = shift;
	k->at = t->at[pk_tally_hash(f->line)];
}

static __always_inline void pk_quick_remember6(struct pk_blk_tally *t, const struct pk_blk_addr *a,
					       const struct pk_quick_found *f)
{
	struct pk_blk_known6 *k = pk_quick_slot6(t, a->hi);

	k->hi = a->hi;
	k->lo = a->lo;
	k->gen = f->gen;
	k->line = f->line;
	k->wide = f->bits <= 64;
	k->at = t->at[pk_tally_hash(f->line)];
}

/*
 * A rule that drops whatever comes from its prefix, and of which nothing is to be told: by its
 * brief. Where nothing allows, the first rule of a chain decides when it drops.
 */
static __always_inline bool pk_quick_drop(const struct pk_blk_ctl *ctl, struct pk_blk_tally *t,
					  const struct pk_quick_found *f,
					  const struct pk_blk_addr *a, __u32 bytes)
{
	const __u32 mask = PK_BLK_LIST_USED | PK_BLK_LIST_ALLOW | PK_BLK_LIST_MODE;
	const __u32 drops = PK_BLK_LIST_USED | PK_BLK_ENFORCE << PK_BLK_MODE_SHIFT;
	__u32 list = pk_quick_list(f);

	if (list >= PK_BLK_BRIEF_LISTS || (pk_blk_list_word(list) & mask) != drops ||
	    (f->brief & PK_BLK_BRIEF_MORE && ctl->have & PK_BLK_HAVE_ALLOW) ||
	    pk_blk_may_be_safe(a))
		return false;
	return pk_quick_count(t, f, a, bytes);
}

/*
 * Where an address is listed. What the last packet was decides what is read first: in a flood from
 * listed hosts their table alone, else the top, which most of what is not listed ends at.
 */
static __always_inline void pk_quick_find(const struct pk_blk_ctl *ctl, struct pk_blk_tally *t,
					  const struct pk_blk_addr *a, struct pk_quick_found *f)
{
	__u32 hosts = a->v6 ? 0 : ctl->hosts, at = 0;
	bool flood = hosts && t->flood & PK_BLK_FLOOD_HOST;
	__u64 slot = 0;

	if (!flood) {
		slot = pk_blk_root(a);
		if (!(slot >> PK_BLK_TOP_MAP & pk_blk_top_bit(a)))
			hosts = 0;
	}
	if (hosts)
		at = pk_blk_host(hosts, a->hi >> 32, &f->brief);
	t->flood = at ? PK_BLK_FLOOD_HOST : 0;
	f->line = at;
	if (at)
		return;
	if (flood)
		slot = pk_blk_root(a);
	if (!a->v6)
		slot = pk_blk_top(slot, a);
	f->line = pk_blk_descend(slot, a, ctl->sites, &f->bits);
	if (f->line)
		f->brief = pk_blk_brief(f->line);
}

static __always_inline int pk_quick_verdict(const struct pk_blk_addr *a, __u32 bytes)
{
	const struct pk_blk_ctl *ctl = pk_blk_there_is();
	struct pk_blk_tally *t = pk_tally();
	struct pk_quick_found f = { .bits = 128 };

	if (!ctl || !t)
		return PK_QUICK_UNLISTED;
	f.gen = *(const volatile __u32 *)&ctl->gen;
	pk_quick_find(ctl, t, a, &f);
	if (!f.line)
		return PK_QUICK_UNLISTED;
	if (!pk_quick_drop(ctl, t, &f, a, bytes))
		return PK_QUICK_UNKNOWN;
	t->flood |= PK_BLK_FLOOD_DROP;
	if (a->v6)
		pk_quick_remember6(t, a, &f);
	else
		pk_quick_remember4(t, a->hi >> 32, &f);
	return PK_QUICK_DROP;
}

/* See lib/quick.h. */
int pk_blk_quick4(__u32 addr, __u32 bytes)
{
	struct pk_blk_addr a = { .hi = (__u64)addr << 32 };

	return pk_quick_verdict(&a, bytes);
}

int pk_blk_quick6(__u64 hi, __u64 lo, __u32 bytes)
{
	struct pk_blk_addr a = { .hi = hi, .lo = lo, .v6 = 1 };

	return pk_quick_verdict(&a, bytes);
}
