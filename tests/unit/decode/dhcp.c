/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/dhcp.h"

#include "exact.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct pk_dhcp d;
static char *input;

static int decode(uint8_t version, const void *data, size_t len)
{
	free(input);
	input = exact(data, len);
	return pk_dhcp_decode(&d, version, input, len);
}

#define assert_slice(a, s) assert_true(pk_slice_is(a, s))

/* A version 4 message with these options; returns its length. */
static size_t v4(uint8_t *out, uint8_t op, const void *options, size_t n)
{
	static const uint8_t head[] = { 0, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef };

	memset(out, 0, 240);
	memcpy(out, head, sizeof(head));
	out[0] = op;
	memcpy(out + 28, "\2\0\0\0\0\1", 6);
	memcpy(out + 236, "\x63\x82\x53\x63", 4);
	memcpy(out + 240, options, n);
	return 240 + n;
}

static void test_discover(void **state)
{
	uint8_t msg[1000];
	size_t n = v4(msg, 1,
		      BYTES("\x35\1\1\x0c\4host\x3c\x08MSFT 5.0\x32\4\x0a\0\0\5\x37\4\1\3\6\x0f"
			    "\x3d\7\1\2\0\0\0\0\1\0\0\xff"));

	(void)state;
	assert_int_equal(decode(4, msg, n), 0);
	assert_int_equal(d.why, PK_DHCP_OK);
	assert_int_equal(d.type, 1);
	assert_string_equal(pk_dhcp_type_name(4, d.type), "DISCOVER");
	assert_int_equal(d.xid, 0xdeadbeef);
	assert_false(d.reply || d.relayed);
	assert_int_equal(d.mac_len, 6);
	assert_memory_equal(d.mac, "\2\0\0\0\0\1", 6);
	assert_slice(d.hostname, "host");
	assert_slice(d.vendor, "MSFT 5.0");
	assert_int_equal(d.params.len, 4);
	assert_int_equal(d.client_id.len, 7);
	assert_int_equal(d.requested[15], 5);
	assert_int_equal(d.offered[10], 0);
	/* Cut anywhere: what was there is there. */
	for (size_t i = 0; i < n; i++) {
		int r = decode(4, msg, i);

		assert_int_equal(r, i < 236 ? -ENODATA : 0);
		if (r == 0 && i >= 240)
			assert_true(d.why == PK_DHCP_SHORT || d.why == PK_DHCP_NO_END);
		assert_int_equal(pk_dhcp_is(msg, i), i >= 240);
	}
}

static void test_offer(void **state)
{
	uint8_t msg[1000];
	size_t n = v4(msg, 2,
		      BYTES("\x35\1\2\x36\4\x0a\0\0\1\3\4\x0a\0\0\2\6\x18"
			    "\1\1\1\1\2\2\2\2\3\3\3\3\4\4\4\4\5\5\5\5\6\6\6\6"
			    "\x33\4\0\0\x0e\x10\x0f\x09local.net\xff"));

	(void)state;
	memcpy(msg + 16, "\x0a\0\0\x63", 4);
	memcpy(msg + 24, "\x0a\0\0\xfe", 4);
	assert_int_equal(decode(4, msg, n), 0);
	assert_true(d.reply && d.relayed);
	assert_int_equal(d.why, PK_DHCP_OK);
	assert_int_equal(d.offered[15], 0x63);
	assert_int_equal(d.relay[15], 0xfe);
	assert_int_equal(d.server[15], 1);
	assert_int_equal(d.n_routers, 1);
	assert_int_equal(d.n_dns, PK_DHCP_LIST_MAX);
	assert_int_equal(d.dns[3][12], 4);
	assert_int_equal(d.lease, 3600);
	assert_slice(d.domain, "local.net");
}

static void test_names(void **state)
{
	uint8_t msg[1000];
	size_t n;

	(void)state;
	n = v4(msg, 1, BYTES("\x35\1\3\x51\x0a\0\0\0pc.home\xff"));
	assert_int_equal(decode(4, msg, n), 0);
	assert_slice(d.hostname, "pc");
	n = v4(msg, 1, BYTES("\x35\1\3\x51\x0b\4\0\0\2pc\4home\xff"));
	assert_int_equal(decode(4, msg, n), 0);
	assert_slice(d.hostname, "pc");
	n = v4(msg, 1, BYTES("\x35\1\3\x0c\4a\x1b\n\0\x51\x0a\0\0\0pc.home\xff"));
	assert_int_equal(decode(4, msg, n), 0);
	assert_slice(d.hostname, "a\x1b\n");
	assert_string_equal(pk_dhcp_type_name(4, 13), "LEASEACTIVE");
	assert_null(pk_dhcp_type_name(4, 14));
	assert_string_equal(pk_dhcp_type_name(6, 7), "REPLY");
	assert_null(pk_dhcp_type_name(6, 0));
	assert_null(pk_dhcp_type_name(6, 14));
	for (unsigned i = 0; i < PK_DHCP_WHYS; i++)
		assert_non_null(pk_dhcp_why_name((uint8_t)i));
	assert_null(pk_dhcp_why_name(PK_DHCP_WHYS));
}

static void test_overload(void **state)
{
	uint8_t msg[1000];
	size_t n = v4(msg, 1, BYTES("\x35\1\3\x34\1\3\xff"));

	(void)state;
	memcpy(msg + 108, "\x0c\4file\xff", 7);
	memcpy(msg + 44, "\x3c\5sname\xff", 8);
	assert_int_equal(decode(4, msg, n), 0);
	assert_slice(d.hostname, "file");
	assert_slice(d.vendor, "sname");
	/* Options in file that say "there are more in file" lead nowhere. */
	memcpy(msg + 108, "\x34\1\1\xff", 4);
	assert_int_equal(decode(4, msg, n), 0);
}

static void test_bad(void **state)
{
	static const struct {
		const char *options;
		size_t len;
		uint8_t why;
	} rows[] = {
		{ BYTES(""), PK_DHCP_NO_END },
		{ BYTES("\0\0\0"), PK_DHCP_NO_END },
		{ BYTES("\x35"), PK_DHCP_SHORT },
		{ BYTES("\x35\1"), PK_DHCP_SHORT },
		{ BYTES("\x0c\xffhost"), PK_DHCP_SHORT },
		{ BYTES("\x35\2\1\1\xff"), PK_DHCP_BAD_OPTION },
		{ BYTES("\x32\3\1\1\1\xff"), PK_DHCP_BAD_OPTION },
		{ BYTES("\6\5\1\1\1\1\1\xff"), PK_DHCP_BAD_OPTION },
		{ BYTES("\x33\1\1\xff"), PK_DHCP_BAD_OPTION },
		{ BYTES("\x51\2\0\0\xff"), PK_DHCP_BAD_OPTION },
		{ BYTES("\x0c\0\xff"), PK_DHCP_BAD_OPTION },
	};
	uint8_t msg[1000];
	size_t n;

	(void)state;
	for (unsigned i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		n = v4(msg, 1, rows[i].options, rows[i].len);
		assert_int_equal(decode(4, msg, n), 0);
		assert_int_equal(d.why, rows[i].why);
	}
	n = v4(msg, 3, BYTES("\xff"));
	assert_int_equal(decode(4, msg, n), -EBADMSG);
	assert_false(pk_dhcp_is(msg, n));
	n = v4(msg, 1, BYTES("\xff"));
	msg[2] = 17; /* hardware address beyond its field */
	assert_int_equal(decode(4, msg, n), -EBADMSG);
	n = v4(msg, 1, BYTES("\xff"));
	msg[236] = 0;
	assert_int_equal(decode(4, msg, n), 0);
	assert_int_equal(d.type, 0);
	assert_string_equal(pk_dhcp_type_name(4, 0), "BOOTP");
}

#define DUID    "\0\1\0\x0e\0\1\0\1\1\2\3\4\2\0\0\0\0\1"
#define ADDR    "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7"
#define IA      "\0\3\0\x28\0\0\0\1\0\0\0\0\0\0\0\0\0\5\0\x18" ADDR "\0\0\0\x3c\0\0\0\x78"
#define FQDN_V6 "\0\x27\0\5\0\2pc\0"
#define SOLICIT                                                                                    \
	"\1\xab\xcd\xef" DUID FQDN_V6 "\0\6\0\4\0\x17\0\x18"                                       \
	"\0\x10\0\x0a\0\0\1\x37\0\4MSFT"

static void test_v6(void **state)
{
	static const char solicit[] = SOLICIT;

	(void)state;
	assert_int_equal(decode(6, BYTES(solicit)), 0);
	assert_int_equal(d.why, PK_DHCP_OK);
	assert_string_equal(pk_dhcp_type_name(6, d.type), "SOLICIT");
	assert_int_equal(d.xid, 0xabcdef);
	assert_int_equal(d.mac_len, 6);
	assert_int_equal(d.mac[5], 1);
	assert_slice(d.hostname, "pc");
	assert_slice(d.vendor, "MSFT");
	assert_int_equal(d.params.len, 4);
	for (size_t n = 0; n < sizeof(solicit) - 1; n++)
		assert_int_equal(decode(6, solicit, n), n < 4 ? -ENODATA : 0);
	assert_int_equal(decode(6, BYTES("\7\0\0\1" IA "\0\x17\0\x10" ADDR)), 0);
	assert_true(d.reply);
	assert_memory_equal(d.offered, ADDR, 16);
	assert_int_equal(d.lease, 120);
	assert_int_equal(d.n_dns, 1);
	assert_int_equal(decode(6, BYTES("\3\0\0\1" IA)), 0);
	assert_memory_equal(d.requested, ADDR, 16);
	assert_int_equal(decode(6, BYTES("\x63\0\0\1")), -EBADMSG);
	assert_int_equal(decode(6, BYTES("\1\0\0\1\0\x17\0\5abcde")), 0);
	assert_int_equal(d.why, PK_DHCP_BAD_OPTION);
}

static void test_v6_relayed(void **state)
{
	uint8_t msg[2000], inner[2000];
	size_t n = sizeof(SOLICIT) - 1;

	(void)state;
	memcpy(msg, SOLICIT, n);
	for (unsigned i = 0; i < 12; i++) {
		memcpy(inner, msg, n);
		memset(msg, 0, 38);
		msg[0] = 12;
		msg[35] = 9;
		msg[36] = (uint8_t)(n >> 8);
		msg[37] = (uint8_t)n;
		memcpy(msg + 38, inner, n);
		n += 38;
		/* As deep as relays go, and no deeper. */
		assert_int_equal(decode(6, msg, n), 0);
		assert_true(d.relayed);
		assert_int_equal(d.type, i < 8 ? 1 : 12);
	}
	assert_int_equal(decode(6, msg, 40), 0);
	assert_int_equal(d.why, PK_DHCP_SHORT);
}

static int done(void **state)
{
	(void)state;
	free(input);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_discover),   cmocka_unit_test(test_offer),
		cmocka_unit_test(test_names),      cmocka_unit_test(test_overload),
		cmocka_unit_test(test_bad),        cmocka_unit_test(test_v6),
		cmocka_unit_test(test_v6_relayed),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
