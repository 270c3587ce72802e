/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ip.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_round_trip(void **state)
{
	static const char *const addrs[] = {
		"0.0.0.0",     "10.0.0.1",        "255.255.255.255", "::", "::1", "fe80::1",
		"2001:db8::1", "ff02::1:ff00:42", "0:1:2:3:4:5:6:7",
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(addrs); i++) {
		char text[PK_IP_TEXT];
		uint8_t a[16];

		assert_int_equal(pk_ip_parse(addrs[i], a), 0);
		assert_string_equal(pk_ip_format(a, text), addrs[i]);
		assert_int_equal(pk_ip_is_v4(a), !strchr(addrs[i], ':'));
	}
}

static void test_mapped_is_v4(void **state)
{
	char text[PK_IP_TEXT];
	uint8_t a[16];

	(void)state;
	assert_int_equal(pk_ip_parse("::ffff:192.0.2.7", a), 0);
	assert_true(pk_ip_is_v4(a));
	assert_string_equal(pk_ip_format(a, text), "192.0.2.7");
	memset(a, 0xff, sizeof(a));
	assert_string_equal(pk_ip_format(a, text), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void test_refuses(void **state)
{
	static const char *const bad[] = { "",          " 1.2.3.4", "1.2.3", "1.2.3.4.5",
					   "256.1.1.1", "1.2.3.4 ", "::1::", "fe80::1%eth0",
					   "host",      "1:2" };
	uint8_t a[16] = { 42 };

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++)
		assert_int_equal(pk_ip_parse(bad[i], a), -EINVAL);
	assert_int_equal(a[0], 42);
}

static void test_cidr(void **state)
{
	uint8_t net[16], a[16];
	unsigned bits = 0;

	(void)state;
	assert_int_equal(pk_ip_parse_cidr("10.0.0.0/8", net, &bits), 0);
	assert_int_equal(bits, 104);
	assert_int_equal(pk_ip_parse("10.255.3.4", a), 0);
	assert_true(pk_ip_in(a, net, bits));
	assert_int_equal(pk_ip_parse("11.0.0.0", a), 0);
	assert_false(pk_ip_in(a, net, bits));
	assert_int_equal(pk_ip_parse_cidr("2001:db8:8000::/33", net, &bits), 0);
	assert_int_equal(bits, 33);
	assert_int_equal(pk_ip_parse("2001:db8:ffff::1", a), 0);
	assert_true(pk_ip_in(a, net, bits));
	assert_int_equal(pk_ip_parse("2001:db8:7fff::1", a), 0);
	assert_false(pk_ip_in(a, net, bits));
	assert_int_equal(pk_ip_parse_cidr("192.0.2.1", net, &bits), 0);
	assert_int_equal(bits, 128);
	assert_true(pk_ip_in(net, net, bits));
	assert_int_equal(pk_ip_parse_cidr("0.0.0.0/0", net, &bits), 0);
	assert_int_equal(bits, 96);
	assert_false(pk_ip_in(a, net, bits));
	assert_int_equal(pk_ip_parse_cidr("::/0", net, &bits), 0);
	assert_true(pk_ip_in(a, net, bits));
}

static void test_cidr_refuses(void **state)
{
	static const char *const bad[] = {
		"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
		"::/129",      "/8",        "10.0.0.0/8/8",
		"10.0.0.0/ 8", "::/0000",   "1111111111111111111111111111111111111111111111/8"
	};
	unsigned bits = 7;
	uint8_t a[16];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++)
		assert_int_equal(pk_ip_parse_cidr(bad[i], a, &bits), -EINVAL);
	assert_int_equal(bits, 7);
}

static void test_protocols(void **state)
{
	(void)state;
	assert_string_equal(pk_ip_proto_name(6), "tcp");
	assert_string_equal(pk_ip_proto_name(58), "icmp6");
	assert_string_equal(pk_ip_proto_name(0x806), "arp");
	assert_null(pk_ip_proto_name(250));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_mapped_is_v4),
		cmocka_unit_test(test_refuses),      cmocka_unit_test(test_cidr),
		cmocka_unit_test(test_cidr_refuses), cmocka_unit_test(test_protocols),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
