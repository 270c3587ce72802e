/* SPDX-License-Identifier: Apache-2.0 */
/* The most specific in force is found, its neighbours are not; a full table counts; 100,000 fit. */
#include "detect/indicators.h"

#include "base/ip.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void add_addr(struct pk_indicators *t, const char *cidr, uint16_t port, int64_t expires_ms,
		     const char *reason)
{
	struct pk_indicator i = { .kind = PK_INDICATOR_ADDR,
				  .source = "a.txt",
				  .reason = reason,
				  .port = port,
				  .expires_ms = expires_ms };
	unsigned bits;
	uint8_t a[16];

	assert_int_equal(pk_ip_parse_cidr(cidr, a, &bits), 0);
	assert_int_equal(pk_indicators_add_addr(t, &i, a, bits), 0);
}

static const char *addr(const struct pk_indicators *t, const char *ip, uint16_t port)
{
	static struct pk_indicator i;
	uint8_t a[16];

	assert_int_equal(pk_ip_parse(ip, a), 0);
	return pk_indicators_addr(t, a, port, 1000, &i) ? i.reason : NULL;
}

static void test_addresses(void **state)
{
	struct pk_indicators *t = pk_indicators_new(100);

	(void)state;
	add_addr(t, "192.0.2.0/24", 0, 0, "net");
	add_addr(t, "192.0.2.7", 0, 0, "host");
	add_addr(t, "192.0.2.8", 443, 0, "port");
	add_addr(t, "198.51.100.1", 0, 999, "expired");
	add_addr(t, "198.51.100.2", 0, 1001, "valid");
	add_addr(t, "2001:db8::/33", 0, 0, "six");
	assert_null(addr(t, "192.0.2.7", 1)); /* not sealed */
	assert_int_equal(pk_indicators_seal(t), 0);
	assert_string_equal(addr(t, "192.0.2.7", 1), "host");
	assert_string_equal(addr(t, "192.0.2.9", 1), "net");
	assert_string_equal(addr(t, "192.0.2.8", 443), "port");
	assert_string_equal(addr(t, "192.0.2.8", 80), "net");
	assert_null(addr(t, "192.0.3.7", 1));
	assert_null(addr(t, "198.51.100.1", 1));
	assert_string_equal(addr(t, "198.51.100.2", 1), "valid");
	assert_string_equal(addr(t, "2001:db8:7fff::1", 1), "six");
	assert_null(addr(t, "2001:db8:8000::1", 1));
	pk_indicators_free(t);
}

static void test_texts(void **state)
{
	static const char ja4[] = "t13d1516h2_8daaf6152771_b186095e22b6";
	struct pk_indicators *t = pk_indicators_new(3);
	struct pk_indicator i = { .kind = PK_INDICATOR_NAME, .source = "b.txt" }, got;

	(void)state;
	assert_int_equal(pk_indicators_add_text(t, &i, "evil.example", 12), 0);
	i.kind = PK_INDICATOR_JA4;
	assert_int_equal(pk_indicators_add_text(t, &i, ja4, 36), 0);
	assert_int_equal(pk_indicators_add_text(t, &i, "t13d1516h2", 10), -EINVAL);
	assert_int_equal(pk_indicators_seal(t), 0);
	assert_true(pk_indicators_name(t, "evil.example", 0, &got));
	assert_string_equal(got.source, "b.txt");
	assert_string_equal(got.reason, "");
	assert_true(pk_indicators_name(t, "a.b.evil.example", 0, &got));
	assert_false(pk_indicators_name(t, "notevil.example", 0, &got));
	assert_false(pk_indicators_name(t, "example", 0, &got));
	assert_false(pk_indicators_name(t, "", 0, &got));
	assert_true(pk_indicators_ja4(t, ja4, 0, &got));
	assert_false(pk_indicators_name(t, ja4, 0, &got)); /* another kind */
	pk_indicators_free(t);
}

static void test_bounds(void **state)
{
	struct pk_indicators *t = pk_indicators_new(100000);
	struct pk_indicator i = { .kind = PK_INDICATOR_NAME, .source = "c.txt" }, got;
	struct pk_indicators_count n;
	char name[64];

	(void)state;
	for (unsigned k = 0; k < 100010; k++) {
		int len = snprintf(name, sizeof(name), "name-%06u.example.com", k);

		assert_int_equal(pk_indicators_add_text(t, &i, name, (size_t)len),
				 k < 100000 ? 0 : -ENOSPC);
	}
	assert_int_equal(pk_indicators_seal(t), 0);
	assert_true(pk_indicators_name(t, "name-099999.example.com", 0, &got));
	assert_false(pk_indicators_name(t, "name-100000.example.com", 0, &got));
	pk_indicators_counts(t, &n);
	assert_int_equal(n.names, 100000);
	assert_int_equal(n.refused, 10);
	assert_true(n.bytes < 12000000); /* 100 bytes each or so */
	pk_indicators_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
