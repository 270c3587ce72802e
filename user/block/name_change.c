/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names come into lists and leave them: one by one, with a whole list, at their end. What follows
 * from a listed name is answers.c's and refuse.c's, which are told here.
 */
#include "block/journal.h"
#include "block/load.h"
#include "block/name_rules.h"

#include "base/clock.h"
#include "conf/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAVE_IN_NS 500000000ull
#define AGAIN      1 /* as load.c's */

static int normalise(const char *name, char ret[PK_DOMAIN_MAX], struct pk_block_done *d)
{
	const char *why;
	int r = pk_domain_normalise(name, strlen(name), ret, &why);

	return r < 0 ? pk_done_set(d, r, "%.100s: %s", name, why) : r;
}

static int check(struct pk_block *b, const struct pk_block_ask *ask, const struct pk_block_list *l,
		 const char *name, int64_t expires_ms, struct pk_block_done *d)
{
	const char *wide = pk_domain_wide(name);

	if (expires_ms && expires_ms <= b->now_ms)
		return pk_done_set(d, -EINVAL, "it would have ended already");
	if (pk_list_entries(b) >= b->conf->block_entries_max)
		return pk_done_set(d, -ENOSPC,
				   "there are %" PRIu64 " entries already (block.entries_max)",
				   b->conf->block_entries_max);
	if (!wide || ask->wide || (l ? l->allow : ask->allow))
		return 0;
	pk_guard_refuse_name(d, name, wide);
	return pk_done_set(d, -EPERM, "refused");
}

static void hint(struct pk_block *b, const struct pk_block_list *l, const struct pk_block_name *n)
{
	struct pk_expiry_item item = { .expires_ms = n->expires_ms,
				       .line = (uint32_t)(n - l->now.names.v),
				       .list = l->index | PK_EXPIRY_NAME };

	if (n->expires_ms)
		(void)pk_expiry_push(&b->expiry, &item); /* else it counts no more, and stays */
}

static void changed(struct pk_block *b, struct pk_block_list *l)
{
	l->now.changed_ms = b->now_ms;
	pk_list_changed(b, l, SAVE_IN_NS);
}

static int text_of(struct pk_version *v, const char *s, uint32_t *ret)
{
	int64_t at = s && *s ? pk_block_text(&v->texts, s, strlen(s)) : 0;

	if (at < 0)
		return (int)at;
	*ret = (uint32_t)at;
	return 0;
}

/* n: text, reason, how, expiry. */
static int put(struct pk_block *b, struct pk_block_list *l, const char *name,
	       struct pk_block_name *n, struct pk_block_done *d)
{
	struct pk_domains *s = &l->now.names;
	struct pk_block_name *have;
	int r;

	n->hash = pk_domain_hash(name, strlen(name));
	have = pk_domains_find(s, &l->now.texts, name, strlen(name), n->hash);
	r = n->how & PK_BLOCK_REFUSE ? pk_refuse_room(b, have) : 0;
	if (r < 0)
		return pk_done_set(d, r,
				   r == -ENOSPC ? "queries are refused for %u names already, which "
						  "is as many as can be"
						: "queries can not be refused here",
				   PK_DNS_NAMES);
	if (have) {
		n->id = have->id;
		pk_domains_set(s, have, n->how, n->expires_ms);
		have->reason = n->reason;
		d->kept = 1;
	} else {
		n->id = l->next_id++;
		r = pk_domains_add(s, n);
		if (r < 0)
			return pk_done_set(d, r, NULL);
		have = &s->v[s->n - 1];
		d->added = 1;
	}
	hint(b, l, have);
	d->id = n->id;
	d->entries = pk_version_entries(&l->now);
	if (n->how & PK_BLOCK_REFUSE && s->refusing == 1)
		pk_refuse_changed(b); /* names of allow lists count from now on */
	pk_refuse_sync(b, name);
	pk_answers_changed(b);
	changed(b, l);
	pk_journal_name(b, l, true, have);
	return 0;
}

int pk_block_add_name(struct pk_block *b, const struct pk_block_ask *ask, const char *written,
		      uint8_t how, int64_t expires_ms, const char *reason,
		      struct pk_block_done *ret)
{
	struct pk_block_list *l = ask->list ? pk_list_find(b, ask->list) : NULL;
	struct pk_block_name n = { .how = how, .expires_ms = expires_ms };
	char name[PK_DOMAIN_MAX];
	bool is_new = !l;
	int r = normalise(written, name, ret);

	if (r >= 0)
		r = check(b, ask, l, name, expires_ms, ret);
	if (r >= 0)
		r = pk_change_list(b, ask, true, &l, ret);
	if (r < 0)
		return pk_done_fail(ret, r);
	r = text_of(&l->now, name, &n.text);
	if (r == 0)
		r = text_of(&l->now, reason, &n.reason);
	if (r == 0)
		r = put(b, l, name, &n, ret);
	if (r < 0 && is_new) /* nothing came into it */
		pk_change_drop_new(b, l);
	return r < 0 ? pk_done_fail(ret, r) : 0;
}

static void remove_at(struct pk_block *b, struct pk_block_list *l, struct pk_block_name *n)
{
	char name[PK_DOMAIN_MAX];

	(void)snprintf(name, sizeof(name), "%s", pk_block_text_at(&l->now.texts, n->text));
	pk_domains_remove(&l->now.names, n);
	pk_refuse_sync(b, name);
	pk_answers_changed(b);
	if (pk_domains_compact(&l->now.names)) {
		pk_saver_drop(b, l); /* places in them are void */
		pk_refuse_changed(b);
		l->page_name.id = 0;
		for (size_t at = 0; (n = pk_domains_next(&l->now.names, &at));)
			hint(b, l, n);
	}
	changed(b, l);
}

int pk_block_remove_name(struct pk_block *b, const struct pk_block_ask *ask, const char *written,
			 struct pk_block_done *ret)
{
	struct pk_block_list *l = NULL;
	struct pk_block_name *n, gone;
	char name[PK_DOMAIN_MAX];
	int r = normalise(written, name, ret);

	if (r >= 0)
		r = pk_change_list(b, ask, false, &l, ret);
	if (r < 0)
		return pk_done_fail(ret, r);
	n = pk_domains_find(&l->now.names, &l->now.texts, name, strlen(name),
			    pk_domain_hash(name, strlen(name)));
	if (!n)
		return pk_done_set(ret, -ENOENT, "%s is not in list %s", name, l->name);
	ret->id = n->id;
	ret->removed = 1;
	gone = *n;
	remove_at(b, l, n);
	pk_journal_name(b, l, false, &gone);
	ret->entries = pk_version_entries(&l->now);
	return pk_done_set(ret, 0, NULL);
}

void pk_name_expire(struct pk_block *b, const struct pk_expiry_item *item)
{
	struct pk_block_list *l = b->list[item->list & ~PK_EXPIRY_NAME];
	struct pk_block_name *n;

	if (l && l->load)
		l->missed = true;
	if (!l || l->load || item->line >= l->now.names.n)
		return;
	n = &l->now.names.v[item->line];
	if (n->text && n->expires_ms == item->expires_ms)
		remove_at(b, l, n);
}

void pk_name_hint_all(struct pk_block *b, struct pk_block_list *l)
{
	const struct pk_block_name *n;

	if (!l->now.names.expiring)
		return;
	for (size_t at = 0; (n = pk_domains_next(&l->now.names, &at));)
		hint(b, l, n);
}

/* One name of a whole list that comes: what the present version knows about it goes on. */
static int load_one(struct pk_block *b, struct pk_load *ld, const struct pk_block_name *from)
{
	struct pk_block_list *l = ld->l;
	struct pk_block_name n = *from;
	const char *name = pk_block_text_at(&ld->other.texts, n.text), *wide;
	const struct pk_block_name *have;

	if (n.expires_ms && n.expires_ms <= b->now_ms)
		return 0;
	if (!ld->at_start && !ld->allow && !ld->ask.wide) {
		wide = pk_domain_wide(name);
		if (wide) {
			pk_guard_refuse_name(&ld->out, name, wide);
			return 0;
		}
	}
	have = pk_domains_find(&l->now.names, &l->now.texts, name, strlen(name), n.hash);
	if (!ld->at_start)
		n.id = 0;
	if (have) {
		n.id = have->id;
		ld->out.kept++;
		ld->names_kept++;
	} else {
		ld->out.added += !ld->at_start;
	}
	if (!n.id)
		n.id = l->next_id++;
	else if (n.id >= l->next_id)
		l->next_id = n.id + 1;
	return pk_domains_add(&ld->other.names, &n);
}

int pk_name_load(struct pk_block *b, struct pk_load *ld, uint64_t until_ns)
{
	uint32_t slice = 0;
	int r = ld->i_name || !ld->n_names ? 0 : pk_domains_reserve(&ld->other.names, ld->n_names);

	while (r == 0 && ld->i_name < ld->n_names) {
		if (pk_slice_over(&slice, until_ns, pk_clock_boot_ns))
			return AGAIN;
		r = load_one(b, ld, &ld->names[ld->i_name++]);
	}
	if (r < 0)
		return pk_done_set(&ld->out, r, "no memory for the names; nothing has changed");
	free(ld->names);
	ld->names = NULL;
	ld->i_name = 0;
	if (!ld->at_start)
		ld->out.removed += ld->l->now.names.live - ld->names_kept;
	return 0;
}

/* Of what was counted, that of names which are gone. */
static void forget_hits(struct pk_block_list *l)
{
	struct pk_name_hit_table kept = { 0 };
	const struct pk_block_name *n;

	if (l->hits.n < 2 * l->now.names.live + 1024)
		return;
	for (size_t at = 0; (n = pk_domains_next(&l->now.names, &at));) {
		const struct pk_name_hits *h = pk_name_hits_of(&l->hits, n->id, false);
		struct pk_name_hits *to = h ? pk_name_hits_of(&kept, n->id, true) : NULL;

		if (to)
			*to = *h;
	}
	pk_name_hits_done(&l->hits);
	l->hits = kept;
}

void pk_name_changed(struct pk_block *b)
{
	pk_refuse_changed(b);
	pk_answers_changed(b);
}

void pk_name_loaded(struct pk_block *b, struct pk_load *ld)
{
	struct pk_block_list *l = ld->l;

	pk_name_hint_all(b, l);
	if (l->now.names.n || ld->other.names.n)
		pk_name_changed(b);
	forget_hits(l);
}
