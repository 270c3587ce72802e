/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slots and nodes of <picket/block.h>. A node is written before it is reachable; after that
 * its words and its default change by single stores, and a word may be added behind all others:
 * the word first, then its bit. Everything else makes a new node.
 */
#include "block/node.h"

#include <assert.h>
#include <string.h>

#define SLOTS      256
#define NODE_WORDS 8 /* a line among those of words */

void pk_prefix_of(const uint8_t prefix[16], unsigned bits16, bool v4, struct pk_prefix *ret)
{
	uint64_t w[2];

	memcpy(w, prefix, 16);
	w[0] = __builtin_bswap64(w[0]);
	w[1] = __builtin_bswap64(w[1]);
	*ret = (struct pk_prefix){ .v6 = !v4 };
	if (v4) {
		ret->hi = w[1] << 32;
		ret->bits = bits16 - 96;
	} else {
		ret->hi = w[0];
		ret->lo = w[1];
		ret->bits = bits16;
	}
}

void pk_prefix_of_rule(const struct pk_blk_rule *rule, struct pk_prefix *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	pk_prefix_of(rule->prefix, rule->bits,
		     rule->bits >= 96 && !memcmp(rule->prefix, mapped, sizeof(mapped)), ret);
}

static uint64_t from(const struct pk_prefix *p, unsigned pos)
{
	if (pos >= 128)
		return 0;
	if (pos >= 64)
		return p->lo << (pos - 64);
	return pos ? p->hi << pos | p->lo >> (64 - pos) : p->hi;
}

unsigned pk_prefix_byte(const struct pk_prefix *p, unsigned pos)
{
	return (unsigned)(from(p, pos) >> 56);
}

bool pk_prefix_agrees(uint64_t hi, uint64_t lo, const struct pk_prefix *p, unsigned bits)
{
	uint64_t x = hi ^ p->hi, y = lo ^ p->lo;

	if (!bits)
		return true;
	if (bits <= 64)
		return !(x >> (64 - bits));
	return !x && !(y >> (128 - bits));
}

/* Bits that two have in common, at most max. */
static unsigned common(uint64_t hi, uint64_t lo, const struct pk_prefix *p, unsigned max)
{
	uint64_t x = hi ^ p->hi, y = lo ^ p->lo;
	unsigned n = x ? (unsigned)__builtin_clzll(x) : y ? 64 + (unsigned)__builtin_clzll(y) : 128;

	return n < max ? n : max;
}

static __u64 *word_of(const struct pk_lines *l, const struct pk_blk_node *n, unsigned i)
{
	return pk_lines_word(l, n->base + i);
}

unsigned pk_node_count(const struct pk_blk_node *n)
{
	return n->below[3] + (unsigned)__builtin_popcountll(n->map[3]);
}

static struct pk_blk_node *node_of(const struct pk_lines *l, uint64_t slot)
{
	union pk_blk_line *at = pk_lines_at(l, pk_slot_line(slot));

	return at ? &at->node : NULL;
}

static void store(__u64 *slot, __u64 value)
{
	__atomic_store_n(slot, value, __ATOMIC_RELEASE);
}

/* The one prefix in a range, of which used bits are known. */
static uint64_t slot_one(const struct pk_prefix *p, uint32_t line, unsigned used)
{
	unsigned len = p->bits - used;
	uint64_t sig;
	bool exact = len <= PK_BLK_SIG_BITS;

	if (!exact)
		len = PK_BLK_SIG_BITS;
	sig = from(p, used) >> 40 & ~0ULL << (PK_BLK_SIG_BITS - len);
	return sig << PK_BLK_SIG | (uint64_t)exact << PK_BLK_SIG_EXACT |
	       (uint64_t)len << PK_BLK_SIG_LEN | (uint64_t)line << PK_BLK_LINE_SHIFT | PK_BLK_ONE;
}

static void one_prefix(const struct pk_lines *l, uint64_t slot, struct pk_prefix *ret)
{
	pk_prefix_of_rule(&pk_lines_at(l, pk_slot_line(slot))->rule, ret);
}

/* Index of the word of slot i; -1: the default. */
static int index_of(const struct pk_blk_node *n, unsigned i)
{
	unsigned at = i / 64;
	uint64_t bit = 1ULL << (i % 64);
	bool set = n->map[at] & bit;
	int r = n->below[at] + __builtin_popcountll(n->map[at] & (bit - 1));

	if (n->flags & PK_BLK_NODE_RUNS)
		return r + set - 1;
	return set ? r : -1;
}

static void expand(const struct pk_lines *l, const struct pk_blk_node *n, uint64_t slot[SLOTS])
{
	for (unsigned i = 0; i < SLOTS; i++) {
		int w = index_of(n, i);

		slot[i] = w < 0 ? pk_slot_leaf(n->def) : *word_of(l, n, (unsigned)w);
	}
}

static void set_bit(struct pk_blk_node *n, unsigned i)
{
	n->map[i / 64] |= 1ULL << (i % 64);
}

/* A new node of these slots: with a word for each that differs from the default, or for each run.
 */
static uint64_t make(struct pk_lines *l, const struct pk_prefix *key, unsigned pos, uint32_t def,
		     const uint64_t slot[SLOTS])
{
	uint64_t plain = pk_slot_leaf(def);
	__u64 *to;
	unsigned sparse = 0, runs = 0, n = 0, sum = 0;
	uint32_t line = pk_lines_take_words(l, NODE_WORDS) / NODE_WORDS;
	struct pk_blk_node *node = &pk_lines_at(l, line)->node;

	assert(line); /* the caller saw to it */
	memset(node, 0, sizeof(*node));
	for (unsigned i = 0; i < SLOTS; i++) {
		sparse += slot[i] != plain;
		runs += !i || slot[i] != slot[i - 1];
	}
	node->pos = (uint8_t)pos;
	node->def = def;
	node->flags = sparse <= runs ? 0 : PK_BLK_NODE_RUNS;
	node->key[0] = pos < 64 ? key->hi & ~(~0ULL >> pos) : key->hi;
	node->key[1] = pos <= 64 ? 0 : key->lo & ~(~0ULL >> (pos - 64));
	node->base = pk_lines_take_words(l, sparse <= runs ? (sparse ? sparse : 1) : runs);
	assert(node->base);
	to = pk_lines_word(l, node->base);
	for (unsigned i = 0; i < SLOTS; i++) {
		if (node->flags ? i && slot[i] == slot[i - 1] : slot[i] == plain)
			continue;
		set_bit(node, i);
		to[n++] = slot[i];
	}
	for (unsigned i = 0; i < 4; i++) {
		node->below[i] = (uint8_t)sum;
		sum += (unsigned)__builtin_popcountll(node->map[i]);
	}
	return (uint64_t)line << PK_BLK_LINE_SHIFT | PK_BLK_NODE;
}

static void give(struct pk_lines *l, uint64_t slot)
{
	struct pk_blk_node *n = node_of(l, slot);
	unsigned words = pk_node_count(n);

	pk_lines_give_words(l, n->base, words ? words : 1);
	pk_lines_give_words(l, pk_slot_line(slot) * NODE_WORDS, NODE_WORDS);
}

static struct pk_prefix key_of(const struct pk_blk_node *n)
{
	return (struct pk_prefix){ .hi = n->key[0], .lo = n->key[1], .bits = n->pos };
}

/*
 * What a node with these slots becomes in a range whose default is outer: the default, the only
 * prefix it has, or a node.
 */
static uint64_t settle(struct pk_lines *l, const struct pk_prefix *key, unsigned pos, uint32_t def,
		       const uint64_t slot[SLOTS], unsigned used, uint32_t outer)
{
	uint64_t plain = pk_slot_leaf(def);
	unsigned n = 0, last = 0;
	struct pk_prefix p;

	for (unsigned i = 0; i < SLOTS && n < 2; i++)
		if (slot[i] != plain) {
			n++;
			last = i;
		}
	if (!n)
		return plain;
	if (n > 1 || def != outer)
		return make(l, key, pos, def, slot);
	if ((slot[last] & 3) == PK_BLK_NODE) /* its default must not reach beyond its own slot */
		return node_of(l, slot[last])->def != def ? make(l, key, pos, def, slot)
							  : slot[last];
	one_prefix(l, slot[last], &p);
	return slot_one(&p, pk_slot_line(slot[last]), used);
}

/* Slots of a node that p, longer than pos, lies in or covers. */
static void span(const struct pk_prefix *p, unsigned pos, unsigned *ret_first, unsigned *ret_n)
{
	unsigned within = p->bits - pos;

	*ret_first = pk_prefix_byte(p, pos);
	*ret_n = within >= 8 ? 1 : 1u << (8 - within);
	*ret_first &= ~(*ret_n - 1);
}

/* p into its slots, of a node with this default; those it covers whole are painted. */
static void put(struct pk_lines *l, uint64_t slot[SLOTS], unsigned pos, uint32_t def,
		const struct pk_prefix *p, uint32_t line, uint32_t cover)
{
	unsigned first, n;

	span(p, pos, &first, &n);
	if (p->bits > pos + 8) {
		slot[first] = pk_node_with(l, slot[first], pos + 8, def, p, line, cover);
		return;
	}
	for (unsigned i = first; i < first + n; i++)
		slot[i] = pk_node_paint(l, slot[i], def, cover, line);
}

/* A word more behind all others, in place. False: there is no room or no such place. */
static bool append(struct pk_lines *l, struct pk_blk_node *n, unsigned i, uint64_t value)
{
	unsigned count = pk_node_count(n), at = i / 64;
	uint64_t above =
		at < 3 ? n->map[3] | (at < 2 ? n->map[2] : 0) | (at < 1 ? n->map[1] : 0) : 0;

	if (n->flags & PK_BLK_NODE_RUNS || above || n->map[at] >> (i % 64))
		return false;
	if (count >= pk_lines_capacity(count ? count : 1))
		return false;
	store(word_of(l, n, count), value);
	for (unsigned k = at + 1; k < 4; k++)
		n->below[k] = (uint8_t)(count + 1);
	store(&n->map[at], n->map[at] | 1ULL << (i % 64));
	return true;
}

/* A new node in place of the old one, which nobody will find any more when the caller stores it. */
static uint64_t remake(struct pk_lines *l, uint64_t old, const uint64_t slot[SLOTS])
{
	struct pk_blk_node *n = node_of(l, old);
	struct pk_prefix key = key_of(n);
	uint64_t fresh = make(l, &key, n->pos, n->def, slot);

	give(l, old);
	return fresh;
}

/* p lies within the node, longer than its pos. */
static uint64_t node_with(struct pk_lines *l, uint64_t slot, const struct pk_prefix *p,
			  uint32_t line, uint32_t cover)
{
	struct pk_blk_node *n = node_of(l, slot);
	uint64_t all[SLOTS], was, now;
	__u64 *word;
	unsigned first, count;
	int w;

	span(p, n->pos, &first, &count);
	w = count == 1 ? index_of(n, first) : -1;
	if (count == 1 && w < 0) {
		was = pk_slot_leaf(n->def);
		now = p->bits > n->pos + 8u
			      ? pk_node_with(l, was, n->pos + 8u, n->def, p, line, cover)
			      : pk_node_paint(l, was, n->def, cover, line);
		if (append(l, n, first, now))
			return slot;
		expand(l, n, all);
		all[first] = now;
		return remake(l, slot, all);
	}
	if (w >= 0 &&
	    (!(n->flags & PK_BLK_NODE_RUNS) || ((first == 255 || index_of(n, first + 1) != w) &&
						(!first || index_of(n, first - 1) != w)))) {
		word = word_of(l, n, (unsigned)w);
		now = p->bits > n->pos + 8u
			      ? pk_node_with(l, *word, n->pos + 8u, n->def, p, line, cover)
			      : pk_node_paint(l, *word, n->def, cover, line);
		if (now != *word)
			store(word, now);
		return slot;
	}
	expand(l, n, all);
	put(l, all, n->pos, n->def, p, line, cover);
	return remake(l, slot, all);
}

/* A node for p and what is in the slot already: word, whose path is other and its bits. */
static uint64_t join(struct pk_lines *l, uint64_t word, const struct pk_prefix *other,
		     unsigned limit, uint32_t def, const struct pk_prefix *p, uint32_t line,
		     uint32_t cover)
{
	unsigned pos = common(other->hi, other->lo, p, limit);
	uint64_t all[SLOTS];

	if (pos > p->bits - 1)
		pos = p->bits - 1;
	pos &= ~7u;
	for (unsigned i = 0; i < SLOTS; i++)
		all[i] = pk_slot_leaf(def);
	if ((word & 3) == PK_BLK_ONE)
		put(l, all, pos, def, other, pk_slot_line(word), def);
	else
		all[pk_prefix_byte(other, pos)] = word;
	put(l, all, pos, def, p, line, cover);
	return make(l, p, pos, def, all);
}

uint64_t pk_node_with(struct pk_lines *l, uint64_t slot, unsigned used, uint32_t def,
		      const struct pk_prefix *p, uint32_t line, uint32_t cover)
{
	struct pk_prefix other;
	struct pk_blk_node *n;
	uint64_t all[SLOTS];

	assert(p->bits > used);
	if (slot == pk_slot_leaf(def))
		return slot_one(p, line, used);
	switch (slot & 3) {
	case PK_BLK_NONE:
		return slot_one(p, line, used);
	case PK_BLK_LEAF:
		for (unsigned i = 0; i < SLOTS; i++)
			all[i] = slot;
		put(l, all, (p->bits - 1) & ~7u, pk_slot_line(slot), p, line, cover);
		return make(l, p, (p->bits - 1) & ~7u, pk_slot_line(slot), all);
	case PK_BLK_ONE:
		one_prefix(l, slot, &other);
		return join(l, slot, &other, other.bits - 1, def, p, line, cover);
	default:
		n = node_of(l, slot);
		if (p->bits > n->pos && pk_prefix_agrees(n->key[0], n->key[1], p, n->pos))
			return node_with(l, slot, p, line, cover);
		other = key_of(n);
		return join(l, slot, &other, n->pos - 1u, n->def, p, line, cover);
	}
}

/* A node that lost its last rule in place is given back: that needs no memory. */
static uint64_t unless_empty(struct pk_lines *l, uint64_t slot)
{
	const struct pk_blk_node *n = node_of(l, slot);
	unsigned count = pk_node_count(n);

	if (n->def)
		return slot;
	for (unsigned i = 0; i < count; i++)
		if (*word_of(l, n, i))
			return slot;
	give(l, slot);
	return 0;
}

uint64_t pk_node_paint(struct pk_lines *l, uint64_t slot, uint32_t def, uint32_t from_line,
		       uint32_t to)
{
	struct pk_prefix other;
	struct pk_blk_node *n;
	uint64_t all[SLOTS];
	unsigned count;

	switch (slot & 3) {
	case PK_BLK_NONE:
		return from_line ? slot : pk_slot_leaf(to);
	case PK_BLK_LEAF:
		return pk_slot_line(slot) == from_line ? pk_slot_leaf(to) : slot;
	case PK_BLK_ONE:
		if (from_line != def || from_line == to)
			return slot;
		one_prefix(l, slot, &other);
		for (unsigned i = 0; i < SLOTS; i++)
			all[i] = pk_slot_leaf(to);
		put(l, all, (other.bits - 1) & ~7u, to, &other, pk_slot_line(slot), to);
		return make(l, &other, (other.bits - 1) & ~7u, to, all);
	default:
		n = node_of(l, slot);
		count = pk_node_count(n);
		if (n->def == from_line)
			__atomic_store_n(&n->def, to, __ATOMIC_RELEASE);
		for (unsigned i = 0; i < count; i++) {
			__u64 *word = word_of(l, n, i);
			uint64_t now = pk_node_paint(l, *word, n->def, from_line, to);

			if (now != *word)
				store(word, now);
		}
		return unless_empty(l, slot);
	}
}

uint64_t pk_node_without(struct pk_lines *l, uint64_t slot, unsigned used, uint32_t def,
			 const struct pk_prefix *p, uint32_t line, uint32_t cover)
{
	uint64_t all[SLOTS], now;
	__u64 *word;
	struct pk_prefix key;
	struct pk_blk_node *n;
	unsigned first, count;
	int w;

	if ((slot & 3) == PK_BLK_ONE && pk_slot_line(slot) == line)
		return pk_slot_leaf(def);
	if ((slot & 3) != PK_BLK_NODE)
		return slot;
	n = node_of(l, slot);
	if (p->bits <= n->pos)
		return pk_node_paint(l, slot, def, line, cover);
	if (!pk_prefix_agrees(n->key[0], n->key[1], p, n->pos))
		return slot;
	span(p, n->pos, &first, &count);
	if (p->bits > n->pos + 8u) {
		w = index_of(n, first);
		if (w < 0)
			return slot;
		word = word_of(l, n, (unsigned)w);
		now = pk_node_without(l, *word, n->pos + 8u, n->def, p, line, cover);
		if (now == *word)
			return slot;
		if (now && now != pk_slot_leaf(n->def)) {
			store(word, now);
			return slot;
		}
		expand(l, n, all);
		all[first] = now;
	} else {
		expand(l, n, all);
		for (unsigned i = first; i < first + count; i++)
			all[i] = pk_node_paint(l, all[i], n->def, line, cover);
	}
	key = key_of(n);
	now = settle(l, &key, n->pos, n->def, all, used, def);
	give(l, slot);
	return now;
}

uint64_t pk_node_clear(struct pk_lines *l, uint64_t slot, uint32_t def, const struct pk_prefix *p,
		       uint32_t line, uint32_t cover)
{
	const struct pk_blk_node *n;
	unsigned first, count;
	int last = -1;

	if ((slot & 3) == PK_BLK_ONE && pk_slot_line(slot) == line)
		return pk_slot_leaf(def);
	if ((slot & 3) != PK_BLK_NODE)
		return slot;
	n = node_of(l, slot);
	if (p->bits <= n->pos)
		return pk_node_paint(l, slot, def, line, cover);
	if (!pk_prefix_agrees(n->key[0], n->key[1], p, n->pos))
		return slot;
	span(p, n->pos, &first, &count);
	for (unsigned i = first; i < first + count; i++) {
		int w = index_of(n, i);
		__u64 *word = w < 0 || w == last ? NULL : word_of(l, n, (unsigned)w);
		uint64_t now;

		if (!word)
			continue; /* the default is of a shorter prefix */
		last = w;
		now = p->bits > n->pos + 8u ? pk_node_clear(l, *word, n->def, p, line, cover)
					    : pk_node_paint(l, *word, n->def, line, cover);
		/* nothing, below a node, is what the node's default is */
		if (!now)
			now = pk_slot_leaf(n->def);
		if (now != *word)
			store(word, now);
	}
	return unless_empty(l, slot);
}

static void tell(uint64_t slot, void (*each)(void *arg, uint32_t line, bool one), void *arg)
{
	if (slot)
		each(arg, pk_slot_line(slot), (slot & 3) == PK_BLK_ONE);
}

static void visit_all(struct pk_lines *l, uint64_t slot,
		      void (*each)(void *arg, uint32_t line, bool one), void *arg)
{
	struct pk_blk_node *n;
	unsigned count;
	uint64_t word;

	if ((slot & 3) != PK_BLK_NODE) {
		tell(slot, each, arg);
		return;
	}
	n = node_of(l, slot);
	count = pk_node_count(n);
	tell(pk_slot_leaf(n->def), each, arg);
	for (unsigned i = 0; i < count; i++) {
		word = *word_of(l, n, i);
		if ((word & 3) == PK_BLK_ONE) /* its node's default changes with it */
			each(arg, pk_slot_line(word), false);
		else
			visit_all(l, word, each, arg);
	}
}

void pk_node_visit(struct pk_lines *l, uint64_t slot, unsigned used, const struct pk_prefix *p,
		   void (*each)(void *arg, uint32_t line, bool one), void *arg)
{
	struct pk_prefix other;
	struct pk_blk_node *n;
	unsigned first, count;
	int last = -2;

	if (p->bits <= used) {
		visit_all(l, slot, each, arg);
		return;
	}
	if ((slot & 3) == PK_BLK_ONE) {
		one_prefix(l, slot, &other);
		if (other.bits >= p->bits && pk_prefix_agrees(p->hi, p->lo, &other, p->bits))
			tell(slot, each, arg);
		return;
	}
	if ((slot & 3) != PK_BLK_NODE) {
		tell(slot, each, arg);
		return;
	}
	n = node_of(l, slot);
	if (p->bits <= n->pos) {
		if (pk_prefix_agrees(n->key[0], n->key[1], p, p->bits))
			visit_all(l, slot, each, arg);
		return;
	}
	if (!pk_prefix_agrees(n->key[0], n->key[1], p, n->pos))
		return;
	span(p, n->pos, &first, &count);
	for (unsigned i = first; i < first + count; i++) {
		int w = index_of(n, i);

		if (w != last)
			pk_node_visit(l, w < 0 ? pk_slot_leaf(n->def) : *word_of(l, n, (unsigned)w),
				      n->pos + 8u, p, each, arg);
		last = w;
	}
}

uint64_t pk_node_down(const struct pk_lines *l, uint64_t slot, const struct pk_prefix *addr,
		      unsigned bits)
{
	while ((slot & 3) == PK_BLK_NODE) {
		const struct pk_blk_node *n = node_of(l, slot);
		int w = -1;

		if (n->pos >= bits)
			return slot;
		if (!pk_prefix_agrees(n->key[0], n->key[1], addr, n->pos))
			return pk_slot_leaf(n->def);
		w = index_of(n, pk_prefix_byte(addr, n->pos));
		slot = w < 0 ? pk_slot_leaf(n->def) : *word_of(l, n, (unsigned)w);
	}
	return slot;
}

uint32_t pk_node_find(const struct pk_lines *l, uint64_t slot, const struct pk_prefix *addr)
{
	struct pk_prefix other;
	uint32_t def = 0;

	while ((slot & 3) == PK_BLK_NODE) {
		const struct pk_blk_node *n = node_of(l, slot);

		def = n->def;
		slot = pk_node_down(l, slot, addr, n->pos + 8u);
	}
	if ((slot & 3) != PK_BLK_ONE)
		return pk_slot_line(slot);
	one_prefix(l, slot, &other);
	return pk_prefix_agrees(other.hi, other.lo, addr, other.bits) ? pk_slot_line(slot) : def;
}
