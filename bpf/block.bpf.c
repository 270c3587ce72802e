/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The verdict: walks the rules that cover an address, asks the safe set, counts, reports. Global
 * functions, which the verifier checks once for packets and calls alike.
 */
#include "lib/verdict.h"

#include "lib/emit.h"
#include "lib/proc.h"
#include "lib/tally.h"
#include "lib/time.h"

#define PK_NEWS_MAX 1000u /* all rules together are reported so often in PK_NEWS_NS, per CPU */

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

/* May the address be in the safe set? Most are told from it by one bit. */
static __always_inline bool pk_blk_may_be_safe(const struct pk_blk_addr *a)
{
	struct pk_blk_safe_map *map;
	__u32 zero = 0, group = a->v6 ? pk_blk_safe_group(a->hi) : a->hi >> 52;

	map = bpf_map_lookup_elem(&pk_blk_safe_map, &zero);
	return map && (a->v6 ? map->v6 : map->v4)[group >> 6 & 63] >> (group & 63) & 1;
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

/* Behind an IP header: is it all there, and nothing that would be looked into? */
static __always_inline bool pk_quick_l4(__u8 proto, const struct pk_udp *u, __u32 len)
{
	if (proto == PK_PROTO_TCP)
		return len >= sizeof(struct pk_tcp);
	return proto == PK_PROTO_UDP && len >= sizeof(*u) && u->dport != PK_BE16(4789) &&
	       u->dport != PK_BE16(8472) && u->dport != PK_BE16(6081);
}

/* For the verifier: those of 6.1 and 6.12 know no bound of a number whose bytes were swapped. */
static __always_inline __u64 pk_quick_len(__be16 wire)
{
	__u64 len = PK_BE16(wire);

	barrier_var(len);
	return len & 0xffff;
}

/* No option, no fragment, nothing missing. */
static __always_inline bool pk_quick_ip4(const struct pk_ip4 *ip, const void *end)
{
	__u64 len = pk_quick_len(ip->len);

	if (ip->ver_ihl != 0x45 || ip->frag & PK_BE16(0x3fff) || len < sizeof(*ip) ||
	    (void *)ip + len > end)
		return false;
	return pk_quick_l4(ip->proto, (void *)(ip + 1), len - sizeof(*ip));
}

/* No extension header, nothing missing. */
static __always_inline bool pk_quick_ip6(const struct pk_ip6 *ip, const void *end)
{
	__u64 len = pk_quick_len(ip->len);

	if (ip->ver_tc >> 4 != 6 || !len || (void *)(ip + 1) + len > end)
		return false;
	return pk_quick_l4(ip->next, (void *)(ip + 1), len);
}

/* Is this rule to be told of? Its line is only looked at while there is something left to tell. */
static __always_inline bool pk_quick_is_news(__u32 at, __u64 now)
{
	union pk_blk_line *l;

	if (!pk_blk_has_news_left(now))
		return false;
	l = pk_blk_line(pk_tally_line(at));
	return l && pk_rule_is_due(*(volatile __u64 *)&l->rule.last_ns, now);
}

static __always_inline bool pk_quick_count(struct pk_blk_tally *t, __u32 at,
					   const struct pk_blk_addr *a, __u32 bytes)
{
	__u64 now = pk_now_tick(), remote[2];
	bool counted;

	if (*(volatile __u32 *)&t->busy) /* we came while pk_drain() runs here */
		return false;
	pk_blk_addr_words(a, remote);
	*(volatile __u32 *)&t->busy = 1; /* pk_drain() may come while we do */
	barrier();
	counted = pk_tally_add(t, at, remote, bytes, now);
	if (!counted) {
		pk_tally_make_room(t, at);
		counted = !pk_quick_is_news(at, now);
		if (counted)
			pk_tally_put(t, at, remote, bytes, now);
	}
	barrier();
	*(volatile __u32 *)&t->busy = 0;
	return counted;
}

/*
 * A rule that drops whatever comes from its prefix, and of which nothing is to be told: by its
 * brief. at: its line, or its place with PK_BLK_IS_PLACE. Where nothing allows, the first rule of a
 * chain decides when it drops.
 */
static __always_inline bool pk_quick_drop(const struct pk_blk_ctl *ctl, struct pk_blk_tally *t,
					  __u32 brief, __u32 at, const struct pk_blk_addr *a,
					  __u32 bytes)
{
	const __u32 mask = PK_BLK_LIST_USED | PK_BLK_LIST_ALLOW | PK_BLK_LIST_MODE;
	const __u32 drops = PK_BLK_LIST_USED | PK_BLK_ENFORCE << PK_BLK_MODE_SHIFT;
	__u32 list = (brief & PK_BLK_BRIEF_LOOK) - 1;
	struct pk_blk_count *n;

	if (list >= PK_BLK_BRIEF_LISTS || (pk_blk_list_word(list) & mask) != drops ||
	    (brief & PK_BLK_BRIEF_MORE && ctl->have & PK_BLK_HAVE_ALLOW) || pk_blk_may_be_safe(a) ||
	    !pk_quick_count(t, at, a, bytes))
		return false;
	n = bpf_map_lookup_elem(&pk_blk_cnt, &list);
	if (n) {
		n->in_packets++;
		n->in_bytes += bytes;
	}
	return true;
}

/*
 * Where an address is listed: a line, or a place with PK_BLK_IS_PLACE, and its brief. 0: nowhere.
 * What the last packet was decides what is read first: in a flood from listed hosts their table
 * alone, else the top, which most of what is not listed ends at.
 */
static __always_inline __u32 pk_quick_find(const struct pk_blk_ctl *ctl, struct pk_blk_tally *t,
					   const struct pk_blk_addr *a, __u32 *brief)
{
	__u32 hosts = a->v6 ? 0 : ctl->hosts, at = 0;
	bool flood = hosts && t->flood;
	__u64 root = 0;

	if (!flood) {
		root = pk_blk_root(a);
		if (!(root >> PK_BLK_TOP_MAP & pk_blk_top_bit(a)))
			hosts = 0;
	}
	if (hosts)
		at = pk_blk_host(hosts, a->hi >> 32, brief);
	t->flood = !!at;
	if (at)
		return at | PK_BLK_IS_PLACE;
	if (flood)
		root = pk_blk_root(a);
	at = pk_blk_below(root, a);
	if (at)
		*brief = pk_blk_brief(at);
	return at;
}

/* What lists say of a sender by what is at hand; once for each family, which is known there. */
static __always_inline int pk_quick_verdict(const struct pk_blk_addr *a, __u32 bytes)
{
	const struct pk_blk_ctl *ctl = pk_blk_there_is();
	struct pk_blk_tally *t = pk_tally();
	__u32 at, brief = 0;

	if (!ctl || !t || !pk_blk_is_worth(ctl, a))
		return PK_QUICK_UNLISTED;
	at = pk_quick_find(ctl, t, a, &brief);
	if (!at)
		return PK_QUICK_UNLISTED;
	return pk_quick_drop(ctl, t, brief, at, a, bytes) ? PK_QUICK_DROP : PK_QUICK_UNKNOWN;
}

static __always_inline int pk_quick_verdict6(const struct pk_ip6 *ip, __u32 bytes)
{
	struct pk_blk_addr a = { .v6 = 1 };

	a.hi = (__u64)PK_BE32(ip->src[0]) << 32 | PK_BE32(ip->src[1]);
	a.lo = (__u64)PK_BE32(ip->src[2]) << 32 | PK_BE32(ip->src[3]);
	if (!a.hi && a.lo >> 32 == 0xffff) /* an IPv4 address in its 16-byte form */
		return PK_QUICK_UNKNOWN;
	return pk_quick_verdict(&a, bytes);
}

/* See lib/verdict.h. */
int pk_blk_quick(struct xdp_md *ctx, __u32 bytes)
{
	void *d = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const struct pk_eth *eth = d;
	const struct pk_ip4 *ip4 = d + sizeof(*eth);
	const struct pk_ip6 *ip6 = d + sizeof(*eth);
	struct pk_blk_addr a = {};

	if (pk_replaying || (void *)(ip4 + 1) + sizeof(struct pk_udp) > end)
		return PK_QUICK_UNKNOWN;
	if (eth->type == PK_TYPE_IP4 && pk_quick_ip4(ip4, end)) {
		a.hi = (__u64)PK_BE32(ip4->src) << 32;
		return pk_quick_verdict(&a, bytes);
	}
	if (eth->type == PK_TYPE_IP6 && (void *)(ip6 + 1) + sizeof(struct pk_udp) <= end &&
	    pk_quick_ip6(ip6, end))
		return pk_quick_verdict6(ip6, bytes);
	return PK_QUICK_UNKNOWN;
}
