/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void both_ways(void **state)
{
	const uint8_t bytes[] = { 0x00, 0x9a, 0xff, 0x10 };
	uint8_t back[4] = { 1, 2, 3, 4 };
	char hex[9];

	(void)state;
	pk_hex(bytes, 4, hex);
	assert_string_equal(hex, "009aff10");
	assert_int_equal(pk_hex_parse(hex, back, 4), 0);
	assert_memory_equal(back, bytes, 4);
}

static void what_is_no_hex_changes_nothing(void **state)
{
	static const char *const bad[] = { NULL,       "",         "009aff1",  "009aff100",
					   "009AFF10", "009aff1g", "009a 110", "0x9aff10" };
	uint8_t back[4] = { 1, 2, 3, 4 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pk_hex_parse(bad[i], back, 4), -EINVAL);
	assert_memory_equal(back, ((uint8_t[]){ 1, 2, 3, 4 }), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(what_is_no_hex_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
