/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start: what the kernel holds from an agent before us becomes the lists' present state, what
 * was saved a replacement of it. So nothing that is listed passes meanwhile, and counters go on.
 */
#include "block/journal.h"
#include "block/saved.h"
#include "block/who.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BOTH (PK_BLK_SEEN0 | PK_BLK_SEEN1)

struct found {
	struct pk_block_entry *v;
	size_t n, cap;
};

struct pk_start {
	struct pk_saved *saved[2 * PK_BLK_LISTS];
	bool previous[2 * PK_BLK_LISTS];
	size_t n_saved;
	struct {
		char name[PK_LIST_NAME];
		const char *why;
		bool previous;
	} bad[2 * PK_BLK_LISTS];
	size_t n_bad;
	struct pk_replay *replay;
	struct pk_blk_who_key who[4096];
	uint32_t line[4096];
	size_t n_who;
	struct found found[PK_BLK_LISTS];
	uint32_t *stale; /* rules that are no part of their list any more */
	size_t n_stale, cap_stale;
	int error;
};

static struct pk_start *start_of(struct pk_block *b)
{
	if (!b->start)
		b->start = calloc(1, sizeof(*b->start));
	return b->start;
}

void pk_start_free(struct pk_block *b)
{
	struct pk_start *s = b->start;

	if (!s)
		return;
	for (size_t i = 0; i < s->n_saved; i++)
		pk_saved_free(s->saved[i]);
	for (unsigned i = 0; i < PK_BLK_LISTS; i++)
		free(s->found[i].v);
	pk_replay_free(s->replay);
	free(s->stale);
	free(s);
	b->start = NULL;
}

int pk_block_add_saved(struct pk_block *b, const char *list, bool previous, const void *bytes,
		       size_t len)
{
	struct pk_start *s = start_of(b);
	const char *why = NULL;
	int r;

	if (!s || b->started || !pk_list_name_ok(list))
		return s ? -EINVAL : -ENOMEM;
	if (s->n_saved == PK_ARRAY_SIZE(s->saved) || s->n_bad == PK_ARRAY_SIZE(s->bad))
		return -ENOSPC;
	r = pk_saved_read(list, bytes, len, &s->saved[s->n_saved], &why);
	if (r == 0) {
		if (s->saved[s->n_saved]->serial > b->serial)
			b->serial = s->saved[s->n_saved]->serial;
		s->previous[s->n_saved++] = previous;
		return 0;
	}
	(void)snprintf(s->bad[s->n_bad].name, PK_LIST_NAME, "%s", list);
	s->bad[s->n_bad].why = why ? why : "it can not be read";
	s->bad[s->n_bad++].previous = previous;
	return r;
}

int pk_block_add_journal(struct pk_block *b, unsigned file, const void *bytes, size_t len)
{
	struct pk_start *s = start_of(b);

	return s ? pk_replay_add(b, &s->replay, file, bytes, len) : -ENOMEM;
}

int pk_block_add_who(struct pk_block *b, const struct pk_blk_who_key *key, uint32_t line)
{
	struct pk_start *s = start_of(b);

	if (!s)
		return -ENOMEM;
	if (s->n_who == PK_ARRAY_SIZE(s->who))
		return -ENOSPC;
	s->who[s->n_who] = *key;
	s->line[s->n_who++] = line;
	return 0;
}

static void add_stale(struct pk_start *s, uint32_t line)
{
	if (s->n_stale == s->cap_stale) {
		size_t cap = s->cap_stale ? s->cap_stale * 2 : 256;
		uint32_t *v = realloc(s->stale, cap * sizeof(*v));

		if (!v) {
			s->error = -ENOMEM;
			return;
		}
		s->stale = v;
		s->cap_stale = cap;
	}
	s->stale[s->n_stale++] = line;
}

static struct pk_block_entry *add_found(struct pk_start *s, unsigned list)
{
	struct found *f = &s->found[list];

	if (f->n == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 256;
		struct pk_block_entry *v = realloc(f->v, cap * sizeof(*v));

		if (!v) {
			s->error = -ENOMEM;
			return NULL;
		}
		f->v = v;
		f->cap = cap;
	}
	return memset(&f->v[f->n++], 0, sizeof(*f->v));
}

static bool is_loose(const struct pk_block *b, uint32_t line)
{
	for (size_t i = 0; i < b->start->n_who; i++)
		for (uint32_t l = b->start->line[i], n = 0; l && n < PK_BLK_CHAIN_MAX; n++) {
			const struct pk_blk_rule *r = pk_trie_rule(b->trie, l);

			if (l == line)
				return true;
			l = r ? r->next : 0;
		}
	return false;
}

/* An interface that is gone has no name: its rule is made anew from the file. */
static int iface_of(struct pk_block *b, uint32_t ifindex, uint32_t *ret)
{
	char name[16] = "";
	int64_t at;

	b->ops.ifname(b->ops.arg, ifindex, name);
	if (!*name)
		(void)snprintf(name, sizeof(name), "?%u", ifindex);
	at = pk_block_text(&b->ifaces, name, strlen(name));
	if (at < 0)
		return (int)at;
	*ret = (uint32_t)at;
	return 0;
}

static void on_rule(void *arg, uint32_t line, const struct pk_blk_rule *rule)
{
	struct pk_block *b = arg;
	uint32_t word = b->kernel[rule->list].word;
	uint8_t seen = word & PK_BLK_LIST_PARITY ? PK_BLK_SEEN1 : PK_BLK_SEEN0;
	const struct pk_blk_cond *c = pk_trie_cond(b->trie, line);
	struct pk_block_entry *e;

	if (b->start->n_who && is_loose(b, line))
		return;
	b->family[!pk_guard_is_v4(rule->prefix, rule->bits)]++;
	b->adopted++;
	if (!(word & PK_BLK_LIST_USED) || !(rule->flags & seen)) {
		add_stale(b->start, line);
		return;
	}
	e = add_found(b->start, rule->list);
	if (!e)
		return;
	memcpy(e->prefix, rule->prefix, 16);
	e->bits = rule->bits;
	e->v4 = pk_guard_is_v4(rule->prefix, rule->bits);
	e->dir = PK_BLK_IN | PK_BLK_OUT;
	e->line = line;
	if (!c)
		return;
	if (c->ifindex && iface_of(b, c->ifindex, &e->iface) < 0)
		b->start->error = -ENOMEM;
	e->dir = c->dir;
	e->proto = c->proto;
	e->port_lo = c->port_lo;
	e->port_hi = c->port_hi;
	if (c->expires_ns)
		e->expires_ms = ((int64_t)c->expires_ns + b->offset_ns) / 1000000;
}

static int compare(const void *x, const void *y)
{
	const struct pk_block_entry *a = x, *z = y;
	int r = pk_block_entry_compare(a, z);

	return r ? r : (a->line > z->line) - (a->line < z->line);
}

/* What the kernel has of a list becomes its present version; a rule that is there twice is stale.
 */
static int take_found(struct pk_block *b, struct pk_block_list *l)
{
	struct found *f = &b->start->found[l->index];
	size_t n = 0;
	int r;

	for (size_t i = 1; i < f->n; i++)
		if (compare(&f->v[i - 1], &f->v[i]) > 0) { /* only where prefixes nest */
			qsort(f->v, f->n, sizeof(*f->v), compare);
			break;
		}
	for (size_t i = 0; i < f->n; i++) {
		if (n && pk_block_entry_compare(&f->v[n - 1], &f->v[i]) == 0) {
			add_stale(b->start, f->v[i].line);
			continue;
		}
		f->v[n++] = f->v[i];
		pk_trie_set_flags(b->trie, f->v[i].line, BOTH);
		pk_version_count(&l->now, &f->v[i], 1);
	}
	r = pk_entries_take(&l->now.entries, f->v, n);
	if (r == 0)
		*f = (struct found){ 0 };
	return r;
}

/* The list of the kernel that has this name; -1: none. */
static int index_of(const struct pk_block *b, const char *name)
{
	uint32_t hash = pk_list_name_hash(name);

	for (unsigned i = 1; i < PK_BLK_LISTS; i++)
		if ((b->kernel[i].word & PK_BLK_LIST_USED) && b->kernel[i].name_hash == hash &&
		    !b->list[i])
			return (int)i;
	return -1;
}

static void state_of_kernel(const struct pk_block *b, struct pk_block_list *l)
{
	uint32_t word = b->kernel[l->index].word;

	l->parity = !!(word & PK_BLK_LIST_PARITY);
	l->allow = word & PK_BLK_LIST_ALLOW;
	l->mode = (word & PK_BLK_LIST_MODE) >> PK_BLK_MODE_SHIFT;
}

/* What was changed since it was saved; its own file is to hold that, too. */
static int take_changes(struct pk_block *b, struct pk_block_list *l, struct pk_saved *s)
{
	int r;

	l->kept = l->serial = s->serial;
	r = pk_replay_apply(b, b->start->replay, s, &l->serial);
	if (r <= 0)
		return r;
	s->changed_ms = b->now_ms;
	l->dirty = true;
	l->due_ns = b->boot_ns;
	return 0;
}

static int take_saved(struct pk_block *b, struct pk_saved *s)
{
	int index = index_of(b, s->name), r;
	struct pk_version v = { 0 };
	struct pk_block_list *l;

	r = pk_list_new(b, s->name, index, &l);
	if (r < 0)
		return r;
	if (index >= 0) {
		state_of_kernel(b, l);
		r = take_found(b, l);
	}
	l->created_ms = s->created_ms;
	l->in_file = true;
	if (r == 0)
		r = pk_load_intern(b, s->data.v, s->data.n, &s->data.texts);
	if (r == 0)
		r = take_changes(b, l, s);
	if (r < 0)
		return r;
	v = (struct pk_version){ .texts = s->data.texts,
				 .source = s->source,
				 .who = s->who,
				 .changed_ms = s->changed_ms };
	l->allow = s->allow;
	l->mode = s->mode;
	(void)pk_list_force(b, l, (const uint8_t(*)[16])s->force, s->n_force);
	pk_saved_restore_processes(b, l, s);
	r = pk_load_start(b, l, &s->data, &v, index < 0);
	if (r < 0)
		return r;
	s->data.texts = (struct pk_block_texts){ 0 };
	s->source = s->who = NULL;
	return 0;
}

static const char *damage_of(const struct pk_start *s, const char *name, bool previous)
{
	for (size_t i = 0; i < s->n_bad; i++)
		if (s->bad[i].previous == previous && strcmp(s->bad[i].name, name) == 0)
			return s->bad[i].why;
	return NULL;
}

/* What was saved last, or else the copy before it. */
static void take_files(struct pk_block *b)
{
	struct pk_start *s = b->start;

	for (int previous = 0; previous < 2; previous++)
		for (size_t i = 0; i < s->n_saved; i++) {
			const char *why = damage_of(s, s->saved[i]->name, false);
			struct pk_block_list *l;
			int r;

			if (s->previous[i] != previous || pk_list_find(b, s->saved[i]->name) ||
			    pk_replay_is_removed(s->replay, s->saved[i]->name, s->saved[i]->serial))
				continue;
			if (previous && (!why || index_of(b, s->saved[i]->name) >= 0))
				continue; /* removed on purpose; or the kernel knows better */
			r = take_saved(b, s->saved[i]);
			l = pk_list_find(b, s->saved[i]->name);
			if (r < 0)
				pk_block_notice(b, "list %s can not be restored: %s",
						s->saved[i]->name, strerror(-r));
			else if (why)
				pk_list_fault(b, l,
					      "of its file %s; the copy before it is in force",
					      why);
		}
}

static int take_new(struct pk_block *b, const char *name)
{
	struct pk_saved *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	s->created_ms = b->now_ms;
	r = take_saved(b, s);
	pk_saved_free(s);
	if (r == 0)
		pk_list_find(b, name)->in_file = false;
	return r;
}

/* Lists that were new, and files of those that were removed: they go for good. */
static void take_unsaved(struct pk_block *b)
{
	const struct pk_start *s = b->start;
	const char *name;
	bool there;

	for (size_t i = 0; (name = pk_replay_list(s->replay, i, &there)); i++) {
		int r;

		if (pk_list_find(b, name) || damage_of(s, name, false))
			continue;
		r = there ? take_new(b, name) : b->ops.save(b->ops.arg, name, ++b->serial, -1);
		if (r < 0)
			pk_block_notice(b, "list %s can not be %s: %s", name,
					there ? "restored" : "removed", strerror(-r));
	}
}

/* The name of a list that only the kernel still has: from its damaged file, or made. */
static void name_of(const struct pk_block *b, unsigned index, char name[PK_LIST_NAME])
{
	const struct pk_start *s = b->start;

	for (size_t i = 0; i < s->n_bad; i++)
		if (pk_list_name_hash(s->bad[i].name) == b->kernel[index].name_hash) {
			(void)snprintf(name, PK_LIST_NAME, "%s", s->bad[i].name);
			return;
		}
	(void)snprintf(name, PK_LIST_NAME, "recovered-%u", index);
}

static void take_rest(struct pk_block *b)
{
	for (unsigned i = 1; i < PK_BLK_LISTS; i++) {
		char name[PK_LIST_NAME];
		struct pk_block_list *l;
		const char *why;

		if (b->list[i] || !(b->kernel[i].word & PK_BLK_LIST_USED))
			continue;
		name_of(b, i, name);
		if (!b->start->found[i].n || pk_list_new(b, name, (int)i, &l) < 0) {
			b->kernel[i].word = 0;
			continue;
		}
		state_of_kernel(b, l);
		if (take_found(b, l) < 0)
			continue;
		for (struct pk_entries_at at = { 0 }; pk_entries_get(&l->now.entries, at);
		     pk_entries_next(&l->now.entries, &at))
			pk_entries_get(&l->now.entries, at)->id = l->next_id++;
		l->now.changed_ms = b->now_ms; /* when it was is not known */
		why = damage_of(b->start, name, false);
		pk_list_fault(b, l, "of its file %s; what the kernel held is in force",
			      why ? why : "there is nothing left");
		pk_list_publish(b, l);
		pk_list_changed(b, l, 0);
	}
}

/* Damaged, no copy, nothing in the kernel: it is shown, empty; its file stays as it is until the
 * list is changed. */
static void take_lost(struct pk_block *b)
{
	for (size_t i = 0; i < b->start->n_bad; i++) {
		const char *name = b->start->bad[i].name;
		struct pk_block_list *l;

		if (b->start->bad[i].previous || pk_list_find(b, name))
			continue;
		if (pk_list_new(b, name, -1, &l) < 0) {
			pk_block_notice(b, "list %s is lost", name);
			continue;
		}
		l->in_file = true;
		pk_list_publish(b, l);
		pk_list_fault(b, l, "it is lost: of its file %s", b->start->bad[i].why);
	}
}

/* Loose rules of the agent before us: their counters go on in ours, then they go. */
static void replace_who(struct pk_block *b)
{
	struct pk_start *s = b->start;

	pk_who_tick(b);
	for (size_t i = 0; i < s->n_who; i++) {
		bool ours = false;

		for (uint32_t line = s->line[i], next, n = 0; line && n < PK_BLK_CHAIN_MAX; n++) {
			const struct pk_blk_rule *r = pk_trie_rule(b->trie, line);

			for (size_t k = 0; b->who && k < b->who->n; k++)
				for (size_t q = 0; q < b->who->v[k]->n; q++) {
					const struct pk_who_rule *w = b->who->v[k];

					if (memcmp(&w->key[q], &s->who[i], sizeof(s->who[i])) != 0)
						continue;
					ours = true;
					if (w->l->index == r->list && w->e.bits == r->bits &&
					    memcmp(w->e.prefix, r->prefix, 16) == 0)
						pk_rule_carry(b, line, w->line[q]);
				}
			next = r->next;
			line = next;
		}
		if (!ours)
			(void)b->ops.who(b->ops.arg, &s->who[i], 0);
		for (uint32_t line = s->line[i], next, n = 0; line && n < PK_BLK_CHAIN_MAX; n++) {
			next = pk_trie_rule(b->trie, line)->next;
			pk_trie_remove_loose(b->trie, line);
			line = next;
		}
	}
}

int pk_block_start(struct pk_block *b, int64_t now_ms, uint64_t boot_ns)
{
	struct pk_start *s = start_of(b);
	struct pk_trie_found found = { 0 };
	int r;

	if (!s)
		return -ENOMEM;
	pk_block_clock(b, now_ms, boot_ns);
	r = pk_trie_adopt(b->trie, s->line, s->n_who, on_rule, b, &found);
	if (r == 0)
		r = s->error;
	if (r < 0)
		return r;
	b->repaired = found.damaged;
	if (found.damaged)
		pk_block_notice(b,
				"the kernel's lists were damaged in %llu places: cut off, and "
				"made right from the files",
				(unsigned long long)found.damaged);
	b->started = true;
	b->growing = 0;
	pk_rule_have(b, PK_BLK_HAVE_V4, b->family[0]);
	pk_rule_have(b, PK_BLK_HAVE_V6, b->family[1]);
	take_files(b);
	take_unsaved(b);
	take_rest(b);
	take_lost(b);
	replace_who(b);
	for (size_t i = 0; i < s->n_stale; i++)
		pk_rule_remove(b, s->stale[i]);
	b->ready = !b->starting;
	pk_start_free(b);
	pk_list_hold(b);
	pk_rule_reserve(b); /* for who is answered for a name, and is not asked again */
	return 0;
}
