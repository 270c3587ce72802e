/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns which place a site has. Whatever changes in the trie is looked up there again and stored, in
 * the table in force and in the one that is being filled; until then a place leads to what the trie
 * had before, which rests like all that was taken out of it.
 */
#include "block/sites.h"

#define SITES_MIN  1024u /* rules; fewer are in the processor's cache anyway */
#define FULL       4u    /* sites a bucket; above it there is a larger table */
#define STEP       256u  /* sites */
#define ONE_BY_ONE 4096u /* sites of a prefix that are worth asking for each */

static uint32_t site_of(const struct pk_prefix *p)
{
	return (uint32_t)(p->hi >> (64 - PK_BLK_SITE_BITS));
}

/* The place of a site, or a free one; NULL: there is none, it is in the trie alone. */
static __u64 *find_place(const struct pk_lines *l, uint32_t word, uint32_t site)
{
	uint32_t mixed = pk_blk_mix(site);
	union pk_blk_line *bucket =
		pk_lines_at(l, pk_blk_table_line(word) + pk_blk_bucket(word, mixed));
	__u64 *free_at = NULL;

	for (uint32_t i = 0; bucket && i < PK_BLK_SITES; i++) {
		__u64 *place = &bucket->word[(mixed + i) % PK_BLK_SITES];

		if (*place && *place >> PK_BLK_SITE_SHIFT == site)
			return place;
		if (!*place && !free_at)
			free_at = place;
	}
	return free_at;
}

uint64_t pk_sites_find(const struct pk_lines *l, uint32_t word, uint32_t site)
{
	const __u64 *place = word ? find_place(l, word, site) : NULL;

	return place ? *place & PK_BLK_SITE_SLOT : 0;
}

/* slot: 0: it is no site any more. */
static void store(const struct pk_lines *l, struct pk_table *t, uint32_t site, uint64_t slot)
{
	__u64 *place = find_place(l, pk_table_word(t), site), now = 0;

	if (!place)
		return;
	if (slot)
		now = (uint64_t)site << PK_BLK_SITE_SHIFT | (slot & PK_BLK_SITE_SLOT);
	if (*place == now)
		return;
	t->used += !!now;
	t->used -= !!*place;
	__atomic_store_n(place, now, __ATOMIC_RELEASE);
}

/* Is the slot, which 32 bits or less lead to, all that there is of one site, and of which? */
static bool is_site(const struct pk_lines *l, uint64_t slot, uint32_t *ret_site)
{
	const union pk_blk_line *at = pk_lines_at(l, pk_slot_line(slot));
	struct pk_prefix p;

	if ((slot & 3) == PK_BLK_NODE) {
		*ret_site = (uint32_t)(at->node.key[0] >> (64 - PK_BLK_SITE_BITS));
		return at->node.pos >= PK_BLK_SITE_BITS;
	}
	if ((slot & 3) != PK_BLK_LEAF || at->rule.bits != PK_BLK_SITE_BITS)
		return false;
	pk_prefix_of_rule(&at->rule, &p);
	*ret_site = site_of(&p);
	return true;
}

static void renew(const struct pk_sites *s, struct pk_table *t, uint32_t site)
{
	struct pk_prefix p = { .hi = (uint64_t)site << (64 - PK_BLK_SITE_BITS), .v6 = true };
	uint64_t slot = pk_node_down(s->lines, s->roots[site >> 16], &p, PK_BLK_SITE_BITS);
	uint32_t is;

	store(s->lines, t, site, is_site(s->lines, slot, &is) && is == site ? slot : 0);
}

/* All sites below a slot; how many. */
static uint32_t take(const struct pk_sites *s, struct pk_table *t, uint64_t slot)
{
	const struct pk_blk_node *n;
	uint32_t site, sites = 0;

	if (is_site(s->lines, slot, &site)) {
		renew(s, t, site);
		return 1;
	}
	if ((slot & 3) != PK_BLK_NODE)
		return 0;
	n = &pk_lines_at(s->lines, pk_slot_line(slot))->node;
	for (unsigned i = 0; i < pk_node_count(n); i++)
		sites += take(s, t, *pk_lines_word(s->lines, n->base + i));
	return sites;
}

/* A wide prefix: those that are in the table, then those that the trie has. */
static void renew_wide(const struct pk_sites *s, struct pk_table *t, const struct pk_prefix *p)
{
	unsigned rest = PK_BLK_SITE_BITS - p->bits;
	uint32_t first = t->first << PK_BLK_CHUNK_SHIFT, n = t->n << PK_BLK_CHUNK_SHIFT;
	uint32_t root = site_of(p) >> 16, roots = rest > 16 ? 1u << (rest - 16) : 1;

	for (uint32_t i = 0; i < n * PK_BLK_SITES; i++) {
		uint64_t place =
			pk_lines_at(s->lines, first + i / PK_BLK_SITES)->word[i % PK_BLK_SITES];
		uint64_t site = place >> PK_BLK_SITE_SHIFT;

		if (place && site >> rest == (uint64_t)site_of(p) >> rest)
			renew(s, t, (uint32_t)site);
	}
	for (uint32_t i = root; i < root + roots; i++)
		(void)take(s, t, s->roots[i]);
}

static void update(const struct pk_sites *s, struct pk_table *t, const struct pk_prefix *p)
{
	uint32_t first = site_of(p);
	uint64_t n = p->bits < PK_BLK_SITE_BITS ? 1ull << (PK_BLK_SITE_BITS - p->bits) : 1;

	if (!t->n)
		return;
	if (n > ONE_BY_ONE) {
		renew_wide(s, t, p);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		renew(s, t, first + i);
}

void pk_sites_update(struct pk_sites *s, const struct pk_prefix *p)
{
	if (!p->v6)
		return;
	update(s, &s->now, p);
	update(s, &s->next, p);
}

uint32_t pk_sites_want(struct pk_sites *s)
{
	uint32_t n = s->now.n ? s->now.n * 2 : 1;

	if (s->next.n || s->rules < SITES_MIN || n > PK_BLK_CHUNKS_MAX / 4 ||
	    (s->now.n && s->now.used <= (uint64_t)s->now.n * FULL * PK_BLK_CHUNK_LINES))
		return 0;
	s->at = 0;
	return pk_table_begin(s->lines, n, n, &s->next);
}

bool pk_sites_step(struct pk_sites *s, uint32_t *word)
{
	uint32_t sites = 0;

	if (!s->next.n)
		return false;
	if (s->at < PK_BLK_ROOTS) {
		while (s->at < PK_BLK_ROOTS && sites < STEP)
			sites += take(s, &s->next, s->roots[s->at++]);
		return true;
	}
	pk_table_switch(s->lines, &s->now, &s->next, word);
	return false;
}
