/* SPDX-License-Identifier: Apache-2.0 */
/* Every byte of what Prometheus reads. */
#include "base/prom.h"

#include "base/buf.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_family_and_its_samples(void **state)
{
	struct pk_buf b = { 0 };
	struct pk_prom p = { .out = &b };

	(void)state;
	pk_prom_counter(&p, "a_total", "What a is.");
	pk_prom_label(&p, "x", "1");
	pk_prom_label(&p, "y", "two");
	pk_prom_u64(&p, UINT64_MAX);
	pk_prom_u64(&p, 0);
	pk_prom_gauge(&p, "b_seconds", "B.");
	pk_prom_dbl(&p, 0.25);
	pk_prom_dbl(&p, 1768467600.123);
	pk_prom_dbl(&p, NAN);
	pk_prom_dbl(&p, -INFINITY);
	pk_prom_count(&p, "c_total", "C.", 7);
	pk_prom_level(&p, "d", "D.", 8);
	assert_string_equal(b.data, "# HELP a_total What a is.\n# TYPE a_total counter\n"
				    "a_total{x=\"1\",y=\"two\"} 18446744073709551615\na_total 0\n"
				    "# HELP b_seconds B.\n# TYPE b_seconds gauge\n"
				    "b_seconds 0.25\nb_seconds 1768467600.123\nb_seconds NaN\n"
				    "b_seconds -Inf\n"
				    "# HELP c_total C.\n# TYPE c_total counter\nc_total 7\n"
				    "# HELP d D.\n# TYPE d gauge\nd 8\n");
	pk_buf_done(&b);
}

/* Whatever a label holds, it stays one label on one line, with no escape the format has not. */
static void labels_are_escaped(void **state)
{
	static const struct {
		const char *value, *written;
	} cases[] = {
		{ "", "" },
		{ NULL, "" },
		{ "a\"b", "a\\\"b" },
		{ "a\\b", "a\\\\\\\\b" },
		{ "a\nb", "a\\\\nb" },
		{ "x} 1\ny{z=\"", "x} 1\\\\ny{z=\\\"" },
		{ "\xff", "\\\\xFF" },
		{ "\xc3\xa4", "\xc3\xa4" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pk_buf b = { 0 }, want = { 0 };
		struct pk_prom p = { .out = &b, .name = "m" };

		pk_prom_label(&p, "k", cases[i].value);
		pk_prom_u64(&p, 1);
		pk_buf_fmt(&want, "m{k=\"%s\"} 1\n", cases[i].written);
		assert_string_equal(b.data, want.data);
		pk_buf_done(&b);
		pk_buf_done(&want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_family_and_its_samples),
		cmocka_unit_test(labels_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
