/* SPDX-License-Identifier: Apache-2.0 */
/* Counts are close to the truth, do not grow with repeats, and end at a bound. */
#include "detect/count.h"

#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint64_t hash(uint64_t i)
{
	return pk_hash_mix(i * 0x9e3779b97f4a7c15ull + 1);
}

static void test_close(void **state)
{
	static const unsigned sizes[] = { 1, 5, 15, 40, 100, 500, 1500 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct pk_count c = { 0 };
		unsigned n = sizes[i];

		for (unsigned j = 0; j < n; j++)
			for (int twice = 0; twice < 2; twice++)
				pk_count_add(&c, hash(j));
		assert_in_range(pk_count_get(&c, &c), n - n / 8 - (n > 5), n + n / 8 + 1);
	}
}

static void test_union(void **state)
{
	struct pk_count a = { 0 }, b = { 0 };

	(void)state;
	assert_int_equal(pk_count_get(&a, &b), 0);
	for (unsigned j = 0; j < 20; j++) {
		pk_count_add(&a, hash(j));
		pk_count_add(&b, hash(j + 10));
	}
	assert_in_range(pk_count_get(&a, &b), 28, 32);
}

static void test_has(void **state)
{
	struct pk_count c = { 0 };
	unsigned wrong = 0;

	(void)state;
	for (unsigned j = 0; j < 100; j++) {
		assert_false(pk_count_has(&c, hash(0)) && j == 0);
		pk_count_add(&c, hash(j));
		assert_true(pk_count_has(&c, hash(j)));
	}
	for (unsigned j = 1000; j < 2000; j++)
		wrong += pk_count_has(&c, hash(j));
	assert_in_range(wrong, 100, 260); /* 91 of 512 bits are set */
}

static void test_bound(void **state)
{
	struct pk_count c = { 0 };

	(void)state;
	for (unsigned j = 0; j < 1000000; j++)
		pk_count_add(&c, hash(j));
	assert_in_range(pk_count_get(&c, &c), 3000, 3300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_union),
		cmocka_unit_test(test_has),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
