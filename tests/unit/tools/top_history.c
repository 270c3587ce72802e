/* SPDX-License-Identifier: Apache-2.0 */
/* Samples in order, gaps as zeros, a bound on rows, and rows that are gone forgotten. */
#include "../../../tools/top_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static double out[PK_TOP_SAMPLES], in[PK_TOP_SAMPLES];

static void in_order_with_gaps(void **state)
{
	struct pk_top_history *h = pk_top_history_new();

	(void)state;
	pk_top_history_add(h, "a", 5, 1, 2);
	pk_top_history_add(h, "a", 5, 9, 9); /* of the same snapshot: once */
	pk_top_history_add(h, "a", 8, 3, 4);
	assert_int_equal(pk_top_history_get(h, "a", out, in), 4);
	assert_true(out[0] > 0.9 && out[0] < 1.1 && in[0] > 1.9 && in[0] < 2.1);
	assert_true(out[1] < 0.1 && out[2] < 0.1);
	assert_true(out[3] > 2.9 && in[3] > 3.9);
	assert_int_equal(pk_top_history_get(h, "b", out, in), 0);
	pk_top_history_free(h);
}

static void the_latest_are_kept(void **state)
{
	struct pk_top_history *h = pk_top_history_new();

	(void)state;
	for (int i = 1; i <= PK_TOP_SAMPLES + 10; i++)
		pk_top_history_add(h, "a", (uint64_t)i, i, 0);
	assert_int_equal(pk_top_history_get(h, "a", out, in), PK_TOP_SAMPLES);
	assert_true(out[0] > 10.5 && out[0] < 11.5);
	assert_true(out[PK_TOP_SAMPLES - 1] > PK_TOP_SAMPLES + 9.5);
	pk_top_history_add(h, "a", 1u << 30, 7, 0); /* after a long gap */
	assert_int_equal(pk_top_history_get(h, "a", out, in), PK_TOP_SAMPLES);
	assert_true(out[0] < 0.1 && out[PK_TOP_SAMPLES - 1] > 6.9);
	pk_top_history_free(h);
}

static void bounded_and_forgotten(void **state)
{
	struct pk_top_history *h = pk_top_history_new();
	char id[16];

	(void)state;
	for (int i = 0; i < PK_TOP_KEPT_MAX + 5; i++) {
		snprintf(id, sizeof(id), "%d", i);
		pk_top_history_add(h, id, 1, 1, 1);
	}
	assert_int_equal(pk_top_history_get(h, id, out, in), 0); /* no room */
	assert_int_equal(pk_top_history_get(h, "0", out, in), 1);
	pk_top_history_add(h, "0", 40, 1, 1);
	pk_top_history_sweep(h, PK_TOP_FORGET + 2);
	assert_int_equal(pk_top_history_get(h, "1", out, in), 0);
	assert_int_equal(pk_top_history_get(h, "0", out, in), 40);
	pk_top_history_add(h, id, PK_TOP_FORGET + 3, 1, 1);
	assert_int_equal(pk_top_history_get(h, id, out, in), 1);
	pk_top_history_free(h);
	pk_top_history_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order_with_gaps),
		cmocka_unit_test(the_latest_are_kept),
		cmocka_unit_test(bounded_and_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
