/* SPDX-License-Identifier: Apache-2.0 */
/* Names of addresses by client: newest first, within TTL and grace, bounded. */
#include "name/address.h"

#include "name/intern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S 1000000000ull

static struct pk_intern *texts;
static const struct pk_client own = { .netns = 1 }, other = { .netns = 1, .addr = { [15] = 9 } },
			      elsewhere = { .netns = 2 };
static const uint8_t addr[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };

static const char *text(const char *s)
{
	return pk_intern_text(texts, s, strlen(s));
}

static void learn(struct pk_addresses *a, const char *name, uint32_t ttl, uint64_t now)
{
	pk_addresses_learn(a, &own, addr, text(name), ttl, now);
}

static void test_by_client(void **state)
{
	struct pk_addresses *a = pk_addresses_new(100, texts);

	(void)state;
	learn(a, "a.example", 300, 10 * S);
	assert_string_equal(pk_addresses_name(a, &own, addr, 11 * S), "a.example");
	assert_null(pk_addresses_name(a, &other, addr, 11 * S));
	assert_null(pk_addresses_name(a, &elsewhere, addr, 11 * S));
	assert_true(pk_addresses_has(a, &own, addr, text("a.example"), 11 * S));
	assert_false(pk_addresses_has(a, &own, addr, text("b.example"), 11 * S));
	assert_false(pk_addresses_has(a, &other, addr, text("a.example"), 11 * S));
	pk_addresses_free(a);
}

static void test_time(void **state)
{
	struct pk_addresses *a = pk_addresses_new(100, texts);
	uint64_t end = (10 + 300) * S, grace = PK_ADDRESS_GRACE_S * S;

	(void)state;
	learn(a, "a.example", 300, 10 * S);
	assert_non_null(pk_addresses_name(a, &own, addr, 9 * S)); /* rings may pass each other */
	assert_null(pk_addresses_name(a, &own, addr, 8 * S));     /* not known then */
	assert_non_null(pk_addresses_name(a, &own, addr, end + grace));
	assert_null(pk_addresses_name(a, &own, addr, end + grace + 1));
	/* a newer name beyond its TTL goes behind an older one within it */
	learn(a, "long.example", 86400, 10 * S);
	learn(a, "a.example", 300, 20 * S);
	assert_string_equal(pk_addresses_name(a, &own, addr, 21 * S), "a.example");
	assert_string_equal(pk_addresses_name(a, &own, addr, 400 * S), "long.example");
	pk_addresses_free(a);
}

static void test_hostile_ttl(void **state)
{
	struct pk_addresses *a = pk_addresses_new(100, texts);
	uint64_t grace = PK_ADDRESS_GRACE_S * S;

	(void)state;
	learn(a, "zero.example", 0, 10 * S);
	assert_non_null(pk_addresses_name(a, &own, addr, 60 * S));
	assert_null(pk_addresses_name(a, &own, addr, (10 + PK_ADDRESS_TTL_MIN_S + 1) * S + grace));
	learn(a, "huge.example", UINT32_MAX, 10 * S);
	assert_non_null(pk_addresses_name(a, &own, addr, 86000 * S));
	assert_null(pk_addresses_name(a, &own, addr, (10 + PK_ADDRESS_TTL_MAX_S + 1) * S + grace));
	pk_addresses_free(a);
}

static void test_several(void **state)
{
	struct pk_addresses *a = pk_addresses_new(100, texts);
	struct pk_addresses_count n;
	char s[16];

	(void)state;
	for (int i = 0; i < PK_ADDRESS_NAMES + 2; i++) {
		snprintf(s, sizeof(s), "n%d", i);
		learn(a, s, 300, 10 * S + (uint64_t)i);
	}
	assert_string_equal(pk_addresses_name(a, &own, addr, 11 * S), "n9");
	assert_false(pk_addresses_has(a, &own, addr, text("n0"), 11 * S)); /* the oldest two */
	assert_false(pk_addresses_has(a, &own, addr, text("n1"), 11 * S));
	for (int i = 2; i < 10; i++) {
		snprintf(s, sizeof(s), "n%d", i);
		assert_true(pk_addresses_has(a, &own, addr, text(s), 11 * S));
	}
	learn(a, "n5", 300, 12 * S);
	assert_string_equal(pk_addresses_name(a, &own, addr, 13 * S), "n5");
	pk_addresses_counts(a, &n);
	assert_int_equal(n.used, 1);
	assert_int_equal(n.names, 10);
	pk_addresses_free(a);
}

static void test_bound(void **state)
{
	struct pk_addresses *a = pk_addresses_new(64, texts);
	struct pk_addresses_count n;
	uint8_t x[16] = { 0x20, 1, 0xd, 0xb8 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		x[14] = (uint8_t)(i >> 8);
		x[15] = (uint8_t)i;
		pk_addresses_learn(a, &own, x, text("many.example"), 300, i * S);
		learn(a, "used.example", 300, i * S); /* used all the time: it stays */
	}
	pk_addresses_counts(a, &n);
	assert_int_equal(n.used, 64);
	assert_int_equal(n.evicted, 1001 - 64);
	assert_string_equal(pk_addresses_name(a, &own, addr, 999 * S), "used.example");
	for (int i = 0; i < 10; i++)
		pk_addresses_tick(a, 100000 * S);
	pk_addresses_counts(a, &n);
	assert_int_equal(n.used, 0);
	pk_addresses_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_client),   cmocka_unit_test(test_time),
		cmocka_unit_test(test_hostile_ttl), cmocka_unit_test(test_several),
		cmocka_unit_test(test_bound),
	};
	int r;

	texts = pk_intern_new(1 << 20);
	r = cmocka_run_group_tests_name("name/address", tests, NULL, NULL);
	pk_intern_free(texts);
	return r;
}
