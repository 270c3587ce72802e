/* SPDX-License-Identifier: Apache-2.0 */
#include "sigma/value.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_patterns(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool fits;
	} rows[] = {
		{ "abc", "abc", true },
		{ "abc", "abcd", false },
		{ "abc", "ABC", true },
		{ "a*c", "ac", true },
		{ "a*c", "abbbc", true },
		{ "a*c", "abbb", false },
		{ "*a*b*", "xxayybzz", true },
		{ "*a*b*", "xxbyyazz", false },
		{ "a?c", "abc", true },
		{ "a?c", "ac", false },
		{ "a?c",
		  "a\xc3\xa4"
		  "c",
		  true }, /* one character of two bytes */
		{ "", "", true },
		{ "", "x", false },
		{ "*", "", true },
		{ "a\\*c", "a*c", true }, /* escaped: a plain star */
		{ "a\\*c", "abc", false },
		{ "a\\\\*c", "a\\xc", true }, /* an escaped backslash, then a wildcard */
		{ "a\\\\\\*c", "a\\*c", true },
		{ "a\\\\\\*c", "a\\xc", false },
		{ "C:\\dir", "c:\\dir", true }, /* one backslash is itself */
		{ "C:\\\\dir", "c:\\dir", true },
		{ "a\\", "a\\", true },
		{ "*aab", "aaaaaab", true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pk_arena a = { 0 };
		struct pk_sigma_pattern p;

		assert_int_equal(
			pk_sigma_pattern_parse(&a, rows[i].pattern, strlen(rows[i].pattern), &p),
			0);
		pk_sigma_pattern_lower(&p);
		if (pk_sigma_pattern_fits(&p, false, rows[i].text, strlen(rows[i].text)) !=
		    rows[i].fits)
			fail_msg("%s against %s", rows[i].pattern, rows[i].text);
		pk_arena_done(&a);
	}
}

static void test_run(void **state)
{
	struct pk_arena a = { 0 };
	struct pk_sigma_pattern p;
	struct pk_sigma_run run;

	(void)state;
	assert_int_equal(pk_sigma_pattern_parse(&a, "ab*cdef?g", 9, &p), 0);
	run = pk_sigma_pattern_run(&p);
	assert_int_equal(run.at, 3);
	assert_int_equal(run.len, 4);
	assert_int_equal(pk_sigma_pattern_parse(&a, "**", 2, &p), 0);
	assert_int_equal(pk_sigma_pattern_run(&p).len, 0);
	pk_arena_done(&a);
}

static void test_too_long(void **state)
{
	static char s[PK_SIGMA_VALUE_MAX + 1];
	struct pk_arena a = { 0 };
	struct pk_sigma_pattern p;

	(void)state;
	memset(s, 'a', sizeof(s));
	assert_int_equal(pk_sigma_pattern_parse(&a, s, sizeof(s), &p), -EFBIG);
	assert_int_equal(pk_sigma_pattern_parse(&a, s, sizeof(s) - 1, &p), 0);
	pk_arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
