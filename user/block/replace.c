/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole lists: what is asked for becomes a job of load.c, or is refused before anything was done.
 * Comparing without changing is here too.
 */
#include "block/journal.h"
#include "block/load.h"
#include "block/name_rules.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"

#include <errno.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	return pk_block_entry_compare(a, b);
}

int pk_load_intern(struct pk_block *b, struct pk_block_entry *v, size_t n,
		   const struct pk_block_texts *texts)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		const char *name = v[i].iface ? pk_block_text_at(texts, v[i].iface) : "";
		int64_t at = *name ? pk_block_text(&b->ifaces, name, strlen(name)) : 0;

		if (at < 0)
			return (int)at;
		any |= at != v[i].iface;
		v[i].iface = (uint32_t)at;
	}
	if (any) /* entries that differ in nothing else are in the order of the texts */
		qsort(v, n, sizeof(*v), compare);
	return 0;
}

/* May the list be changed as a whole? *ret is NULL if there is none of this name. */
static int find(struct pk_block *b, const struct pk_block_ask *ask, bool any_kind,
		struct pk_block_list **ret, struct pk_block_done *d)
{
	struct pk_block_list *l;

	if (!ask->list || !pk_list_name_ok(ask->list))
		return pk_done_set(d, -EINVAL,
				   "not the name of a list: 1 to 63 of A-Z a-z 0-9 . _ -, not "
				   "beginning with a dot");
	l = pk_list_find(b, ask->list);
	if (l && l->load)
		return pk_done_set(d, -EBUSY,
				   pk_load_is_pending(l)
					   ? "list %s waits to be confirmed: confirm it or go back"
					   : "list %s is being changed",
				   ask->list);
	if (l && l->allow != ask->allow && !any_kind)
		return pk_done_set(d, -EEXIST, "list %s is one that %s", ask->list,
				   l->allow ? "allows" : "blocks");
	*ret = l;
	return 0;
}

static int prepare(struct pk_block *b, struct pk_load *ld, const struct pk_block_ask *ask)
{
	struct pk_list_data *data = &ld->out.data;
	struct pk_block_list *l = NULL;
	int r = find(b, ask, false, &l, &ld->out);

	if (r < 0)
		return r;
	if (data->bad_total && !ask->skip_bad)
		return pk_done_set(&ld->out, -EBADMSG, "%zu lines are bad; nothing has changed",
				   data->bad_total);
	r = pk_load_intern(b, data->v, data->n, &data->texts);
	if (r < 0)
		return r;
	ld->other.source = ask->source ? strdup(ask->source) : NULL;
	ld->other.who = ask->who ? strdup(ask->who) : NULL;
	ld->other.changed_ms = b->now_ms;
	ld->ask = *ask;
	ld->allow = l ? l->allow : ask->allow;
	ld->mode = ask->mode >= 0 ? (enum pk_blk_mode)ask->mode : l ? l->mode : PK_BLK_ENFORCE;
	r = pk_guard_begin(&ld->walk, &b->guard, &ld->ask, &ld->out);
	if (r < 0)
		return r;
	ld->is_new = !l;
	if (!l) {
		r = pk_list_new(b, ask->list, -1, &l);
		if (r < 0)
			return pk_done_set(&ld->out, r,
					   r == -ENOSPC ? "255 lists are there already" : NULL);
		l->mode = PK_BLK_OFF; /* nothing is in it until the switch */
		l->allow = ld->allow;
	}
	ld->v = PK_TAKE(data->v);
	ld->n = data->n;
	ld->names = PK_TAKE(data->names);
	ld->n_names = data->n_names;
	ld->other.texts = data->texts;
	data->texts = (struct pk_block_texts){ 0 };
	data->n = 0;
	ld->l = l;
	l->load = ld;
	return 0;
}

void pk_block_load(struct pk_block *b, const struct pk_block_ask *ask, struct pk_list_data *data,
		   pk_block_done_fn done, void *arg)
{
	struct pk_load *ld = calloc(1, sizeof(*ld));
	int r;

	if (!ld) {
		struct pk_block_done d = { .result = -ENOMEM, .data = *data };

		*data = (struct pk_list_data){ 0 };
		done(arg, &d);
		pk_block_done_done(&d);
		return;
	}
	ld->done = done;
	ld->arg = arg;
	ld->began_ns = pk_clock_boot_ns();
	ld->out.data = *data;
	*data = (struct pk_list_data){ 0 };
	r = prepare(b, ld, ask);
	if (r < 0) {
		ld->out.result = r;
		pk_load_answer(ld);
		return;
	}
	pk_load_queue(b, ld);
}

int pk_load_start(struct pk_block *b, struct pk_block_list *l, struct pk_list_data *data,
		  struct pk_version *version, bool is_new)
{
	struct pk_load *ld = calloc(1, sizeof(*ld));

	if (!ld)
		return -ENOMEM;
	*ld = (struct pk_load){ .l = l,
				.at_start = true,
				.is_new = is_new,
				.allow = l->allow,
				.mode = l->mode,
				.v = PK_TAKE(data->v),
				.n = data->n,
				.names = PK_TAKE(data->names),
				.n_names = data->n_names,
				.began_ns = pk_clock_boot_ns(),
				.other = *version };
	*version = (struct pk_version){ 0 };
	l->load = ld;
	b->starting++;
	pk_load_queue(b, ld);
	return 0;
}

void pk_block_remove_list(struct pk_block *b, const char *list, pk_block_done_fn done, void *arg)
{
	struct pk_block_ask ask = { .list = list };
	struct pk_load *ld = calloc(1, sizeof(*ld));
	struct pk_block_list *l = NULL;
	int r;

	if (!ld) {
		struct pk_block_done d = { .result = -ENOMEM };

		done(arg, &d);
		return;
	}
	ld->done = done;
	ld->arg = arg;
	r = find(b, &ask, true, &l, &ld->out);
	if (r == 0 && !l)
		r = pk_done_set(&ld->out, -ENOENT, "there is no list %s", list);
	if (r < 0) {
		ld->out.result = r;
		pk_load_answer(ld);
		return;
	}
	ld->began_ns = pk_clock_boot_ns();
	ld->l = l;
	ld->remove = true;
	ld->phase = PK_LOAD_DROP;
	ld->out.removed = pk_version_entries(&l->now);
	pk_saver_drop(b, l);
	pk_list_set_force(b, l, NULL, 0);
	pk_list_forget(b, l);
	pk_list_publish(b, l); /* from here on none of its rules is seen */
	pk_who_drop_list(b, l);
	ld->other = l->now;
	l->now = (struct pk_version){ 0 };
	pk_name_changed(b);
	l->load = ld;
	ld->serial = ++b->serial;
	pk_journal_removed(b, l);
	ld->no_file = b->ops.save(b->ops.arg, l->name, ld->serial, -1) < 0;
	pk_load_queue(b, ld);
}

/* The prefixes of one side that the other has not, at most max. */
static void write_side(const struct pk_entries *in, const struct pk_block_entry *v, size_t n,
		       bool added, size_t max, struct pk_json *out, struct pk_block_done *ret)
{
	struct pk_entries_at at = { 0 };
	const struct pk_block_entry *a;
	char text[56];
	size_t i = 0;
	int cmp;

	pk_json_arr(out, added ? "add" : "remove");
	while ((a = pk_entries_get(in, at)), a || i < n) {
		cmp = !a ? 1 : i == n ? -1 : pk_block_entry_compare(a, &v[i]);
		if (added ? cmp > 0 : cmp < 0) {
			pk_entry_text(added ? &v[i] : a, text);
			if ((added ? ret->added++ : ret->removed++) < max)
				pk_json_str(out, NULL, text);
		}
		ret->kept += added && cmp == 0;
		if (cmp <= 0)
			pk_entries_next(in, &at);
		i += cmp >= 0;
	}
	pk_json_end(out);
}

int pk_block_diff(struct pk_block *b, const struct pk_block_ask *ask,
		  const struct pk_list_data *data, size_t max, struct pk_json *out,
		  struct pk_block_done *ret)
{
	struct pk_entries none = { 0 };
	struct pk_block_list *l = NULL;
	struct pk_guard_walk walk;
	int r = find(b, ask, false, &l, ret);

	if (r < 0)
		return r;
	r = pk_guard_begin(&walk, &b->guard, ask, ret);
	if (r < 0)
		return pk_done_set(ret, r, NULL);
	/* the order of entries that differ in their interface only is ours in a load */
	r = pk_load_intern(b, data->v, data->n, &data->texts);
	if (r < 0)
		return pk_done_set(ret, r, NULL);
	if (!(l ? l->allow : ask->allow)) {
		for (size_t i = 0; i < data->n; i++)
			(void)pk_guard_entry(&walk, &data->v[i]); /* what it refuses is in ret */
		(void)pk_guard_end(&walk);
		pk_name_guard(ask, data, ret);
	}
	write_side(l ? &l->now.entries : &none, data->v, data->n, true, max, out, ret);
	write_side(l ? &l->now.entries : &none, data->v, data->n, false, max, out, ret);
	pk_name_diff(l, data, max, out, ret);
	ret->entries = data->n + data->n_names;
	return pk_done_set(ret, 0, NULL);
}
