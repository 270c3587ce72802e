/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void test_wall_of_now_is_now(void **state)
{
	int64_t wall = pk_clock_wall_ms(pk_clock_boot_ns());

	(void)state;
	assert_true(llabs(wall - (int64_t)time(NULL) * 1000) < 3000);
}

static void test_boot_goes_on(void **state)
{
	uint64_t a = pk_clock_boot_ns(), b = pk_clock_boot_ns();

	(void)state;
	assert_true(a > 0 && b >= a);
}

static void test_fixed_offset(void **state)
{
	(void)state;
	pk_clock_fix_offset(1700000000000000000LL);
	assert_int_equal(pk_clock_wall_ms(5000000), 1700000000005LL);
	assert_int_equal(pk_clock_offset_ns(), 1700000000000000000LL);
	assert_int_equal(pk_clock_boot_of(1700000000250), 250000000);
	assert_int_equal(pk_clock_boot_of(1699999999000), -1000000000);
	assert_true(pk_clock_boot_of(INT64_MAX) > 0);
	pk_clock_fix_offset(0);
	assert_true(pk_clock_wall_ms(pk_clock_boot_ns()) > 1700000000005LL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wall_of_now_is_now),
		cmocka_unit_test(test_boot_goes_on),
		cmocka_unit_test(test_fixed_offset),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
