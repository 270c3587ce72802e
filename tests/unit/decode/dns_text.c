/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "decode/dns.h"

#include "exact.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(pk_dns_type_name(1), "A");
	assert_string_equal(pk_dns_type_name(65), "HTTPS");
	assert_string_equal(pk_dns_type_name(257), "CAA");
	assert_string_equal(pk_dns_type_name(32769), "DLV");
	assert_null(pk_dns_type_name(0));
	assert_null(pk_dns_type_name(65535));
	assert_string_equal(pk_dns_rcode_name(3), "NXDOMAIN");
	assert_string_equal(pk_dns_rcode_name(16), "BADVERS");
	assert_null(pk_dns_rcode_name(15));
	assert_string_equal(pk_dns_class_name(1), "IN");
	assert_null(pk_dns_class_name(2000));
	assert_string_equal(pk_dns_opcode_name(5), "UPDATE");
	assert_null(pk_dns_opcode_name(3));
	for (unsigned i = 0; i < PK_DNS_WHYS; i++)
		assert_non_null(pk_dns_why_name((uint8_t)i));
	assert_null(pk_dns_why_name(PK_DNS_WHYS));
}

/* Both ways, for each name; the tables are searched by halves, so they must be sorted. */
static void test_types_both_ways(void **state)
{
	unsigned named = 0;
	uint16_t type;

	(void)state;
	for (unsigned i = 0; i < 65536; i++) {
		const char *name = pk_dns_type_name((uint16_t)i);

		if (!name)
			continue;
		assert_int_equal(pk_dns_type_parse(name, &type), 0);
		assert_int_equal(type, i);
		named++;
	}
	assert_int_equal(named, 89);
	assert_int_equal(pk_dns_type_parse("aaaa", &type), 0);
	assert_int_equal(type, 28);
	assert_int_equal(pk_dns_type_parse("type65280", &type), 0);
	assert_int_equal(type, 65280);
	assert_int_equal(pk_dns_type_parse("16", &type), 0);
	assert_int_equal(type, 16);
	assert_int_equal(pk_dns_type_parse("", &type), -EINVAL);
	assert_int_equal(pk_dns_type_parse("TYPE", &type), -EINVAL);
	assert_int_equal(pk_dns_type_parse("TYPE-1", &type), -EINVAL);
	assert_int_equal(pk_dns_type_parse("65536", &type), -EINVAL);
	assert_int_equal(pk_dns_type_parse("bogus", &type), -EINVAL);
}

/* A message with one record of the root with this type and data, as text. */
static char *text(uint16_t type, const void *rdata, size_t n)
{
	static struct pk_dns d;
	static char out[1000];
	uint8_t msg[1000] = "\x12\x34\x81\x80\0\0\0\1\0\0\0\0\0";
	struct pk_buf b = { 0 };

	msg[13] = (uint8_t)(type >> 8);
	msg[14] = (uint8_t)type;
	msg[16] = 1;
	msg[21] = (uint8_t)(n >> 8);
	msg[22] = (uint8_t)n;
	memcpy(msg + 23, rdata, n);
	assert_int_equal(pk_dns_decode(&d, PK_DNS_UNICAST, msg, 23 + n), 0);
	pk_dns_rdata_text(&b, &d.rrs[0]);
	assert_int_equal(b.error, 0);
	assert_true(b.len < sizeof(out));
	memcpy(out, b.data, b.len + 1);
	pk_buf_done(&b);
	return out;
}

static void test_rdata(void **state)
{
	(void)state;
	assert_string_equal(text(PK_DNS_A, BYTES("\xc0\0\2\1")), "192.0.2.1");
	assert_string_equal(text(PK_DNS_AAAA, BYTES("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1")),
			    "2001:db8::1");
	assert_string_equal(text(PK_DNS_CNAME, BYTES("\1A\1b\0")), "a.b");
	assert_string_equal(text(PK_DNS_MX, BYTES("\0\x0a\1m\0")), "10 m");
	assert_string_equal(text(PK_DNS_SRV, BYTES("\0\1\0\2\0\x50\1s\0")), "1 2 80 s");
	assert_string_equal(
		text(PK_DNS_SOA, BYTES("\1n\0\1r\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5")),
		"n r 1 2 3 4 5");
	assert_string_equal(text(PK_DNS_TXT, BYTES("\3a\"b\0\4\x1b\\\n\xff")),
			    "\"a\\\"b\" \"\" \"\\027\\\\\\010\\255\"");
	assert_string_equal(text(PK_DNS_HTTPS, BYTES("\0\1\0\0\1\0\6\2h2\2h3\0\3\0\2\0\x50"
						     "\0\4\0\4\1\2\3\4\0\5\0\1x")),
			    "1 . alpn=\"h2\",\"h3\" port=80 ipv4hint=1.2.3.4 ech");
}

static void test_raw(void **state)
{
	char long_data[40] = { 0 };

	(void)state;
	assert_string_equal(text(43, BYTES("\x0a\0\0\1")), "\\# 4 0a000001");
	assert_string_equal(text(43, BYTES("")), "\\# 0");
	assert_string_equal(text(PK_DNS_A, BYTES("\x0a\0\1")), "\\# 3 0a0001");
	assert_int_equal(strlen(text(43, long_data, 40)), (int)strlen("\\# 40 ") + 64 + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_types_both_ways),
		cmocka_unit_test(test_rdata),
		cmocka_unit_test(test_raw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
