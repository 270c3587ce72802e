/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what the journal tells, and makes of a list's file what the list was when we were killed.
 * Of each entry the last word counts, so that a change which the file holds already may be told
 * again.
 */
#include "block/journal.h"

#include "base/cleanup.h"
#include "base/ip.h"
#include "block/reader.h"
#include "block/saved.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct change {
	uint64_t serial;
	char list[PK_LIST_NAME];
	bool allow;
	enum pk_blk_mode mode;
	char what;
	struct pk_piece force, rest;
};

/* By list, then in their order. */
struct pk_replay {
	char *bytes[2];
	struct change *v;
	size_t n, cap;
};

/* What one change says about an entry or a name. */
struct step {
	bool on;
	uint64_t serial;
	struct pk_block_entry e;
	struct pk_block_name n; /* text 0: it is an entry */
};

struct steps {
	struct step *v;
	size_t n;
};

void pk_replay_free(struct pk_replay *r)
{
	if (!r)
		return;
	free(r->bytes[0]);
	free(r->bytes[1]);
	free(r->v);
	free(r);
}

static bool take_sum(struct pk_piece *line)
{
	char sum[9];

	if (pk_piece_len(*line) < 8)
		return false;
	(void)snprintf(sum, sizeof(sum), "%08x",
		       pk_journal_sum(line->p + 8, pk_piece_len(*line) - 8));
	line->p += 8;
	return memcmp(line->p - 8, sum, 8) == 0;
}

static bool take_change(struct pk_piece line, struct change *ret)
{
	struct pk_piece word, rest = line;
	struct change c = { 0 };

	if (!take_sum(&rest))
		return false;
	word = pk_piece_word(&rest);
	if (pk_piece_number(word, UINT64_MAX, &c.serial) < 0)
		return false;
	word = pk_piece_word(&rest);
	if (pk_piece_len(word) >= sizeof(c.list))
		return false;
	memcpy(c.list, word.p, pk_piece_len(word));
	c.allow = pk_piece_is(pk_piece_word(&rest), "allow");
	word = pk_piece_word(&rest);
	c.mode = pk_piece_is(word, "enforce")   ? PK_BLK_ENFORCE
		 : pk_piece_is(word, "observe") ? PK_BLK_OBSERVE
						: PK_BLK_OFF;
	c.force = pk_piece_word(&rest);
	word = pk_piece_word(&rest);
	c.what = pk_piece_len(word) == 1 ? *word.p : 0;
	c.rest = pk_piece_trim(rest);
	*ret = c;
	return c.serial && c.what && strchr("+-pqmx", c.what) && pk_list_name_ok(c.list);
}

static int compare_changes(const void *x, const void *y)
{
	const struct change *a = x, *z = y;
	int r = strcmp(a->list, z->list);

	return r ? r : (a->serial > z->serial) - (a->serial < z->serial);
}

static int take_lines(struct pk_block *b, struct pk_replay *r, unsigned file, struct pk_piece in)
{
	const char *nl;

	for (; (nl = memchr(in.p, '\n', pk_piece_len(in))); in.p = nl + 1) {
		struct change *c;

		if (r->n == r->cap) {
			size_t cap = r->cap ? 2 * r->cap : 256;

			c = realloc(r->v, cap * sizeof(*c));
			if (!c)
				return -ENOMEM;
			r->v = c;
			r->cap = cap;
		}
		c = &r->v[r->n];
		if (!take_change((struct pk_piece){ in.p, nl }, c))
			continue;
		r->n++;
		if (c->serial > b->journal_last[file])
			b->journal_last[file] = c->serial;
		if (c->serial > b->serial)
			b->serial = c->serial;
	}
	if (in.p < in.end) /* cut short: what we write is not to be a part of that line */
		b->journal_now = !file;
	return 0;
}

int pk_replay_add(struct pk_block *b, struct pk_replay **at, unsigned file, const void *bytes,
		  size_t len)
{
	struct pk_replay *r = *at ? *at : calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	*at = r;
	if (!len || file > 1 || r->bytes[file])
		return len ? -EINVAL : 0;
	r->bytes[file] = malloc(len);
	if (!r->bytes[file])
		return -ENOMEM;
	memcpy(r->bytes[file], bytes, len);
	b->journal_last[file] = 1; /* not empty, whatever is in it */
	err = take_lines(b, r, file, (struct pk_piece){ r->bytes[file], r->bytes[file] + len });
	if (r->n)
		qsort(r->v, r->n, sizeof(*r->v), compare_changes);
	return err;
}

const char *pk_replay_list(const struct pk_replay *r, size_t i, bool *ret_there)
{
	for (size_t k = 0; r && k < r->n; k++) {
		if (k + 1 < r->n && strcmp(r->v[k].list, r->v[k + 1].list) == 0)
			continue;
		if (i--)
			continue;
		*ret_there = r->v[k].what != 'x';
		return r->v[k].list;
	}
	return NULL;
}

bool pk_replay_is_removed(const struct pk_replay *r, const char *list, uint64_t serial)
{
	for (size_t i = 0; r && i < r->n; i++)
		if (r->v[i].what == 'x' && r->v[i].serial > serial &&
		    strcmp(r->v[i].list, list) == 0)
			return true;
	return false;
}

/* One line as of a file, into a step; its texts go to s. -EBADMSG: it is not understood. */
static int take_step(struct pk_block *b, struct pk_saved *s, const struct change *c,
		     struct step *ret)
{
	struct pk_list_opts opts = { .format = PK_LIST_PICKET,
				     .max_bytes = 65536,
				     .max_entries = 2 };
	struct pk_list_data d = { 0 };
	int64_t text = 0, reason = 0;
	uint32_t at = 0;
	int r;

	opts.defaults.dir = PK_BLK_IN | PK_BLK_OUT;
	r = pk_list_read(c->rest.p, pk_piece_len(c->rest), &opts, &d);
	if (r == 0 && d.n + d.n_names != 1)
		r = -EBADMSG;
	if (r == 0)
		r = pk_load_intern(b, d.v, d.n, &d.texts);
	*ret = (struct step){ .on = c->what == '+', .serial = c->serial };
	if (r == 0 && d.n) {
		ret->e = d.v[0];
		at = d.v[0].reason;
	} else if (r == 0) {
		const char *name = pk_block_text_at(&d.texts, d.names[0].text);

		ret->n = d.names[0];
		at = d.names[0].reason;
		text = pk_block_text(&s->data.texts, name, strlen(name));
	}
	if (r == 0 && at) {
		const char *why = pk_block_text_at(&d.texts, at);

		reason = pk_block_text(&s->data.texts, why, strlen(why));
	}
	ret->n.text = (uint32_t)text;
	ret->n.reason = ret->e.reason = (uint32_t)reason;
	pk_list_data_done(&d);
	return r < 0 ? r : text < 0 ? (int)text : reason < 0 ? (int)reason : 0;
}

static int compare_steps(const void *x, const void *y)
{
	const struct step *a = x, *z = y;
	int r = (a->n.text > z->n.text) - (a->n.text < z->n.text);

	if (!r && !a->n.text)
		r = pk_block_entry_compare(&a->e, &z->e);
	return r ? r : (a->serial > z->serial) - (a->serial < z->serial);
}

/* Of each entry and each name only the last step. */
static void keep_last(struct steps *s)
{
	size_t n = 0;

	qsort(s->v, s->n, sizeof(*s->v), compare_steps);
	for (size_t i = 0; i < s->n; i++) {
		const struct step *next = &s->v[i + 1];

		if (i + 1 < s->n && next->n.text == s->v[i].n.text &&
		    (next->n.text || pk_block_entry_compare(&next->e, &s->v[i].e) == 0))
			continue;
		s->v[n++] = s->v[i];
	}
	s->n = n;
}

static int compare(const void *a, const void *z)
{
	return pk_block_entry_compare(a, z);
}

static int change_entries(struct pk_list_data *d, const struct steps *s)
{
	struct pk_block_entry *v = realloc(d->v, (d->n + s->n + 1) * sizeof(*v));
	size_t n = d->n, kept = 0;

	if (!v)
		return -ENOMEM;
	d->v = v;
	for (size_t i = 0; i < s->n; i++) {
		const struct step *k = &s->v[i];
		struct pk_block_entry *have;

		if (k->n.text)
			continue;
		have = bsearch(&k->e, v, d->n, sizeof(*v), compare);
		if (have)
			have->pad = 1; /* it goes */
		if (k->on)
			v[n++] = k->e;
	}
	for (size_t i = 0; i < n; i++)
		if (i >= d->n || !v[i].pad)
			v[kept++] = v[i];
	d->n = kept;
	qsort(v, kept, sizeof(*v), compare);
	return 0;
}

static int change_names(struct pk_list_data *d, const struct steps *s)
{
	struct pk_block_name *v = realloc(d->names, (d->n_names + s->n + 1) * sizeof(*v));
	size_t n = 0, from = 0;

	if (!v)
		return -ENOMEM;
	d->names = v;
	/* each text is there once: steps are in the order of their places */
	for (size_t i = 0; i < d->n_names; i++) {
		size_t lo = 0, hi = s->n;

		while (lo < hi) {
			size_t mid = (lo + hi) / 2;

			if (s->v[mid].n.text < v[i].text)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo == s->n || s->v[lo].n.text != v[i].text)
			v[n++] = v[i];
	}
	for (; from < s->n; from++)
		if (s->v[from].n.text && s->v[from].on)
			v[n++] = s->v[from].n;
	d->n_names = n;
	return 0;
}

static int change_process(struct pk_saved *s, const struct change *c)
{
	json_t *one = json_loadb(c->rest.p, pk_piece_len(c->rest), 0, NULL), *all = s->processes;
	size_t i = 0;

	if (!one)
		return 0; /* whoever wrote it, it is none */
	if (!all)
		all = s->processes = json_array();
	while (i < json_array_size(all) && !json_equal(json_array_get(all, i), one))
		i++;
	if (c->what == 'p' && i == json_array_size(all))
		return json_array_append_new(all, one) < 0 ? -ENOMEM : 0;
	if (c->what == 'q' && i < json_array_size(all))
		(void)json_array_remove(all, i);
	json_decref(one);
	return 0;
}

static void change_head(struct pk_saved *s, const struct change *c)
{
	struct pk_piece force = c->force, one;
	char addr[PK_IP_TEXT];

	s->allow = c->allow;
	s->mode = c->mode;
	s->n_force = 0;
	while (force.p < force.end && s->n_force < PK_LIST_FORCE) {
		const char *comma = memchr(force.p, ',', pk_piece_len(force));

		one = (struct pk_piece){ force.p, comma ? comma : force.end };
		(void)snprintf(addr, sizeof(addr), "%.*s", (int)pk_piece_len(one), one.p);
		if (pk_ip_parse(addr, s->force[s->n_force]) == 0)
			s->n_force++;
		force.p = comma ? comma + 1 : force.end;
	}
}

/* The changes of the list that its file does not hold. */
static size_t find(const struct pk_replay *r, const struct pk_saved *s, size_t *ret_end)
{
	size_t from = 0, end;

	while (from < r->n && strcmp(r->v[from].list, s->name) != 0)
		from++;
	for (end = from; end < r->n && strcmp(r->v[end].list, s->name) == 0; end++)
		if (r->v[end].serial <= s->serial || r->v[end].what == 'x')
			from = end + 1;
	*ret_end = end;
	return from;
}

int pk_replay_apply(struct pk_block *b, const struct pk_replay *r, struct pk_saved *s,
		    uint64_t *ret_serial)
{
	size_t end = 0, from = r ? find(r, s, &end) : 0;
	_cleanup_free_ struct step *v = NULL;
	struct steps steps;
	int err = 0;

	if (from == end)
		return 0;
	v = calloc(end - from, sizeof(*v));
	steps = (struct steps){ .v = v };
	for (size_t i = from; i < end && v && err == 0; i++) {
		const struct change *c = &r->v[i];

		if (strchr("pq", c->what)) {
			err = change_process(s, c);
		} else if (c->what != 'm') {
			err = take_step(b, s, c, &v[steps.n]);
			steps.n += err == 0;
			err = err == -ENOMEM ? err : 0;
		}
	}
	if (!v || err < 0)
		return -ENOMEM;
	keep_last(&steps);
	err = change_entries(&s->data, &steps);
	if (err == 0)
		err = change_names(&s->data, &steps);
	change_head(s, &r->v[end - 1]);
	*ret_serial = r->v[end - 1].serial;
	return err < 0 ? err : 1;
}
