/* SPDX-License-Identifier: Apache-2.0 */
/* Random names that do not exist are told high, broken lookups low, forged answers at most low. */
#include "dns.h"

#define SEC 1000000000ull

static unsigned seed = 1;

static void test_random(void **state)
{
	char name[64];

	(void)state;
	see_begin("dga");
	for (unsigned i = 0; i < 40; i++) {
		strcat(drawn(&seed, 14, name), i % 2 ? ".com" : ".net");
		see_dns(SEC + i * SEC, 5, name, PK_DNS_A, 3, true);
	}
	assert_true(seen.n >= 2 && seen.n <= 6);
	assert_int_equal(seen.finding[0].severity, PK_LOW); /* the first, alone */
	assert_int_equal(seen.finding[1].severity, PK_HIGH);
	assert_string_equal(seen.finding[1].technique[0], "T1568.002");
	assert_false(seen.finding[1].spoofable);
	see_end();
}

static void test_broken(void **state)
{
	static const char *const words[] = { "summer", "garden", "market", "travel", "office",
					     "planet", "winter", "studio", "family", "silver" };
	char name[64];

	(void)state;
	see_begin("dga");
	for (unsigned i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "%s%s.com", words[i % 10], words[i / 10]);
		see_dns(SEC + i * SEC, 5, name, PK_DNS_A, 3, true);
	}
	assert_true(seen.n >= 1);
	for (size_t i = 0; i < seen.n; i++)
		assert_int_equal(seen.finding[i].severity, PK_LOW);
	see_end();
}

static void test_benign(void **state)
{
	char part[32], name[64];

	(void)state;
	see_begin("dga");
	for (unsigned i = 0; i < 100; i++) {
		drawn(&seed, 14, part);
		see_dns(SEC + i * SEC, 5, part, PK_DNS_A, 3, true); /* a browser's probe */
		snprintf(name, sizeof(name), "%s.corp.local", part);
		see_dns(SEC + i * SEC, 5, name, PK_DNS_A, 3, true);
		snprintf(name, sizeof(name), "%s.example.com", part); /* one domain */
		see_dns(SEC + i * SEC, 5, name, PK_DNS_A, 3, true);
		snprintf(name, sizeof(name), "%s.com", part); /* it exists */
		see_dns(SEC + i * SEC, 5, name, PK_DNS_A, 0, true);
	}
	if (seen.n)
		fail_msg("%s", seen.finding[0].detail);
	see_end();
}

static void test_forged(void **state)
{
	char name[64];

	(void)state;
	see_begin("dga");
	for (unsigned i = 0; i < 200; i++) {
		strcat(drawn(&seed, 14, name), ".com");
		see_dns(SEC + i * SEC / 100, 5, name, PK_DNS_A, 3, false);
	}
	assert_true(seen.n <= 10);
	for (size_t i = 0; i < seen.n; i++) {
		assert_int_equal(seen.finding[i].severity, PK_LOW);
		assert_true(seen.finding[i].spoofable);
	}
	see_end();
}

static void test_flood(void **state)
{
	char name[64];

	(void)state;
	see_begin("dga");
	for (uint32_t i = 0; i < 200000; i++) {
		strcat(drawn(&seed, 14, name), ".com");
		see_dns(SEC + i, i, name, PK_DNS_A, 3, true);
	}
	assert_bounded("dga");
	see_end();
}

/* A name that is not there, twice a minute. */
static void ask_slowly(uint64_t now_ns, unsigned second)
{
	char name[64];

	strcat(drawn(&seed, 11, name), ".org");
	if (second > 60 && second % 30 == 0)
		see_dns(now_ns, 5, name, PK_DNS_A, 3, true);
}

static void test_hidden_in_flood(void **state)
{
	(void)state;
	assert_not_washed_out("dga", 3, ask_slowly, ".org");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random), cmocka_unit_test(test_broken),
		cmocka_unit_test(test_benign), cmocka_unit_test(test_forged),
		cmocka_unit_test(test_flood),  cmocka_unit_test(test_hidden_in_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
