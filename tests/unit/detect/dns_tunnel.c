/* SPDX-License-Identifier: Apache-2.0 */
/* Coded names are told, few long ones too; a content network, lists of senders, and the same name
 * again are not. */
#include "dns.h"

#define SEC 1000000000ull

static unsigned seed = 1;

static void test_many(void **state)
{
	char part[64], name[300];

	(void)state;
	see_begin("dns_tunnel");
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "%s.t.evil.example.com", drawn(&seed, 40, part));
		see_dns(SEC + i * SEC / 10, 5, name, PK_DNS_A, -1, false);
		if (i == 10) {
			see_dns(SEC + i * SEC / 10, 5, name, PK_DNS_A, 0, true);
			assert_int_equal(seen.n, 0);
		}
	}
	assert_true(seen.n >= 1 && seen.n <= 4);
	assert_int_equal(seen.finding[0].severity, PK_HIGH);
	assert_string_equal(seen.finding[0].name, "example.com");
	assert_string_equal(seen.finding[0].technique[0], "T1071.004");
	assert_false(seen.finding[0].spoofable);
	assert_false(seen.finding[0].has_remote);
	see_end();
}

static void test_long(void **state)
{
	char a[64], b[64], c[64], name[300];

	(void)state;
	see_begin("dns_tunnel");
	for (unsigned i = 0; i < 15; i++) {
		snprintf(name, sizeof(name), "%s.%s.%s.evil.org", drawn(&seed, 60, a),
			 drawn(&seed, 60, b), drawn(&seed, 60, c));
		see_dns(SEC + i * SEC, 5, name, PK_DNS_TXT, -1, false);
	}
	assert_true(seen.n > 0);
	assert_true(seen.finding[0].spoofable); /* nobody answered */
	see_end();
}

static void test_benign(void **state)
{
	char part[64], name[300], nibbles[80];

	(void)state;
	see_begin("dns_tunnel");
	for (unsigned i = 0; i < 300; i++) {
		/* caches of a content network, services of a cloud, lists of senders, a local name
		 */
		snprintf(name, sizeof(name), "r%u---sn-%s.googlevideo.com", i % 20,
			 drawn(&seed, 8, part));
		see_dns(SEC + i * SEC, 5, name, PK_DNS_A, -1, false);
		snprintf(name, sizeof(name), "orders-%u.production.eu-west-1.rds.amazonaws.com", i);
		see_dns(SEC + i * SEC, 5, name, PK_DNS_A, -1, false);
		for (unsigned k = 0; k < 32; k++)
			snprintf(nibbles + 2 * k, 3, "%x.", (i >> (k % 8)) & 15);
		snprintf(name, sizeof(name), "%szen.spamhaus.org", nibbles);
		see_dns(SEC + i * SEC, 5, name, PK_DNS_A, -1, false);
		snprintf(name, sizeof(name), "%s.corp.local", drawn(&seed, 50, part));
		see_dns(SEC + i * SEC, 5, name, PK_DNS_A, -1, false);
		/* one long coded name, again and again */
		see_dns(SEC + i * SEC, 5,
			"q7w2k5zx3v6j4h2g5f7d3s6a4p2o5i7u3y6t4r.q7w2k5zx3v6j4h2g5f7d3.example.net",
			PK_DNS_A, -1, false);
	}
	if (seen.n)
		fail_msg("%s", seen.finding[0].detail);
	see_end();
}

static void test_flood(void **state)
{
	char part[64], name[300];

	(void)state;
	see_begin("dns_tunnel");
	for (uint32_t i = 0; i < 200000; i++) {
		snprintf(name, sizeof(name), "%s.%s.com", drawn(&seed, 30, part),
			 drawn(&seed, 12, part + 32));
		see_dns(SEC + i * 1000, i, name, PK_DNS_A, -1, false);
	}
	assert_bounded("dns_tunnel");
	see_end();
}

/* A coded name in ten seconds. */
static void ask_slowly(uint64_t now_ns, unsigned second)
{
	char part[64], name[160];

	snprintf(name, sizeof(name), "%s.t.evil.example.org", drawn(&seed, 40, part));
	if (second > 60 && second % 10 == 0)
		see_dns(now_ns, 5, name, PK_DNS_A, -1, false);
}

static void test_hidden_in_flood(void **state)
{
	(void)state;
	assert_not_washed_out("dns_tunnel", -1, ask_slowly, "example.org");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_benign),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_hidden_in_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
