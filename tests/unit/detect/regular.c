/* SPDX-License-Identifier: Apache-2.0 */
/* A clock scores 1, jitter less, people much less; odd input stays between 0 and 1. */
#include "detect/regular.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static double score(uint32_t every, uint32_t jitter, uint32_t size, uint32_t sizes)
{
	uint32_t at[PK_REGULAR_MAX], bytes[PK_REGULAR_MAX], now = 5;
	struct pk_regular s;

	srand(7);
	for (size_t i = 0; i < PK_REGULAR_MAX; i++) {
		now += every + (jitter ? (uint32_t)rand() % jitter : 0);
		at[i] = now;
		bytes[i] = size + (sizes ? (uint32_t)rand() % sizes : 0);
	}
	pk_regular_score(at, bytes, PK_REGULAR_MAX, &s);
	assert_true(s.all >= 0 && s.all <= 1);
	return s.all;
}

static void test_order(void **state)
{
	double clock = score(60000, 0, 100, 0), jittered = score(50000, 20000, 100, 0),
	       people = score(0, 600000, 0, 60000);

	(void)state;
	assert_true(clock > 0.99);
	assert_true(jittered > 0.9 && jittered < clock);
	assert_true(people < 0.8);
}

static void test_odd(void **state)
{
	uint32_t same[PK_REGULAR_MAX] = { 0 }, far[PK_REGULAR_MIN] = { ~0u, 0, ~0u, 0 };
	struct pk_regular s;

	(void)state;
	pk_regular_score(same, same, PK_REGULAR_MAX, &s);
	assert_true(s.all >= 0 && s.all <= 1);
	pk_regular_score(far, far, PK_REGULAR_MIN, &s);
	assert_true(isfinite(s.all) && s.all >= 0 && s.all <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
