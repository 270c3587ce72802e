/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules into the tries and out again. Keeps two things true at every moment: a slot names the most
 * specific prefix, and from there `next` leads through all rules of that prefix and then to the
 * first of the next shorter one. What is in a slot is node.c's, what is in one of IPv4's first
 * words top.c's, what is free lines.c's.
 */
#include "block/trie.h"

#include "base/cleanup.h"
#include "block/node.h"
#include "block/top.h"
#include "block/trie_own.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REST_WORTH 512

int pk_trie_new(const struct pk_trie_memory *m, struct pk_trie **ret_trie)
{
	struct pk_trie *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->mem = *m;
	t->lines.wait = m->wait;
	t->lines.begin = m->begin;
	t->lines.is_over = m->is_over;
	t->lines.arg = m->arg;
	t->lines.free_place = pk_hosts_free_place;
	t->lines.hosts = &t->hosts;
	t->hosts.lines = &t->lines;
	t->sites.lines = &t->lines;
	t->sites.roots = m->roots;
	*ret_trie = t;
	return 0;
}

void pk_trie_free(struct pk_trie *t)
{
	if (!t)
		return;
	pk_lines_done(&t->lines);
	free(t);
}

int pk_trie_add_chunk(struct pk_trie *t, uint32_t index, union pk_blk_line *lines, bool fresh)
{
	uint32_t first = (index << PK_BLK_CHUNK_SHIFT) + PK_BLK_BRIEF_LINES;
	int r = pk_lines_add_chunk(&t->lines, index, lines);

	if (r < 0 || !fresh)
		return r;
	return pk_lines_add_range(&t->lines, first, PK_BLK_CHUNK_ROOM);
}

uint64_t pk_trie_free_lines(const struct pk_trie *t)
{
	return t->lines.free_lines;
}

uint64_t pk_trie_need(uint64_t v4, uint64_t v6, uint64_t with_cond)
{
	/* Measured on random and on real lists: a rule, its share of nodes and words, and what
	 * rests between two waits. More is asked for when it does not suffice. */
	return v4 + v4 / 4 + v6 * 2 + v6 / 2 + with_cond + PK_TRIE_RULE_LINES * 4;
}

struct pk_blk_rule *pk_trie_rule(const struct pk_trie *t, uint32_t line)
{
	union pk_blk_line *l = line ? pk_lines_at(&t->lines, line) : NULL;

	return l ? &l->rule : NULL;
}

struct pk_blk_cond *pk_trie_cond(const struct pk_trie *t, uint32_t line)
{
	struct pk_blk_rule *r = pk_trie_rule(t, line);

	return r && r->flags & PK_BLK_COND ? &pk_lines_at(&t->lines, line + 1)->cond : NULL;
}

uint8_t pk_trie_brief_of(const struct pk_blk_rule *r)
{
	const uint8_t plain = PK_BLK_SEEN0 | PK_BLK_SEEN1 | PK_BLK_HEAD;

	if (r->flags != plain || r->list >= PK_BLK_BRIEF_LISTS)
		return PK_BLK_BRIEF_LOOK;
	return (uint8_t)((r->list + 1) | (r->next ? PK_BLK_BRIEF_MORE : 0));
}

/* Of a line that is a rule's. */
static struct pk_blk_rule *known(const struct pk_trie *t, uint32_t line)
{
	struct pk_blk_rule *r = pk_trie_rule(t, line);

	assert(r);
	return r;
}

static void set_brief(const struct pk_trie *t, uint32_t line, uint8_t brief)
{
	__atomic_store_n(pk_lines_brief(&t->lines, line), brief, __ATOMIC_RELEASE);
}

/* Before a rule changes: whoever meets it has to look. */
static void hide(struct pk_trie *t, uint32_t line, uint8_t brief)
{
	if (pk_brief_is_plain(*pk_lines_brief(&t->lines, line)))
		pk_hosts_forget(&t->hosts, known(t, line));
	set_brief(t, line, brief);
}

/* A rule that is where it belongs: what there is to know is told. */
static void show(struct pk_trie *t, uint32_t line)
{
	const struct pk_blk_rule *r = known(t, line);
	uint8_t brief = pk_trie_brief_of(r);

	set_brief(t, line, brief);
	if (pk_brief_is_plain(brief))
		pk_hosts_put(&t->hosts, r, line, brief);
	pk_trie_changed(t->mem.ctl);
}

/* Flags lie in the rule's last word, which is stored as one. */
static void set_flags(struct pk_trie *t, uint32_t line, uint8_t flags)
{
	hide(t, line, PK_BLK_BRIEF_LOOK);
	__atomic_store_n(&known(t, line)->flags, flags, __ATOMIC_RELEASE);
	show(t, line);
}

void pk_trie_set_flags(struct pk_trie *t, uint32_t line, uint8_t flags)
{
	struct pk_blk_rule *r = pk_trie_rule(t, line);
	const uint8_t seen = PK_BLK_SEEN0 | PK_BLK_SEEN1;

	set_flags(t, line, (uint8_t)((r->flags & ~seen) | (flags & seen)));
}

static void set_next(struct pk_trie *t, uint32_t line, uint32_t next)
{
	hide(t, line, PK_BLK_BRIEF_LOOK);
	__atomic_store_n(&known(t, line)->next, next, __ATOMIC_RELEASE);
	show(t, line);
}

#define ROOT_BITS 16

/* IPv6: the slots of the first 16 bits that p lies in or covers. IPv4: the tops. */
static uint64_t *roots_of(const struct pk_trie *t, const struct pk_prefix *p, unsigned *ret_n)
{
	unsigned bits = p->v6 ? ROOT_BITS : PK_BLK_TOP_BITS;

	*ret_n = p->bits >= bits ? 1 : 1u << (bits - p->bits);
	return t->mem.roots + (p->v6 ? 0 : PK_BLK_TOP_AT) + (p->hi >> (64 - bits));
}

static uint32_t find(const struct pk_trie *t, const struct pk_prefix *p)
{
	unsigned n;
	uint64_t root = *roots_of(t, p, &n);

	return p->v6 ? pk_node_find(&t->lines, root, p) : pk_top_find(&t->lines, root, p);
}

uint32_t pk_trie_lookup(const struct pk_trie *t, const uint8_t addr[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct pk_prefix p;
	uint64_t root, site;

	pk_prefix_of(addr, 128, !memcmp(addr, mapped, sizeof(mapped)), &p);
	if (!p.v6)
		return find(t, &p);
	root = t->mem.roots[p.hi >> (64 - ROOT_BITS)];
	site = (root & 3) == PK_BLK_NODE
		       ? pk_sites_find(&t->lines, t->mem.ctl->sites, (uint32_t)(p.hi >> 32))
		       : 0;
	return pk_node_find(&t->lines, site ? site : root, &p);
}

/* Where a prefix stands in the chain of its first address. */
struct place {
	uint32_t same;   /* first rule of this prefix, 0 none */
	uint32_t cover;  /* first rule of the next shorter one, 0 none */
	uint32_t before; /* rule whose next is the one that is looked for, 0 none */
};

static void look(const struct pk_trie *t, const struct pk_prefix *p, uint32_t wanted,
		 struct place *ret)
{
	const struct pk_blk_rule *r;

	*ret = (struct place){ 0 };
	for (uint32_t line = find(t, p), last = 0; line; last = line, line = r->next) {
		struct pk_prefix q;

		r = pk_trie_rule(t, line);

		pk_prefix_of_rule(r, &q);
		if (line == wanted)
			ret->before = last;
		if (q.bits == p->bits && !ret->same)
			ret->same = line;
		if (q.bits < p->bits) {
			ret->cover = line;
			return;
		}
	}
}

/* All chains that pass through p's range and go on at from_line, go on at to. */
struct relink {
	struct pk_trie *t;
	uint32_t from_line, to;
	uint64_t ones;
	bool dry;
};

static void relink_one(void *arg, uint32_t line, bool one)
{
	struct relink *k = arg;

	k->ones += one;
	while (!k->dry && line && line != k->from_line && line != k->to) {
		uint32_t next = pk_trie_rule(k->t, line)->next;

		if (next == k->from_line) {
			set_next(k->t, line, k->to);
			return;
		}
		line = next;
	}
}

static void visit(struct pk_trie *t, const struct pk_prefix *p, struct relink *k)
{
	unsigned n;
	uint64_t *slot = roots_of(t, p, &n);

	for (unsigned i = 0; i < n; i++)
		if (p->v6)
			pk_node_visit(&t->lines, slot[i], ROOT_BITS, p, relink_one, k);
		else
			pk_top_visit(&t->lines, slot[i], p, relink_one, k);
}

/* Lines for what a change may take, also those that only rest. */
static bool has_room(struct pk_trie *t, uint64_t n)
{
	if (!pk_lines_has_room(&t->lines, n))
		pk_lines_settle(&t->lines);
	if (!pk_lines_has_room(&t->lines, n))
		pk_lines_join(&t->lines);
	return pk_lines_has_room(&t->lines, n);
}

/* Tops that p covers and that have slots for some of their /24s only: they get all. */
static uint64_t count_partial(const struct pk_trie *t, const struct pk_prefix *p)
{
	uint64_t n_partial = 0;
	unsigned n;
	const uint64_t *top = roots_of(t, p, &n);

	for (unsigned i = 0; i < n; i++)
		n_partial += pk_top_map(top[i]) && ~pk_top_map(top[i]);
	return n_partial;
}

/* Room for what the change may take: a node for each lone prefix that gets covered in its slot. */
static int check_room(struct pk_trie *t, const struct pk_prefix *p, bool is_new)
{
	struct relink dry = { .t = t, .dry = true };
	uint64_t tops = 0, n;

	if (is_new && p->bits < (p->v6 ? 128u : 32u))
		visit(t, p, &dry);
	if (is_new && !p->v6 && p->bits < PK_BLK_TOP_BITS)
		tops = count_partial(t, p);
	n = PK_TRIE_RULE_LINES + dry.ones * 2 + tops * PK_TRIE_TOP_LINES;
	if (!has_room(t, n))
		return -ENOSPC;
	return !tops || pk_lines_in_rows(&t->lines, PK_TRIE_TOP_LINES) >= n ? 0 : -ENOSPC;
}

/* own: flags that are not the caller's. It is to be shown when it is in its place. */
static uint32_t write_rule(struct pk_trie *t, const struct pk_trie_rule *rule, uint8_t own,
			   uint32_t next)
{
	uint32_t line = pk_lines_take(&t->lines, rule->has_cond ? 2 : 1);
	union pk_blk_line *l = line ? pk_lines_at(&t->lines, line) : NULL;

	if (!l)
		return 0;
	memcpy(l->rule.prefix, rule->prefix, sizeof(l->rule.prefix));
	l->rule.bits = rule->bits;
	l->rule.list = rule->list;
	l->rule.next = next;
	l->rule.flags = (uint8_t)(rule->flags | own | (rule->has_cond ? PK_BLK_COND : 0));
	if (rule->has_cond)
		l[1].cond = rule->cond;
	set_brief(t, line, PK_BLK_BRIEF_LOOK);
	return line;
}

static void give_rule(struct pk_trie *t, uint32_t line)
{
	hide(t, line, 0);
	pk_lines_give(&t->lines, line, pk_trie_rule(t, line)->flags & PK_BLK_COND ? 2 : 1);
}

static uint64_t root_with(struct pk_trie *t, uint64_t root, const struct pk_prefix *p,
			  uint32_t line, uint32_t cover)
{
	if (!p->v6)
		return pk_top_with(&t->lines, root, p, line, cover);
	return p->bits > ROOT_BITS ? pk_node_with(&t->lines, root, ROOT_BITS, 0, p, line, cover)
				   : pk_node_paint(&t->lines, root, 0, cover, line);
}

/* Lines for the smaller nodes that a removal makes. Waits only when that gives back many. */
static bool has_reserve(struct pk_trie *t)
{
	if (!pk_lines_has_row(&t->lines, PK_TRIE_NODE_LINES) && t->lines.n_ripe >= REST_WORTH) {
		pk_lines_settle(&t->lines);
		pk_lines_join(&t->lines);
	}
	return pk_lines_has_row(&t->lines, PK_TRIE_NODE_LINES);
}

static uint64_t root_without(struct pk_trie *t, uint64_t root, const struct pk_prefix *p,
			     uint32_t line, uint32_t cover)
{
	bool room = p->bits <= ROOT_BITS || has_reserve(t);

	if (!p->v6)
		return pk_top_without(&t->lines, root, p, line, cover, room);
	if (p->bits <= ROOT_BITS)
		return pk_node_paint(&t->lines, root, 0, line, cover);
	return room ? pk_node_without(&t->lines, root, ROOT_BITS, 0, p, line, cover)
		    : pk_node_clear(&t->lines, root, 0, p, line, cover);
}

static void add_prefix(struct pk_trie *t, const struct pk_prefix *p, uint32_t line, uint32_t cover)
{
	struct relink k = { .t = t, .from_line = cover, .to = line };
	unsigned n;
	uint64_t *slot = roots_of(t, p, &n);

	for (unsigned i = 0; i < n; i++) {
		uint64_t now = root_with(t, slot[i], p, line, cover);

		if (now != slot[i])
			__atomic_store_n(&slot[i], now, __ATOMIC_RELEASE);
	}
	pk_sites_update(&t->sites, p);
	if (p->bits < (p->v6 ? 128u : 32u))
		visit(t, p, &k);
}

/*
 * Without room the nodes stay as they are and only forget the rule. A removal never fails.
 */
static void remove_prefix(struct pk_trie *t, const struct pk_prefix *p, uint32_t line,
			  uint32_t cover)
{
	struct relink k = { .t = t, .from_line = line, .to = cover };
	unsigned n;
	uint64_t *slot = roots_of(t, p, &n);

	if (p->bits < (p->v6 ? 128u : 32u))
		visit(t, p, &k);
	for (unsigned i = 0; i < n; i++) {
		uint64_t now = root_without(t, slot[i], p, line, cover);

		if (now != slot[i])
			__atomic_store_n(&slot[i], now, __ATOMIC_RELEASE);
	}
	pk_sites_update(&t->sites, p);
	pk_trie_changed(t->mem.ctl);
}

int pk_trie_add(struct pk_trie *t, const struct pk_trie_rule *rule, uint32_t *ret_line)
{
	struct pk_prefix p;
	struct place at;
	uint32_t line;

	pk_lines_begin(&t->lines);
	pk_prefix_of(rule->prefix, rule->bits, rule->v4, &p);
	look(t, &p, 0, &at);
	if (check_room(t, &p, !at.same) < 0)
		return -ENOSPC;
	line = at.same ? write_rule(t, rule, 0, pk_trie_rule(t, at.same)->next)
		       : write_rule(t, rule, PK_BLK_HEAD, at.cover);
	if (!line)
		return -ENOSPC;
	if (at.same)
		set_next(t, at.same, line);
	else
		add_prefix(t, &p, line, at.cover);
	show(t, line);
	t->rules++;
	t->sites.rules += p.v6;
	*ret_line = line;
	return 0;
}

/* Is the rule after this one of the same prefix? */
static bool has_more(const struct pk_trie *t, const struct pk_blk_rule *r)
{
	const struct pk_blk_rule *next = pk_trie_rule(t, r->next);

	return next && next->bits == r->bits;
}

void pk_trie_remove(struct pk_trie *t, uint32_t line)
{
	struct pk_blk_rule *r = pk_trie_rule(t, line), *head;
	struct pk_prefix p;
	struct place at;

	pk_lines_begin(&t->lines);
	pk_prefix_of_rule(r, &p);
	look(t, &p, line, &at);
	t->rules--;
	t->sites.rules -= p.v6;
	if (line == at.same && has_more(t, r)) {
		set_flags(t, line, PK_BLK_EMPTY | (r->flags & PK_BLK_COND)); /* keeps the place */
		return;
	}
	if (line != at.same && at.before) {
		set_next(t, at.before, r->next);
		give_rule(t, line);
		head = pk_trie_rule(t, at.same);
		if (!(head->flags & PK_BLK_EMPTY) || has_more(t, head))
			return;
		line = at.same;
	}
	remove_prefix(t, &p, line, at.cover);
	give_rule(t, line);
}

void pk_trie_finish(struct pk_trie *t, uint32_t line)
{
	const struct pk_blk_rule *r = pk_trie_rule(t, line);
	struct pk_prefix p;
	struct place at;

	if (has_more(t, r))
		return;
	pk_prefix_of_rule(r, &p);
	look(t, &p, line, &at);
	remove_prefix(t, &p, line, at.cover);
	give_rule(t, line);
}

int pk_trie_add_loose(struct pk_trie *t, const struct pk_trie_rule *rule, uint32_t next,
		      uint32_t *ret_line)
{
	uint32_t line;

	pk_lines_begin(&t->lines);
	if (!has_room(t, PK_TRIE_RULE_LINES))
		return -ENOSPC;
	line = write_rule(t, rule, 0, next);
	if (!line)
		return -ENOSPC;
	t->rules++;
	*ret_line = line;
	return 0;
}

void pk_trie_remove_loose(struct pk_trie *t, uint32_t line)
{
	t->rules--;
	give_rule(t, line);
}

void pk_trie_set_next(struct pk_trie *t, uint32_t line, uint32_t next)
{
	set_next(t, line, next);
}

uint32_t pk_trie_want(struct pk_trie *t)
{
	uint32_t hosts = pk_hosts_want(&t->hosts), sites = pk_sites_want(&t->sites);

	return hosts ? hosts : sites;
}

bool pk_trie_step(struct pk_trie *t)
{
	return pk_hosts_step(&t->hosts, &t->mem.ctl->hosts) ||
	       pk_sites_step(&t->sites, &t->mem.ctl->sites);
}

void pk_trie_tick(struct pk_trie *t)
{
	pk_lines_begin(&t->lines);
	pk_lines_poll(&t->lines);
}

void pk_trie_usage(const struct pk_trie *t, struct pk_trie_use *ret)
{
	*ret = (struct pk_trie_use){
		.chunks = t->lines.chunks,
		.bytes =
			(uint64_t)t->lines.chunks * PK_BLK_CHUNK_LINES * sizeof(union pk_blk_line) +
			PK_BLK_ROOT_WORDS * sizeof(uint64_t),
		.rules = t->rules,
		.words = t->lines.words,
		.hosts = t->hosts.now.used,
		.sites = t->sites.now.used,
		.free_lines = t->lines.free_lines,
		.waiting = t->lines.n_rest,
	};
}
