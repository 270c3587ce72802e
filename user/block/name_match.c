/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the lists say about a name: of each list the entry that is nearest to it counts; an allow
 * list wins over those that block, an enforced one over one that only observes. As for addresses.
 */
#include "block/lists.h"
#include "block/name_rules.h"
#include "block/show.h"

#include "base/json.h"

#include <string.h>

/* The nearest name of the list that covers it. */
static struct pk_block_name *nearest(const struct pk_block *b, const struct pk_block_list *l,
				     const char *name, const struct pk_domain_suffix *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct pk_block_name *found = pk_domains_find(&l->now.names, &l->now.texts,
							      name + v[i].at, v[i].len, v[i].hash);

		if (found && (!found->expires_ms || found->expires_ms > b->now_ms))
			return found;
	}
	return NULL;
}

/* 0: does not count. */
static int rank(const struct pk_block_list *l)
{
	if (l->allow)
		return l->mode == PK_BLK_ENFORCE ? 3 : 0;
	return l->mode == PK_BLK_ENFORCE ? 2 : l->mode == PK_BLK_OBSERVE ? 1 : 0;
}

bool pk_name_match(struct pk_block *b, const char *name, struct pk_name_match *ret)
{
	struct pk_domain_suffix v[PK_DOMAIN_LABELS];
	size_t n = 0;
	int best = 0;

	for (size_t i = 0; i < b->n_lists; i++) {
		struct pk_block_list *l = b->list[b->order[i]];
		struct pk_block_name *found;

		if (!l->now.names.live || rank(l) <= best)
			continue;
		if (!n)
			n = pk_domain_suffixes(name, strlen(name), v);
		found = nearest(b, l, name, v, n);
		if (!found)
			continue;
		best = rank(l);
		*ret = (struct pk_name_match){ l, found };
	}
	return best;
}

const char *pk_name_text(const struct pk_name_match *m)
{
	return pk_block_text_at(&m->l->now.texts, m->n->text);
}

enum pk_block_verdict pk_name_verdict(const struct pk_name_match *m)
{
	if (m->l->allow)
		return PK_BLOCK_ALLOWED;
	return m->l->mode == PK_BLK_ENFORCE ? PK_BLOCK_DROP : PK_BLOCK_OBSERVE;
}

bool pk_block_has_names(const struct pk_block *b)
{
	for (size_t i = 0; i < b->n_lists; i++)
		if (b->list[b->order[i]]->now.names.live)
			return true;
	return false;
}

enum pk_block_verdict pk_block_name(struct pk_block *b, const char *name,
				    struct pk_block_ruling *ret)
{
	struct pk_name_match m;

	*ret = (struct pk_block_ruling){ 0 };
	if (!pk_name_match(b, name, &m))
		return PK_BLOCK_PASS;
	ret->list = m.l->name;
	ret->index = m.l->index;
	ret->id = m.n->id;
	ret->how = m.n->how;
	ret->name = pk_name_text(&m);
	ret->reason = pk_block_text_at(&m.l->now.texts, m.n->reason);
	return pk_name_verdict(&m);
}

void pk_block_name_cut(struct pk_block *b, const struct pk_block_ruling *of)
{
	struct pk_block_list *l = of->index < PK_BLK_LISTS ? b->list[of->index] : NULL;
	struct pk_name_hits *h = l ? pk_name_hits_of(&l->hits, of->id, true) : NULL;

	if (!h)
		return; /* no memory: not counted by name */
	h->hellos++;
	h->last_ms = b->now_ms;
}

void pk_name_row(struct pk_block *b, struct pk_block_list *l, struct pk_block_name *n,
		 struct pk_block_row *row)
{
	const struct pk_name_hits *h = pk_name_hits_of(&l->hits, n->id, false);
	const char *name = pk_block_text_at(&l->now.texts, n->text);
	struct pk_dns_name q = { 0 };

	l->name_row = (struct pk_block_entry){ .id = n->id,
					       .expires_ms = n->expires_ms,
					       .dir = PK_BLK_IN | PK_BLK_OUT };
	*row = (struct pk_block_row){
		.e = &l->name_row,
		.iface = "",
		.reason = pk_block_text_at(&l->now.texts, n->reason),
		.name = name,
		.how = n->how,
	};
	if (h) {
		row->hits = *h;
		row->last_hit_ms = h->last_ms;
	}
	if (!(n->how & PK_BLOCK_REFUSE) || !pk_refuse_read(b, name, &q))
		return;
	row->queries = q.queries;
	if (q.last_ns && ((int64_t)q.last_ns + b->offset_ns) / 1000000 > row->last_hit_ms)
		row->last_hit_ms = ((int64_t)q.last_ns + b->offset_ns) / 1000000;
}

void pk_block_check_name(struct pk_block *b, const char *name, struct pk_block_answer *ret)
{
	struct pk_domain_suffix v[PK_DOMAIN_LABELS];
	size_t n = pk_domain_suffixes(name, strlen(name), v);
	struct pk_name_match best;
	bool any = pk_name_match(b, name, &best);

	memset(ret, 0, sizeof(*ret));
	if (any)
		ret->verdict = pk_name_verdict(&best);
	for (int want = 1; want >= 0; want--) /* the one that decides comes first */
		for (size_t i = 0; i < b->n_lists; i++) {
			struct pk_block_list *l = b->list[b->order[i]];
			struct pk_block_name *found =
				l->now.names.live ? nearest(b, l, name, v, n) : NULL;
			bool decides = any && found && best.l == l;

			if (!found || decides != want)
				continue;
			if (ret->n == sizeof(ret->v) / sizeof(ret->v[0])) {
				ret->more++;
				continue;
			}
			ret->v[ret->n] = (struct pk_block_match){ .list = l->name,
								  .allow = l->allow,
								  .mode = l->mode,
								  .decides = decides };
			pk_name_row(b, l, found, &ret->v[ret->n++].row);
		}
}

void pk_name_guard(const struct pk_block_ask *ask, const struct pk_list_data *data,
		   struct pk_block_done *d)
{
	for (size_t i = 0; i < data->n_names && !ask->wide; i++) {
		const char *name = pk_block_text_at(&data->texts, data->names[i].text);
		const char *wide = pk_domain_wide(name);

		if (wide)
			pk_guard_refuse_name(d, name, wide);
	}
}

static const struct pk_block_name *find_in(const struct pk_list_data *data, const char *name)
{
	size_t lo = 0, hi = data->n_names;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int r = strcmp(pk_block_text_at(&data->texts, data->names[mid].text), name);

		if (r == 0)
			return &data->names[mid];
		if (r < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

void pk_name_diff(const struct pk_block_list *l, const struct pk_list_data *data, size_t max,
		  struct pk_json *out, struct pk_block_done *ret)
{
	const struct pk_domains none = { 0 }, *have = l ? &l->now.names : &none;
	const struct pk_block_name *n;
	size_t shown = 0;

	pk_json_arr(out, "add_names");
	for (size_t i = 0; i < data->n_names; i++) {
		const char *name = pk_block_text_at(&data->texts, data->names[i].text);

		if (pk_domains_find(have, l ? &l->now.texts : NULL, name, strlen(name),
				    data->names[i].hash)) {
			ret->kept++;
			continue;
		}
		ret->added++;
		if (shown++ < max)
			pk_json_str(out, NULL, name);
	}
	pk_json_end(out);
	shown = 0;
	pk_json_arr(out, "remove_names");
	for (size_t at = 0; (n = pk_domains_next(have, &at));) {
		const char *name = pk_block_text_at(&l->now.texts, n->text);

		if (find_in(data, name))
			continue;
		ret->removed++;
		if (shown++ < max)
			pk_json_str(out, NULL, name);
	}
	pk_json_end(out);
}
