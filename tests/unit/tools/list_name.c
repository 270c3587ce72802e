/* SPDX-License-Identifier: Apache-2.0 */
/* A list is named as its file, without endings and without what a name can't have. */
#include "../../../tools/list_name.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void names_of_files(void **state)
{
	static const struct {
		const char *path, *want;
	} cases[] = { { "drop.txt", "drop" },
		      { "/a/b/firehol_level1.netset", "firehol_level1" },
		      { "feeds.csv.gz", "feeds" },
		      { "My List (2).json", "My-List--2-" },
		      { "..hidden.txt", "hidden" },
		      { "noending", "noending" },
		      { "v1.2", "v1.2" },
		      { "/dir/", NULL },
		      { "...", NULL },
		      { "\xff\x1b[2J", "---2J" } };
	char got[PK_LIST_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		int r = pk_list_name_of_file(cases[i].path, got);

		assert_int_equal(r, cases[i].want ? 0 : -EINVAL);
		if (!cases[i].want)
			continue;
		assert_string_equal(got, cases[i].want);
		assert_true(pk_list_name_is_right(got));
	}
}

static void long_names_are_cut(void **state)
{
	char path[200], got[PK_LIST_NAME_MAX + 1];

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(pk_list_name_of_file(path, got), 0);
	assert_int_equal(strlen(got), PK_LIST_NAME_MAX);
	assert_false(pk_list_name_is_right(path));
}

static void what_is_no_name(void **state)
{
	static const char *const bad[] = { "", ".x", "a b", "a/b", "../x", "ü", "a?b" };

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++)
		assert_false(pk_list_name_is_right(bad[i]));
	assert_true(pk_list_name_is_right("a.B_9-"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_files),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(what_is_no_name),
	};

	return cmocka_run_group_tests_name("tools/list_name", tests, NULL, NULL);
}
