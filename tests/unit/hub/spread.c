/* SPDX-License-Identifier: Apache-2.0 */
/* One value at many hosts: in time and too late, new and known, forged, told once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet.h"

/* Three days between each: no host sees more than one attack. */
static void test_slow_source(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	attacked(&f, "web1", 1, "203.0.113.9", "10.0.0.1");
	attacked(&f, "web2", 73, "203.0.113.9", "10.0.0.2");
	assert_int_equal(f.lines, 0);
	attacked(&f, "web2", 74, "203.0.113.9", "10.0.0.2"); /* the same host again */
	assert_int_equal(f.lines, 0);
	attacked(&f, "web3", 145, "203.0.113.9", "10.0.0.3");
	assert_int_equal(f.lines, 1);
	assert_true(was_told(&f, "\"uid\":\"hub_source\""));
	assert_true(was_told(&f, "3 hosts were attacked from 203.0.113.9."));
	for (int i = 1; i <= 3; i++) {
		char host[32];

		snprintf(host, sizeof(host), "\"host\":\"web%d\"", i);
		assert_true(was_told(&f, host));
	}
	fleet_done(&f);
}

static void test_too_slow(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	attacked(&f, "web1", 1, "203.0.113.9", "10.0.0.1");
	attacked(&f, "web2", 100, "203.0.113.9", "10.0.0.2");
	attacked(&f, "web3", 170, "203.0.113.9", "10.0.0.3");  /* a week is over */
	attacked(&f, "web4", 170, "203.0.113.10", "10.0.0.4"); /* somebody else */
	assert_int_equal(f.lines, 0);
	fleet_done(&f);
}

/* What comes late counts for when it was, not for when it came. */
static void test_late(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	attacked(&f, "web1", 400, "203.0.113.9", "10.0.0.1");
	attacked(&f, "web2", 1, "203.0.113.9", "10.0.0.2");
	attacked(&f, "web3", 2, "203.0.113.9", "10.0.0.3");
	assert_int_equal(f.lines, 0);
	attacked(&f, "web4", 3, "203.0.113.9", "10.0.0.4");
	assert_int_equal(f.lines, 1);
	fleet_done(&f);
}

static void test_told_again_when_twice_as_large(void **state)
{
	struct fleet f;
	char host[32], addr[32];

	(void)state;
	fleet_make(&f, NULL);
	for (int i = 1; i <= 12; i++) {
		snprintf(host, sizeof(host), "web%d", i);
		snprintf(addr, sizeof(addr), "10.0.0.%d", i);
		attacked(&f, host, i, "203.0.113.9", addr);
	}
	assert_int_equal(f.lines, 3); /* 3, 6, 12 */
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM finding"), 1);
	assert_int_equal(fleet_count(&f, "SELECT json ->> 'count' FROM finding"), 12);
	assert_true(was_told(&f, "\"activity_name\":\"Update\""));
	fleet_done(&f);
}

static void call(struct fleet *f, const char *host, double hour, const char *ja4, const char *name)
{
	assert_int_equal(fleet_send(f, (struct sent){ .host = host,
						      .hour = hour,
						      .src = "10.0.0.1",
						      .dst = "198.51.100.7",
						      .remote = "198.51.100.7",
						      .ja4 = ja4,
						      .name = name }),
			 PK_HUB_TAKEN);
}

static void test_new(void **state)
{
	static const char *const keys[] = { "hub.learning", "24h", NULL };
	struct fleet f;

	(void)state;
	fleet_make(&f, keys);
	for (int i = 0; i < 3; i++) /* while it learns */
		call(&f, (const char *[]){ "a", "b", "c" }[i], 1, "t13d1_usual", "usual.example");
	call(&f, "a", 30, "t13d1_usual", "usual.example");
	assert_int_equal(f.lines, 0);
	call(&f, "a", 40, "t13d1_new", "Evil.Example.");
	call(&f, "b", 41, "t13d1_new", "evil.example");
	assert_int_equal(f.lines, 0);
	call(&f, "c", 42, "t13d1_new", "evil.example");
	assert_int_equal(f.lines, 2);
	assert_true(was_told(&f, "\"uid\":\"hub_new_ja4\""));
	assert_true(was_told(&f, "\"uid\":\"hub_new_name\""));
	assert_true(was_told(&f, "have evil.example in"));
	assert_false(was_told(&f, "usual"));
	/* its address is told by its name */
	assert_false(was_told(&f, "hub_new_address"));
	fleet_done(&f);
}

#define HASH "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a"

static void ran(struct fleet *f, const char *host, double hour, const char *sha256)
{
	assert_int_equal(
		fleet_send(f, (struct sent){ .host = host, .hour = hour, .sha256 = sha256 }),
		PK_HUB_TAKEN);
}

/* The same file, and one that differs in its last digit. */
static void test_new_file(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	ran(&f, "a", 1, HASH "d");
	ran(&f, "b", 2, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
	ran(&f, "c", 3, HASH "e");
	ran(&f, "a", 3, HASH "d");
	assert_int_equal(f.lines, 0);
	ran(&f, "d", 4, HASH "d");
	assert_int_equal(f.lines, 1);
	assert_true(was_told(&f, "\"uid\":\"hub_new_sha256\""));
	assert_true(was_told(&f, "\"severity\":\"High\""));
	assert_true(was_told(&f, "\"host\":\"d\",\"sha256\":\"" HASH "d\""));
	assert_false(was_told(&f, "\"host\":\"c\""));
	fleet_done(&f);
}

static void test_new_is_over(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	call(&f, "a", 1, "t13d1_x", NULL);
	call(&f, "a", 20, "t13d1_x", NULL); /* still there: it is no news a day later */
	call(&f, "b", 30, "t13d1_x", NULL);
	call(&f, "c", 30, "t13d1_x", NULL);
	assert_false(was_told(&f, "hub_new_ja4"));
	fleet_done(&f);
}

static void test_forged(void **state)
{
	struct fleet f;
	const char *hosts[] = { "a", "b", "c" };

	(void)state;
	fleet_make(&f, NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fleet_send(&f, (struct sent){ .host = hosts[i],
							       .hour = 1,
							       .src = "192.0.2.1",
							       .dst = "10.0.0.1",
							       .remote = "192.0.2.1",
							       .spoofable = true }),
				 PK_HUB_TAKEN);
	assert_int_equal(f.lines, 1);
	assert_true(was_told(&f, "\"spoofable\":true"));
	assert_true(was_told(&f, "\"severity\":\"Low\""));
	fleet_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_source),
		cmocka_unit_test(test_too_slow),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_told_again_when_twice_as_large),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_new_file),
		cmocka_unit_test(test_new_is_over),
		cmocka_unit_test(test_forged),
	};

	return fleet_main(tests);
}
