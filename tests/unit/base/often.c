/* SPDX-License-Identifier: Apache-2.0 */
/* Never too small, hardly too large, ends at 255, fades by half. */
#include "base/often.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void often_freep(struct pk_often **o)
{
	pk_often_free(*o);
}

static void test_counts(void **state)
{
	_cleanup_(often_freep) struct pk_often *o = pk_often_new();
	unsigned wrong = 0;

	(void)state;
	for (uint64_t n = 1; n <= 100; n++)
		assert_int_equal(pk_often_add(o, pk_hash_mix(7)), n);
	for (uint64_t i = 1000; i < 101000; i++)
		(void)pk_often_add(o, pk_hash_mix(i));
	assert_in_range(pk_often_get(o, pk_hash_mix(7)), 100, 103);
	for (uint64_t i = 1000; i < 101000; i++) {
		assert_true(pk_often_get(o, pk_hash_mix(i)) >= 1);
		wrong += pk_often_get(o, pk_hash_mix(i)) > 1;
	}
	assert_in_range(wrong, 0, 2000); /* a fiftieth of them shares all its counters */
	assert_in_range(pk_often_get(o, pk_hash_mix(5)), 0, 1);
}

static void test_bounds(void **state)
{
	_cleanup_(often_freep) struct pk_often *o = pk_often_new();

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		(void)pk_often_add(o, 99);
	assert_int_equal(pk_often_get(o, 99), 255);
	pk_often_halve(o);
	assert_int_equal(pk_often_get(o, 99), 127);
	for (unsigned i = 0; i < 7; i++)
		pk_often_halve(o);
	assert_int_equal(pk_often_get(o, 99), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_counts),
					    cmocka_unit_test(test_bounds) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
