/* SPDX-License-Identifier: Apache-2.0 */
/* A rhythm with other names each time is told; one name again as low; people's lookups are not. */
#include "dns.h"

#define SEC 1000000000ull

static unsigned seed = 1;

static uint64_t jitter(uint64_t most_ns)
{
	char c[8];

	drawn(&seed, 4, c);
	return (uint64_t)(seed >> 8) % most_ns;
}

static void test_beacon(void **state)
{
	char part[16], name[64];

	(void)state;
	see_begin("dns_beacon");
	for (unsigned i = 0; i < 40; i++) {
		uint64_t now = SEC + i * 60 * SEC + jitter(6 * SEC);

		snprintf(name, sizeof(name), "%s.evil.org", drawn(&seed, 8, part));
		see_dns(now, 5, name, PK_DNS_A, -1, false);
		see_dns(now + 1000000, 5, name, PK_DNS_AAAA, -1, false);
		see_dns(now + 9000000, 5, name, PK_DNS_A, 0, true);
	}
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].severity, PK_MEDIUM);
	assert_string_equal(seen.finding[0].name, "evil.org");
	assert_false(seen.finding[0].spoofable);
	see_end();
}

static void test_clock(void **state)
{
	(void)state;
	see_begin("dns_beacon");
	for (unsigned i = 0; i < 40; i++)
		see_dns(SEC + i * 64 * SEC, 5, "ntp.example.org", PK_DNS_A, -1, false);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].severity, PK_LOW);
	see_end();
}

static void test_people(void **state)
{
	uint64_t now = SEC;

	(void)state;
	see_begin("dns_beacon");
	for (unsigned i = 0; i < 400; i++) {
		/* bursts of a page, then reading */
		now += i % 7 ? jitter(3 * SEC) : jitter(600 * SEC);
		see_dns(now, 5, i % 3 ? "www.example.org" : "img.example.org", PK_DNS_A, -1, false);
		see_dns(SEC + i * 60 * SEC, 5, "printer.local", PK_DNS_A, -1, false);
	}
	if (seen.n)
		fail_msg("%s", seen.finding[0].detail);
	see_end();
}

static void test_flood(void **state)
{
	char name[64];

	(void)state;
	see_begin("dns_beacon");
	for (uint32_t i = 0; i < 200000; i++) {
		strcat(drawn(&seed, 14, name), ".com");
		see_dns(SEC + i, i, name, PK_DNS_A, -1, false);
	}
	assert_bounded("dns_beacon");
	see_end();
}

/* Another name below one domain, three times a minute. */
static void ask_slowly(uint64_t now_ns, unsigned second)
{
	char part[64], name[160];

	snprintf(name, sizeof(name), "%s.example.org", drawn(&seed, 8, part));
	if (second % 20 == 0)
		see_dns(now_ns, 5, name, PK_DNS_A, -1, false);
}

static void test_hidden_in_flood(void **state)
{
	(void)state;
	assert_not_washed_out("dns_beacon", -1, ask_slowly, "example.org");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beacon),          cmocka_unit_test(test_clock),
		cmocka_unit_test(test_people),          cmocka_unit_test(test_flood),
		cmocka_unit_test(test_hidden_in_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
