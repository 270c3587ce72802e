/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random IPv4 rules in and out: the bits are exactly those of the /24s that a rule covers or lies
 * in, looked at a hundred times on the way, and after an adoption that found bits missing and bits
 * too many.
 */
#include "heap.h"

#include "block/maybe.h"

#define RULES  120
#define GROUPS (1u << 24)

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

/* All lengths, few distinct bytes: nested, side by side, and whole /16s alone. */
static void draw_rule(struct pk_trie_rule *r)
{
	unsigned bits = draw() % 40 ? 12 + (unsigned)(draw() % 21) : (unsigned)(draw() % 12);
	uint32_t a = (uint32_t)(draw() % 3) << 30 | (uint32_t)(draw() % 3) << 16 |
		     (uint32_t)(draw() % 5) << 13 | (uint32_t)(draw() % 7) << 6 |
		     (uint32_t)(draw() % 4);

	memset(r, 0, sizeof(*r));
	a &= bits ? ~0u << (32 - bits) : 0;
	r->v4 = true;
	r->bits = (uint8_t)(96 + bits);
	r->flags = PK_BLK_SEEN0 | PK_BLK_SEEN1;
	r->prefix[10] = r->prefix[11] = 0xff;
	for (int i = 0; i < 4; i++)
		r->prefix[12 + i] = (uint8_t)(a >> (24 - 8 * i));
}

static uint32_t first_group(const struct pk_trie_rule *r)
{
	return (uint32_t)r->prefix[12] << 16 | (uint32_t)r->prefix[13] << 8 | r->prefix[14];
}

static uint32_t count_groups(const struct pk_trie_rule *r)
{
	return r->bits >= 120 ? 1 : 1u << (120 - r->bits);
}

static void check_all(void)
{
	static uint8_t want[GROUPS];
	const uint64_t *word = heap.roots + PK_BLK_MAYBE_AT;

	memset(want, 0, sizeof(want));
	for (unsigned i = 0; i < RULES; i++)
		if (line[i])
			memset(want + first_group(&rule[i]), 1, count_groups(&rule[i]));
	for (uint32_t g = 0; g < GROUPS; g++)
		if ((word[g / 64] >> g % 64 & 1) != want[g])
			fail_msg("%u.%u.%u.0/24: %u", g >> 16, g >> 8 & 255, g & 255, want[g]);
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

static void test_exact(void **state_)
{
	(void)state_;
	heap_init(&heap);
	for (unsigned round = 0; round < 20000; round++) {
		change_one();
		if (round % 200 == 0)
			check_all();
	}
	for (unsigned i = 0; i < RULES; i++)
		if (line[i])
			pk_trie_remove(heap.trie, line[i]), line[i] = 0;
	check_all();
	heap_done(&heap);
}

static void ignore(void *arg, uint32_t at, const struct pk_blk_rule *r)
{
	(void)arg, (void)at, (void)r;
}

/* Missing bits are damage; those too many are what a death leaves. */
static void test_adopted(void **state_)
{
	struct pk_trie_found f;

	(void)state_;
	for (unsigned round = 0; round < 20; round++) {
		uint64_t *word;
		bool missing = round % 2;

		heap_init(&heap);
		memset(line, 0, sizeof(line));
		for (unsigned i = 0; i < 100; i++)
			change_one();
		check_all();
		word = heap.roots + PK_BLK_MAYBE_AT;
		for (unsigned i = 0; i < GROUPS / 64; i++)
			word[i] = missing ? word[i] & draw() : word[i] | draw();
		pk_trie_free(heap.trie);
		heap_trie(&heap);
		for (uint32_t i = 0; i < heap.chunks; i++)
			assert_int_equal(pk_trie_add_chunk(heap.trie, i, heap.chunk[i], false), 0);
		assert_int_equal(pk_trie_adopt(heap.trie, NULL, 0, ignore, NULL, &f), 0);
		assert_int_equal(f.damaged != 0, missing);
		check_all();
		heap_done(&heap);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_adopted),
	};

	return cmocka_run_group_tests_name("block/maybe", tests, NULL, NULL);
}
