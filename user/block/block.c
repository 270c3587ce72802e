/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the block lists: what they are told, and in which order their work is done. */
#include "block/block.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "block/load.h"
#include "block/name_rules.h"
#include "block/show.h"
#include "block/who.h"
#include "conf/conf.h"

#include <errno.h>
#include <string.h>

#define REST_NS        900000000 /* ticks are a second apart, or come early for an entry that ends */
#define CLOCK_MOVED_NS 1000000000 /* the wall clock was set */

int pk_block_new(const struct pk_conf *conf, const struct pk_block_ops *ops,
		 const struct pk_trie_memory *mem, struct pk_blk_list *lists,
		 struct pk_block **ret_block)
{
	struct pk_block *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->conf = conf;
	b->ops = *ops;
	b->ctl = mem->ctl;
	b->kernel = lists;
	b->held = -1;
	r = pk_trie_new(mem, &b->trie);
	if (r < 0) {
		free(b);
		return r;
	}
	*ret_block = b;
	return 0;
}

static void free_loads(struct pk_load *ld)
{
	while (ld) {
		struct pk_load *next = ld->next;

		pk_load_free(ld);
		ld = next;
	}
}

void pk_block_free(struct pk_block *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_lists; i++) /* those that wait to be confirmed */
		if (pk_load_is_pending(b->list[b->order[i]]))
			pk_load_free(b->list[b->order[i]]->load);
	free_loads(b->loads);
	free_loads(b->unsaved);
	pk_saver_free(b);
	pk_refuse_free(b);
	pk_answers_free(b);
	pk_start_free(b);
	pk_who_free(b);
	for (unsigned i = 0; i < PK_BLK_LISTS; i++)
		pk_list_free(b, b->list[i]);
	pk_block_texts_done(&b->ifaces);
	pk_guard_done(&b->guard);
	pk_expiry_done(&b->expiry);
	pk_trie_free(b->trie);
	free(b);
}

void pk_block_freep(struct pk_block **b)
{
	pk_block_free(*b);
}

void pk_block_set_conf(struct pk_block *b, const struct pk_conf *conf)
{
	b->conf = conf;
}

int pk_block_add_chunk(struct pk_block *b, uint32_t index, union pk_blk_line *lines)
{
	int r = pk_trie_add_chunk(b->trie, index, lines, b->started);

	if (b->growing)
		b->growing--;
	pk_rule_reserve(b);
	return r;
}

void pk_block_grow_failed(struct pk_block *b, int error)
{
	b->growing = 0;
	b->grow_error = error;
}

bool pk_block_is_ready(const struct pk_block *b)
{
	return b->ready;
}

/* An address that is safe from now on and is in a list: the kernel protects it; people should know.
 */
static void tell_listed(struct pk_block *b, const struct pk_blk_safe_key *key, uint32_t kinds)
{
	struct pk_block_query q = { .dir = PK_BLK_IN | PK_BLK_OUT };
	struct pk_block_answer *a;
	char text[56];
	struct pk_block_entry e = { .bits = 128, .v4 = pk_guard_is_v4(key->addr, key->bits) };

	if (!b->started || key->bits != 128)
		return;
	a = calloc(1, sizeof(*a));
	if (!a)
		return; /* a notice less */
	memcpy(q.addr, key->addr, 16);
	memcpy(e.prefix, key->addr, 16);
	pk_block_check(b, &q, a);
	for (size_t i = 0; i < a->n; i++)
		if (!a->v[i].allow && a->v[i].mode == PK_BLK_ENFORCE) {
			pk_entry_text(&e, text);
			pk_block_notice(b, "%s (%s) is in list %s and stays reachable", text,
					pk_guard_text(kinds), a->v[i].list);
			break;
		}
	free(a);
}

int pk_block_safe(struct pk_block *b, const struct pk_blk_safe_key *key, uint32_t kinds)
{
	uint32_t before = pk_guard_kinds(&b->guard, key->addr);
	int r = pk_guard_set(&b->guard, key, kinds);

	if (r == 0 && kinds && !before)
		tell_listed(b, key, kinds);
	return r;
}

static void set_clock(struct pk_block *b, int64_t now_ms, uint64_t boot_ns)
{
	int64_t offset = now_ms * 1000000 - (int64_t)boot_ns, moved = offset - b->offset_ns;

	b->now_ms = now_ms;
	b->boot_ns = boot_ns;
	if (moved < CLOCK_MOVED_NS && moved > -CLOCK_MOVED_NS)
		return;
	b->offset_ns = offset;
	pk_change_refresh(b, true, false);
}

bool pk_block_step(struct pk_block *b, uint64_t budget_ns)
{
	uint64_t until = pk_clock_boot_ns() + budget_ns;
	bool more;

	if (!b->started)
		return false;
	more = pk_load_step(b, until);
	if (pk_clock_boot_ns() < until)
		more |= pk_change_expire(b, until);
	if (pk_clock_boot_ns() < until)
		more |= pk_refuse_step(b, until);
	if (pk_clock_boot_ns() < until)
		more |= pk_answers_step(b, until);
	for (bool fill = true; fill && pk_clock_boot_ns() < until;) {
		fill = pk_trie_step(b->trie);
		more |= fill;
	}
	if (pk_clock_boot_ns() < until)
		more |= pk_saver_step(b, until);
	else
		more = true;
	return more;
}

void pk_block_tick(struct pk_block *b, int64_t now_ms, uint64_t boot_ns)
{
	set_clock(b, now_ms, boot_ns);
	if (!b->started)
		return;
	if (b->links_changed)
		pk_change_refresh(b, false, true);
	b->links_changed = false;
	pk_load_tick(b);
	(void)pk_change_expire(b, pk_clock_boot_ns() + 5000000); /* the rest in steps */
	pk_who_tick(b);
	if (boot_ns - b->rested_ns >= REST_NS) { /* each costs all processors something */
		b->rested_ns = boot_ns;
		pk_trie_tick(b->trie);
	}
	pk_rule_reserve(b);
}

static void sooner(uint64_t *at, uint64_t ns)
{
	if (ns && (!*at || ns < *at))
		*at = ns;
}

uint64_t pk_block_next_ns(const struct pk_block *b)
{
	uint64_t next = 0;
	int64_t expiry = pk_expiry_next_ms(&b->expiry);

	if (expiry)
		sooner(&next, pk_rule_boot_ns(b, expiry));
	for (size_t i = 0; i < b->n_lists; i++)
		sooner(&next, pk_load_confirm_ns(b->list[b->order[i]]));
	sooner(&next, pk_saver_due_ns(b));
	return next;
}

void pk_block_links_changed(struct pk_block *b)
{
	b->links_changed = true;
}

void pk_block_clock(struct pk_block *b, int64_t now_ms, uint64_t boot_ns)
{
	set_clock(b, now_ms, boot_ns);
}
