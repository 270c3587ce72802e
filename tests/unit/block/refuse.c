/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

static struct pk_dns_name kernel(const struct world *w, const char *name)
{
	struct pk_dns_key k = w->dns.seed;
	struct pk_dns_name v = { 0 };

	for (size_t i = strlen(name); i; i--)
		k = pk_dns_step(k, (uint8_t)name[i - 1]);
	(void)world_refused((void *)w, &k, &v);
	return v;
}

static void add(struct world *w, const char *list, bool allow, const char *name, uint8_t how)
{
	struct pk_block_ask ask = { .list = list, .allow = allow, .mode = -1 };
	struct pk_block_done d = { 0 };

	assert_int_equal(pk_block_add_name(w->block, &ask, name, how, 0, NULL, &d), 0);
	pk_block_done_done(&d);
}

static void take(struct world *w, const char *list, const char *name)
{
	struct pk_block_ask ask = { .list = list, .mode = -1 };
	struct pk_block_done d = { 0 };

	assert_int_equal(pk_block_remove_name(w->block, &ask, name, &d), 0);
	pk_block_done_done(&d);
}

static unsigned index_of(struct world *w, const char *list)
{
	struct pk_block_info info;

	assert_true(pk_block_list_get(w->block, list, &info));
	return info.index;
}

static void test_single(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	world_start(&w);
	add(&w, "a", false, "evil.example", 0);
	add(&w, "good", true, "good.evil.example", 0);
	assert_int_equal(w.n_refused, 0); /* nothing is looked at for nothing */
	assert_int_equal(w.dns.names, 0);
	add(&w, "a", false, "evil.example", PK_BLOCK_REFUSE);
	world_settle(&w);
	assert_int_equal(kernel(&w, "evil.example").block, index_of(&w, "a"));
	assert_int_equal(kernel(&w, "good.evil.example").allow, index_of(&w, "good"));
	assert_int_equal(w.dns.names, 2);
	assert_int_equal(w.dns.rcode, PK_DNS_REFUSED);
	/* two lists: the other one is left */
	add(&w, "b", false, "evil.example", PK_BLOCK_REFUSE);
	take(&w, "a", "evil.example");
	assert_int_equal(kernel(&w, "evil.example").block, index_of(&w, "b"));
	take(&w, "b", "evil.example");
	add(&w, "b", false, "evil.example", 0);
	assert_int_equal(kernel(&w, "evil.example").block, 0);
	world_close(&w);
}

static void test_lists(void **state)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1 };
	struct world w;
	char text[4096] = "picket-list 1\n";

	(void)state;
	world_open(&w);
	world_start(&w);
	for (int i = 0; i < 100; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       "n%d.example how=refuse-query\n", i);
	world_ask_load(&w, &ask, text);
	world_settle(&w);
	assert_int_equal(w.done.result, 0);
	assert_int_equal(w.n_refused, 100);
	world_ask_load(&w, &ask, "picket-list 1\nn7.example how=refuse-query\nn8.example\n");
	world_settle(&w);
	assert_int_equal(w.n_refused, 1);
	assert_int_equal(kernel(&w, "n7.example").block, index_of(&w, "feed"));
	assert_int_equal(w.dns.names, 1);
	/* an agent after us: what is there stays, with its counters; what is not listed goes */
	w.refused[0].value.queries = 5;
	for (int i = 0; i < WORLD_NAMES; i++)
		if (w.refused[i].used)
			w.refused[i].value.queries = 5;
	world_refuse(&w, &(struct pk_dns_key){ 1, 2 }, &(struct pk_dns_name){ .block = 9 });
	world_restart(&w);
	world_settle(&w);
	assert_int_equal(w.n_refused, 1);
	assert_int_equal(kernel(&w, "n7.example").queries, 5);
	w.told = false;
	pk_block_remove_list(w.block, "feed", world_done, &w);
	world_settle(&w);
	assert_int_equal(w.n_refused, 0);
	assert_int_equal(w.dns.names, 0);
	world_close(&w);
}

static void test_mode(void **state)
{
	struct pk_block_done d = { 0 };
	struct world w;

	(void)state;
	world_open(&w);
	world_start(&w);
	add(&w, "a", false, "evil.example", PK_BLOCK_REFUSE);
	add(&w, "b", false, "evil.example", PK_BLOCK_REFUSE);
	assert_int_equal(pk_block_set_mode(w.block, "a", PK_BLK_OBSERVE, &d), 0);
	world_settle(&w);
	assert_int_equal(kernel(&w, "evil.example").block, index_of(&w, "b"));
	pk_block_done_done(&d);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
