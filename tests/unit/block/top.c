/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random IPv4 rules in and out: the first level has a slot for exactly those /24s that a rule
 * covers or lies in, looked at a hundred times on the way; a range that one rule covers alone takes
 * no slots; and an adoption of damaged words ends, with a trie that can be walked and changed.
 */
#include "heap.h"

#include "block/top.h"

#define RULES  120
#define GROUPS (1u << 24)
#define TOPS   (1u << PK_BLK_TOP_BITS)

static struct heap heap;
static struct pk_trie_rule rule[RULES];
static uint32_t line[RULES];
static uint64_t state = 88172645463325252ull;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void set_rule(struct pk_trie_rule *r, uint32_t a, unsigned bits)
{
	memset(r, 0, sizeof(*r));
	a &= bits ? ~0u << (32 - bits) : 0;
	r->v4 = true;
	r->bits = (uint8_t)(96 + bits);
	r->flags = PK_BLK_SEEN0 | PK_BLK_SEEN1;
	r->prefix[10] = r->prefix[11] = 0xff;
	for (int i = 0; i < 4; i++)
		r->prefix[12 + i] = (uint8_t)(a >> (24 - 8 * i));
}

/* All lengths, few distinct bytes: nested, side by side, and whole /16s alone. */
static void draw_rule(struct pk_trie_rule *r)
{
	unsigned bits = draw() % 40 ? 12 + (unsigned)(draw() % 21) : (unsigned)(draw() % 12);

	set_rule(r,
		 (uint32_t)(draw() % 3) << 30 | (uint32_t)(draw() % 3) << 16 |
			 (uint32_t)(draw() % 5) << 13 | (uint32_t)(draw() % 7) << 6 |
			 (uint32_t)(draw() % 4),
		 bits);
}

static uint32_t first_group(const struct pk_trie_rule *r)
{
	return (uint32_t)r->prefix[12] << 16 | (uint32_t)r->prefix[13] << 8 | r->prefix[14];
}

static uint32_t count_groups(const struct pk_trie_rule *r)
{
	return r->bits >= 120 ? 1 : 1u << (120 - r->bits);
}

static const uint64_t *tops(void)
{
	return heap.roots + PK_BLK_TOP_AT;
}

static void check_all(void)
{
	static uint8_t want[GROUPS];

	memset(want, 0, sizeof(want));
	for (unsigned i = 0; i < RULES; i++)
		if (line[i])
			memset(want + first_group(&rule[i]), 1, count_groups(&rule[i]));
	for (uint32_t g = 0; g < GROUPS; g++) {
		uint64_t top = tops()[g / PK_BLK_TOP_SLOTS];
		bool has = pk_top_map(top) ? pk_top_map(top) >> g % PK_BLK_TOP_SLOTS & 1 : top != 0;

		if (has != want[g])
			fail_msg("%u.%u.%u.0/24: %u", g >> 16, g >> 8 & 255, g & 255, want[g]);
	}
}

static void change_one(void)
{
	unsigned i = (unsigned)(draw() % RULES);

	if (line[i]) {
		pk_trie_remove(heap.trie, line[i]);
		line[i] = 0;
		return;
	}
	draw_rule(&rule[i]);
	line[i] = heap_add(&heap, &rule[i]);
}

static void remove_all(void)
{
	for (unsigned i = 0; i < RULES; i++)
		if (line[i])
			pk_trie_remove(heap.trie, line[i]), line[i] = 0;
}

static void test_exact(void **state_)
{
	(void)state_;
	heap_init(&heap);
	for (unsigned round = 0; round < 20000; round++) {
		change_one();
		if (round % 200 == 0)
			check_all();
	}
	remove_all();
	for (uint32_t i = 0; i < TOPS; i++)
		assert_int_equal(tops()[i], 0);
	heap_done(&heap);
}

static uint64_t words(void)
{
	struct pk_trie_use use;

	pk_trie_usage(heap.trie, &use);
	return use.words;
}

/* One rule for 16 million addresses is words in the first level and nothing more; again so after
 * what was within it has gone. */
static void test_even(void **state_)
{
	static const unsigned inner[] = { 12, 18, 19, 20, 24, 25, 32 };
	uint32_t wide, at;

	(void)state_;
	heap_init(&heap);
	set_rule(&rule[0], 0x0b000000, 8);
	wide = heap_add(&heap, &rule[0]);
	assert_int_equal(words(), 0);
	for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
		set_rule(&rule[1], 0x0b404040, inner[i]);
		at = heap_add(&heap, &rule[1]);
		assert_int_equal(words() != 0, inner[i] > PK_BLK_TOP_BITS);
		assert_int_equal(pk_trie_lookup(heap.trie, rule[1].prefix), at);
		assert_int_equal(pk_trie_rule(heap.trie, at)->next, wide);
		pk_trie_remove(heap.trie, at);
		assert_int_equal(words(), 0);
		assert_int_equal(pk_trie_lookup(heap.trie, rule[1].prefix), wide);
	}
	pk_trie_remove(heap.trie, wide);
	assert_int_equal(tops()[0x0b000000 >> (32 - PK_BLK_TOP_BITS)], 0);
	heap_done(&heap);
}

static void ignore(void *arg, uint32_t at, const struct pk_blk_rule *r)
{
	(void)arg, (void)at, (void)r;
}

static void walk_all(void)
{
	for (uint32_t i = 0; i < TOPS; i++) {
		struct pk_trie_rule r;
		unsigned n = 0;

		if (!tops()[i])
			continue;
		set_rule(&r, i << (32 - PK_BLK_TOP_BITS) | (uint32_t)draw() >> PK_BLK_TOP_BITS, 32);
		for (uint32_t l = pk_trie_lookup(heap.trie, r.prefix); l && n < 1000; n++)
			l = pk_trie_rule(heap.trie, l)->next;
		assert_true(n < 1000);
	}
}

static void test_damaged(void **state_)
{
	struct pk_trie_found f;
	uint64_t damaged = 0;

	(void)state_;
	for (unsigned round = 0; round < 40; round++) {
		heap_init(&heap);
		memset(line, 0, sizeof(line));
		for (unsigned i = 0; i < 100; i++)
			change_one();
		for (uint32_t i = 0; i < TOPS; i++)
			if (tops()[i] && draw() % 4 == 0)
				heap.roots[PK_BLK_TOP_AT + i] ^= 1ull << draw() % 64;
		heap.roots[PK_BLK_TOP_AT + draw() % TOPS] = draw();
		pk_trie_free(heap.trie);
		heap_trie(&heap);
		for (uint32_t i = 0; i < heap.chunks; i++)
			assert_int_equal(pk_trie_add_chunk(heap.trie, i, heap.chunk[i], false), 0);
		assert_int_equal(pk_trie_adopt(heap.trie, NULL, 0, ignore, NULL, &f), 0);
		damaged += f.damaged;
		walk_all();
		memset(line, 0, sizeof(line)); /* what was found stays, and more comes and goes */
		for (unsigned i = 0; i < 100; i++)
			change_one();
		remove_all();
		heap_done(&heap);
	}
	assert_true(damaged > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_even),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("block/top", tests, NULL, NULL);
}
