/* SPDX-License-Identifier: Apache-2.0 */
/* Windows move on, records out of order do no harm, telling is seldom, old rows begin anew. */
#include "detect/spread.h"

#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SEC 1000000000ull

static void test_windows(void **state)
{
	struct pk_conf *c = pk_conf_new();
	struct pk_memo_key who = { .port = 1 };
	struct pk_spread_row *r = NULL;
	struct pk_memory m = { 0 };
	void *s;

	(void)state;
	assert_int_equal(pk_spread_begin(c, 10 * SEC, 1000 * SEC, &s), 0);
	for (uint64_t i = 0; i < 200; i++)
		r = pk_spread_add(s, &who, &i, sizeof(i), SEC + i * SEC);
	assert_non_null(r);
	assert_in_range(pk_spread_count(r, PK_SPREAD_SHORT), 8, 22);
	assert_in_range(pk_spread_count(r, PK_SPREAD_LONG), 180, 220);
	assert_int_equal(r->events, 200);
	assert_int_equal(r->first_ns, SEC);
	r = pk_spread_add(s, &who, &who, 8, 50 * SEC); /* late: counted as now */
	assert_int_equal(r->last_ns, 200 * SEC);
	r = pk_spread_add(s, &who, &who, 8, 5000 * SEC); /* nothing for two long windows */
	assert_int_equal(r->events, 1);
	assert_int_equal(pk_spread_count(r, PK_SPREAD_LONG), 1);
	assert_ptr_equal(pk_spread_find(s, &who), r);
	pk_spread_memory(s, &m);
	assert_in_range(m.bytes, 1, pk_spread_bytes_max(c));
	pk_spread_done(s);
	pk_conf_free(c);
}

static void test_tell(void **state)
{
	struct pk_spread_row r = { 0 };

	(void)state;
	assert_true(pk_spread_tell(&r, 15, SEC));
	assert_false(pk_spread_tell(&r, 16, 2 * SEC));
	assert_true(pk_spread_tell(&r, 30, 3 * SEC));
	assert_false(pk_spread_tell(&r, 31, 62 * SEC));
	assert_true(pk_spread_tell(&r, 31, 63 * SEC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
