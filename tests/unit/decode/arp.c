/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/arp.h"

#include "exact.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HEAD(op) "\0\1\x08\0\6\4\0" op
#define MAC_A    "\2\0\0\0\0\1"
#define MAC_B    "\2\0\0\0\0\2"
#define NOBODY   "\0\0\0\0\0\0"
#define IP_A     "\x0a\0\0\1"
#define IP_B     "\x0a\0\0\2"

static struct pk_arp a;

static int decode(const void *data, size_t len)
{
	_cleanup_free_ void *copy = exact(data, len);

	return pk_arp_decode(&a, copy, len);
}

static void test_request_and_reply(void **state)
{
	static const uint8_t ip_a[16] = { [10] = 0xff, 0xff, 10, 0, 0, 1 };

	(void)state;
	assert_int_equal(decode(BYTES(HEAD("\1") MAC_A IP_A NOBODY IP_B)), 0);
	assert_int_equal(a.op, PK_ARP_REQUEST);
	assert_memory_equal(a.sender_mac, MAC_A, 6);
	assert_memory_equal(a.sender, ip_a, 16);
	assert_int_equal(a.target[15], 2);
	assert_false(a.gratuitous || a.probe);
	assert_int_equal(decode(BYTES(HEAD("\2") MAC_B IP_B MAC_A IP_A "padding padding")), 0);
	assert_int_equal(a.op, PK_ARP_REPLY);
	assert_memory_equal(a.target_mac, MAC_A, 6);
}

static void test_probe_and_announcement(void **state)
{
	(void)state;
	assert_int_equal(decode(BYTES(HEAD("\1") MAC_A "\0\0\0\0" NOBODY IP_A)), 0);
	assert_true(a.probe && !a.gratuitous);
	assert_int_equal(decode(BYTES(HEAD("\1") MAC_A IP_A NOBODY IP_A)), 0);
	assert_true(a.gratuitous && !a.probe);
	assert_int_equal(decode(BYTES(HEAD("\2") MAC_A IP_A MAC_A IP_A)), 0);
	assert_true(a.gratuitous && !a.probe);
}

static void test_refused(void **state)
{
	static const char good[] = HEAD("\1") MAC_A IP_A NOBODY IP_B;

	(void)state;
	for (size_t n = 0; n < sizeof(good) - 1; n++)
		assert_int_equal(decode(good, n), -ENODATA);
	for (size_t i = 0; i < 8; i++) {
		char bad[sizeof(good)];

		memcpy(bad, good, sizeof(good));
		bad[i] = 99;
		assert_int_equal(decode(bad, sizeof(good) - 1), -ENOTSUP);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(pk_arp_op_name(1), "request");
	assert_string_equal(pk_arp_op_name(4), "reverse reply");
	assert_null(pk_arp_op_name(0));
	assert_null(pk_arp_op_name(5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_and_reply),
		cmocka_unit_test(test_probe_and_announcement),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
