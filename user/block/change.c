/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One entry more or less: a rule in the kernel, a place in the list, a file that is soon to be
 * written. Nothing is rebuilt. Entries that end are removed here, too.
 */
#include "block/journal.h"
#include "block/name_rules.h"

#include "base/clock.h"
#include "base/ip.h"
#include "conf/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define BOTH         (PK_BLK_SEEN0 | PK_BLK_SEEN1)
#define SAVE_IN_NS   500000000ull
#define TEXTS_SPARED 65536 /* texts that no entry needs any more, before they are sorted out */

int pk_change_list(struct pk_block *b, const struct pk_block_ask *ask, bool make,
		   struct pk_block_list **ret, struct pk_block_done *d)
{
	struct pk_block_list *l;
	int r;

	if (!ask->list || !pk_list_name_ok(ask->list))
		return pk_done_set(d, -EINVAL,
				   "not the name of a list: 1 to 63 of A-Z a-z 0-9 . _ -, not "
				   "beginning with a dot");
	if (!b->started)
		return pk_done_set(d, -EAGAIN, "the lists are not there yet");
	l = pk_list_find(b, ask->list);
	if (l && l->load)
		return pk_done_set(d, -EBUSY,
				   pk_load_is_pending(l)
					   ? "list %s waits to be confirmed: confirm it or go back"
					   : "list %s is being changed",
				   ask->list);
	if (!l && !make)
		return pk_done_set(d, -ENOENT, "there is no list %s", ask->list);
	if (!l) {
		r = pk_list_new(b, ask->list, -1, &l);
		if (r < 0)
			return pk_done_set(d, r,
					   r == -ENOSPC ? "there are 255 lists already" : NULL);
		l->allow = ask->allow;
		l->now.who = ask->who ? strdup(ask->who) : NULL;
		l->now.source = ask->source ? strdup(ask->source) : NULL;
		l->mode = ask->mode >= 0 ? (enum pk_blk_mode)ask->mode : PK_BLK_ENFORCE;
		pk_list_publish(b, l);
	} else if (make && l->allow != ask->allow) {
		return pk_done_set(d, -EEXIST, "list %s is one that %s", ask->list,
				   l->allow ? "allows" : "blocks");
	}
	*ret = l;
	return 0;
}

static int add_text(struct pk_block_texts *t, const char *s, uint32_t *ret)
{
	int64_t at = s && *s ? pk_block_text(t, s, strlen(s)) : 0;

	if (at < 0)
		return (int)at;
	*ret = (uint32_t)at;
	return 0;
}

/* Texts of names into other ones; they can all be had once they were all there. */
static int move_names(struct pk_version *v, struct pk_block_texts *to, bool set)
{
	struct pk_block_name *n;
	int r = 0;

	for (size_t at = 0; r == 0 && (n = pk_domains_next(&v->names, &at));) {
		uint32_t text = n->text, reason = n->reason;

		r = add_text(to, pk_block_text_at(&v->texts, n->text), &text);
		if (r == 0)
			r = add_text(to, pk_block_text_at(&v->texts, n->reason), &reason);
		if (r == 0 && set) {
			n->text = text;
			n->reason = reason;
		}
	}
	return r;
}

/* Reasons of entries that are gone. */
static int sort_out_texts(struct pk_version *v)
{
	struct pk_block_texts texts = { 0 };
	struct pk_entries_at at = { 0 };
	struct pk_block_entry *e;
	int r;

	if (v->texts.n < 2 * v->entries.n + 4 * v->names.live + TEXTS_SPARED)
		return 0;
	for (; (e = pk_entries_get(&v->entries, at)); pk_entries_next(&v->entries, &at)) {
		r = add_text(&texts, pk_block_text_at(&v->texts, e->reason), &(uint32_t){ 0 });
		if (r < 0) {
			pk_block_texts_done(&texts);
			return 0; /* it stays as it is */
		}
	}
	if (move_names(v, &texts, false) < 0) {
		pk_block_texts_done(&texts);
		return 0;
	}
	(void)move_names(v, &texts, true);
	for (at = (struct pk_entries_at){ 0 }; (e = pk_entries_get(&v->entries, at));
	     pk_entries_next(&v->entries, &at))
		(void)add_text(&texts, pk_block_text_at(&v->texts, e->reason), &e->reason);
	pk_block_texts_done(&v->texts);
	v->texts = texts;
	return 0;
}

/* Is it too much of IPv4 with this one? Looked at only for those that can make a difference. */
static bool too_wide(const struct pk_block_list *l, const struct pk_block_entry *e)
{
	struct pk_entries_at at = { 0 };
	struct pk_guard_walk w = { 0 };
	const struct pk_block_entry *a;
	bool counted = false;

	if (!e->v4 || e->bits > 112 || l->now.v4_space + (1ull << (128 - e->bits)) <= 1ull << 31)
		return false;
	for (; (a = pk_entries_get(&l->now.entries, at)); pk_entries_next(&l->now.entries, &at)) {
		if (!counted && pk_block_entry_compare(e, a) < 0) {
			pk_guard_space(&w, e);
			counted = true;
		}
		pk_guard_space(&w, a);
	}
	if (!counted)
		pk_guard_space(&w, e);
	return w.v4_space > 1ull << 31;
}

static int check(struct pk_block *b, const struct pk_block_ask *ask, const struct pk_block_list *l,
		 const struct pk_block_entry *e, struct pk_block_done *d)
{
	struct pk_guard_walk walk;
	int r;

	if (!e->dir || e->dir > (PK_BLK_IN | PK_BLK_OUT) || e->bits > 128 ||
	    e->port_lo > e->port_hi || (e->v4 && e->bits < 96))
		return pk_done_set(d, -EINVAL, "not an entry");
	if (e->expires_ms && e->expires_ms <= b->now_ms)
		return pk_done_set(d, -EINVAL, "it would have ended already");
	if (pk_list_entries(b) >= b->conf->block_entries_max)
		return pk_done_set(d, -ENOSPC,
				   "there are %" PRIu64 " entries already (block.entries_max)",
				   b->conf->block_entries_max);
	if (l ? l->allow : ask->allow)
		return 0;
	r = pk_guard_begin(&walk, &b->guard, ask, d);
	if (r < 0)
		return pk_done_set(d, r, NULL);
	if (!pk_guard_entry(&walk, e))
		return pk_done_set(d, -EPERM, "refused");
	if (!ask->wide && l && too_wide(l, e)) {
		pk_guard_refuse(d, e, "",
				"with it the list would cover more than half of IPv4; --wide if it "
				"is meant");
		return pk_done_set(d, -EPERM, "refused");
	}
	return 0;
}

static int new_rule(struct pk_block *b, struct pk_block_list *l, struct pk_block_entry *e,
		    struct pk_block_done *d)
{
	int r = pk_rule_add(b, l, e, BOTH, &e->line);

	if (r == 0) {
		pk_rule_reserve(b);
		return 0;
	}
	if (r != -ENOSPC)
		return pk_done_set(d, r, NULL);
	if (pk_rule_grow(b, PK_BLK_CHUNK_ROOM) < 0)
		return pk_done_set(d, -ENOSPC,
				   "kernel memory for block lists is at its limit (block.memory)");
	return pk_done_set(d, -EAGAIN, "kernel memory is on its way; ask again");
}

/* It is there: other expiry, other reason. The counters go on. */
static int renew(struct pk_block *b, struct pk_block_list *l, struct pk_block_entry *have,
		 struct pk_block_entry *e, struct pk_block_done *d)
{
	int r;

	e->id = have->id;
	e->line = have->line;
	if (pk_block_entry_has_cond(have) == pk_block_entry_has_cond(e)) {
		pk_rule_set_expiry(b, e->line, e->expires_ms);
	} else {
		r = new_rule(b, l, e, d);
		if (r < 0)
			return r;
		b->ops.drain(b->ops.arg);
		pk_rule_carry(b, have->line, e->line);
		pk_rule_remove(b, have->line);
	}
	pk_version_count(&l->now, have, -1);
	pk_version_count(&l->now, e, 1);
	*have = *e;
	d->kept = 1;
	return 0;
}

static int insert(struct pk_block *b, struct pk_block_list *l, struct pk_block_entry *e,
		  struct pk_block_done *d)
{
	int r = new_rule(b, l, e, d);

	if (r < 0)
		return r;
	e->id = l->next_id++;
	r = pk_entries_insert(&l->now.entries, e);
	if (r < 0) {
		pk_rule_remove(b, e->line);
		return pk_done_set(d, r, NULL);
	}
	pk_version_count(&l->now, e, 1);
	d->added = 1;
	return 0;
}

static int add(struct pk_block *b, const struct pk_block_ask *ask, struct pk_block_list *l,
	       struct pk_block_entry *e, struct pk_block_done *d)
{
	struct pk_expiry_item item = { .expires_ms = e->expires_ms, .list = l->index };
	struct pk_block_entry *have;
	int r;

	if (pk_list_force(b, l, ask->force, ask->n_force) < 0)
		return pk_done_set(d, -ENOSPC, "--force-cover for more than %d addresses",
				   PK_LIST_FORCE);
	have = pk_entries_find(&l->now.entries, e);
	r = have ? renew(b, l, have, e, d) : insert(b, l, e, d);
	if (r < 0)
		return r;
	item.line = e->line;
	if (e->expires_ms)
		(void)pk_expiry_push(&b->expiry, &item); /* else the kernel alone knows */
	l->now.changed_ms = b->now_ms;
	pk_list_changed(b, l, SAVE_IN_NS);
	pk_journal_entry(b, l, true, e, pk_block_text_at(&l->now.texts, e->reason));
	d->id = e->id;
	d->entries = pk_version_entries(&l->now);
	return 0;
}

void pk_change_drop_new(struct pk_block *b, struct pk_block_list *l)
{
	pk_list_set_force(b, l, NULL, 0);
	pk_list_forget(b, l);
	pk_list_publish(b, l);
	pk_list_free(b, l);
}

int pk_block_add(struct pk_block *b, const struct pk_block_ask *ask, const struct pk_block_entry *e,
		 const char *iface, const char *reason, struct pk_block_done *ret)
{
	struct pk_block_list *l = ask->list ? pk_list_find(b, ask->list) : NULL;
	struct pk_block_entry copy = *e;
	bool is_new = !l;
	int r;

	copy.id = copy.line = copy.pad = copy.reason = 0;
	r = add_text(&b->ifaces, iface, &copy.iface);
	if (r == 0)
		r = check(b, ask, l, &copy, ret);
	if (r == 0)
		r = pk_change_list(b, ask, true, &l, ret);
	if (r < 0)
		return pk_done_fail(ret, r);
	r = sort_out_texts(&l->now);
	if (r == 0)
		r = add_text(&l->now.texts, reason, &copy.reason);
	if (r == 0)
		r = add(b, ask, l, &copy, ret);
	if (r < 0 && is_new) /* nothing came into it */
		pk_change_drop_new(b, l);
	return r < 0 ? pk_done_fail(ret, r) : 0;
}

static bool is_covered(const struct pk_block_list *l, const uint8_t addr[16])
{
	struct pk_entries_at at = { 0 };
	const struct pk_block_entry *e;

	for (; (e = pk_entries_get(&l->now.entries, at)); pk_entries_next(&l->now.entries, &at))
		if (pk_ip_in(addr, e->prefix, e->bits))
			return true;
	return false;
}

/* An address that only this entry was forced to cover is safe again. */
static void release_force(struct pk_block *b, struct pk_block_list *l,
			  const struct pk_block_entry *gone)
{
	uint8_t keep[PK_LIST_FORCE][16];
	size_t n = 0;

	for (size_t i = 0; i < l->n_force; i++)
		if (!pk_ip_in(l->force[i], gone->prefix, gone->bits) || is_covered(l, l->force[i]))
			memcpy(keep[n++], l->force[i], sizeof(keep[0]));
	if (n < l->n_force)
		pk_list_set_force(b, l, (const uint8_t(*)[16])keep, n);
}

void pk_change_remove_at(struct pk_block *b, struct pk_block_list *l, struct pk_entries_at at)
{
	const struct pk_block_entry e = *pk_entries_get(&l->now.entries, at);

	pk_rule_remove(b, e.line);
	pk_version_count(&l->now, &e, -1);
	pk_entries_remove(&l->now.entries, at);
	release_force(b, l, &e);
	l->now.changed_ms = b->now_ms;
	pk_list_changed(b, l, SAVE_IN_NS);
}

int pk_block_remove(struct pk_block *b, const struct pk_block_ask *ask,
		    const struct pk_block_entry *e, const char *iface, struct pk_block_done *ret)
{
	struct pk_block_entry key = *e, *have;
	struct pk_block_list *l = NULL;
	struct pk_entries_at at;
	char text[56];
	int r = pk_change_list(b, ask, false, &l, ret);

	if (r == 0)
		r = add_text(&b->ifaces, iface, &key.iface);
	if (r < 0)
		return pk_done_fail(ret, r);
	at = pk_entries_from(&l->now.entries, &key);
	have = pk_entries_get(&l->now.entries, at);
	if (!have || pk_block_entry_compare(have, &key) != 0) {
		pk_entry_text(e, text);
		return pk_done_set(ret, -ENOENT,
				   have && memcmp(have->prefix, e->prefix, 16) == 0 &&
						   have->bits == e->bits
					   ? "%s is in list %s with other conditions"
					   : "%s is not in list %s",
				   text, l->name);
	}
	ret->id = have->id;
	ret->removed = 1;
	pk_change_remove_at(b, l, at);
	pk_journal_entry(b, l, false, &key, "");
	ret->entries = pk_version_entries(&l->now);
	return pk_done_set(ret, 0, NULL);
}

int pk_block_set_mode(struct pk_block *b, const char *list, enum pk_blk_mode mode,
		      struct pk_block_done *ret)
{
	struct pk_block_ask ask = { .list = list };
	struct pk_block_list *l = NULL;
	int r = pk_change_list(b, &ask, false, &l, ret);

	if (r < 0)
		return r;
	if (mode > PK_BLK_ENFORCE)
		return pk_done_set(ret, -EINVAL, "not a mode: off, observe or enforce");
	ret->entries = pk_version_entries(&l->now);
	if (l->mode == mode)
		return 0;
	l->mode = mode;
	pk_list_publish(b, l);
	pk_list_changed(b, l, 0);
	pk_journal_mode(b, l);
	if (l->now.names.live)
		pk_name_changed(b);
	return 0;
}

bool pk_change_find_line(struct pk_block *b, const struct pk_block_list *l, uint32_t line,
			 const uint8_t prefix[16], unsigned bits, struct pk_entries_at *ret)
{
	struct pk_block_entry key = { .bits = (uint8_t)bits, .v4 = pk_guard_is_v4(prefix, bits) };
	const struct pk_block_entry *e;
	struct pk_entries_at at;

	(void)b;
	memcpy(key.prefix, prefix, 16);
	for (at = pk_entries_from(&l->now.entries, &key);
	     (e = pk_entries_get(&l->now.entries, at)) && e->bits == bits &&
	     memcmp(e->prefix, prefix, 16) == 0;
	     pk_entries_next(&l->now.entries, &at))
		if (e->line == line) {
			*ret = at;
			return true;
		}
	return false;
}

bool pk_change_expire(struct pk_block *b, uint64_t until_ns)
{
	struct pk_expiry_item item;
	uint32_t n = 0;

	while (pk_expiry_pop(&b->expiry, b->now_ms, &item)) {
		bool is_name = item.list & PK_EXPIRY_NAME;
		struct pk_block_list *l = is_name ? NULL : b->list[item.list];
		const struct pk_blk_rule *rule;
		struct pk_entries_at at;

		if (is_name)
			pk_name_expire(b, &item);
		if (l && l->load)
			l->missed = true;
		if (l && !l->load) {
			/* the line may have become something else: only a whole match counts */
			rule = pk_trie_rule(b->trie, item.line);
			if (rule->bits <= 128 &&
			    pk_change_find_line(b, l, item.line, rule->prefix, rule->bits, &at) &&
			    pk_entries_get(&l->now.entries, at)->expires_ms == item.expires_ms)
				pk_change_remove_at(b, l, at);
		}
		if (pk_slice_over(&n, until_ns, pk_clock_boot_ns))
			return true;
	}
	return false;
}

static void refresh(struct pk_block *b, struct pk_version *v, bool clock, bool ifaces)
{
	struct pk_entries_at at = { 0 };
	const struct pk_block_entry *e;

	if (!(clock && v->expiring) && !(ifaces && v->with_iface))
		return;
	for (; (e = pk_entries_get(&v->entries, at)); pk_entries_next(&v->entries, &at)) {
		struct pk_blk_cond *c = e->line ? pk_trie_cond(b->trie, e->line) : NULL, want;

		if (!c)
			continue;
		pk_rule_cond(b, e, &want);
		if (clock)
			__atomic_store_n(&c->expires_ns, want.expires_ns, __ATOMIC_RELAXED);
		__atomic_store_n(&c->ifindex, want.ifindex, __ATOMIC_RELAXED);
	}
}

void pk_change_refresh(struct pk_block *b, bool clock, bool ifaces)
{
	pk_who_refresh(b);
	for (unsigned i = 0; i < PK_BLK_LISTS; i++) {
		if (!b->list[i])
			continue;
		if (b->list[i]->load)
			refresh(b, pk_load_other(b->list[i]), clock, ifaces);
		refresh(b, &b->list[i]->now, clock, ifaces);
	}
}
