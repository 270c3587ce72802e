/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks without a person: an end, evidence, a rate, a number, and the alert in the reason. */
#include "world.h"

static int block(struct world *w, const char *addr, int64_t ttl_ms, enum pk_block_evidence how)
{
	struct pk_block_auto_ask ask = { .alert = "A-17", .evidence = how, .reason = "port scan" };
	struct pk_block_entry e = world_entry(addr);
	struct pk_block_done d = { 0 };
	int r;

	e.expires_ms = ttl_ms ? w->now_ms + ttl_ms : 0;
	r = pk_block_auto(w->block, &ask, &e, &d);
	assert_int_equal(r < 0, d.detail != NULL);
	pk_block_done_done(&d);
	return r;
}

static bool on_row(void *arg, const struct pk_block_row *row)
{
	assert_string_equal(row->reason, "alert A-17: port scan");
	++*(int *)arg;
	return true;
}

static void set(struct world *w, const char *key, const char *value)
{
	assert_int_equal(pk_conf_set(w->conf, key, value, NULL), 0);
}

static void test_limits(void **st)
{
	struct pk_block_totals t;
	char addr[32];
	struct world w;
	int rows = 0, n = 0;

	(void)st;
	world_open(&w);
	set(&w, "block.auto_rate", "10");
	set(&w, "block.auto_max", "25");
	set(&w, "block.auto_ttl_max", "2h");
	world_start(&w);
	world_settle(&w);
	world_safe(&w, "10.0.0.1", PK_BLK_SAFE_GATEWAY);
	assert_int_equal(block(&w, "192.0.2.1/32", 0, PK_BLOCK_ESTABLISHED), -EINVAL);
	assert_int_equal(block(&w, "192.0.2.1/32", 7200001, PK_BLOCK_ESTABLISHED), -EINVAL);
	assert_int_equal(block(&w, "192.0.2.1/32", 60000, PK_BLOCK_UDP), -EPERM);
	assert_int_equal(block(&w, "192.0.2.1/32", 60000, PK_BLOCK_HALF_OPEN), -EPERM);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_PASS);
	assert_int_equal(block(&w, "192.0.2.1/32", 7200000, PK_BLOCK_ESTABLISHED), 0);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_DROP);
	assert_int_equal(block(&w, "10.0.0.1/32", 60000, PK_BLOCK_ESTABLISHED), -EPERM);
	for (int i = 2; i < 40; i++) { /* ten a minute, two were taken */
		(void)snprintf(addr, sizeof(addr), "192.0.2.%d/32", i);
		n += block(&w, addr, 7200000, PK_BLOCK_ESTABLISHED) == 0;
	}
	assert_int_equal(n, 8);
	world_pass(&w, 30000);
	for (int i = 40; i < 60; i++) {
		(void)snprintf(addr, sizeof(addr), "192.0.2.%d/32", i);
		n += block(&w, addr, 7200000, PK_BLOCK_ESTABLISHED) == 0;
	}
	assert_int_equal(n, 13);
	for (int k = 0; k < 5; k++) { /* at most 25 at once */
		world_pass(&w, 60000);
		for (int i = 60; i < 80; i++) {
			(void)snprintf(addr, sizeof(addr), "192.0.%d.%d/32", 3 + k, i);
			n += block(&w, addr, 7200000 - 600000, PK_BLOCK_ESTABLISHED) == 0;
		}
	}
	assert_int_equal(n, 24);
	pk_block_totals(w.block, &t);
	assert_int_equal(t.auto_entries, 25);
	assert_true(t.auto_refused > 50);
	assert_int_equal(pk_block_rows(w.block, "auto", 0, 100, on_row, &rows), 0);
	assert_int_equal(rows, 25);
	world_pass(&w, 7200000);
	world_settle(&w);
	pk_block_totals(w.block, &t);
	assert_int_equal(t.auto_entries, 0);
	set(&w, "block.auto_spoofable", "true");
	assert_int_equal(block(&w, "192.0.2.1/32", 60000, PK_BLOCK_UDP), 0);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_limits) };

	return cmocka_run_group_tests_name("block/auto", tests, NULL, NULL);
}
