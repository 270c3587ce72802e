/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/icmp.h"

#include "exact.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct pk_icmp m;

static int decode(uint8_t version, const void *data, size_t len, size_t wire)
{
	_cleanup_free_ void *copy = exact(data, len);

	return pk_icmp_decode(&m, version, copy, len, wire);
}

/* An echo request with this payload. */
static void echo(const void *payload, size_t n)
{
	uint8_t msg[1600] = { 8, 0, 0x12, 0x34, 0xab, 0xcd, 0, 7 };

	memcpy(msg + 8, payload, n);
	assert_int_equal(decode(4, msg, 8 + n, 8 + n), 0);
	assert_true(m.echo && m.request);
	assert_int_equal(m.id, 0xabcd);
	assert_int_equal(m.seq, 7);
	assert_int_equal(m.size, n);
	assert_int_equal(m.looked, n);
}

static void test_patterns(void **state)
{
	uint8_t p[1000];

	(void)state;
	for (unsigned i = 0; i < 56; i++)
		p[i] = (uint8_t)i;
	memcpy(p, "\x70\x61\x92\x68\0\0\0\0\x1b\x0a\x0c\0\0\0\0\0", 16);
	echo(p, 56);
	assert_int_equal(m.fill, PK_ICMP_COUNTING);
	for (unsigned i = 0; i < 1000; i++)
		p[i] = (uint8_t)i;
	echo(p, 1000); /* wraps at 256 */
	assert_int_equal(m.fill, PK_ICMP_COUNTING);
	echo("abcdefghijklmnopqrstuvwabcdefghi", 32);
	assert_int_equal(m.fill, PK_ICMP_LETTERS);
	echo("abcdefghijklmnopqrstuvwabcdefghI", 32);
	assert_int_equal(m.fill, PK_ICMP_OTHER);
	memset(p, 0xa5, 64);
	echo(p, 64);
	assert_int_equal(m.fill, PK_ICMP_CONSTANT);
	assert_int_equal(m.entropy, 0);
	memcpy(p, "0123456789abcdef", 16);
	echo(p, 64);
	assert_int_equal(m.fill, PK_ICMP_CONSTANT);
	echo("", 0);
	assert_int_equal(m.fill, PK_ICMP_EMPTY);
	echo("GET /x HTTP/1.1\r\nHost: a\r\n\r\n", 28);
	assert_int_equal(m.fill, PK_ICMP_OTHER);
}

static void test_entropy(void **state)
{
	uint8_t all[512];

	(void)state;
	for (unsigned i = 0; i < 512; i++)
		all[i] = (uint8_t)i;
	assert_int_equal(pk_icmp_entropy(all, 512), 800);
	assert_int_equal(pk_icmp_entropy(all, 16), 400);
	assert_int_equal(pk_icmp_entropy("abababab", 8), 100);
	assert_int_equal(pk_icmp_entropy("aaab", 4), 81);
	assert_int_equal(pk_icmp_entropy("a", 1), 0);
	assert_int_equal(pk_icmp_entropy(NULL, 0), 0);
}

static void test_types(void **state)
{
	static const struct {
		uint8_t version, type;
		bool echo, request;
	} rows[] = {
		{ 4, 8, true, true },     { 4, 0, true, false },  { 6, 128, true, true },
		{ 6, 129, true, false },  { 4, 3, false, false }, { 6, 8, false, false },
		{ 4, 128, false, false },
	};

	(void)state;
	for (unsigned i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		uint8_t msg[10] = { rows[i].type, 1, 0, 0, 0, 1, 0, 2, 'x', 'y' };

		assert_int_equal(decode(rows[i].version, msg, 10, 10), 0);
		assert_int_equal(m.type, rows[i].type);
		assert_int_equal(m.code, 1);
		assert_int_equal(m.echo, rows[i].echo);
		assert_int_equal(m.request, rows[i].request);
		assert_int_equal(m.id, rows[i].echo);
	}
}

static void test_cut(void **state)
{
	static const uint8_t msg[20] = { 8 };

	(void)state;
	for (size_t n = 0; n < 8; n++)
		assert_int_equal(decode(4, msg, n, 1000), -ENODATA);
	/* Nothing of the payload came along: that it is empty can't be said. */
	assert_int_equal(decode(4, msg, 8, 1008), 0);
	assert_int_equal(m.size, 1000);
	assert_int_equal(m.looked, 0);
	assert_int_equal(m.fill, PK_ICMP_OTHER);
	assert_int_equal(decode(4, msg, 20, 1008), 0);
	assert_int_equal(m.looked, 12);
	assert_int_equal(m.size, 1000);
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PK_ICMP_FILLS; i++)
		assert_non_null(pk_icmp_fill_name((uint8_t)i));
	assert_null(pk_icmp_fill_name(PK_ICMP_FILLS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns), cmocka_unit_test(test_entropy),
		cmocka_unit_test(test_types),    cmocka_unit_test(test_cut),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
