/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_grows(void **state)
{
	struct pk_buf b = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++)
		pk_buf_fmt(&b, "%d,", i);
	assert_int_equal(b.error, 0);
	assert_int_equal(b.len, strlen(b.data));
	assert_int_equal(b.len, 10 * 2 + 90 * 3 + 900 * 4 + 9000 * 5);
	assert_string_equal(b.data + b.len - 10, "9998,9999,");
	pk_buf_reset(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	pk_buf_done(&b);
	assert_null(b.data);
}

static void test_limit_is_sticky(void **state)
{
	struct pk_buf b = { .max = 8 };

	(void)state;
	pk_buf_str(&b, "12345678");
	assert_int_equal(b.error, 0);
	pk_buf_char(&b, '9');
	assert_int_equal(b.error, -EFBIG);
	pk_buf_add(&b, "", 0);
	assert_string_equal(b.data, "12345678");
	pk_buf_reset(&b);
	pk_buf_fmt(&b, "%s", "123456789");
	assert_int_equal(b.error, -EFBIG);
	assert_string_equal(b.data, "");
	pk_buf_str(&b, "x");
	assert_int_equal(b.len, 0);
	pk_buf_done(&b);
	assert_int_equal(b.max, 8);
}

static void test_fmt_at_every_fill(void **state)
{
	(void)state;
	for (size_t fill = 0; fill < 600; fill++) {
		struct pk_buf b = { 0 };

		for (size_t i = 0; i < fill; i++)
			pk_buf_char(&b, 'a');
		pk_buf_fmt(&b, "%s-%d", "bcdefgh", 12345);
		assert_int_equal(b.len, fill + 13);
		assert_string_equal(b.data + fill, "bcdefgh-12345");
		pk_buf_done(&b);
	}
}

static void test_absurd_length(void **state)
{
	struct pk_buf b = { 0 };

	(void)state;
	pk_buf_add(&b, "x", SIZE_MAX - 4);
	assert_int_equal(b.error, -EFBIG);
	pk_buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_limit_is_sticky),
		cmocka_unit_test(test_fmt_at_every_fill),
		cmocka_unit_test(test_absurd_length),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
