/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/netns.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_set_get_remove(void **state)
{
	struct pk_netns_table t;

	(void)state;
	pk_netns_init(&t);
	assert_null(pk_netns_get(&t, 1));
	for (uint64_t i = 100; i > 0; i--)
		assert_int_equal(pk_netns_set(&t, i * 7, i, "a"), 0);
	assert_int_equal(pk_netns_set(&t, 21, 3, "renamed"), 0);
	assert_int_equal(t.n, 100);
	assert_string_equal(pk_netns_get(&t, 21)->name, "renamed");
	assert_int_equal(pk_netns_get(&t, 700)->inum, 100);
	assert_null(pk_netns_get(&t, 22));
	pk_netns_remove(&t, 21);
	pk_netns_remove(&t, 22);
	assert_null(pk_netns_get(&t, 21));
	assert_int_equal(pk_netns_get(&t, 28)->inum, 4);
	assert_int_equal(t.n, 99);
	pk_netns_done(&t);
}

static void test_bounded(void **state)
{
	struct pk_netns_table t;
	char name[200];

	(void)state;
	pk_netns_init(&t);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (uint64_t i = 1; i <= PK_NETNS_MAX; i++)
		assert_int_equal(pk_netns_set(&t, i, 0, name), 0);
	assert_int_equal(pk_netns_set(&t, 0, 0, name), -ENOSPC);
	assert_int_equal(t.refused, 1);
	assert_int_equal(strlen(pk_netns_get(&t, 5)->name), PK_NETNS_NAME_LEN - 1);
	pk_netns_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_get_remove),
		cmocka_unit_test(test_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
