/* SPDX-License-Identifier: Apache-2.0 */
/* Records are canonical JSON, byte for byte. */
#include "store/chain.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hex.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_strings(void **state)
{
	static const char *const pair[][2] = {
		{ "", "\"\"" },
		/* the example of RFC 8785, 3.2.2 */
		{ "\xe2\x82\xac$\x0f\nA'B\"\\\\\"/",
		  "\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"" },
		{ "\b\t\n\f\r\x01\x1f\x7f", "\"\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\"" },
		{ "\xff\xc0\xaf\xed\xa0\x80", "\"\\\\xff\\\\xc0\\\\xaf\\\\xed\\\\xa0\\\\x80\"" },
		{ "\xf0\x9f\x92\xa9\xf4\x90\x80\x80",
		  "\"\xf0\x9f\x92\xa9\\\\xf4\\\\x90\\\\x80\\\\x80\"" },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(pair); i++) {
		_cleanup_(pk_buf_done) struct pk_buf out = { 0 };

		pk_canon_str(&out, pair[i][0]);
		assert_string_equal(out.data, pair[i][1]);
	}
}

static void test_record(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf out = { 0 };
	struct pk_chain c = { .uid = "0123456789abcdef0123456789abcdef", .seq = 6 };
	struct pk_chain_entry e = { .time_ms = 1700000000123,
				    .boot_ms = 5,
				    .actor = "uid 0",
				    .act = "update",
				    .type = "act",
				    .uid = "x\"y" };
	uint8_t hash[PK_HASH_SIZE];
	char hex[2 * PK_HASH_SIZE + 1];

	(void)state;
	pk_hash("abc", 3, hash); /* FIPS 180-2, B.1 */
	pk_hex(hash, PK_HASH_SIZE, hex);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	memcpy(e.object, hash, sizeof(hash));
	pk_chain_write(&c, &e, &out);
	assert_string_equal(
		out.data,
		"{\"act\":\"update\",\"actor\":\"uid 0\",\"boot_time\":5,"
		"\"chain_uid\":\"0123456789abcdef0123456789abcdef\","
		"\"fingerprint\":{\"algorithm_id\":3,\"value\":"
		"\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"},"
		"\"prev_event\":"
		"\"0000000000000000000000000000000000000000000000000000000000000000\","
		"\"sequence\":7,\"time\":1700000000123,\"type\":\"act\",\"uid\":\"x\\\"y\"}");
	pk_chain_advance(&c, hash);
	assert_int_equal(c.seq, 7);
	assert_memory_equal(c.head, hash, sizeof(hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
