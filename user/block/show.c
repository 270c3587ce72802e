/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the lists and what it did. Counters are the kernel's, read when they are asked for. */
#include "block/show.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "block/lists.h"
#include "block/name_rules.h"
#include "block/who.h"

#include <errno.h>
#include <string.h>

static void info_of(struct pk_block *b, const struct pk_block_list *l, struct pk_block_info *ret)
{
	*ret = (struct pk_block_info){
		.name = l->name,
		.index = l->index,
		.edition = l->edition,
		.allow = l->allow,
		.mode = l->mode,
		.entries = pk_version_entries(&l->now),
		.names = l->now.names.live,
		.processes = l->processes,
		.created_ms = l->created_ms,
		.changed_ms = l->now.changed_ms,
		.source = l->now.source ? l->now.source : "",
		.who = l->now.who ? l->now.who : "",
		.saved = !l->dirty && l->in_file && !l->fault && !l->load,
		.fault = l->fault,
		.loading = l->load && !pk_load_is_pending(l),
		.confirm_by_ms = pk_load_confirm_by_ms(l),
		.entries_before = pk_load_entries_before(l),
	};
	(void)b->ops.count(b->ops.arg, l->index, false, &ret->count); /* stays zero */
}

bool pk_block_list_at(struct pk_block *b, size_t n, struct pk_block_info *ret)
{
	if (n >= b->n_lists)
		return false;
	if (!n)
		b->ops.drain(b->ops.arg);
	info_of(b, b->list[b->order[n]], ret);
	return true;
}

bool pk_block_list_get(struct pk_block *b, const char *list, struct pk_block_info *ret)
{
	const struct pk_block_list *l = pk_list_find(b, list);

	if (!l)
		return false;
	b->ops.drain(b->ops.arg);
	info_of(b, l, ret);
	return true;
}

const char *pk_block_list_name(struct pk_block *b, unsigned index)
{
	return index < PK_BLK_LISTS && b->list[index] ? b->list[index]->name : NULL;
}

static void count_rule(const struct pk_block *b, uint32_t line, struct pk_block_row *row)
{
	const struct pk_blk_rule *r = pk_trie_rule(b->trie, line);

	if (!r)
		return;
	row->packets += r->packets;
	row->bytes += r->bytes;
	if (!r->last_ns)
		return;
	if (((int64_t)r->last_ns + b->offset_ns) / 1000000 < row->last_hit_ms)
		return;
	row->last_hit_ms = ((int64_t)r->last_ns + b->offset_ns) / 1000000;
	memcpy(row->last_peer, r->peer, sizeof(row->last_peer));
}

static void row_of(const struct pk_block *b, const struct pk_block_list *l,
		   const struct pk_block_entry *e, struct pk_block_row *row)
{
	*row = (struct pk_block_row){
		.e = e,
		.iface = pk_iface_name(b, e),
		.reason = pk_block_text_at(&l->now.texts, e->reason),
	};
	count_rule(b, e->line, row);
}

static void row_of_who(const struct pk_block *b, const struct pk_who_rule *w,
		       struct pk_block_row *row)
{
	*row = (struct pk_block_row){
		.e = &w->e, .iface = "", .reason = w->reason, .proc = &w->proc, .proc_found = w->n
	};
	for (size_t k = 0; k < w->n; k++)
		count_rule(b, w->line[k], row);
}

/* Behind the entry with this id: usually where the last page ended. */
static struct pk_entries_at behind(const struct pk_block_list *l, uint32_t after)
{
	struct pk_entries_at at = { 0 };
	const struct pk_block_entry *e;

	if (!after)
		return at;
	if (l->page.id == after) {
		at = pk_entries_from(&l->now.entries, &l->page);
		e = pk_entries_get(&l->now.entries, at);
		if (e && e->id == after)
			pk_entries_next(&l->now.entries, &at);
		return at;
	}
	for (; (e = pk_entries_get(&l->now.entries, at)); pk_entries_next(&l->now.entries, &at))
		if (e->id == after) {
			pk_entries_next(&l->now.entries, &at);
			break;
		}
	return at;
}

static int rows_of_who(struct pk_block *b, const struct pk_block_list *l, uint32_t after, size_t n,
		       bool (*each)(void *arg, const struct pk_block_row *row), void *arg)
{
	const struct pk_who_rule *w;
	struct pk_block_row row;
	bool skip = false;
	size_t at = 0;

	while ((w = pk_who_next(b, l, &at)))
		skip |= w->e.id == after && after;
	for (at = 0; (w = pk_who_next(b, l, &at));) {
		if (skip) {
			skip = w->e.id != after;
			continue;
		}
		if (!n--)
			return 1;
		row_of_who(b, w, &row);
		if (!each(arg, &row))
			return 0;
	}
	return 0;
}

/* The place of the first name to be told; -1: none, what comes after is a rule about a process. */
static int64_t first_name(const struct pk_block *b, const struct pk_block_list *l, uint32_t after,
			  bool was_entry)
{
	const struct pk_block_name *n;
	const struct pk_who_rule *w;
	size_t who = 0;

	if (!after || was_entry)
		return 0;
	if (l->page_name.id == after)
		return (int64_t)l->page_name.at;
	for (size_t at = 0; (n = pk_domains_next(&l->now.names, &at));)
		if (n->id == after)
			return (int64_t)at;
	while ((w = pk_who_next(b, l, &who)))
		if (w->e.id == after)
			return -1;
	return 0; /* what it was is gone */
}

/* As pk_block_rows(); *n is left for what follows, -1: enough. */
static int rows_of_names(struct pk_block *b, struct pk_block_list *l, int64_t from, size_t *n,
			 bool (*each)(void *arg, const struct pk_block_row *row), void *arg)
{
	size_t at = (size_t)from;
	struct pk_block_name *name;
	struct pk_block_row row;

	while ((name = pk_domains_next(&l->now.names, &at))) {
		if (!*n)
			return 1;
		--*n;
		l->page_name.id = name->id;
		l->page_name.at = at;
		pk_name_row(b, l, name, &row);
		if (!each(arg, &row))
			return -1;
	}
	return 0;
}

int pk_block_rows(struct pk_block *b, const char *list, uint32_t after, size_t n,
		  bool (*each)(void *arg, const struct pk_block_row *row), void *arg)
{
	struct pk_block_list *l = pk_list_find(b, list);
	const struct pk_block_entry *e;
	struct pk_entries_at at;
	struct pk_block_row row;
	int64_t name;
	bool was_entry;
	int r;

	if (!l)
		return -ENOENT;
	b->ops.drain(b->ops.arg);
	at = after && l->page_name.id == after ? (struct pk_entries_at){ l->now.entries.pieces, 0 }
					       : behind(l, after);
	was_entry = pk_entries_get(&l->now.entries, at) || l->page.id == after;
	for (; (e = pk_entries_get(&l->now.entries, at)); pk_entries_next(&l->now.entries, &at)) {
		if (!n--)
			return 1;
		row_of(b, l, e, &row);
		l->page = *e;
		if (!each(arg, &row))
			return 0;
	}
	name = first_name(b, l, after, was_entry);
	r = name < 0 ? 0 : rows_of_names(b, l, name, &n, each, arg);
	if (r)
		return r < 0 ? 0 : r;
	return rows_of_who(b, l, name < 0 ? after : 0, n, each, arg);
}

bool pk_block_row_of_line(struct pk_block *b, uint32_t line, const uint8_t prefix[16],
			  unsigned bits, struct pk_block_row *ret)
{
	const struct pk_blk_rule *r = pk_trie_rule(b->trie, line);
	const struct pk_block_list *l = r && r->list < PK_BLK_LISTS ? b->list[r->list] : NULL;
	const struct pk_who_rule *w;
	struct pk_entries_at at;
	size_t key;

	if (!l || bits > 128)
		return false;
	if (pk_change_find_line(b, l, line, prefix, bits, &at)) {
		row_of(b, l, pk_entries_get(&l->now.entries, at), ret);
		return true;
	}
	w = pk_who_of_line(b, line, &key);
	if (w)
		row_of_who(b, w, ret);
	return w;
}

int pk_block_export(struct pk_block *b, const char *list, struct pk_block_export *x,
		    size_t max_bytes, struct pk_buf *out)
{
	const struct pk_block_list *l = pk_list_find(b, list);
	const struct pk_block_entry *e;
	const struct pk_block_name *n;
	struct pk_entries_at at = { 0 };

	if (!l)
		return -ENOENT;
	if (!x->begun)
		pk_buf_str(out, "picket-list 1\n");
	if (x->begun && !x->named) {
		at = pk_entries_from(&l->now.entries, &x->last);
		e = pk_entries_get(&l->now.entries, at);
		if (e && pk_block_entry_compare(e, &x->last) == 0)
			pk_entries_next(&l->now.entries, &at);
	}
	for (; !x->named && out->len < max_bytes && (e = pk_entries_get(&l->now.entries, at));
	     pk_entries_next(&l->now.entries, &at)) {
		pk_list_write_line(out, e, pk_iface_name(b, e),
				   pk_block_text_at(&l->now.texts, e->reason));
		x->last = *e;
		x->begun = true;
	}
	if (!x->named && pk_entries_get(&l->now.entries, at))
		return 1;
	x->begun = x->named = true;
	while (out->len < max_bytes && (n = pk_domains_next(&l->now.names, &x->name)))
		pk_list_write_name(out, n, pk_block_text_at(&l->now.texts, n->text),
				   pk_block_text_at(&l->now.texts, n->reason));
	return x->name < l->now.names.n ? 1 : 0;
}

const char *pk_block_safe_text(uint32_t kinds)
{
	return pk_guard_text(kinds);
}

bool pk_block_safe_at(struct pk_block *b, size_t n, struct pk_blk_safe_key *ret_key,
		      uint32_t *ret_kinds)
{
	if (n >= b->guard.n)
		return false;
	*ret_key = b->guard.v[n].key;
	*ret_kinds = b->guard.v[n].kinds;
	return true;
}

void pk_block_totals(struct pk_block *b, struct pk_block_totals *ret)
{
	*ret = (struct pk_block_totals){
		.ready = b->ready,
		.enforcing = b->held == 1,
		.lists = b->n_lists,
		.auto_refused = b->rate.refused,
		.adopted = b->adopted,
		.repaired = b->repaired,
	};
	b->ops.drain(b->ops.arg);
	for (size_t i = 0; i < b->n_lists; i++) {
		const struct pk_block_list *l = b->list[b->order[i]];
		struct pk_blk_count c = { 0 };

		ret->entries += pk_version_entries(&l->now);
		ret->names += l->now.names.live;
		if (l->now.names.n)
			ret->name_bytes += pk_domains_bytes(&l->now.names) + l->now.texts.cap +
					   l->now.texts.slots * sizeof(uint32_t);
		ret->processes += l->processes;
		ret->expiring += l->now.expiring;
		ret->faults += l->fault != NULL;
		if (strcmp(l->name, "auto") == 0)
			ret->auto_entries += l->now.entries.n;
		if (b->ops.count(b->ops.arg, l->index, false, &c) < 0)
			continue;
		ret->count.in_packets += c.in_packets;
		ret->count.in_bytes += c.in_bytes;
		ret->count.out_packets += c.out_packets;
		ret->count.out_bytes += c.out_bytes;
		ret->count.calls += c.calls;
		ret->count.seen_packets += c.seen_packets;
		ret->count.seen_bytes += c.seen_bytes;
		ret->count.allowed_packets += c.allowed_packets;
	}
	pk_trie_usage(b->trie, &ret->use);
}
