/* SPDX-License-Identifier: Apache-2.0 */
/* The newest sample is at the right, the greatest fills the height, and no traffic draws nothing.
 */
#include "../../../tools/top_plot.h"

#include "base/buf.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void line_is(struct pk_top_plot p, const double *v, size_t n, unsigned line,
		    const char *want)
{
	struct pk_buf out = {};

	pk_top_plot_line(&out, &p, v, n, line);
	assert_string_equal(out.data ? out.data : "", want);
	pk_buf_done(&out);
}

static void ascii(void **state)
{
	static const double v[] = { 0, 1, 50, 75, 100 };
	struct pk_top_plot p = { .width = 5, .height = 1 };

	(void)state;
	line_is(p, v, 5, 0, " .:|#");
	p.width = 7;
	line_is(p, v, 5, 0, "   .:|#"); /* too few samples: they are at the right */
	p.width = 2;
	line_is(p, v, 5, 0, "|#"); /* too many: the newest */
	line_is(p, v, 0, 0, "  ");
	p.width = 0;
	line_is(p, v, 5, 0, "");
}

static void braille(void **state)
{
	static const double v[] = { 25, 100, 0, 0.001 };
	struct pk_top_plot p = { .width = 2, .height = 1, .utf8 = true };

	(void)state;
	assert_int_equal(pk_top_plot_samples(&p), 4);
	line_is(p, v, 4, 0, "\u28f8\u2880"); /* dots 7; 8-6-5-4 | none; 8: least is one */
	line_is(p, v, 3, 0, "\u2880\u2847"); /* 25 stands right of a sample that is not there */
	p.max = 400;
	line_is(p, v, 2, 0, "\u2800\u28c0");
}

static void lines_above_each_other(void **state)
{
	static const double v[] = { 8, 4, 1, 0 };
	struct pk_top_plot p = { .width = 4, .height = 2 };

	(void)state;
	line_is(p, v, 4, 0, "#   ");
	line_is(p, v, 4, 1, "##. ");
}

static void odd_numbers(void **state)
{
	static const double v[] = { NAN, INFINITY, -5, 1e300 };
	struct pk_top_plot p = { .width = 4, .height = 3 };
	struct pk_buf out = {};

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		pk_top_plot_line(&out, &p, v, 4, i);
	assert_int_equal(out.len, 12);
	pk_buf_done(&out);
	assert_true(pk_top_plot_max(&p, v + 2, 1) <= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ascii),
		cmocka_unit_test(braille),
		cmocka_unit_test(lines_above_each_other),
		cmocka_unit_test(odd_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
