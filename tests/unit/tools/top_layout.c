/* SPDX-License-Identifier: Apache-2.0 */
/* Every view fits every screen, shows what matters on a narrow one; long lines go on below. */
#include "../../../tools/top_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static unsigned used(const struct pk_top_view *v, const unsigned *w)
{
	unsigned n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += w[i] ? w[i] + 1 : 0;
	return n ? n - 1 : 0;
}

static bool has(const struct pk_top_view *v, const unsigned *w, const char *title)
{
	for (size_t i = 0; i < v->n; i++)
		if (w[i] && !strcmp(v->col[i].c.title, title))
			return true;
	return false;
}

static void every_view_fits_every_screen(void **state)
{
	unsigned w[PK_TOP_COLUMNS_MAX];

	(void)state;
	for (size_t view = 0; view < PK_TOP_VIEWS; view++) {
		const struct pk_top_view *v = &pk_top_views[view];

		assert_true(v->n <= PK_TOP_COLUMNS_MAX);
		assert_non_null(v->col[v->sort].sort);
		for (unsigned cols = 1; cols < 400; cols++) {
			pk_top_layout(v, cols, w);
			assert_true(used(v, w) <= cols);
			for (size_t i = 0; i < v->n; i++)
				assert_true(!w[i] || w[i] >= v->col[i].c.width);
		}
	}
}

/* Who, with whom, how much, since when: at 80 columns in every list of conversations. */
static void what_matters_at_80(void **state)
{
	static const char *const flows[] = { "PROCESS", "PID",  "WITH", "APP",
					     "RATE/s",  "SENT", "RECV", "AGE" };
	static const char *const names[] = {
		"NAME", "BY", "FLOWS", "RATE/s", "SENT", "RECV", "AGE"
	};
	unsigned w[PK_TOP_COLUMNS_MAX];

	(void)state;
	pk_top_layout(&pk_top_views[PK_VIEW_FLOWS], 80, w);
	for (size_t i = 0; i < 8; i++)
		assert_true(has(&pk_top_views[PK_VIEW_FLOWS], w, flows[i]));
	pk_top_layout(&pk_top_views[PK_VIEW_NAMES], 80, w);
	for (size_t i = 0; i < 7; i++)
		assert_true(has(&pk_top_views[PK_VIEW_NAMES], w, names[i]));
	pk_top_layout(&pk_top_views[PK_VIEW_FLOWS], 40, w);
	assert_true(has(&pk_top_views[PK_VIEW_FLOWS], w, "PROCESS"));
	assert_true(has(&pk_top_views[PK_VIEW_FLOWS], w, "WITH"));
	assert_true(has(&pk_top_views[PK_VIEW_FLOWS], w, "RATE/s"));
}

static void rates_come_in_pairs(void **state)
{
	unsigned w[PK_TOP_COLUMNS_MAX];

	(void)state;
	for (size_t view = 0; view < PK_TOP_VIEWS; view++)
		for (unsigned cols = 20; cols < 300; cols++) {
			const struct pk_top_view *v = &pk_top_views[view];

			pk_top_layout(v, cols, w);
			assert_int_equal(has(v, w, "SENT/s"), has(v, w, "RECV/s"));
			assert_int_equal(has(v, w, "SENT"), has(v, w, "RECV"));
		}
}

static void wrapped_is(const char *text, unsigned cols, const char *want)
{
	struct pk_buf out = {};

	pk_top_wrap(&out, text, cols);
	assert_string_equal(out.data ? out.data : "", want);
	pk_buf_done(&out);
}

static void long_lines(void **state)
{
	(void)state;
	wrapped_is("short\n\nlines\n", 20, "short\n\nlines\n");
	wrapped_is("  since      one two three four five", 30,
		   "  since      one two three\n             four five\n");
	wrapped_is("    12 process with words", 16, "    12 process\n      with words\n");
	wrapped_is("abcdefghij", 4, "abcd\nefgh\nij\n");
	wrapped_is("  since      abcdefghijklmnopqrstuvw", 28,
		   "  since      abcdefghijklmno\n             pqrstuvw\n");
	wrapped_is("ab", 1, "a\nb\n");
	wrapped_is("", 10, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_view_fits_every_screen),
		cmocka_unit_test(what_matters_at_80),
		cmocka_unit_test(rates_come_in_pairs),
		cmocka_unit_test(long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
