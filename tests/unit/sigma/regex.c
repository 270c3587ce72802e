/* SPDX-License-Identifier: Apache-2.0 */
/* What an expression can't match without: never more than is true. */
#include "sigma/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_literals(void **state)
{
	static const struct {
		const char *expression, *literals; /* with blanks between; "": none */
	} rows[] = {
		{ "abc", "abc" },
		{ "abc?", "ab" },
		{ "abc*de", "ab" },
		{ "abc*defg", "defg" },
		{ "ab+c", "ab" },
		{ "a|b", "" },
		{ "abc(d|e)", "abcd abce" },
		{ "abc(?:d|e)f", "abcdf abcef" },
		{ "abc(d|e)?", "abc" },
		{ "abc(d|e)*x", "abc" },
		{ "abc(d|e){0,2}", "abc" },
		{ "-(W|R)\\s?(\\s|\"|')x", "-W -R" },
		{ "(a|b", "" },
		{ "a\\.b", "a.b" },
		{ "abc\\dde", "abc" },
		{ "\\x41bc", "" },
		{ "[abc]defg", "defg" },
		{ "[]x]defg", "defg" },
		{ "[[:alpha:]x]defg", "defg" },
		{ "[abc", "" },
		{ "(?!abc)de", "de" },
		{ "(?x)a b", "" },
		{ "(*UTF)abc", "" },
		{ "\\Qa|b\\E", "" },
		{ "a{2}b", "b" },
		{ "ab{,2}cd", "cd" },
		{ "a{b", "" },
		{ "x{2,3}abc", "abc" },
		{ "(ab(c)d)efg", "efg" },
		{ "^/usr/bin/[a-z]+$", "/usr/bin/" },
		{ "[0-9]{1,3}", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pk_sigma_re_alts a;
		char got[512] = "";

		pk_sigma_re_literals(rows[i].expression, 0, &a);
		for (size_t j = 0; j < a.n; j++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%.*s",
				 j ? " " : "", (int)a.v[j].len, a.v[j].s);
		if (strcmp(got, rows[i].literals) != 0)
			fail_msg("%s: \"%s\"", rows[i].expression, got);
	}
}

static void test_case(void **state)
{
	struct pk_sigma_re_alts a;

	(void)state;
	pk_sigma_re_literals("abc", 0, &a);
	assert_true(a.cased);
	pk_sigma_re_literals("abc", PK_SIGMA_RE_I, &a);
	assert_false(a.cased);
	pk_sigma_re_literals("(?i)abc", 0, &a);
	assert_false(a.cased);
}

/* One that takes exponential time is given up, and counted. */
static void test_hostile(void **state)
{
	struct pk_sigma_test t = { .kind = PK_SIGMA_T_RE, .text = "" };
	struct pk_sigma_event ev = { 0 };
	struct pk_sigma_work w;
	char error[64];
	size_t at;

	(void)state;
	assert_int_equal(pk_sigma_re_compile("^(([a-z])+.)+[A-Z]([a-z])+$", 0, &t.re, error,
					     sizeof(error), &at),
			 0);
	assert_int_equal(pk_sigma_work_init(&w), 0);
	ev.field[0] = (struct pk_sigma_text){ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 43 };
	assert_false(pk_sigma_test_holds(&t, &ev, &w));
	assert_int_equal(w.re_gave_up, 1);
	pk_sigma_work_done(&w);
	pcre2_code_free(t.re);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_case),
		cmocka_unit_test(test_hostile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
