/* SPDX-License-Identifier: Apache-2.0 */
/* Set, moved, removed and full, against what it must be. */
#include "incident/index.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_all(void **state)
{
	struct pk_index x;

	(void)state;
	assert_int_equal(pk_index_init(&x, 100), 0);
	for (uint64_t k = 0; k < 100; k++)
		assert_int_equal(pk_index_set(&x, k << 32, (uint32_t)k), 0);
	assert_int_equal(pk_index_set(&x, 7, 1), -ENOSPC);
	assert_int_equal(pk_index_set(&x, 5ull << 32, 77), 0); /* moved */
	assert_int_equal(pk_index_find(&x, 5ull << 32), 77);
	for (uint64_t k = 0; k < 100; k += 2)
		pk_index_remove(&x, k << 32);
	pk_index_remove(&x, 12345); /* was never there */
	for (uint64_t k = 0; k < 100; k++)
		assert_int_equal(pk_index_find(&x, k << 32) == PK_INDEX_NONE, k % 2 == 0);
	for (uint64_t k = 0; k < 50; k++)
		assert_int_equal(pk_index_set(&x, k << 40 | 1, (uint32_t)k), 0);
	assert_int_equal(pk_index_set(&x, 9, 1), -ENOSPC);
	assert_int_equal(pk_index_find(&x, 3ull << 40 | 1), 3);
	pk_index_done(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
