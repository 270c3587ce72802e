/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/quic_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CAP 256

static uint8_t data[CAP], source[CAP];
static uint64_t have[CAP / 64];
static const struct pk_quic_stream stream = { data, have, CAP };

static int setup(void **state)
{
	(void)state;
	memset(data, 0, sizeof(data));
	memset(have, 0, sizeof(have));
	for (int i = 0; i < CAP; i++)
		source[i] = (uint8_t)(i * 7 + 1);
	return 0;
}

static bool put(uint32_t at, uint32_t n)
{
	return pk_quic_stream_put(&stream, at, source + at, n);
}

static void test_in_order(void **state)
{
	(void)state;
	for (uint32_t at = 0; at < CAP; at += 32) {
		assert_int_equal(pk_quic_stream_prefix(&stream, at), at);
		assert_true(put(at, 32));
	}
	assert_int_equal(pk_quic_stream_prefix(&stream, 0), CAP);
	assert_memory_equal(data, source, CAP);
}

/* Every second byte first, and from the end: as a sender would who wants to be missed. */
static void test_byte_by_byte(void **state)
{
	(void)state;
	for (uint32_t at = 1; at < CAP; at += 2)
		assert_true(put(at, 1));
	assert_int_equal(pk_quic_stream_prefix(&stream, 0), 0);
	for (uint32_t at = CAP - 2; at; at -= 2)
		assert_true(put(at, 1));
	assert_int_equal(pk_quic_stream_prefix(&stream, 0), 0);
	assert_true(put(0, 1));
	assert_int_equal(pk_quic_stream_prefix(&stream, 0), CAP);
	assert_memory_equal(data, source, CAP);
}

/* Each pair of pieces, beside a plain model. */
static void test_pairs(void **state)
{
	static const uint32_t edges[] = { 0, 1, 31, 63, 64, 65, 127, 128, 130, 192, 255, 256 };
	const size_t n = sizeof(edges) / sizeof(*edges);
	uint32_t prefix;

	(void)state;
	for (size_t a = 0; a < n; a++)
		for (size_t b = a; b < n; b++)
			for (size_t c = 0; c < n; c++)
				for (size_t d = c; d < n; d++) {
					bool model[CAP + 1] = { false };

					setup(NULL);
					assert_true(put(edges[a], edges[b] - edges[a]));
					assert_true(put(edges[c], edges[d] - edges[c]));
					for (uint32_t i = 0; i < CAP; i++) {
						model[i] = (i >= edges[a] && i < edges[b]) ||
							   (i >= edges[c] && i < edges[d]);
						assert_int_equal(data[i], model[i] ? source[i] : 0);
						assert_int_equal(have[i / 64] >> i % 64 & 1,
								 model[i]);
					}
					for (prefix = 0; model[prefix]; prefix++)
						;
					assert_int_equal(pk_quic_stream_prefix(&stream, 0), prefix);
				}
}

static void test_the_first_stays(void **state)
{
	(void)state;
	assert_true(put(10, 10));
	assert_true(put(5, 20)); /* the same again */
	assert_false(pk_quic_stream_put(&stream, 19, (const uint8_t *)"xyz", 3));
	assert_memory_equal(data + 5, source + 5, 20);
	assert_int_equal(data[25], 0);
	assert_false(pk_quic_stream_put(&stream, 24, (const uint8_t *)"xyz", 3));
	assert_int_equal(data[24], source[24]);
	assert_memory_equal(data + 25, "yz", 2); /* what is new in it is kept */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_in_order, setup),
		cmocka_unit_test_setup(test_byte_by_byte, setup),
		cmocka_unit_test_setup(test_pairs, setup),
		cmocka_unit_test_setup(test_the_first_stays, setup),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
