/* SPDX-License-Identifier: Apache-2.0 */
#include "block/answers.h"

#include "world.h"

static void add(struct world *w, const char *list, bool allow, const char *name, uint8_t how)
{
	struct pk_block_ask ask = { .list = list, .allow = allow, .mode = -1 };
	struct pk_block_done d = { 0 };

	assert_int_equal(pk_block_add_name(w->block, &ask, name, how, 0, NULL, &d), 0);
	pk_block_done_done(&d);
}

static enum pk_answer_fate answer(struct world *w, const char *name, const char *alias,
				  const char *addr, uint32_t ttl_s)
{
	struct pk_answer a = { .name = { name, alias }, .n = alias ? 2 : 1, .ttl_s = ttl_s };

	world_addr(addr, a.addr);
	return pk_block_answered(w->block, &a);
}

static const char *reason_of(struct world *w, const char *addr)
{
	struct pk_block_query q = { .dir = PK_BLK_OUT };
	static struct pk_block_answer a;

	world_addr(addr, q.addr);
	pk_block_check(w->block, &q, &a);
	return a.n ? a.v[0].row.reason : "";
}

static void open_world(struct world *w)
{
	world_open(w);
	world_start(w);
	world_settle(w);
}

/* Blocked as long as the answer counts, within bounds, and the entry says why. */
static void test_ttl(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	add(&w, "ads", false, "evil.example", 0);
	assert_int_equal(answer(&w, "www.evil.example", NULL, "198.51.100.7", 300),
			 PK_ANSWER_BLOCKED);
	assert_int_equal(answer(&w, "www.evil.example", NULL, "2001:db8::7", 1), PK_ANSWER_BLOCKED);
	assert_int_equal(answer(&w, "evil.example", NULL, "198.51.100.8", 1000000),
			 PK_ANSWER_BLOCKED);
	assert_int_equal(answer(&w, "good.example", NULL, "198.51.100.9", 300), PK_ANSWER_UNLISTED);
	assert_int_equal(world_verdict(&w, "198.51.100.7"), PK_BLOCK_DROP);
	assert_string_equal(reason_of(&w, "198.51.100.7"),
			    "evil.example of list ads: answer to a lookup of www.evil.example, ttl "
			    "300");
	assert_int_equal(pk_block_answer_addrs(w.block), 3);
	world_pass(&w, 59000);
	assert_int_equal(world_verdict(&w, "2001:db8::7"), PK_BLOCK_DROP); /* at least a minute */
	world_pass(&w, 1500);
	assert_int_equal(world_verdict(&w, "2001:db8::7"), PK_BLOCK_PASS);
	world_pass(&w, 240000);
	assert_int_equal(world_verdict(&w, "198.51.100.7"), PK_BLOCK_PASS);
	assert_int_equal(world_verdict(&w, "198.51.100.8"), PK_BLOCK_DROP);
	world_pass(&w, 3300000);
	assert_int_equal(world_verdict(&w, "198.51.100.8"), PK_BLOCK_PASS); /* at most an hour */
	world_settle(&w);
	assert_int_equal(pk_block_answer_addrs(w.block), 0);
	world_close(&w);
}

/* An alias of a listed name, or to one; allowed ones; what is only to be cut. */
static void test_names(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	add(&w, "ads", false, "evil.example", 0);
	add(&w, "ads", false, "cdn.example", PK_BLOCK_SNI_ONLY);
	add(&w, "good", true, "good.evil.example", 0);
	assert_int_equal(answer(&w, "shop.example", "track.evil.example", "198.51.100.1", 300),
			 PK_ANSWER_BLOCKED);
	assert_int_equal(answer(&w, "evil.example", "host.example", "198.51.100.2", 300),
			 PK_ANSWER_BLOCKED);
	assert_int_equal(answer(&w, "www.cdn.example", NULL, "198.51.100.3", 300),
			 PK_ANSWER_SNI_ONLY);
	assert_int_equal(answer(&w, "good.evil.example", NULL, "198.51.100.4", 300),
			 PK_ANSWER_UNLISTED);
	assert_int_equal(answer(&w, "evil.example", "good.evil.example", "198.51.100.4", 300),
			 PK_ANSWER_UNLISTED);
	assert_int_equal(world_verdict(&w, "198.51.100.3"), PK_BLOCK_PASS);
	assert_int_equal(world_verdict(&w, "198.51.100.4"), PK_BLOCK_PASS);
	world_close(&w);
}

/* Whoever answers for a listed name may say any address. */
static void test_safe(void **state)
{
	static const char *const never[] = {
		"127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1",
		"::1",       "::",      "ff02::1",         "192.0.2.53"
	};
	struct world w;

	(void)state;
	open_world(&w);
	world_safe(&w, "192.0.2.53/32", PK_BLK_SAFE_RESOLVER);
	add(&w, "ads", false, "evil.example", 0);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(answer(&w, "evil.example", NULL, never[i], 300), PK_ANSWER_SAFE);
	assert_int_equal(pk_block_answer_counts(w.block)[PK_ANSWER_SAFE], 8);
	assert_int_equal(pk_block_answer_addrs(w.block), 0);
	world_close(&w);
}

static void test_shared(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	add(&w, "ads", false, "evil.example", 0);
	/* one that is not listed was there before */
	assert_int_equal(answer(&w, "shop.example", NULL, "198.51.100.2", 30), PK_ANSWER_UNLISTED);
	assert_int_equal(answer(&w, "evil.example", NULL, "198.51.100.1", 300), PK_ANSWER_BLOCKED);
	assert_int_equal(answer(&w, "evil.example", NULL, "198.51.100.2", 300), PK_ANSWER_SHARED);
	assert_int_equal(world_verdict(&w, "198.51.100.2"), PK_BLOCK_PASS);
	/* or comes later */
	assert_int_equal(answer(&w, "bank.example", NULL, "198.51.100.1", 300), PK_ANSWER_UNLISTED);
	assert_int_equal(world_verdict(&w, "198.51.100.1"), PK_BLOCK_PASS);
	assert_int_equal(pk_block_answer_counts(w.block)[PK_ANSWER_SHARED], 2);
	/* unless it is wanted; an alias of its own is no other name */
	w.conf->block_shared_open = false;
	assert_int_equal(answer(&w, "evil.example", NULL, "198.51.100.2", 300), PK_ANSWER_BLOCKED);
	assert_non_null(strstr(reason_of(&w, "198.51.100.2"), "shared with shop.example"));
	w.conf->block_shared_open = true;
	assert_int_equal(answer(&w, "host.example", NULL, "198.51.100.3", 300), PK_ANSWER_UNLISTED);
	assert_int_equal(answer(&w, "evil.example", "host.example", "198.51.100.3", 300),
			 PK_ANSWER_BLOCKED);
	/* listed since, or long ago */
	assert_int_equal(answer(&w, "ad.example", NULL, "198.51.100.4", 300), PK_ANSWER_UNLISTED);
	add(&w, "ads", false, "ad.example", 0);
	assert_int_equal(answer(&w, "evil.example", NULL, "198.51.100.4", 300), PK_ANSWER_BLOCKED);
	assert_int_equal(answer(&w, "old.example", NULL, "198.51.100.5", 300), PK_ANSWER_UNLISTED);
	world_pass(&w, 901000);
	assert_int_equal(answer(&w, "evil.example", NULL, "198.51.100.5", 300), PK_ANSWER_BLOCKED);
	world_close(&w);
}

/* No more listed: free again, unless another name leads there. */
static void test_unlisted(void **state)
{
	struct pk_block_ask ask = { .list = "ads", .mode = -1 };
	struct pk_block_done d = { 0 };
	struct world w;

	(void)state;
	open_world(&w);
	add(&w, "ads", false, "evil.example", 0);
	add(&w, "ads", false, "worse.example", 0);
	(void)answer(&w, "evil.example", NULL, "198.51.100.1", 300);
	(void)answer(&w, "worse.example", NULL, "198.51.100.1", 300);
	(void)answer(&w, "evil.example", NULL, "198.51.100.2", 300);
	assert_int_equal(pk_block_remove_name(w.block, &ask, "evil.example", &d), 0);
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "198.51.100.1"), PK_BLOCK_DROP);
	assert_int_equal(world_verdict(&w, "198.51.100.2"), PK_BLOCK_PASS);
	assert_int_equal(pk_block_set_mode(w.block, "ads", PK_BLK_OFF, &d), 0);
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "198.51.100.1"), PK_BLOCK_PASS);
	assert_int_equal(pk_block_set_mode(w.block, "ads", PK_BLK_OBSERVE, &d), 0);
	assert_int_equal(answer(&w, "worse.example", NULL, "198.51.100.1", 300), PK_ANSWER_BLOCKED);
	assert_int_equal(world_verdict(&w, "198.51.100.1"), PK_BLOCK_OBSERVE);
	pk_block_done_done(&d);
	world_close(&w);
}

static void test_bounds(void **state)
{
	struct world w;
	char addr[32];
	int blocked = 0;

	(void)state;
	open_world(&w);
	w.conf->block_answers_max = 100;
	add(&w, "ads", false, "evil.example", 0);
	for (int i = 0; i < 200; i++) {
		(void)snprintf(addr, sizeof(addr), "198.51.100.%d", i);
		blocked += answer(&w, "evil.example", NULL, addr, 300) == PK_ANSWER_BLOCKED;
	}
	assert_int_equal(blocked, 100);
	assert_int_equal(pk_block_answer_counts(w.block)[PK_ANSWER_FULL], 100);
	world_close(&w);
}

/* The agent after us knows why an address is blocked. */
static void test_restart(void **state)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1 };
	struct pk_block_done d = { 0 };
	const uint8_t *addr;
	struct world w;
	int64_t ends;
	size_t at = 0;

	(void)state;
	open_world(&w);
	/* the world keeps one file, and that is of the list of addresses */
	add(&w, "feed", false, "evil.example", 0);
	world_settle(&w);
	(void)answer(&w, "www.evil.example", NULL, "198.51.100.1", 300);
	(void)pk_block_remove_name(w.block, &ask, "evil.example", &d);
	add(&w, "feed", false, "evil.example", 0);
	world_settle(&w);
	addr = pk_block_answer_next(w.block, "feed", "evil.example", &at, &ends);
	assert_non_null(addr);
	assert_int_equal(addr[15], 1);
	assert_null(pk_block_answer_next(w.block, "feed", "evil.example", &at, &ends));
	pk_block_done_done(&d);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ttl),      cmocka_unit_test(test_names),
		cmocka_unit_test(test_safe),     cmocka_unit_test(test_shared),
		cmocka_unit_test(test_unlisted), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
