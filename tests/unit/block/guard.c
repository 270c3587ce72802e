/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused, and what is not: entry by entry, in loads, by force, and when it comes later. */
#include "world.h"

static int add(struct world *w, const struct pk_block_ask *ask, const char *cidr)
{
	struct pk_block_entry e = world_entry(cidr);
	struct pk_block_done d = { 0 };
	int r = pk_block_add(w->block, ask, &e, NULL, NULL, &d);

	if (r == -EPERM) {
		assert_int_equal(d.refused_total, 1);
		assert_true(*d.refused[0].why);
		assert_non_null(d.detail);
	}
	assert_int_equal(r, d.result);
	pk_block_done_done(&d);
	return r;
}

static void open_world(struct world *w)
{
	world_open(w);
	world_start(w);
	world_settle(w);
	world_safe(w, "10.0.0.1", PK_BLK_SAFE_GATEWAY);
	world_safe(w, "10.0.0.53", PK_BLK_SAFE_RESOLVER);
	world_safe(w, "127.0.0.0/8", PK_BLK_SAFE_PROTOCOL);
	world_safe(w, "172.20.0.0/16", PK_BLK_SAFE_MANAGEMENT);
	world_safe(w, "172.20.3.3", PK_BLK_SAFE_ADMIN);
	world_safe(w, "fe80::/10", PK_BLK_SAFE_PROTOCOL);
	world_safe(w, "2001:db8::1", PK_BLK_SAFE_OWN);
}

static void test_table(void **st)
{
	static const struct {
		const char *cidr;
		bool wide, ok;
	} row[] = {
		{ "10.0.0.1/32", false, false },
		{ "10.0.0.0/24", false, false },
		{ "10.0.0.2/31", false, true },
		{ "10.0.0.0/31", false, false },
		{ "127.3.2.1/32", false, false },
		{ "172.20.9.0/24", false, false },
		{ "172.16.0.0/12", false, false },
		{ "172.21.0.0/16", false, true },
		{ "11.0.0.0/8", false, true },
		{ "12.0.0.0/7", false, false },
		{ "12.0.0.0/7", true, true },
		{ "0.0.0.0/0", false, false },
		{ "0.0.0.0/0", true, false },
		{ "::/0", false, false },
		{ "::/0", true, false },
		{ "2001:db8::/32", false, false },
		{ "2001:db8::2/128", false, true },
		{ "2400::/19", false, true },
		{ "2400::/18", false, false },
		{ "2400::/18", true, true },
		{ "fe80::5/128", false, false },
		{ "128.0.0.0/1", false, false },
		{ "128.0.0.0/1", true, false },
		{ "192.0.2.1/32", false, true },
	};
	struct world w;

	(void)st;
	open_world(&w);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct pk_block_ask ask = { .list = "feed", .mode = -1, .wide = row[i].wide };
		struct pk_block_ask allow = { .list = "friends", .mode = -1, .allow = true };

		assert_int_equal(add(&w, &ask, row[i].cidr), row[i].ok ? 0 : -EPERM);
		assert_int_equal(add(&w, &allow, row[i].cidr), 0);
	}
	/* gone from the safe set */
	world_safe(&w, "10.0.0.1", 0);
	{
		struct pk_block_ask ask = { .list = "feed", .mode = -1 };

		assert_int_equal(add(&w, &ask, "10.0.0.1/32"), 0);
		assert_int_equal(add(&w, &ask, "10.0.0.0/24"), -EPERM); /* the resolver */
	}
	world_close(&w);
}

static void test_force(void **st)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1 };
	struct pk_block_done d = { 0 };
	struct world w;

	(void)st;
	open_world(&w);
	world_addr("10.0.0.1", ask.force[0]);
	ask.n_force = 1;
	assert_int_equal(add(&w, &ask, "10.0.0.0/24"), -EPERM); /* the resolver is in it, too */
	assert_int_equal(w.excepts, 0);
	world_addr("10.0.0.53", ask.force[1]);
	ask.n_force = 2;
	assert_int_equal(add(&w, &ask, "10.0.0.0/24"), 0);
	assert_int_equal(w.excepts, 2);
	/* it is remembered with the list, and ends with it */
	world_settle(&w);
	pk_block_free(w.block);
	w.excepts = 0;
	world_start(&w);
	world_settle(&w);
	assert_int_equal(w.excepts, 2);
	pk_block_remove_list(w.block, "feed", world_done, &w);
	world_settle(&w);
	assert_int_equal(w.done.result, 0);
	assert_int_equal(w.excepts, 0);
	pk_block_done_done(&d);
	world_close(&w);
}

static void test_loads(void **st)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1 };
	char text[200 * 32] = "";
	struct world w;
	size_t n = 0;

	(void)st;
	open_world(&w);
	world_ask_load(&w, &ask, "192.0.2.0/24\n10.0.0.0/25\n2001:db8::/64\n198.51.100.1\n");
	world_settle(&w);
	assert_int_equal(w.done.result, -EPERM);
	assert_int_equal(w.done.refused_total, 2);
	assert_string_equal(w.done.refused[0].prefix, "10.0.0.0/25");
	assert_string_equal(w.done.refused[0].covers, "10.0.0.1");
	assert_non_null(strstr(w.done.refused[0].why, "gateway"));
	assert_string_equal(w.done.refused[1].covers, "2001:db8::1");
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_PASS);
	assert_false(pk_block_list_get(w.block, "feed", &(struct pk_block_info){ 0 }));
	ask.skip_bad = true;
	world_ask_load(&w, &ask, "192.0.2.0/24\n10.0.0.0/25\n198.51.100.1\n");
	world_settle(&w);
	assert_int_equal(w.done.result, 0);
	assert_int_equal(w.done.entries, 2);
	assert_int_equal(w.done.refused_total, 1);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_DROP);
	/* none of them is too wide, all together are */
	for (int i = 20; i < 149; i++)
		if (i != 127)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%d.0.0.0/8\n",
					      i < 127 ? i : i + 60);
	ask = (struct pk_block_ask){ .list = "half", .mode = -1 };
	world_ask_load(&w, &ask, text);
	world_settle(&w);
	assert_int_equal(w.done.result, 0); /* 128 of them: just half */
	{
		struct pk_block_ask one = { .list = "half", .mode = -1 };

		assert_int_equal(add(&w, &one, "11.0.0.0/8"), -EPERM);
		assert_int_equal(add(&w, &one, "20.1.0.0/16"), 0); /* is covered already */
		one.wide = true;
		assert_int_equal(add(&w, &one, "11.0.0.0/8"), 0);
	}
	n += (size_t)snprintf(text + n, sizeof(text) - n, "11.0.0.0/8\n");
	world_ask_load(&w, &ask, text);
	world_settle(&w);
	assert_int_equal(w.done.result, -EPERM);
	ask.wide = true;
	world_ask_load(&w, &ask, text);
	world_settle(&w);
	assert_int_equal(w.done.result, 0);
	world_close(&w);
}

static void test_later(void **st)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1 };
	struct world w;

	(void)st;
	open_world(&w);
	assert_int_equal(add(&w, &ask, "198.51.100.0/24"), 0);
	w.notices = 0;
	world_safe(&w, "198.51.100.7", PK_BLK_SAFE_GATEWAY);
	assert_int_equal(w.notices, 1);
	assert_non_null(strstr(w.notice, "198.51.100.7"));
	assert_non_null(strstr(w.notice, "feed"));
	world_safe(&w, "198.51.100.7", PK_BLK_SAFE_GATEWAY | PK_BLK_SAFE_RESOLVER);
	assert_int_equal(w.notices, 1); /* once */
	assert_int_equal(world_verdict(&w, "198.51.100.7"), PK_BLOCK_SAFE);
	assert_int_equal(world_verdict(&w, "198.51.100.8"), PK_BLOCK_DROP);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_force),
		cmocka_unit_test(test_loads),
		cmocka_unit_test(test_later),
	};

	return cmocka_run_group_tests_name("block/guard", tests, NULL, NULL);
}
