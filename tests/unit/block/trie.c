/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random rules in and out of the tries, of both families, nested, the same prefix several times,
 * against a list that is simply searched: after each change the chain of an address is exactly
 * what the list says, in its order; also after the trie was adopted from its memory alone. Other
 * rules, which no address is of, are there so that IPv6 has its table of sites.
 */
#include "heap.h"

#include <stdio.h>

#define RULES  400
#define OTHERS 1100

struct model {
	struct pk_trie_rule rule;
	uint32_t line; /* 0: none */
};

static struct heap heap;
static struct model model[RULES];
static uint32_t other[OTHERS], n_others;
static uint64_t state = 88172645463325252ull;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void clear_below(uint8_t a[16], unsigned bits)
{
	for (unsigned i = bits; i < 128; i++)
		a[i / 8] &= (uint8_t) ~(0x80 >> (i % 8));
}

/* Few distinct bytes, so that prefixes nest, meet and differ late. */
static void draw_addr(uint8_t a[16], bool v4, unsigned spread)
{
	memset(a, 0, 16);
	for (int i = v4 ? 12 : 0; i < 16; i++)
		a[i] = draw() % 4 ? (uint8_t)(draw() % spread * 37)
				  : (uint8_t)(draw() % spread * 127);
	if (v4)
		a[10] = a[11] = 0xff;
}

static void draw_rule(struct pk_trie_rule *r, unsigned spread)
{
	memset(r, 0, sizeof(*r));
	r->v4 = draw() % 2;
	r->bits = (uint8_t)(r->v4 ? 96 + draw() % 33 : draw() % 129);
	draw_addr(r->prefix, r->v4, spread);
	clear_below(r->prefix, r->bits);
	if (!r->v4 && r->bits >= 96 && !memcmp(r->prefix, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12))
		r->prefix[0] = 0x20;
	r->list = (uint16_t)(draw() % 3);
	r->flags = PK_BLK_SEEN0 | PK_BLK_SEEN1;
	r->has_cond = !(draw() % 5);
	r->cond.proto = 6;
}

static bool covers(const struct pk_trie_rule *r, const uint8_t addr[16], bool v4)
{
	uint8_t a[16];

	memcpy(a, addr, 16);
	clear_below(a, r->bits);
	return r->v4 == v4 && !memcmp(a, r->prefix, 16);
}

/* The chain names each covering rule once, the most specific first. */
static void check(const uint8_t addr[16], bool v4)
{
	unsigned want = 0, got = 0, last = 128;

	for (unsigned i = 0; i < RULES; i++)
		want += model[i].line && covers(&model[i].rule, addr, v4);
	for (uint32_t line = pk_trie_lookup(heap.trie, addr); line;) {
		const struct pk_blk_rule *r = pk_trie_rule(heap.trie, line);
		unsigned i;

		assert_non_null(r);
		assert_true(r->bits <= last);
		last = r->bits;
		if (!(r->flags & PK_BLK_EMPTY)) {
			for (i = 0; i < RULES && model[i].line != line; i++)
				;
			assert_true(i < RULES);
			assert_true(covers(&model[i].rule, addr, v4));
			assert_memory_equal(model[i].rule.prefix, r->prefix, 16);
			assert_int_equal(model[i].rule.list, r->list);
			got++;
		}
		line = r->next;
	}
	assert_int_equal(got, want);
}

static void check_some(unsigned spread)
{
	uint8_t a[16];

	for (int i = 0; i < 4; i++) {
		bool v4 = draw() % 2;

		draw_addr(a, v4, spread);
		check(a, v4);
	}
	for (int i = 0; i < 2; i++) { /* first and last address of a rule */
		const struct pk_trie_rule *r = &model[draw() % RULES].rule;

		memcpy(a, r->prefix, 16);
		if (i)
			for (unsigned b = r->bits; b < 128; b++)
				a[b / 8] |= (uint8_t)(0x80 >> (b % 8));
		check(a, r->v4);
	}
}

static uint64_t seen;
static void on_rule(void *arg, uint32_t line, const struct pk_blk_rule *rule)
{
	unsigned i;

	(void)arg;
	seen++;
	if (rule->prefix[0] == 0x30)
		return;
	for (i = 0; i < RULES && model[i].line != line; i++)
		;
	assert_true(i < RULES);
	assert_memory_equal(model[i].rule.prefix, rule->prefix, 16);
}

static void readopt(void)
{
	struct pk_trie_found f;
	struct pk_trie_use before, after;
	uint64_t want = n_others;

	for (unsigned i = 0; i < RULES; i++)
		want += model[i].line != 0;
	heap_check_briefs(&heap, want);
	pk_trie_tick(heap.trie);
	pk_trie_usage(heap.trie, &before);
	pk_trie_free(heap.trie);
	heap_trie(&heap);
	for (uint32_t i = 0; i < heap.chunks; i++)
		assert_int_equal(pk_trie_add_chunk(heap.trie, i, heap.chunk[i], false), 0);
	seen = 0;
	for (uint32_t c = 0; c < heap.chunks; c++) /* as if who wrote them was killed before */
		memset(heap.chunk[c], (int)draw(), PK_BLK_CHUNK_LINES / 2);
	assert_int_equal(pk_trie_adopt(heap.trie, NULL, 0, on_rule, NULL, &f), 0);
	assert_int_equal(f.damaged, 0);
	assert_int_equal(f.rules, want);
	assert_int_equal(seen, want);
	heap_check_briefs(&heap, want);
	pk_trie_usage(heap.trie, &after);
	assert_int_equal(after.words, before.words);
	assert_int_equal(after.rules, before.rules);
	heap_tables(&heap);
}

/* The line of some rule. */
static uint32_t pick(void)
{
	for (;;) {
		uint32_t line = model[draw() % RULES].line;

		if (line)
			return line;
	}
}

static void add_others(void)
{
	struct pk_trie_rule r = { .prefix = { 0x30 },
				  .bits = 48,
				  .flags = PK_BLK_SEEN0 | PK_BLK_SEEN1 };

	for (unsigned i = 0; i < OTHERS; i++) {
		r.prefix[2] = (uint8_t)(i >> 8);
		r.prefix[3] = (uint8_t)i;
		other[n_others++] = heap_add(&heap, &r);
	}
	heap_tables(&heap);
	assert_int_not_equal(heap.ctl.sites, 0);
}

static void test_random(void **state_)
{
	(void)state_;
	heap_init(&heap);
	add_others();
	for (unsigned round = 0; round < 60000; round++) {
		unsigned spread = round / 3000 % 2 ? 3 : 7;
		struct model *m = &model[draw() % RULES];

		if (m->line) {
			pk_trie_remove(heap.trie, m->line);
			m->line = 0;
		} else {
			draw_rule(&m->rule, spread);
			m->line = heap_add(&heap, &m->rule);
		}
		check_some(spread);
		if (round % 997 == 0)
			pk_trie_tick(heap.trie);
		if (round % 11 == 0) /* as while a list is being replaced */
			pk_trie_set_flags(heap.trie, pick(), (uint8_t)(draw() % 3 + 1));
		if (round % 4999 == 0)
			readopt();
	}
	/* Nothing is left when all are gone, and nothing leaks. */
	for (unsigned i = 0; i < RULES; i++)
		if (model[i].line)
			pk_trie_remove(heap.trie, model[i].line), model[i].line = 0;
	while (n_others)
		pk_trie_remove(heap.trie, other[--n_others]);
	pk_trie_tick(heap.trie);
	for (uint32_t i = 0; i < PK_BLK_ROOT_WORDS; i++)
		assert_int_equal(heap.roots[i], 0);
	heap_done(&heap);
}

static uint32_t fill(uint32_t at, uint32_t line[PK_BLK_CHUNK_LINES])
{
	struct pk_trie_rule r = { .bits = 128, .v4 = true, .list = 1, .flags = PK_BLK_SEEN0 };

	for (;; at++) {
		memcpy(r.prefix,
		       (uint8_t[16]){ [10] = 0xff,
				      0xff,
				      77,
				      (uint8_t)(at * 7 % 251),
				      (uint8_t)(at >> 8),
				      (uint8_t)at },
		       16);
		if (pk_trie_add(heap.trie, &r, &line[at]) < 0)
			return at;
	}
}

/* Memory at its limit: what is taken out is out, and comes back as room. */
static void test_full(void **state_)
{
	static uint32_t line[PK_BLK_CHUNK_LINES];
	uint32_t n = 0, least = UINT32_MAX, refused = 0;

	(void)state_;
	heap_init(&heap);
	heap_grow(&heap);
	memset(model, 0, sizeof(model));
	for (unsigned round = 0; round < 16000; round++) {
		struct model *m = &model[draw() % RULES];

		if (round % 2000 == 0)
			n = fill(n, line);
		if (round % 2000 == 0 && round && n < least)
			least = n;
		if (round % 2000 == 1000)
			for (uint32_t gone = n / 3; gone; gone--)
				pk_trie_remove(heap.trie, line[--n]);
		if (m->line) {
			pk_trie_remove(heap.trie, m->line);
			m->line = 0;
		} else {
			draw_rule(&m->rule, 7);
			if (pk_trie_add(heap.trie, &m->rule, &m->line) < 0) {
				m->line = 0;
				refused++;
			}
		}
		check_some(7);
		if (round % 499 == 0)
			pk_trie_tick(heap.trie);
	}
	assert_true(refused > 100);
	assert_true(least > 3000); /* and was 10,000 when nothing else was there */
	for (unsigned i = 0; i < RULES; i++)
		if (model[i].line)
			pk_trie_remove(heap.trie, model[i].line), model[i].line = 0;
	while (n)
		pk_trie_remove(heap.trie, line[--n]);
	pk_trie_tick(heap.trie);
	n = fill(0, line);
	assert_true(n > 8000);
	heap_done(&heap);
}

static uint64_t asked, over;
static uint64_t begin(void *arg)
{
	(void)arg;
	return ++asked;
}
static bool is_over(void *arg, uint64_t moment)
{
	(void)arg;
	return over >= moment;
}

/* What was taken out is not used again before the kernel said so, and nobody waits for it. */
static void test_late(void **state_)
{
	struct pk_trie_memory m;
	struct pk_trie_use use;
	struct model *a = &model[0], *b = &model[1];
	uint32_t first;

	(void)state_;
	heap_init(&heap);
	pk_trie_free(heap.trie);
	m = (struct pk_trie_memory){ .roots = heap.roots,
				     .ctl = &heap.ctl,
				     .wait = heap_wait,
				     .begin = begin,
				     .is_over = is_over,
				     .arg = &heap };
	assert_int_equal(pk_trie_new(&m, &heap.trie), 0);
	draw_rule(&a->rule, 7);
	draw_rule(&b->rule, 7);
	a->rule.has_cond = b->rule.has_cond = false;
	first = heap_add(&heap, &a->rule);
	pk_trie_remove(heap.trie, first);
	for (unsigned i = 0; i < 3; i++) {
		pk_trie_tick(heap.trie);
		assert_int_not_equal(heap_add(&heap, &b->rule), first);
	}
	assert_int_equal(asked, 1);
	over = 1;
	pk_trie_tick(heap.trie);
	pk_trie_usage(heap.trie, &use);
	assert_int_equal(use.waiting, 0);
	assert_int_equal(heap_add(&heap, &b->rule), first);
	assert_int_equal(heap.waits, 0);
	memset(model, 0, sizeof(model));
	heap_done(&heap);
}

/* The same when there is nothing else than to wait: what can not be asked for rests on. */
static void test_busy(void **state_)
{
	struct model *a = &model[0], *b = &model[1];
	struct pk_trie_use use;
	uint32_t first;

	(void)state_;
	heap_init(&heap);
	draw_rule(&a->rule, 7);
	draw_rule(&b->rule, 7);
	a->rule.has_cond = b->rule.has_cond = false;
	first = heap_add(&heap, &a->rule);
	pk_trie_remove(heap.trie, first);
	heap.busy = true;
	for (unsigned i = 0; i < 3; i++) {
		pk_trie_tick(heap.trie);
		assert_int_not_equal(heap_add(&heap, &b->rule), first);
	}
	assert_int_equal(heap.waits, 3);
	heap.busy = false;
	pk_trie_tick(heap.trie);
	pk_trie_usage(heap.trie, &use);
	assert_int_equal(use.waiting, 0);
	assert_int_equal(heap_add(&heap, &b->rule), first);
	memset(model, 0, sizeof(model));
	heap_done(&heap);
}

/* Killed with a hit pending for what it had freed: it is not counted for whom has its line next. */
static void test_pending(void **state_)
{
	struct model *a = &model[0];
	uint32_t first, kept;

	(void)state_;
	heap_init(&heap);
	draw_rule(&a->rule, 7);
	a->rule.has_cond = false;
	first = heap_add(&heap, &a->rule);
	for (unsigned i = 0; i < 2; i++) {
		pk_trie_remove(heap.trie, first);
		heap.pending = first;
		memset(model, 0, sizeof(model));
		readopt();
		draw_rule(&a->rule, 7);
		a->rule.has_cond = false;
		a->line = heap_add(&heap, &a->rule);
		assert_int_equal(a->line, first);
		(void)heap_wait(&heap);
		assert_int_equal(pk_trie_rule(heap.trie, first)->packets, 0);
	}
	/* Of one that stays it is counted. */
	kept = a->line;
	heap.pending = kept;
	readopt();
	assert_int_equal(pk_trie_rule(heap.trie, kept)->packets, 1);
	memset(model, 0, sizeof(model));
	heap_done(&heap);
}

static void ignore(void *arg, uint32_t line, const struct pk_blk_rule *rule)
{
	(void)arg, (void)line, (void)rule;
}

/* Whatever the maps hold, adoption ends, and what it leaves can be walked and changed. */
static void test_hostile(void **state_)
{
	uint64_t damaged = 0;
	struct pk_trie_found f;

	(void)state_;
	for (unsigned round = 0; round < 300; round++) {
		uint8_t a[16];

		heap_init(&heap);
		for (unsigned i = 0; i < RULES; i++) {
			draw_rule(&model[i].rule, 5);
			model[i].line = heap_add(&heap, &model[i].rule);
		}
		for (unsigned i = 0; i < 1 + round; i++) {
			uint64_t *w = (uint64_t *)heap.chunk[0] + draw() % (3000 * 8);

			*w = draw() % 3 ? *w ^ 1ULL << draw() % 64 : draw();
		}
		pk_trie_free(heap.trie);
		heap_trie(&heap);
		assert_int_equal(pk_trie_add_chunk(heap.trie, 0, heap.chunk[0], false), 0);
		memset(model, 0, sizeof(model));
		assert_int_equal(pk_trie_adopt(heap.trie, NULL, 0, ignore, NULL, &f), 0);
		for (unsigned i = 0; i < 2000; i++) {
			unsigned n = 0;

			draw_addr(a, draw() % 2, 5);
			for (uint32_t l = pk_trie_lookup(heap.trie, a); l && n < 70000; n++)
				l = pk_trie_rule(heap.trie, l)->next;
			assert_true(n < 70000);
		}
		damaged += f.damaged;
		heap_done(&heap);
	}
	assert_true(damaged > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),  cmocka_unit_test(test_full),
		cmocka_unit_test(test_late),    cmocka_unit_test(test_busy),
		cmocka_unit_test(test_pending), cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("block/trie", tests, NULL, NULL);
}
