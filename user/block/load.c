/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The phases of a replacement. Each goes on where its slice ended; versions do not change under it,
 * since single changes of the list are refused and expiries wait (the kernel looks at them itself).
 */
#include "block/load.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "block/name_rules.h"
#include "conf/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define BOTH        (PK_BLK_SEEN0 | PK_BLK_SEEN1)
#define GROW_CHUNKS 8
#define AGAIN       1 /* the slice is over */
#define WAIT        2 /* for memory */

static uint8_t seen(unsigned parity)
{
	return parity ? PK_BLK_SEEN1 : PK_BLK_SEEN0;
}

static int check(struct pk_block *b, struct pk_load *ld, uint64_t until_ns)
{
	struct pk_block_list *l = ld->l;
	uint32_t n = 0;
	bool guarded = !ld->allow && !ld->at_start, whole = true;
	int r;

	while (ld->i < ld->n) {
		struct pk_block_entry *e = &ld->v[ld->i++];

		if (pk_slice_over(&n, until_ns, pk_clock_boot_ns)) {
			ld->i--;
			return AGAIN;
		}
		if (e->expires_ms && e->expires_ms <= b->now_ms)
			continue;
		if (guarded && !pk_guard_entry(&ld->walk, e))
			continue;
		if (!ld->at_start)
			e->id = 0;
		else if (e->id >= l->next_id)
			l->next_id = e->id + 1;
		e->line = 0;
		pk_version_count(&ld->other, e, 1);
		ld->v[ld->kept++] = *e;
	}
	if (guarded)
		whole = pk_guard_end(&ld->walk);
	if (!whole || (ld->out.refused_total && !ld->ask.skip_bad))
		return pk_done_set(&ld->out, -EPERM, "%zu entries are refused; nothing has changed",
				   ld->out.refused_total);
	if (!ld->at_start &&
	    pk_list_entries(b) - pk_version_entries(&l->now) + ld->kept + ld->other.names.live >
		    b->conf->block_entries_max)
		return pk_done_set(&ld->out, -ENOSPC,
				   "more than %" PRIu64 " entries in all lists (block.entries_max)",
				   b->conf->block_entries_max);
	r = pk_entries_take(&ld->other.entries, ld->v, ld->kept);
	if (r == 0)
		ld->v = NULL;
	return r;
}

static void match_one(struct pk_load *ld, struct pk_block_entry *a, struct pk_block_entry *z)
{
	ld->out.kept++;
	if (!ld->at_start || !z->id)
		z->id = a->id;
	if (pk_block_entry_has_cond(a) == pk_block_entry_has_cond(z)) {
		a->pad = z->pad = PK_LOAD_KEPT;
		z->line = a->line;
		ld->moved_expiry |= a->expires_ms != z->expires_ms;
		return;
	}
	a->pad = z->pad = PK_LOAD_REMADE;
}

static int match(struct pk_block *b, struct pk_load *ld, uint64_t until_ns)
{
	struct pk_version *now = &ld->l->now, *other = &ld->other;
	struct pk_block_entry *a, *z;
	uint32_t n = 0;
	int cmp;

	(void)b;
	while (a = pk_entries_get(&now->entries, ld->at),
	       z = pk_entries_get(&other->entries, ld->at_other), a || z) {
		if (pk_slice_over(&n, until_ns, pk_clock_boot_ns))
			return AGAIN;
		cmp = !a ? 1 : !z ? -1 : pk_block_entry_compare(a, z);
		if (cmp < 0)
			a->pad = 0;
		else if (cmp > 0)
			z->pad = 0;
		else
			match_one(ld, a, z);
		ld->out.removed += cmp < 0;
		ld->out.added += cmp > 0;
		if (z && cmp >= 0 && z->pad != PK_LOAD_KEPT) {
			ld->need_v4 += z->v4;
			ld->need_v6 += !z->v4;
			ld->need_cond += pk_block_entry_has_cond(z);
		}
		if (cmp <= 0)
			pk_entries_next(&now->entries, &ld->at);
		if (cmp >= 0)
			pk_entries_next(&other->entries, &ld->at_other);
	}
	return 0;
}

static int memory(struct pk_block *b, struct pk_load *ld, uint64_t until_ns)
{
	uint64_t need = pk_trie_need(ld->need_v4, ld->need_v6, ld->need_cond), have;

	(void)until_ns;
	if (b->growing)
		return WAIT;
	have = pk_trie_free_lines(b->trie);
	if (ld->asked || have >= need || !(ld->need_v4 + ld->need_v6))
		return 0;
	ld->asked = true;
	/* an estimate: when it is too much to ask for, what there is may still do */
	return pk_rule_grow(b, need - have) < 0 ? 0 : WAIT;
}

/* No line for a rule: ask for more, then for as little as can be. */
static int starve(struct pk_block *b, struct pk_load *ld)
{
	if (b->growing)
		return WAIT;
	if (b->grow_error || !ld->starved)
		ld->starved++;
	if (ld->starved <= 2 && pk_rule_grow(b, (uint64_t)PK_BLK_CHUNK_ROOM *
							(ld->starved == 1 ? GROW_CHUNKS : 1)) == 0)
		return WAIT;
	if (ld->starved++ <= 2)
		return WAIT; /* asking failed at once: the next time for less */
	return pk_done_set(&ld->out, -ENOSPC,
			   "kernel memory for block lists is at its limit (block.memory); nothing "
			   "has changed");
}

static int add(struct pk_block *b, struct pk_load *ld, uint64_t until_ns)
{
	struct pk_block_list *l = ld->l;
	struct pk_block_entry *z;
	uint32_t n = 0;
	int r;

	for (; (z = pk_entries_get(&ld->other.entries, ld->at_other));
	     pk_entries_next(&ld->other.entries, &ld->at_other)) {
		if (pk_slice_over(&n, until_ns, pk_clock_boot_ns))
			return AGAIN;
		if (z->pad == PK_LOAD_KEPT)
			continue;
		r = pk_rule_add(b, l, z, seen(!l->parity), &z->line);
		if (r == -ENOSPC)
			return starve(b, ld);
		if (r < 0)
			return pk_done_set(&ld->out, r, "cannot add to the kernel's lists: %s",
					   strerror(-r));
		ld->starved = 0;
		if (!z->id)
			z->id = l->next_id++;
	}
	return 0;
}

static int extend(struct pk_block *b, struct pk_load *ld, uint64_t until_ns)
{
	struct pk_block_entry *z;
	uint32_t n = 0;

	if (!ld->moved_expiry)
		return 0;
	for (; (z = pk_entries_get(&ld->other.entries, ld->at_other));
	     pk_entries_next(&ld->other.entries, &ld->at_other)) {
		if (pk_slice_over(&n, until_ns, pk_clock_boot_ns))
			return AGAIN;
		if (z->pad == PK_LOAD_KEPT)
			pk_rule_extend(b, z->line, z->expires_ms);
	}
	return 0;
}

static int mark(struct pk_block *b, struct pk_load *ld, uint64_t until_ns)
{
	struct pk_block_entry *a;
	uint32_t n = 0;

	for (; (a = pk_entries_get(&ld->l->now.entries, ld->at));
	     pk_entries_next(&ld->l->now.entries, &ld->at)) {
		if (pk_slice_over(&n, until_ns, pk_clock_boot_ns))
			return AGAIN;
		if (a->pad != PK_LOAD_KEPT)
			pk_trie_set_flags(b->trie, a->line, seen(ld->l->parity));
	}
	return 0;
}

static void swap_versions(struct pk_load *ld)
{
	struct pk_version v = ld->l->now;

	ld->l->now = ld->other;
	ld->other = v;
	ld->l->parity = !ld->l->parity;
}

static void swap_force(struct pk_block *b, struct pk_load *ld, const uint8_t (*v)[16], size_t n)
{
	uint8_t before[PK_LIST_FORCE][16], next[PK_LIST_FORCE][16];
	size_t n_before = ld->l->n_force;

	memcpy(before, ld->l->force, sizeof(before));
	memcpy(next, v, n * sizeof(next[0]));
	pk_list_set_force(b, ld->l, (const uint8_t(*)[16])next, n);
	memcpy(ld->force, before, sizeof(before));
	ld->n_force = n_before;
}

/* The one moment: what goes before it is not seen, what comes after is not needed. */
static int flip(struct pk_block *b, struct pk_load *ld, uint64_t until_ns)
{
	struct pk_block_list *l = ld->l;

	(void)until_ns;
	if (!ld->at_start)
		swap_force(b, ld, (const uint8_t(*)[16])ld->ask.force, ld->ask.n_force);
	swap_versions(ld);
	ld->mode_before = l->mode;
	l->mode = ld->mode;
	l->allow = ld->allow;
	l->page = (struct pk_block_entry){ 0 };
	l->page_name.id = 0;
	pk_list_publish(b, l);
	pk_saver_drop(b, l);
	if (l->now.names.n || ld->other.names.n)
		pk_name_changed(b);
	ld->out.entries = pk_version_entries(&l->now);
	ld->out.enforce_ns = pk_clock_boot_ns() - ld->began_ns;
	if (!ld->ask.confirm_ms)
		return 0;
	ld->confirm_ns = b->boot_ns + ld->ask.confirm_ms * 1000000;
	ld->out.confirm_by_ms = b->now_ms + (int64_t)ld->ask.confirm_ms;
	return 0;
}

/* Entries that end: hints for those that are kept may be there twice, which costs nothing. */
static int settle(struct pk_block *b, struct pk_load *ld, uint64_t until_ns)
{
	struct pk_block_list *l = ld->l;
	struct pk_block_entry *e;
	uint32_t n = 0;

	for (; (e = pk_entries_get(&l->now.entries, ld->at));
	     pk_entries_next(&l->now.entries, &ld->at)) {
		struct pk_expiry_item item = { e->expires_ms, e->line, l->index };

		if (pk_slice_over(&n, until_ns, pk_clock_boot_ns))
			return AGAIN;
		if (ld->remove)
			continue;
		if (e->pad != PK_LOAD_KEPT)
			pk_trie_set_flags(b->trie, e->line, BOTH);
		else if (ld->moved_expiry)
			pk_rule_set_expiry(b, e->line, e->expires_ms);
		if (e->expires_ms)
			(void)pk_expiry_push(&b->expiry, &item); /* else the kernel alone knows */
	}
	return 0;
}

static int drop(struct pk_block *b, struct pk_load *ld, uint64_t until_ns)
{
	struct pk_block_entry *e, *z;
	uint32_t n = 0;

	if (!ld->remove)
		b->ops.drain(b->ops.arg); /* before counters are carried over */
	for (; (e = pk_entries_get(&ld->other.entries, ld->at_other));
	     pk_entries_next(&ld->other.entries, &ld->at_other)) {
		if (pk_slice_over(&n, until_ns, pk_clock_boot_ns))
			return AGAIN;
		if (ld->remove) {
			pk_rule_remove(b, e->line);
			continue;
		}
		if (e->pad == PK_LOAD_KEPT)
			continue;
		z = e->pad == PK_LOAD_REMADE ? pk_entries_find(&ld->l->now.entries, e) : NULL;
		if (z)
			pk_rule_carry(b, e->line, z->line);
		pk_rule_remove(b, e->line);
	}
	return 0;
}

static int undo(struct pk_block *b, struct pk_load *ld, uint64_t until_ns)
{
	struct pk_block_entry *z;
	uint32_t n = 0;

	for (; (z = pk_entries_get(&ld->other.entries, ld->at_other));
	     pk_entries_next(&ld->other.entries, &ld->at_other)) {
		if (pk_slice_over(&n, until_ns, pk_clock_boot_ns))
			return AGAIN;
		if (z->line && z->pad != PK_LOAD_KEPT)
			pk_rule_remove(b, z->line);
	}
	return 0;
}

/* An entry that ended while the list was busy: the hint is gone, so all get a new one. */
static void hint_again(struct pk_block *b, struct pk_block_list *l)
{
	struct pk_entries_at at = { 0 };
	const struct pk_block_entry *e;

	if (!l->missed)
		return;
	l->missed = false;
	pk_name_hint_all(b, l);
	for (; (e = pk_entries_get(&l->now.entries, at)); pk_entries_next(&l->now.entries, &at)) {
		struct pk_expiry_item item = { e->expires_ms, e->line, l->index };

		if (e->expires_ms)
			(void)pk_expiry_push(&b->expiry, &item); /* else the kernel alone knows */
	}
}

static void told_at_start(struct pk_block *b, const struct pk_load *ld)
{
	const struct pk_block_done *d = &ld->out;

	if (!ld->at_start)
		return;
	if (d->result < 0)
		pk_list_fault(b, ld->l, "what was saved is not in force: %s",
			      d->detail ? d->detail : strerror(-d->result));
	else if (!ld->is_new && (d->added || d->removed))
		pk_block_notice(b,
				"list %s: the kernel held something else than the file: %" PRIu64
				" entries added, %" PRIu64 " removed",
				ld->l->name, d->added, d->removed);
}

static void free_list(struct pk_block *b, struct pk_load *ld)
{
	struct pk_block_list *l = ld->l;

	if (!ld->remove) { /* was never saved */
		pk_list_forget(b, l);
		pk_list_publish(b, l);
	}
	/* loads whose file was not written before it went: told when it is gone */
	for (struct pk_load *u = b->unsaved; u; u = u->next) {
		if (u->l != l)
			continue;
		u->l = NULL;
		u->serial = ld->serial;
	}
	pk_list_free(b, l);
	ld->l = NULL;
}

/* Out of the queue: with an outcome, or in force and to be saved. */
static void end(struct pk_block *b, struct pk_load *ld)
{
	struct pk_block_list *l = ld->l;
	bool gone = ld->remove || (ld->is_new && !ld->at_start && !pk_version_entries(&l->now) &&
				   !l->processes && (ld->out.result < 0 || ld->back));

	b->loads = ld->next;
	ld->next = NULL;
	l->load = NULL;
	pk_name_loaded(b, ld);
	pk_version_done(&ld->other);
	told_at_start(b, ld);
	hint_again(b, l);
	if (gone)
		free_list(b, ld);
	if (ld->at_start && !--b->starting)
		b->ready = true;
	pk_list_hold(b);
	if (ld->out.result < 0 || ld->at_start || ld->back || ld->no_file) {
		pk_load_answer(ld);
		return;
	}
	ld->phase = PK_LOAD_SAVING;
	ld->next = b->unsaved;
	b->unsaved = ld;
	if (gone) /* its file is being removed */
		return;
	free(l->fault);
	l->fault = NULL;
	pk_list_changed(b, l, 0);
	ld->serial = l->serial;
}

static void begin(struct pk_load *ld, enum pk_load_phase phase)
{
	ld->phase = phase;
	ld->at = ld->at_other = (struct pk_entries_at){ 0 };
}

/* Leaves the queue, in force, and tells so. */
static void park(struct pk_block *b, struct pk_load *ld)
{
	pk_block_done_fn done = ld->done;

	b->loads = ld->next;
	ld->next = NULL;
	ld->done = NULL;
	if (done)
		done(ld->arg, &ld->out);
}

static int run(struct pk_block *b, struct pk_load *ld, uint64_t until_ns)
{
	static int (*const phase[])(struct pk_block *, struct pk_load *, uint64_t) = {
		[PK_LOAD_NAMES] = pk_name_load, [PK_LOAD_CHECK] = check, [PK_LOAD_MATCH] = match,
		[PK_LOAD_MEMORY] = memory,      [PK_LOAD_ADD] = add,     [PK_LOAD_EXTEND] = extend,
		[PK_LOAD_MARK] = mark,          [PK_LOAD_FLIP] = flip,   [PK_LOAD_SETTLE] = settle,
		[PK_LOAD_DROP] = drop,          [PK_LOAD_UNDO] = undo,
	};
	int r = phase[ld->phase](b, ld, until_ns);

	if (r == AGAIN || r == WAIT)
		return r;
	if (r < 0) {
		ld->out.result = r;
		begin(ld, PK_LOAD_UNDO);
	} else if (ld->phase == PK_LOAD_DROP || ld->phase == PK_LOAD_UNDO) {
		end(b, ld);
	} else if (ld->phase == PK_LOAD_FLIP && ld->ask.confirm_ms) {
		begin(ld, PK_LOAD_PENDING);
		park(b, ld);
	} else if (ld->phase == PK_LOAD_FLIP) {
		begin(ld, PK_LOAD_SETTLE);
	} else {
		begin(ld, ld->phase + 1);
	}
	return 0;
}

bool pk_load_step(struct pk_block *b, uint64_t until_ns)
{
	while (b->loads) {
		int r = run(b, b->loads, until_ns);

		if (r == WAIT)
			return false; /* a chunk wakes us */
		if (r == AGAIN || pk_clock_boot_ns() >= until_ns)
			return b->loads != NULL;
	}
	return false;
}

void pk_load_queue(struct pk_block *b, struct pk_load *ld)
{
	struct pk_load **at = &b->loads;

	while (*at)
		at = &(*at)->next;
	ld->next = NULL;
	*at = ld;
	b->ops.work(b->ops.arg);
}

void pk_load_free(struct pk_load *ld)
{
	if (!ld)
		return;
	pk_version_done(&ld->other);
	pk_block_done_done(&ld->out);
	free(ld->names);
	free(ld->v);
	free(ld);
}

void pk_load_answer(struct pk_load *ld)
{
	if (ld->done)
		ld->done(ld->arg, &ld->out);
	pk_load_free(ld);
}

/* Undone or kept, it goes on through the queue. Going back swaps first: that is the switch. */
static void go_on(struct pk_block *b, struct pk_load *ld, bool back)
{
	struct pk_block_list *l = ld->l;

	ld->back = back;
	pk_list_edited(b, l); /* it waits for nobody any more */
	if (back) {
		swap_force(b, ld, (const uint8_t(*)[16])ld->force, ld->n_force);
		swap_versions(ld);
		l->mode = ld->mode_before;
		l->page = (struct pk_block_entry){ 0 };
		l->page_name.id = 0;
		pk_list_publish(b, l);
		pk_name_changed(b);
	}
	begin(ld, PK_LOAD_SETTLE);
	pk_load_queue(b, ld);
}

void pk_block_confirm(struct pk_block *b, const char *list, bool back, pk_block_done_fn done,
		      void *arg)
{
	struct pk_block_list *l = pk_list_find(b, list);
	struct pk_block_done d = { 0 };

	if (!l || !pk_load_is_pending(l)) {
		(void)pk_done_set(&d, l ? -EINVAL : -ENOENT,
				  l ? "list %s has nothing to confirm" : "there is no list %s",
				  list);
		done(arg, &d);
		pk_block_done_done(&d);
		return;
	}
	l->load->done = done;
	l->load->arg = arg;
	go_on(b, l->load, back);
	l->load->out.entries = pk_version_entries(&l->now);
}

void pk_load_tick(struct pk_block *b)
{
	for (size_t i = 0; i < b->n_lists; i++) {
		struct pk_load *ld = b->list[b->order[i]]->load;

		if (!ld || ld->phase != PK_LOAD_PENDING || b->boot_ns < ld->confirm_ns)
			continue;
		pk_block_notice(b, "list %s was not confirmed in time: back to what it was before",
				ld->l->name);
		go_on(b, ld, true);
	}
}

static void answer_saved(struct pk_load *ld, int result)
{
	bool gone = !ld->l;

	ld->out.saved = result == 0;
	ld->out.save_ns = pk_clock_boot_ns() - ld->began_ns - ld->out.enforce_ns;
	if (result < 0)
		(void)pk_done_set(&ld->out, 0,
				  gone ? "removed, but its file is still there: %s"
				       : "in force, but not saved: %s",
				  strerror(-result));
	pk_load_answer(ld);
}

bool pk_load_unsaved(struct pk_block *b, uint64_t serial, int result)
{
	struct pk_load **at = &b->unsaved, *ld;
	bool any = false;

	for (ld = b->loads; ld; ld = ld->next)
		if (ld->remove && ld->serial == serial) { /* before all its rules were removed */
			ld->no_file = true;
			ld->out.saved = result == 0;
			return true;
		}
	while ((ld = *at)) {
		if (ld->l || ld->serial != serial) {
			at = &ld->next;
			continue;
		}
		*at = ld->next;
		answer_saved(ld, result);
		any = true;
	}
	return any;
}

void pk_load_saved(struct pk_block *b, const struct pk_block_list *l, uint64_t serial, int result)
{
	struct pk_load **at = &b->unsaved, *ld;

	while ((ld = *at)) {
		if (!ld->l || ld->l != l || ld->serial > serial) {
			at = &ld->next;
			continue;
		}
		*at = ld->next;
		answer_saved(ld, result);
	}
}

struct pk_version *pk_load_other(const struct pk_block_list *l)
{
	return &l->load->other;
}

bool pk_load_is_pending(const struct pk_block_list *l)
{
	return l->load && l->load->phase == PK_LOAD_PENDING;
}

int64_t pk_load_confirm_by_ms(const struct pk_block_list *l)
{
	return pk_load_is_pending(l) ? l->load->out.confirm_by_ms : 0;
}

uint64_t pk_load_confirm_ns(const struct pk_block_list *l)
{
	return pk_load_is_pending(l) ? l->load->confirm_ns : 0;
}

uint64_t pk_load_entries_before(const struct pk_block_list *l)
{
	return pk_load_is_pending(l) ? pk_version_entries(&l->load->other) : 0;
}
