/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a start: walks the tries as the maps hold them, so that what is in use stays and the rest
 * is free. The maps were written by an agent that may have been killed at any moment, or by
 * anybody with the right to: whatever does not fit is cut off, so that later walks meet no circle
 * and no line twice.
 */
#include "base/cleanup.h"
#include "block/node.h"
#include "block/top.h"
#include "block/trie_own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WAITS_MAX 16 /* for a processor that is just counting; then its hits may be another's */

enum mark { FREE, NODE, RULE, COND, WHOLE, PARTS };

struct walk {
	struct pk_trie *t;
	uint8_t *mark;  /* of each line, by chunk: enum mark */
	uint8_t *parts; /* PARTS: words in use */
	size_t lines;
	void (*each)(void *arg, uint32_t line, const struct pk_blk_rule *rule);
	void *arg;
	struct pk_trie_found found;
	bool loose;      /* what is walked is in no trie */
	uint32_t *empty; /* rules that only keep a place */
	size_t n_empty, cap_empty;
	int error;
};

static bool is_there(const struct walk *w, uint32_t line)
{
	return line < w->lines && line % PK_BLK_CHUNK_LINES >= PK_BLK_BRIEF_LINES &&
	       pk_lines_at(&w->t->lines, line);
}

static bool is_rule(const struct walk *w, uint32_t line)
{
	const struct pk_blk_rule *r = is_there(w, line) ? pk_trie_rule(w->t, line) : NULL;

	return r && (w->mark[line] == FREE || w->mark[line] == RULE) && r->bits <= 128 &&
	       r->list < PK_BLK_LISTS;
}

/* May the chain go on there? A rule that was met already leads on itself; met again within its own
 * prefix it would be a circle. */
static bool may_follow(const struct walk *w, const struct pk_blk_rule *r)
{
	const struct pk_blk_rule *next;
	struct pk_prefix p, q;

	if (!is_rule(w, r->next))
		return false;
	next = pk_trie_rule(w->t, r->next);
	pk_prefix_of_rule(r, &p);
	pk_prefix_of_rule(next, &q);
	return q.v6 == p.v6 && pk_prefix_agrees(p.hi, p.lo, &q, q.bits) &&
	       (q.bits < p.bits || (q.bits == p.bits && w->mark[r->next] == FREE));
}

static void note_empty(struct walk *w, uint32_t line)
{
	if (w->n_empty == w->cap_empty) {
		size_t cap = w->cap_empty ? w->cap_empty * 2 : 64;
		uint32_t *v = realloc(w->empty, cap * sizeof(*v));

		if (!v) {
			w->error = -ENOMEM;
			return;
		}
		w->empty = v;
		w->cap_empty = cap;
	}
	w->empty[w->n_empty++] = line;
}

static void take_rule(struct walk *w, uint32_t line, struct pk_blk_rule *r)
{
	struct pk_prefix p;

	w->mark[line] = RULE;
	if (r->flags & PK_BLK_EMPTY)
		note_empty(w, line);
	if (r->flags & PK_BLK_COND) {
		if (is_there(w, line + 1) && w->mark[line + 1] == FREE) {
			w->mark[line + 1] = COND;
		} else {
			r->flags = PK_BLK_EMPTY;
			w->found.damaged++;
		}
	}
	if (r->flags & PK_BLK_EMPTY)
		return;
	w->found.rules++;
	w->t->rules++;
	pk_prefix_of_rule(r, &p);
	w->t->sites.rules += !w->loose && p.v6;
	w->each(w->arg, line, r);
}

/* By the first of a prefix packets may judge without a look at those after it. */
static void set_head(struct walk *w, struct pk_blk_rule *r, bool head)
{
	bool is = r->flags & PK_BLK_HEAD;

	if (is == head || r->flags & PK_BLK_EMPTY)
		return;
	r->flags ^= PK_BLK_HEAD;
	w->found.damaged++;
}

/* Marks a rule and those after it. False: there is none at this line. */
static bool take_chain(struct walk *w, uint32_t line)
{
	struct pk_blk_rule *r;
	unsigned bits = 129; /* of the rule before */

	if (!is_rule(w, line))
		return false;
	while (line && w->mark[line] == FREE) {
		r = pk_trie_rule(w->t, line);
		set_head(w, r, !w->loose && r->bits != bits);
		bits = r->bits;
		take_rule(w, line, r);
		if (r->next && !may_follow(w, r)) {
			__atomic_store_n(&r->next, 0, __ATOMIC_RELEASE);
			w->found.damaged++;
		}
		line = r->next;
	}
	return true;
}

static bool take_words(struct walk *w, uint32_t base, unsigned n)
{
	unsigned words = pk_lines_capacity(n ? n : 1), lines = words < 8 ? 1 : words / 8;
	uint32_t line = base / 8;
	uint8_t bits = words < 8 ? (uint8_t)(((1u << words) - 1) << (base & 7)) : 0xff;

	for (unsigned i = 0; i < lines; i++)
		if (!is_there(w, line + i) ||
		    (w->mark[line + i] != FREE && (words >= 8 || w->mark[line + i] != PARTS)))
			return false;
	if (words < 8) {
		if ((base & 7) % words || (w->parts[line] & bits))
			return false;
		w->mark[line] = PARTS;
		w->parts[line] |= bits;
	} else {
		if (base & 7)
			return false;
		memset(&w->mark[line], WHOLE, lines);
	}
	w->t->lines.words += words;
	return true;
}

static bool take_slot(struct walk *w, uint64_t slot, unsigned used);

static bool take_node(struct walk *w, uint32_t line, unsigned used)
{
	struct pk_blk_node *n;
	unsigned count, sum = 0;

	if (!is_there(w, line) || w->mark[line] != FREE)
		return false;
	n = &pk_lines_at(&w->t->lines, line)->node;
	for (unsigned i = 0; i < 4; i++) {
		/* below may be ahead of a bit that was not set any more: made right */
		if (n->below[i] != sum)
			__atomic_store_n(&n->below[i], (uint8_t)sum, __ATOMIC_RELEASE);
		sum += (unsigned)__builtin_popcountll(n->map[i]);
	}
	count = pk_node_count(n);
	if (n->pos < used || n->pos > 120 || n->pos % 8 ||
	    ((n->flags & PK_BLK_NODE_RUNS) && !(n->map[0] & 1)) || !take_words(w, n->base, count))
		return false;
	w->mark[line] = NODE;
	w->t->lines.words += 8;
	w->found.nodes++;
	if (n->def && !take_chain(w, n->def)) {
		__atomic_store_n(&n->def, 0, __ATOMIC_RELEASE);
		w->found.damaged++;
	}
	for (unsigned i = 0; i < count; i++) {
		__u64 *word = pk_lines_word(&w->t->lines, n->base + i);

		if (take_slot(w, *word, n->pos + 8u))
			continue;
		__atomic_store_n(word, 0, __ATOMIC_RELEASE);
		w->found.damaged++;
	}
	return true;
}

static bool take_slot(struct walk *w, uint64_t slot, unsigned used)
{
	const struct pk_blk_rule *r;
	struct pk_prefix p;

	switch (slot & 3) {
	case PK_BLK_NONE:
		return !slot;
	case PK_BLK_NODE:
		return used <= 120 && take_node(w, pk_slot_line(slot), used);
	case PK_BLK_LEAF:
		return take_chain(w, pk_slot_line(slot));
	default:
		if (!take_chain(w, pk_slot_line(slot)))
			return false;
		r = pk_trie_rule(w->t, pk_slot_line(slot));
		pk_prefix_of_rule(r, &p);
		return p.bits > used;
	}
}

static bool take_top(struct walk *w, uint64_t top)
{
	unsigned n = (unsigned)__builtin_popcount(pk_top_map(top));
	uint32_t base = (uint32_t)top;

	if (!n)
		return !base || take_chain(w, base);
	if (!take_words(w, base, n))
		return false;
	for (unsigned i = 0; i < n; i++) {
		__u64 *word = pk_lines_word(&w->t->lines, base + i);

		if (take_slot(w, *word, 24))
			continue;
		__atomic_store_n(word, 0, __ATOMIC_RELEASE);
		w->found.damaged++;
	}
	return true;
}

/* Of a line that holds blocks: the size of its blocks is not written down; halves are. */
static int free_parts(struct walk *w, uint32_t line)
{
	for (unsigned i = 0; i < 8;) {
		unsigned n = 4;

		while (n > 1 && (i % n || (w->parts[line] >> i & ((1u << n) - 1))))
			n /= 2;
		if (!(w->parts[line] >> i & 1) && pk_lines_add_block(&w->t->lines, line * 8 + i, n))
			return -ENOMEM;
		i += w->parts[line] >> i & 1 ? 1 : n;
	}
	return 0;
}

/* Whoever wrote them may have been killed before the last one. */
static void write_briefs(struct walk *w, uint32_t first)
{
	for (uint32_t i = first; i < first + PK_BLK_CHUNK_LINES; i++) {
		uint8_t *brief = pk_lines_brief(&w->t->lines, i);
		uint8_t is = w->mark[i] == RULE ? pk_trie_brief_of(pk_trie_rule(w->t, i)) : 0;

		if (*brief != is)
			__atomic_store_n(brief, is, __ATOMIC_RELEASE);
		if (pk_brief_is_plain(is))
			pk_hosts_count(&w->t->hosts, pk_trie_rule(w->t, i));
	}
}

static int free_chunk(struct walk *w, uint32_t first)
{
	uint32_t end = first + PK_BLK_CHUNK_LINES, at;
	int r = 0;

	for (uint32_t i = first + PK_BLK_BRIEF_LINES; i < end && !r;) {
		for (at = i; i < end && w->mark[i] == FREE; i++)
			;
		if (i > at)
			r = pk_lines_add_range(&w->t->lines, at, i - at);
		for (; i < end && w->mark[i] != FREE && !r; i++)
			if (w->mark[i] == PARTS)
				r = free_parts(w, i);
	}
	return r;
}

static size_t count_lines(const struct pk_trie *t)
{
	uint32_t i = PK_BLK_CHUNKS_MAX;

	while (i && !t->lines.chunk[i - 1])
		i--;
	return (size_t)i * PK_BLK_CHUNK_LINES;
}

/*
 * What the agent before us freed is nobody's now, by what the maps hold: but a program may still
 * read it, and hits that processors keep apart may still be for it.
 */
static void wait(const struct pk_trie *t)
{
	for (int i = 0; t->lines.chunk[0] && i < WAITS_MAX; i++)
		if (t->lines.wait(t->lines.arg))
			return;
}

int pk_trie_adopt(struct pk_trie *t, const uint32_t *loose, size_t n_loose,
		  void (*each)(void *arg, uint32_t line, const struct pk_blk_rule *rule), void *arg,
		  struct pk_trie_found *ret)
{
	_cleanup_free_ uint8_t *mark = NULL, *parts = NULL;
	struct walk w = { .t = t, .each = each, .arg = arg, .lines = count_lines(t) };
	int r = 0;

	pk_trie_changed(t->mem.ctl); /* who was killed may have had no time to say so */
	pk_table_drop(&t->mem.ctl->hosts);
	pk_table_drop(&t->mem.ctl->sites);
	wait(t);
	mark = w.mark = calloc(w.lines + 1, 1);
	parts = w.parts = calloc(w.lines + 1, 1);
	if (!mark || !parts)
		return -ENOMEM;
	for (uint32_t i = 0; i < PK_BLK_ROOT_WORDS; i++) {
		uint64_t root = t->mem.roots[i];

		if (!root || (i < PK_BLK_TOP_AT ? take_slot(&w, root, 16) : take_top(&w, root)))
			continue;
		__atomic_store_n(&t->mem.roots[i], 0, __ATOMIC_RELEASE);
		w.found.damaged++;
	}
	w.loose = true;
	for (size_t i = 0; i < n_loose; i++)
		if (loose[i] && !take_chain(&w, loose[i]))
			w.found.damaged++;
	for (uint32_t i = 0; i < w.lines / PK_BLK_CHUNK_LINES && !r; i++) {
		if (!t->lines.chunk[i])
			continue;
		write_briefs(&w, i << PK_BLK_CHUNK_SHIFT);
		r = free_chunk(&w, i << PK_BLK_CHUNK_SHIFT);
	}
	/*
	 * Whoever was killed while he took one out has left it in some slots and not in others: it
	 * goes before anything is added, which relies on a prefix being everywhere or nowhere.
	 */
	for (size_t i = 0; i < w.n_empty && !r; i++)
		pk_trie_finish(t, w.empty[i]);
	free(w.empty);
	*ret = w.found;
	return r ? r : w.error;
}
