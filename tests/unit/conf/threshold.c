/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/threshold.h"

#include "base/buf.h"
#include "conf/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define A "0123456789abcdef"
#define B "fedcba9876543210"

static void items_are_read(void **state)
{
	static const char *const bad[] = { "",
					   "=2",
					   "drop",
					   "drop=",
					   "drop=0",
					   "drop=17",
					   "drop=-1",
					   "drop=2x",
					   "drop=1:",
					   "drop=2:" A,
					   "drop=2:" A "+",
					   "drop=2:" A "+" A,
					   "drop=2:" A "+" B "x",
					   "drop=1:0123456789ABCDEF" };
	struct pk_conf_threshold t;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pk_conf_threshold_parse(bad[i], &t), -EINVAL);
	assert_int_equal(pk_conf_threshold_parse("drop=2", &t), 0);
	assert_string_equal(t.list, "drop");
	assert_int_equal(t.need, 2);
	assert_int_equal(t.keys, 0);
	assert_int_equal(pk_conf_threshold_parse("*=2:" A "+" B, &t), 0);
	assert_int_equal(t.keys, 2);
	assert_string_equal(t.key[1], B);
}

static void the_list_itself_goes_before_the_rest(void **state)
{
	struct pk_conf *c = pk_conf_new();
	struct pk_conf_threshold t;
	struct pk_buf errors = { 0 };

	(void)state;
	pk_conf_threshold(c, "drop", &t);
	assert_int_equal(t.need, 1);
	assert_int_equal(pk_conf_set(c, "sign.lists", "drop=3,*=2", &errors), 0);
	pk_conf_threshold(c, "drop", &t);
	assert_int_equal(t.need, 3);
	pk_conf_threshold(c, "web", &t);
	assert_int_equal(t.need, 2);
	assert_true(pk_conf_set(c, "sign.lists", "drop=many", &errors) < 0);
	assert_non_null(strstr(errors.data, "NAME=2"));
	pk_buf_done(&errors);
	pk_conf_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_are_read),
		cmocka_unit_test(the_list_itself_goes_before_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
