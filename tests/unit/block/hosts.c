/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of hosts beside the trie, under changes at random: whoever is in it is in the trie with
 * the same rule as his first, and what his place promises is what his rule holds; nearly all that
 * could be there are. A place rests until the kernel is done with it; a table grows beside the one
 * in force; an agent that comes after finds its chunks again.
 */
#include "heap.h"

#define HOSTS 20000u
#define MANY  250000u

static struct heap heap;
static uint32_t lines[MANY];
static uint64_t state = 88172645463325252ull;
static uint64_t over, asked;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

/* The i-th host: many of few /24s. */
static uint32_t addr_of(uint32_t i)
{
	return 0x0b000000u + i * 37u;
}

static struct pk_trie_rule rule_of(uint32_t addr, uint8_t bits)
{
	struct pk_trie_rule r = { .bits = (uint8_t)(96 + bits),
				  .v4 = true,
				  .flags = PK_BLK_SEEN0 | PK_BLK_SEEN1 };

	r.prefix[10] = r.prefix[11] = 0xff;
	for (unsigned i = 0; i < 4; i++)
		r.prefix[12 + i] = (uint8_t)(addr >> (24 - 8 * i));
	return r;
}

static void add(uint32_t i)
{
	struct pk_trie_rule r = rule_of(addr_of(i), 32);

	lines[i] = heap_add(&heap, &r);
}

static uint32_t *words(uint32_t chunk)
{
	return (uint32_t *)heap.chunk[chunk];
}

/* One place that somebody has. */
static void check_place(uint32_t bucket, uint32_t place, uint32_t line)
{
	const struct pk_blk_rule *r = pk_trie_rule(heap.trie, line & 0xfffffff);
	const uint8_t *a = r->prefix + 12;
	uint32_t mixed = pk_blk_mix((uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 |
				    (uint32_t)a[2] << 8 | a[3]);

	line &= 0xfffffff;
	assert_int_equal(mixed & 0xffffff, place >> 8);
	assert_int_equal(pk_blk_bucket(heap.ctl.hosts, mixed), bucket);
	assert_int_equal(pk_trie_lookup(heap.trie, r->prefix), line);
	assert_int_equal(r->flags, PK_BLK_SEEN0 | PK_BLK_SEEN1 | PK_BLK_HEAD);
	assert_int_equal(place & 0xff, (r->list + 1) | (r->next ? 0x80 : 0));
	assert_int_equal(place & 0xff, ((uint8_t *)heap.chunk[line >> 14])[line & 0x3fff]);
}

/* How many are in the table that is in force. */
static uint32_t check_table(void)
{
	uint32_t first = heap.ctl.hosts & PK_BLK_TABLE_FIRST, found = 0;
	uint32_t n = heap.ctl.hosts >> PK_BLK_TABLE_SHIFT;
	struct pk_trie_use use;

	for (uint32_t b = 0; b < n << PK_BLK_CHUNK_SHIFT; b++) {
		const uint32_t *place = words(first + (b * 2 >> PK_BLK_CHUNK_SHIFT)) +
					b * 2 % PK_BLK_CHUNK_LINES * PK_BLK_BUCKET;

		for (uint32_t i = 0; i < PK_BLK_BUCKET; i++) {
			if (!(place[i] & 0xff))
				continue;
			check_place(b, place[i], place[PK_BLK_BUCKET + i]);
			found++;
		}
	}
	pk_trie_usage(heap.trie, &use);
	assert_int_equal(use.hosts, found);
	return found;
}

static uint32_t count_plain(uint32_t n)
{
	uint32_t plain = 0;

	for (uint32_t i = 0; i < n; i++)
		plain += lines[i] && pk_trie_rule(heap.trie, lines[i])->flags ==
					     (PK_BLK_SEEN0 | PK_BLK_SEEN1 | PK_BLK_HEAD);
	return plain;
}

static void open_with(uint32_t n)
{
	heap_init(&heap);
	memset(lines, 0, sizeof(lines));
	for (uint32_t i = 0; i < n; i++)
		add(i);
	heap_tables(&heap);
}

static void test_few(void **st)
{
	(void)st;
	open_with(1000);
	assert_int_equal(heap.ctl.hosts, 0);
	heap_done(&heap);
}

static void test_all(void **st)
{
	(void)st;
	open_with(HOSTS);
	assert_int_equal(check_table(), HOSTS);
	for (uint32_t i = 0; i < HOSTS; i++)
		pk_trie_remove(heap.trie, lines[i]);
	assert_int_equal(check_table(), 0);
	heap_done(&heap);
}

/* Rules that are not plain, not the first, not in a trie, not of one host: the trie's alone. */
static void test_others(void **st)
{
	struct pk_trie_rule r;
	uint32_t line;

	(void)st;
	open_with(HOSTS);
	r = rule_of(addr_of(5), 32);
	(void)heap_add(&heap, &r); /* a second one: the first says that there is more */
	r = rule_of(0x0a000001, 32);
	r.has_cond = true;
	(void)heap_add(&heap, &r);
	r = rule_of(0x0a000002, 31);
	(void)heap_add(&heap, &r);
	r = rule_of(0x0a000004, 32);
	r.list = 200;
	(void)heap_add(&heap, &r);
	r = rule_of(0x0a000005, 32);
	r.flags = PK_BLK_SEEN0;
	(void)heap_add(&heap, &r);
	r = rule_of(0x0a000006, 32);
	assert_int_equal(pk_trie_add_loose(heap.trie, &r, 0, &line), 0);
	pk_trie_set_next(heap.trie, line, 0);
	assert_int_equal(check_table(), HOSTS);
	/* the first keeps the place of the second */
	pk_trie_remove(heap.trie, lines[5]);
	lines[5] = 0;
	assert_int_equal(check_table(), HOSTS - 1);
	heap_done(&heap);
}

static void change(uint32_t i)
{
	struct pk_trie_rule r;

	switch (lines[i] ? draw() % 4 : 4) {
	case 0:
		pk_trie_remove(heap.trie, lines[i]);
		lines[i] = 0;
		return;
	case 1:
		pk_trie_set_flags(heap.trie, lines[i], PK_BLK_SEEN0);
		return;
	case 2:
		pk_trie_set_flags(heap.trie, lines[i], PK_BLK_SEEN0 | PK_BLK_SEEN1);
		return;
	case 3: /* a prefix that covers it comes and goes */
		r = rule_of(addr_of(i) & ~0xffu, 24);
		pk_trie_remove(heap.trie, heap_add(&heap, &r));
		return;
	default:
		add(i);
	}
}

static void test_changes(void **st)
{
	(void)st;
	open_with(HOSTS);
	for (uint32_t round = 0; round < 40; round++) {
		for (uint32_t i = 0; i < 4000; i++)
			change((uint32_t)(draw() % HOSTS));
		assert_true(check_table() <= count_plain(HOSTS));
		pk_trie_tick(heap.trie);
		heap_tables(&heap);
	}
	for (uint32_t i = 0; i < HOSTS; i++) {
		if (!lines[i])
			add(i);
		pk_trie_set_flags(heap.trie, lines[i], PK_BLK_SEEN0 | PK_BLK_SEEN1);
	}
	assert_int_equal(count_plain(HOSTS), HOSTS);
	assert_int_equal(check_table(), HOSTS); /* places come back, none is lost */
	heap_done(&heap);
}

/* The table is filled while rules change, and a larger one while it is in force. */
static void test_grows(void **st)
{
	uint32_t before, found;

	(void)st;
	open_with(HOSTS);
	before = heap.ctl.hosts;
	assert_int_equal(before >> PK_BLK_TABLE_SHIFT, 1);
	for (uint32_t i = HOSTS; i < MANY; i++)
		add(i);
	for (uint32_t want = pk_trie_want(heap.trie); want; want = pk_trie_want(heap.trie))
		for (uint32_t i = 0; i < want; i++)
			heap_grow(&heap);
	for (bool more = true; more;) {
		assert_int_equal(heap.ctl.hosts, before);
		more = pk_trie_step(heap.trie);
		for (uint32_t i = 0; more && i < 200; i++)
			change((uint32_t)(draw() % MANY));
	}
	assert_int_equal(heap.ctl.hosts >> PK_BLK_TABLE_SHIFT, 2);
	found = check_table();
	assert_true(found <= count_plain(MANY) && found > count_plain(MANY) / 1000 * 998);
	heap_done(&heap);
}

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

static uint32_t resting(void)
{
	uint32_t n = 0, first = heap.ctl.hosts & PK_BLK_TABLE_FIRST;

	for (uint32_t c = 0; c < 2; c++)
		for (uint32_t i = 0; i < PK_BLK_CHUNK_LINES * PK_BLK_BUCKET; i++)
			if (i / PK_BLK_BUCKET % 2) /* the second line of a bucket */
				n += !!(words(first + c)[i] >> PK_BLK_PLACE_RESTS);
	return n;
}

/* Who reads a place means the host that had it: nobody else gets it meanwhile. */
static void test_rests(void **st)
{
	struct pk_trie_memory m = { .ctl = &heap.ctl,
				    .wait = heap_wait,
				    .begin = begin,
				    .is_over = is_over,
				    .arg = &heap };

	(void)st;
	heap_init(&heap);
	pk_trie_free(heap.trie);
	m.roots = heap.roots;
	assert_int_equal(pk_trie_new(&m, &heap.trie), 0);
	for (uint32_t i = 0; i < HOSTS; i++)
		add(i);
	heap_tables(&heap);
	assert_int_equal(check_table(), HOSTS);
	for (unsigned i = 0; i < 4; i++)
		heap_grow(&heap); /* room enough not to wait for any */
	heap.waits = 0;
	for (uint32_t i = 0; i < 100; i++)
		pk_trie_set_flags(heap.trie, lines[i], PK_BLK_SEEN0);
	pk_trie_tick(heap.trie); /* asks */
	for (uint32_t i = 0; i < 50; i++)
		pk_trie_set_flags(heap.trie, lines[i], PK_BLK_SEEN0 | PK_BLK_SEEN1);
	for (uint32_t i = 0; i < 50; i++) /* rests twice now */
		pk_trie_set_flags(heap.trie, lines[i], PK_BLK_SEEN0);
	for (uint32_t i = HOSTS; i < HOSTS * 2; i++)
		add(i);
	assert_int_equal(resting(), 100);
	assert_int_equal(check_table(), HOSTS * 2 - 100);
	over = asked;
	pk_trie_tick(heap.trie); /* the first time is over, of the second it asks */
	assert_int_equal(resting(), 50);
	over = asked;
	pk_trie_tick(heap.trie);
	assert_int_equal(resting(), 0);
	assert_int_equal(heap.waits, 0);
	heap_done(&heap);
}

static void ignore(void *arg, uint32_t line, const struct pk_blk_rule *rule)
{
	(void)arg, (void)line, (void)rule;
}

static void adopt(uint32_t loose)
{
	struct pk_trie_found f;
	uint32_t n = heap.chunks;

	pk_trie_free(heap.trie);
	heap_trie(&heap);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(pk_trie_add_chunk(heap.trie, i, heap.chunk[i], false), 0);
	assert_int_equal(pk_trie_adopt(heap.trie, &loose, 1, ignore, NULL, &f), 0);
	assert_int_equal(heap.ctl.hosts, 0);
}

static void test_adopted(void **st)
{
	struct pk_trie_rule r = rule_of(0x0a000006, 32);
	uint32_t chunks, loose;

	(void)st;
	open_with(HOSTS);
	assert_int_equal(pk_trie_add_loose(heap.trie, &r, 0, &loose), 0);
	chunks = heap.chunks;
	for (unsigned i = 0; i < 3; i++) {
		unsigned waits;

		adopt(loose);
		waits = heap.waits;
		assert_true(waits > 0); /* programs may have read the table that goes */
		heap_tables(&heap);
		assert_int_equal(check_table(), HOSTS);
		assert_int_equal(heap.chunks, chunks);
	}
	heap.ctl.hosts = 0xffffffff; /* nobody's word is taken for it */
	adopt(loose);
	heap_tables(&heap);
	assert_int_equal(check_table(), HOSTS);
	heap_done(&heap);
}

/* A second rule that damage made a first one is none. */
static void test_damaged(void **st)
{
	struct pk_trie_rule r = rule_of(addr_of(5), 32);
	uint32_t second;

	(void)st;
	open_with(HOSTS);
	second = heap_add(&heap, &r);
	pk_trie_rule(heap.trie, second)->flags |= PK_BLK_HEAD;
	pk_trie_rule(heap.trie, lines[6])->flags &= (uint8_t)~PK_BLK_HEAD;
	adopt(0);
	heap_tables(&heap);
	assert_int_equal(check_table(), HOSTS);
	heap_done(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few),     cmocka_unit_test(test_all),
		cmocka_unit_test(test_others),  cmocka_unit_test(test_changes),
		cmocka_unit_test(test_grows),   cmocka_unit_test(test_rests),
		cmocka_unit_test(test_adopted), cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
