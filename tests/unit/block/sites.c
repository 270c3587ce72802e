/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of sites beside the IPv6 trie, under changes at random, wide prefixes among them: by
 * it every address has the rule that it has without it, and nearly all sites that could be there
 * are. A table grows beside the one in force; one that is behind the trie, as a kill leaves it,
 * ends with the next start.
 */
#include "heap.h"

#define SITES 1500u
#define MANY  70000u
#define RULES 400u

static struct heap heap;
static uint32_t lines[MANY][2];
static uint32_t random_line[RULES];
static uint64_t state = 88172645463325252ull;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void put_32(uint8_t *a, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		a[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t site_of(uint32_t i)
{
	return 0x2a000000u + i * 3;
}

/* Two rules make a site: a node is needed for them. */
static void add_site(uint32_t i)
{
	struct pk_trie_rule r = { .bits = 48, .flags = PK_BLK_SEEN0 | PK_BLK_SEEN1 };

	put_32(r.prefix, site_of(i));
	lines[i][0] = heap_add(&heap, &r);
	r.prefix[4] = (uint8_t)(1 + i);
	r.bits = 64;
	lines[i][1] = heap_add(&heap, &r);
}

static void remove_site(uint32_t i)
{
	pk_trie_remove(heap.trie, lines[i][0]);
	pk_trie_remove(heap.trie, lines[i][1]);
	lines[i][0] = 0;
}

static void open_with(uint32_t n)
{
	heap_init(&heap);
	memset(lines, 0, sizeof(lines));
	for (uint32_t i = 0; i < n; i++)
		add_site(i);
	heap_tables(&heap);
}

/* With the table as without. */
static void check(const uint8_t addr[16])
{
	uint32_t by_table = pk_trie_lookup(heap.trie, addr), word = heap.ctl.sites;

	heap.ctl.sites = 0;
	assert_int_equal(pk_trie_lookup(heap.trie, addr), by_table);
	heap.ctl.sites = word;
}

/* Around the first address of a site, and somewhere in it. */
static void check_site(uint32_t site)
{
	uint8_t a[16] = { 0 };

	put_32(a, site);
	check(a);
	put_32(a + 4, (uint32_t)(draw() % 4 * 0x01010101));
	put_32(a + 12, (uint32_t)draw());
	check(a);
	put_32(a + 4, (uint32_t)draw());
	check(a);
}

/* Every place: how many there are. */
static uint32_t check_table(void)
{
	uint32_t first = heap.ctl.sites & PK_BLK_TABLE_FIRST, found = 0;
	uint32_t n = heap.ctl.sites >> PK_BLK_TABLE_SHIFT;
	struct pk_trie_use use;

	for (uint32_t c = first; c < first + n; c++)
		for (uint32_t i = 0; i < PK_BLK_CHUNK_LINES * PK_BLK_SITES; i++) {
			uint64_t place = heap.chunk[c][i / PK_BLK_SITES].word[i % PK_BLK_SITES];

			if (!place)
				continue;
			found++;
			assert_true((place & 3) == PK_BLK_NODE || (place & 3) == PK_BLK_LEAF);
			assert_int_equal(pk_blk_bucket(heap.ctl.sites, pk_blk_mix(place >> 32)),
					 ((c - first) << PK_BLK_CHUNK_SHIFT) + i / PK_BLK_SITES);
			check_site((uint32_t)(place >> 32));
		}
	pk_trie_usage(heap.trie, &use);
	assert_int_equal(use.sites, found);
	return found;
}

static void test_few(void **st)
{
	(void)st;
	open_with(500);
	assert_int_equal(heap.ctl.sites, 0);
	heap_done(&heap);
}

static void test_all(void **st)
{
	struct pk_trie_rule r = { .bits = 32, .flags = PK_BLK_SEEN0 | PK_BLK_SEEN1 };
	uint32_t line;

	(void)st;
	open_with(SITES);
	assert_int_equal(check_table(), SITES);
	put_32(r.prefix, 0x30000000); /* a rule of a site as a whole is one beside others only */
	line = heap_add(&heap, &r);
	assert_int_equal(check_table(), SITES);
	put_32(r.prefix, 0x30000001);
	(void)heap_add(&heap, &r);
	assert_int_equal(check_table(), SITES + 1);
	pk_trie_remove(heap.trie, line);
	for (uint32_t i = 0; i < SITES; i++)
		remove_site(i);
	assert_true(check_table() <= 1);
	heap_done(&heap);
}

/* All lengths, in few sites beside and among those that are there. */
static void draw_rule(struct pk_trie_rule *r)
{
	static const uint8_t usual[] = { 28, 31, 32, 33, 40, 48, 56, 64, 128 };

	memset(r, 0, sizeof(*r));
	r->flags = PK_BLK_SEEN0 | PK_BLK_SEEN1;
	r->bits = (uint8_t)(draw() % 2 ? draw() % 129 : usual[draw() % sizeof(usual)]);
	put_32(r->prefix, site_of((uint32_t)(draw() % 8)) + (uint32_t)(draw() % 4));
	for (unsigned i = 4; i < 16; i++)
		r->prefix[i] = (uint8_t)(draw() % 4);
	for (unsigned i = r->bits; i < 128; i++)
		r->prefix[i / 8] &= (uint8_t) ~(0x80 >> (i % 8));
}

static void change(void)
{
	struct pk_trie_rule r;
	uint32_t *line = &random_line[draw() % RULES], i = (uint32_t)(draw() % SITES);

	if (*line) {
		pk_trie_remove(heap.trie, *line);
		*line = 0;
	} else {
		draw_rule(&r);
		*line = heap_add(&heap, &r);
	}
	if (draw() % 8)
		return;
	if (lines[i][0])
		remove_site(i);
	else
		add_site(i);
}

static void test_changes(void **st)
{
	(void)st;
	open_with(SITES);
	assert_int_not_equal(heap.ctl.sites, 0);
	memset(random_line, 0, sizeof(random_line));
	for (uint32_t round = 0; round < 20000; round++) {
		change();
		for (uint32_t i = 0; i < 8; i++)
			check_site(site_of(i) + (uint32_t)(draw() % 4));
		if (round % 97 == 0)
			pk_trie_tick(heap.trie);
		if (round % 2000 == 0)
			(void)check_table();
	}
	for (uint32_t i = 0; i < RULES; i++)
		if (random_line[i])
			pk_trie_remove(heap.trie, random_line[i]);
	for (uint32_t i = 0; i < SITES; i++)
		if (lines[i][0])
			remove_site(i);
	for (uint32_t i = 0; i < SITES; i++)
		add_site(i);
	assert_int_equal(check_table(), SITES); /* places come back, none is lost */
	heap_done(&heap);
}

/* The table is filled while rules change, and a larger one while it is in force. */
static void test_grows(void **st)
{
	uint32_t before;

	(void)st;
	open_with(SITES);
	before = heap.ctl.sites;
	assert_int_equal(before >> PK_BLK_TABLE_SHIFT, 1);
	memset(random_line, 0, sizeof(random_line));
	for (uint32_t i = SITES; i < MANY; i++)
		add_site(i);
	for (uint32_t want = pk_trie_want(heap.trie); want; want = pk_trie_want(heap.trie))
		for (uint32_t i = 0; i < want; i++)
			heap_grow(&heap);
	for (bool more = true; more;) {
		assert_int_equal(heap.ctl.sites, before);
		more = pk_trie_step(heap.trie);
		for (uint32_t i = 0; more && i < 20; i++)
			change();
	}
	assert_int_equal(heap.ctl.sites >> PK_BLK_TABLE_SHIFT, 2);
	assert_true(check_table() > (MANY - SITES) / 100 * 99);
	for (uint32_t i = SITES; i < MANY; i++)
		check_site(site_of(i));
	heap_done(&heap);
}

/* Without memory nodes stay, emptied, until what covers them goes: so does the place then. */
static void test_emptied(void **st)
{
	struct pk_trie_rule r = { .bits = 12, .flags = PK_BLK_SEEN0 | PK_BLK_SEEN1 };
	uint32_t wide, host;

	(void)st;
	open_with(SITES);
	put_32(r.prefix, site_of(0));
	wide = heap_add(&heap, &r);
	for (r.bits = 128; !pk_trie_add(heap.trie, &r, &host); r.prefix[15]++)
		if (r.prefix[15] == 0xff)
			r.prefix[14]++;
	heap.busy = true; /* what is given rests on */
	for (uint32_t i = 1; i < SITES; i++)
		remove_site(i);
	assert_true(check_table() > SITES / 2);
	pk_trie_remove(heap.trie, wide);
	heap.busy = false;
	pk_trie_tick(heap.trie);
	assert_int_equal(check_table(), 1);
	for (uint32_t i = 1; i < SITES; i++)
		add_site(i);
	assert_int_equal(check_table(), SITES);
	heap_done(&heap);
}

static void ignore(void *arg, uint32_t line, const struct pk_blk_rule *rule)
{
	(void)arg, (void)line, (void)rule;
}

static void adopt(void)
{
	struct pk_trie_found f;
	uint32_t n = heap.chunks;

	pk_trie_free(heap.trie);
	heap_trie(&heap);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(pk_trie_add_chunk(heap.trie, i, heap.chunk[i], false), 0);
	assert_int_equal(pk_trie_adopt(heap.trie, NULL, 0, ignore, NULL, &f), 0);
	assert_int_equal(heap.ctl.sites, 0);
}

static void test_adopted(void **st)
{
	uint32_t chunks;

	(void)st;
	open_with(SITES);
	chunks = heap.chunks;
	for (unsigned i = 0; i < 3; i++) {
		adopt();
		assert_true(heap.waits > 0); /* programs may have read the table that goes */
		heap_tables(&heap);
		assert_int_equal(check_table(), SITES);
		assert_int_equal(heap.chunks, chunks);
	}
	heap.ctl.sites = 0xffffffff; /* nobody's word is taken for it */
	adopt();
	heap_tables(&heap);
	assert_int_equal(check_table(), SITES);
	heap_done(&heap);
}

/* Killed between the trie's store and the table's: packets see what was before. */
static void test_behind(void **st)
{
	static union pk_blk_line before[PK_BLK_CHUNK_LINES];
	struct pk_trie_rule r = { .bits = 56, .flags = PK_BLK_SEEN0 | PK_BLK_SEEN1 };
	uint32_t chunk, line;

	(void)st;
	open_with(SITES);
	chunk = heap.ctl.sites & PK_BLK_TABLE_FIRST;
	put_32(r.prefix, site_of(7));
	r.prefix[4] = 3; /* before the other: the node is made anew */
	memcpy(before, heap.chunk[chunk], sizeof(before));
	line = heap_add(&heap, &r);
	assert_int_equal(pk_trie_lookup(heap.trie, r.prefix), line);
	assert_memory_not_equal(before, heap.chunk[chunk], sizeof(before));
	memcpy(heap.chunk[chunk], before, sizeof(before));
	assert_int_equal(pk_trie_lookup(heap.trie, r.prefix), 0);
	adopt();
	assert_int_equal(pk_trie_lookup(heap.trie, r.prefix), line);
	heap_tables(&heap);
	assert_int_equal(pk_trie_lookup(heap.trie, r.prefix), line);
	assert_int_equal(check_table(), SITES);
	heap_done(&heap);
}

/* Whatever adoption leaves of damaged maps, the table says what the trie says. */
static void test_hostile(void **st)
{
	(void)st;
	for (unsigned round = 0; round < 30; round++) {
		open_with(SITES);
		for (unsigned i = 0; i < 1 + round * 10; i++) {
			uint64_t *w = (uint64_t *)heap.chunk[draw() % heap.chunks] +
				      draw() % (PK_BLK_CHUNK_LINES * 8);

			*w = draw() % 3 ? *w ^ 1ULL << draw() % 64 : draw();
		}
		adopt();
		heap_tables(&heap);
		(void)check_table();
		for (uint32_t i = 0; i < SITES; i++)
			check_site(site_of(i));
		heap_done(&heap);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few),     cmocka_unit_test(test_all),
		cmocka_unit_test(test_changes), cmocka_unit_test(test_grows),
		cmocka_unit_test(test_emptied), cmocka_unit_test(test_adopted),
		cmocka_unit_test(test_behind),  cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("block/sites", tests, NULL, NULL);
}
