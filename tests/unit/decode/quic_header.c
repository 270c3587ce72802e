/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/quic.h"

#include "base/cleanup.h"
#include "hello.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_varint(void **state)
{
	/* RFC 9000, A.1 */
	static const struct {
		const char *bytes;
		size_t len;
		uint64_t want;
	} rows[] = {
		{ "\xc2\x19\x7c\x5e\xff\x14\xe8\x8c", 8, 151288809941952652 },
		{ "\x9d\x7f\x3e\x7d", 4, 494878333 },
		{ "\x7b\xbd", 2, 15293 },
		{ "\x25", 1, 37 },
		{ "\x40\x25", 2, 37 },
	};
	struct pk_cursor c;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		c = pk_cursor_of(rows[i].bytes, rows[i].len);
		assert_int_equal(pk_quic_varint(&c), rows[i].want);
		assert_int_equal(c.at, rows[i].len);
		assert_false(c.short_);
		c = pk_cursor_of(rows[i].bytes, rows[i].len - 1);
		assert_int_equal(pk_quic_varint(&c), 0);
		assert_true(c.short_);
	}
}

/* A packet with a token of 3 bytes where it is an Initial, a length of 20, 20 bytes and 2 more. */
static void put_packet(struct bytes *b, uint8_t first, uint32_t version, bool token)
{
	b->len = 0;
	put8(b, first);
	put16(b, version >> 16);
	put16(b, version & 0xffff);
	put_raw(b, "\4dcid\4scid", 10);
	if (token)
		put_raw(b, "\3tok", 4);
	put8(b, 20);
	put_zeros(b, 22);
}

static void test_types(void **state)
{
	static const struct {
		uint8_t first;
		uint32_t version;
		enum pk_quic_type type;
	} rows[] = {
		{ 0xc0, PK_QUIC_V1, PK_QUIC_INITIAL },   { 0xd0, PK_QUIC_V1, PK_QUIC_0RTT },
		{ 0xe0, PK_QUIC_V1, PK_QUIC_HANDSHAKE }, { 0xf0, PK_QUIC_V1, PK_QUIC_RETRY },
		{ 0xd0, PK_QUIC_V2, PK_QUIC_INITIAL },   { 0xe0, PK_QUIC_V2, PK_QUIC_0RTT },
		{ 0xf0, PK_QUIC_V2, PK_QUIC_HANDSHAKE }, { 0xc0, PK_QUIC_V2, PK_QUIC_RETRY },
		{ 0x80, 0, PK_QUIC_NEGOTIATION },        { 0xc0, 0xff00001d, PK_QUIC_OTHER },
	};
	struct bytes b = { .len = 0 };
	struct pk_quic_header h;
	bool initial;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		initial = rows[i].type == PK_QUIC_INITIAL;
		put_packet(&b, rows[i].first, rows[i].version, initial);
		assert_int_equal(pk_quic_header_parse(b.data, b.len, &h), 0);
		assert_int_equal(h.type, rows[i].type);
		assert_int_equal(h.version, rows[i].version);
		assert_true(pk_slice_is(h.dcid, "dcid") && pk_slice_is(h.scid, "scid"));
		assert_true(pk_slice_is(h.token, initial ? "tok" : ""));
		if (h.number_off) {
			assert_int_equal(h.number_off, b.len - 22);
			assert_int_equal(h.len, b.len - 2);
		} else {
			assert_int_equal(h.len, b.len);
		}
	}
}

static void test_truncations(void **state)
{
	struct bytes b = { .len = 0 };
	struct pk_quic_header h;
	_cleanup_free_ uint8_t *exact = NULL;

	(void)state;
	put_packet(&b, 0xc0, PK_QUIC_V1, true);
	for (size_t len = 0; len < b.len; len++) {
		exact = realloc(exact, len + 1);
		assert_non_null(exact);
		memcpy(exact + 1, b.data, len);
		assert_int_equal(pk_quic_header_parse(exact + 1, len, &h), !len ? -ENOMSG
									   : len < b.len - 2
										   ? -ENODATA
										   : 0);
	}
}

static void test_wrong(void **state)
{
	struct bytes b = { .len = 0 };
	struct pk_quic_header h;

	(void)state;
	put_packet(&b, 0x40, PK_QUIC_V1, true);
	assert_int_equal(pk_quic_header_parse(b.data, b.len, &h), -ENOMSG);
	put_packet(&b, 0x80, PK_QUIC_V1, true); /* without the fixed bit */
	assert_int_equal(pk_quic_header_parse(b.data, b.len, &h), -EBADMSG);
	put_packet(&b, 0xc0, PK_QUIC_V1, true);
	b.data[19] = 19; /* too short for a sample */
	assert_int_equal(pk_quic_header_parse(b.data, b.len, &h), -EBADMSG);
	b.data[19] = 0xff;
	assert_int_equal(pk_quic_header_parse(b.data, b.len, &h), -ENODATA);
	put_packet(&b, 0xc0, PK_QUIC_V1, true);
	b.data[15] = 0xff; /* the token's length */
	assert_int_equal(pk_quic_header_parse(b.data, b.len, &h), -ENODATA);
}

/* Connection IDs have up to 20 bytes in versions 1 and 2, up to 255 in others. */
static void test_long_ids(void **state)
{
	struct bytes b = { .len = 0 };
	struct pk_quic_header h;

	(void)state;
	for (unsigned int n = 20; n <= 255; n += 235)
		for (int v = 0; v < 2; v++) {
			b.len = 0;
			put8(&b, 0xe0);
			put16(&b, v ? 0x1a2a : 0);
			put16(&b, v ? 0x3a4a : 1);
			put8(&b, (uint8_t)n);
			put_zeros(&b, n);
			put8(&b, 0);
			put8(&b, 20);
			put_zeros(&b, 20);
			assert_int_equal(pk_quic_header_parse(b.data, b.len, &h),
					 n > 20 && !v ? -EBADMSG : 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_varint),      cmocka_unit_test(test_types),
		cmocka_unit_test(test_truncations), cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_long_ids),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
