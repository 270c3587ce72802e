/* SPDX-License-Identifier: Apache-2.0 */
/* Entries end in their time: the heap alone, then lists, with clocks that are set and restarts. */
#include "world.h"

#include "block/expire.h"

static void test_heap(void **st)
{
	struct pk_expiry x = { 0 };
	struct pk_expiry_item item;
	int64_t last = 0;
	uint64_t state = 5;
	int n = 0;

	(void)st;
	assert_false(pk_expiry_pop(&x, INT64_MAX, &item));
	for (int i = 0; i < 5000; i++) {
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		item = (struct pk_expiry_item){ .expires_ms = 1 + (int64_t)(state >> 50) };
		assert_int_equal(pk_expiry_push(&x, &item), 0);
	}
	assert_true(pk_expiry_next_ms(&x) > 0);
	assert_false(pk_expiry_pop(&x, pk_expiry_next_ms(&x) - 1, &item));
	for (; pk_expiry_pop(&x, INT64_MAX, &item); n++) {
		assert_true(item.expires_ms >= last);
		last = item.expires_ms;
	}
	assert_int_equal(n, 5000);
	assert_int_equal(pk_expiry_next_ms(&x), 0);
	pk_expiry_done(&x);
}

static void add(struct world *w, const char *cidr, int64_t expires_ms)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1 };
	struct pk_block_entry e = world_entry(cidr);
	struct pk_block_done d = { 0 };

	e.expires_ms = expires_ms;
	assert_int_equal(pk_block_add(w->block, &ask, &e, NULL, NULL, &d), 0);
	pk_block_done_done(&d);
}

static uint64_t entries(struct world *w)
{
	struct pk_block_info i;

	assert_true(pk_block_list_get(w->block, "feed", &i));
	return i.entries;
}

static void test_ends(void **st)
{
	struct world w;
	uint64_t at;

	(void)st;
	world_open(&w);
	world_start(&w);
	world_settle(&w);
	add(&w, "192.0.2.1/32", w.now_ms + 60000);
	add(&w, "192.0.2.2/32", w.now_ms + 3600000);
	add(&w, "192.0.2.3/32", 0);
	at = w.boot_ns + 60000000000ull;
	world_settle(&w);
	assert_true(pk_block_next_ns(w.block) == at);
	/* what is said again counts: the first ends later now, the third will end */
	add(&w, "192.0.2.1/32", w.now_ms + 120000);
	add(&w, "192.0.2.3/32", w.now_ms + 90000);
	world_pass(&w, 70000);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_DROP);
	world_pass(&w, 25000);
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "192.0.2.3"), PK_BLOCK_PASS);
	assert_int_equal(entries(&w), 2);
	/* a restart later the rest still counts down; the kernel knew by itself */
	world_settle(&w);
	w.now_ms += 200000;
	w.boot_ns += 200000000000ull;
	pk_block_free(w.block);
	world_start(&w);
	world_settle(&w);
	assert_int_equal(entries(&w), 1);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_PASS);
	assert_int_equal(world_verdict(&w, "192.0.2.2"), PK_BLOCK_DROP);
	/* a reboot: boottime begins again, the wall clock goes on */
	pk_block_free(w.block);
	memset(w.map->chunk, 0, sizeof(w.map->chunk));
	memset(w.map->roots, 0, sizeof(w.map->roots));
	memset(w.map->lists, 0, sizeof(w.map->lists));
	w.boot_ns = 5000000000ull;
	world_start(&w);
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "192.0.2.2"), PK_BLOCK_DROP);
	/* the wall clock is set: an hour has passed, as far as anybody knows */
	w.now_ms += 3600000;
	pk_block_tick(w.block, w.now_ms, w.boot_ns);
	assert_int_equal(world_verdict(&w, "192.0.2.2"), PK_BLOCK_PASS);
	world_settle(&w);
	assert_int_equal(entries(&w), 0);
	world_close(&w);
}

/* An entry that ends while its list is being replaced, or waits to be confirmed. */
static void test_busy(void **st)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1, .confirm_ms = 60000 };
	struct pk_block_done d = { 0 };
	char text[200];
	struct world w;

	(void)st;
	world_open(&w);
	world_start(&w);
	world_settle(&w);
	add(&w, "192.0.2.1/32", w.now_ms + 5000);
	(void)snprintf(text, sizeof(text),
		       "picket-list 1\n192.0.2.1 expires=%lld\n192.0.2.9\n192.0.2.8 expires=%lld\n",
		       (long long)w.now_ms + 5000, (long long)w.now_ms + 7000);
	world_ask_load(&w, &ask, text);
	while (!w.told) {
		(void)pk_block_step(w.block, 1000000);
		world_answer(&w);
	}
	assert_int_equal(w.done.result, 0);
	assert_int_equal(w.done.kept, 1);
	world_pass(&w, 10000);
	(void)pk_block_step(w.block, 50000000);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_PASS);
	assert_int_equal(world_verdict(&w, "192.0.2.8"), PK_BLOCK_PASS);
	pk_block_confirm(w.block, "feed", false, world_done, &w);
	world_settle(&w);
	world_pass(&w, 1000);
	world_settle(&w);
	assert_int_equal(entries(&w), 1);
	assert_int_equal(world_verdict(&w, "192.0.2.9"), PK_BLOCK_DROP);
	pk_block_done_done(&d);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heap),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_busy),
	};

	return cmocka_run_group_tests_name("block/expire", tests, NULL, NULL);
}
