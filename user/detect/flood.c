/* SPDX-License-Identifier: Apache-2.0 */
/* Owns sums by destination. How much is a flood is the detectors' to say. */
#include "detect/flood.h"

#include "base/cleanup.h"
#include "conf/conf.h"
#include "flow/aggregate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOP      64  /* of the sums by destination, those with most packets */
#define TOP_KEPT 256 /* of which is known how much was there before */

/* Else floods of before have all the room for good: estimates end at 255. */
#define FADE_NS (6 * PK_FLOOD_WINDOW_NS)

struct pk_flood {
	struct pk_memo *rows, *sums;
	uint64_t summed; /* packets in all sums, when looked at last */
};

static void flood_freep(struct pk_flood **f)
{
	pk_flood_done(*f);
}

int pk_flood_begin(const struct pk_conf *c, void **ret_state)
{
	_cleanup_(flood_freep) struct pk_flood *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->rows = pk_memo_new(c->detect_remember, sizeof(struct pk_flood_row), true);
	f->sums = pk_memo_new(TOP_KEPT, sizeof(uint64_t), false);
	if (!f->rows || !f->sums)
		return -ENOMEM;
	*ret_state = PK_TAKE(f);
	return 0;
}

void pk_flood_done(void *state)
{
	struct pk_flood *f = state;

	if (!f)
		return;
	pk_memo_free(f->rows);
	pk_memo_free(f->sums);
	free(f);
}

void pk_flood_memory(const void *state, struct pk_memory *sum)
{
	const struct pk_flood *f = state;

	sum->bytes += sizeof(*f);
	pk_memo_memory(f->rows, sum);
	pk_memo_memory(f->sums, sum);
}

size_t pk_flood_bytes_max(const struct pk_conf *c)
{
	return sizeof(struct pk_flood) +
	       pk_memo_bytes_max(c->detect_remember, sizeof(struct pk_flood_row), true) +
	       pk_memo_bytes_max(TOP_KEPT, sizeof(uint64_t), false);
}

static struct pk_flood_row *take(struct pk_flood *f, const struct pk_memo_key *dst, uint64_t now_ns)
{
	struct pk_flood_row *r;
	bool is_new;

	r = pk_memo_take(f->rows, dst, &is_new);
	if (r && is_new)
		r->begin_ns = now_ns;
	return r;
}

struct pk_flood_row *pk_flood_row(struct pk_flood *f, const struct pk_talk *t, uint16_t port,
				  bool may_take, uint64_t now_ns)
{
	const struct pk_flow_key *key = &t->e->flow.key;
	struct pk_memo_key dst = { .scope = key->netns, .port = port, .proto = key->proto };

	memcpy(dst.b, t->dst, sizeof(dst.b));
	return may_take ? take(f, &dst, now_ns) : pk_memo_find(f->rows, &dst);
}

void pk_flood_try(struct pk_flood *f, struct pk_flood_row *r, const struct pk_talk *t, uint64_t n)
{
	r->tried += n;
	pk_count_add(&r->sources, pk_memo_hash(f->rows, t->src, 16));
	r->key = t->e->flow.key;
	r->flow = t->e->flow.meta.id;
	r->initiator = (uint8_t)t->from;
	r->src_own = t->src_own;
	r->dst_own = t->dst_own;
	r->has_flow = true;
}

/* How much a sum grew. What was there when it is first seen here came since the last look, if the
 * sums as a whole were looked at before. */
static uint64_t growth(struct pk_flood *f, const struct pk_agg_entry *e)
{
	struct pk_memo_key key = { .scope = e->key.netns, .what = e->key.ifindex };
	uint64_t *before, grown;
	bool is_new;

	memcpy(key.b, e->key.dst, sizeof(key.b));
	key.a[0] = e->key.where;
	key.port = e->key.dport;
	key.proto = e->key.proto;
	before = pk_memo_take(f->sums, &key, &is_new);
	grown = e->sum.packets - *before;
	*before = e->sum.packets;
	return grown;
}

static void add_sums(struct pk_flood *f, struct pk_agg_table *aggs, uint16_t proto, bool by_port,
		     uint64_t now_ns)
{
	struct pk_agg_entry top[TOP];
	struct pk_agg all;
	size_t n;

	pk_agg_table_total(aggs, &all);
	if (all.packets == f->summed)
		return;
	f->summed = all.packets;
	n = pk_agg_table_top(aggs, top, TOP);
	for (size_t i = 0; i < n; i++) {
		uint64_t grown = growth(f, &top[i]);
		struct pk_memo_key dst = { .scope = top[i].key.netns, .proto = proto };
		struct pk_flood_row *r;

		if (top[i].key.proto != proto || !grown)
			continue;
		memcpy(dst.b, top[i].key.dst, sizeof(dst.b));
		dst.port = by_port ? ntohs(top[i].key.dport) : 0;
		r = take(f, &dst, now_ns);
		if (r)
			r->summed += grown;
	}
}

void pk_flood_tick(struct pk_detect *d, struct pk_flood *f, uint16_t proto, bool by_port,
		   void (*judge)(struct pk_detect *d, const struct pk_memo_key *dst,
				 struct pk_flood_row *r, uint64_t now_ns),
		   uint64_t now_ns)
{
	const struct pk_world *w = pk_detect_world(d);

	pk_memo_age(f->rows, now_ns, FADE_NS);
	if (w->aggs)
		add_sums(f, w->aggs, proto, by_port, now_ns);
	for (struct pk_flood_row *r = NULL; (r = pk_memo_next(f->rows, r));) {
		judge(d, pk_memo_key_of(r), r, now_ns);
		if (now_ns >= r->begin_ns + PK_FLOOD_WINDOW_NS)
			*r = (struct pk_flood_row){ .begin_ns = now_ns };
	}
}

void pk_flood_finding(const struct pk_memo_key *dst, const struct pk_flood_row *r,
		      struct pk_finding *f)
{
	unsigned far = r->src_own && !r->dst_own ? !r->initiator : r->initiator;

	f->netns = dst->scope;
	if (r->has_flow)
		pk_finding_flow(f, &r->key, r->flow, r->initiator, far);
	f->has_remote = r->has_flow && !r->summed && pk_count_get(&r->sources, &r->sources) <= 2;
	f->spoofable = true;
	f->first_ns = r->begin_ns;
	pk_finding_fold(f, dst->b, sizeof(dst->b));
	pk_finding_fold(f, &dst->port, sizeof(dst->port));
}
