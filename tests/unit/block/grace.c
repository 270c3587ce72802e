/* SPDX-License-Identifier: Apache-2.0 */
/* A moment is over after it began, in order, and an object goes while one is under way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "block/grace.h"

static void test_in_order(void **state)
{
	struct pk_grace *g = NULL;
	uint64_t last = 0;

	(void)state;
	assert_int_equal(pk_grace_new(&g), 0);
	for (unsigned i = 0; i < 5; i++) {
		uint64_t a = pk_grace_begin(g), b = pk_grace_begin(g);

		assert_true(a > last && b > a);
		for (unsigned ms = 0; !pk_grace_is_over(g, b); ms++) {
			assert_true(ms < 60000);
			usleep(1000);
		}
		assert_true(pk_grace_is_over(g, a));
		assert_false(pk_grace_is_over(g, b + 1)); /* has not begun */
		last = b;
	}
	(void)pk_grace_begin(g);
	pk_grace_free(g);
	pk_grace_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
	};

	return cmocka_run_group_tests_name("block/grace", tests, NULL, NULL);
}
