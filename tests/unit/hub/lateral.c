/* SPDX-License-Identifier: Apache-2.0 */
/* Steps from host to host, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet.h"

static void test_path(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	attacked(&f, "a", 1, "203.0.113.9", "10.0.0.1"); /* from outside */
	assert_int_equal(f.lines, 0);
	attacked(&f, "b", 2, "10.0.0.1", "10.0.0.2");
	assert_int_equal(f.lines, 1);
	assert_true(was_told(&f, "beginning with a; the last is b."));
	attacked(&f, "c", 3, "10.0.0.2", "10.0.0.3");
	assert_int_equal(f.lines, 2); /* twice as long */
	assert_true(was_told(&f, "2 hosts were attacked, one from the other, beginning with a; the "
				 "last is c."));
	assert_true(was_told(&f, "\"from\":\"a\",\"to\":\"b\""));
	assert_true(was_told(&f, "\"from\":\"b\",\"to\":\"c\""));
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM finding"), 1);
	fleet_done(&f);
}

/* A scanner of one's own: its own alerts say that it scans, and none came before. */
static void test_scanner(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	attacked(&f, "b", 1, "198.51.100.1", "10.0.0.2");
	attacked(&f, "c", 1, "198.51.100.2", "10.0.0.3");
	for (int i = 0; i < 2; i++) {
		const char *to = i ? "10.0.0.3" : "10.0.0.2";

		assert_int_equal(fleet_send(&f, (struct sent){ .host = "scanner",
							       .hour = 2,
							       .src = "10.0.0.9",
							       .dst = to,
							       .remote = to }),
				 PK_HUB_TAKEN);
		attacked(&f, i ? "c" : "b", 3, "10.0.0.9", to);
	}
	assert_int_equal(f.lines, 0);
	fleet_done(&f);
}

static void test_too_late(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	attacked(&f, "a", 1, "203.0.113.9", "10.0.0.1");
	attacked(&f, "b", 26, "10.0.0.1", "10.0.0.2");
	assert_int_equal(f.lines, 0);
	fleet_done(&f);
}

/* The alert of a comes after b was attacked from there. */
static void test_wrong_order(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	attacked(&f, "a", 5, "203.0.113.9", "10.0.0.1");
	attacked(&f, "b", 4, "10.0.0.1", "10.0.0.2");
	assert_int_equal(f.lines, 0);
	fleet_done(&f);
}

static void test_forged(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	attacked(&f, "a", 1, "203.0.113.9", "10.0.0.1");
	assert_int_equal(fleet_send(&f, (struct sent){ .host = "b",
						       .hour = 2,
						       .src = "10.0.0.1",
						       .dst = "10.0.0.2",
						       .remote = "10.0.0.1",
						       .spoofable = true }),
			 PK_HUB_TAKEN);
	assert_int_equal(f.lines, 0);
	fleet_done(&f);
}

/* Nobody takes an address that another host has, and none has those that all have. */
static void test_whose(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	attacked(&f, "a", 1, "203.0.113.9", "10.0.0.1");
	attacked(&f, "liar", 2, "203.0.113.9", "10.0.0.1"); /* a's */
	attacked(&f, "liar", 2, "203.0.113.9", "127.0.0.1");
	attacked(&f, "liar", 2, "203.0.113.9", "fe80::1");
	attacked(&f, "liar", 2, "203.0.113.9", "169.254.1.1");
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM own"), 1);
	attacked(&f, "b", 3, "10.0.0.1", "10.0.0.2");
	assert_true(was_told(&f, "beginning with a;"));
	/* a was not heard of for a week: the address may be another's */
	attacked(&f, "next", 24 * 9, "203.0.113.9", "10.0.0.1");
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM own JOIN host ON host.id = own.host"
					 " WHERE name = 'next'"),
			 1);
	fleet_done(&f);
}

static void test_round(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	attacked(&f, "a", 1, "203.0.113.9", "10.0.0.1");
	attacked(&f, "b", 2, "10.0.0.1", "10.0.0.2");
	attacked(&f, "c", 3, "10.0.0.2", "10.0.0.3");
	attacked(&f, "a", 4, "10.0.0.3", "10.0.0.1");
	attacked(&f, "b", 5, "10.0.0.1", "10.0.0.2");
	attacked(&f, "a", 6, "10.0.0.1", "10.0.0.1"); /* itself */
	assert_true(fleet_count(&f, "SELECT max(CAST(json ->> 'count' AS integer)) FROM finding") <=
		    3);
	fleet_done(&f);
}

/* More hosts than one finding shows. */
static void test_large(void **state)
{
	struct fleet f;
	char host[32], from[32], to[32];

	(void)state;
	fleet_make(&f, NULL);
	attacked(&f, "h0", 1, "203.0.113.9", "10.1.0.0");
	for (int i = 1; i < 200; i++) {
		snprintf(host, sizeof(host), "h%d", i);
		snprintf(from, sizeof(from), "10.1.0.%d", i / 3); /* a tree */
		snprintf(to, sizeof(to), "10.1.0.%d", i);
		attacked(&f, host, 1 + i / 20.0, from, to);
	}
	assert_int_equal(
		fleet_count(&f, "SELECT max(CAST(json ->> 'count' AS integer)) FROM finding"),
		PK_HUB_SHOWN - 1);
	fleet_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),     cmocka_unit_test(test_scanner),
		cmocka_unit_test(test_too_late), cmocka_unit_test(test_wrong_order),
		cmocka_unit_test(test_forged),   cmocka_unit_test(test_whose),
		cmocka_unit_test(test_round),    cmocka_unit_test(test_large),
	};

	return fleet_main(tests);
}
