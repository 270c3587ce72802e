/* SPDX-License-Identifier: Apache-2.0 */
/* Would it be blocked? Walks the chain that the kernel walks, by the kernel's rules of precedence.
 */
#include "block/show.h"

#include "block/lists.h"

#include <string.h>

static bool fits(const struct pk_block *b, const struct pk_blk_cond *c,
		 const struct pk_block_query *q)
{
	if (!c)
		return true;
	return (c->dir & q->dir) && (!c->proto || !q->proto || c->proto == q->proto) &&
	       (!c->ifindex || !q->ifindex || c->ifindex == q->ifindex) &&
	       (!c->port_hi || !q->port || (q->port >= c->port_lo && q->port <= c->port_hi)) &&
	       (!c->expires_ns || c->expires_ns > b->boot_ns);
}

/* Adds the rule if it holds. */
static void add(struct pk_block *b, const struct pk_block_query *q, uint32_t line,
		const struct pk_blk_rule *r, struct pk_block_answer *ret)
{
	const struct pk_block_list *l = r->list < PK_BLK_LISTS ? b->list[r->list] : NULL;
	uint8_t seen = l && l->parity ? PK_BLK_SEEN1 : PK_BLK_SEEN0;
	struct pk_block_match *m = &ret->v[ret->n];

	if (!l || l->leaving || r->flags & PK_BLK_EMPTY || !(r->flags & seen) ||
	    !fits(b, pk_trie_cond(b->trie, line), q))
		return;
	if (ret->n == sizeof(ret->v) / sizeof(ret->v[0])) {
		ret->more++;
		return;
	}
	*m = (struct pk_block_match){ .list = l->name, .allow = l->allow, .mode = l->mode };
	if (!pk_block_row_of_line(b, line, r->prefix, r->bits, &m->row))
		return; /* between two steps of a load */
	ret->n++;
}

/* The first of its sort. */
static struct pk_block_match *first(struct pk_block_answer *a, bool allow, enum pk_blk_mode mode)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].allow == allow && a->v[i].mode == mode)
			return &a->v[i];
	return NULL;
}

void pk_block_check(struct pk_block *b, const struct pk_block_query *q, struct pk_block_answer *ret)
{
	struct pk_block_match *allow, *drop, *see;
	unsigned n = 0;

	memset(ret, 0, sizeof(*ret));
	b->ops.drain(b->ops.arg);
	ret->safe = pk_guard_kinds(&b->guard, q->addr);
	for (uint32_t line = pk_trie_lookup(b->trie, q->addr); line && n < PK_BLK_CHAIN_MAX; n++) {
		const struct pk_blk_rule *r = pk_trie_rule(b->trie, line);

		add(b, q, line, r, ret);
		line = r->next;
	}
	allow = first(ret, true, PK_BLK_ENFORCE);
	drop = first(ret, false, PK_BLK_ENFORCE);
	see = first(ret, false, PK_BLK_OBSERVE);
	if (drop && !allow && !ret->safe) {
		ret->verdict = PK_BLOCK_DROP;
		drop->decides = true;
	} else if (allow) {
		ret->verdict = PK_BLOCK_ALLOWED;
		allow->decides = true;
	} else if (see) {
		ret->verdict = PK_BLOCK_OBSERVE;
		see->decides = true;
	} else if (drop) {
		ret->verdict = PK_BLOCK_SAFE;
	}
}
