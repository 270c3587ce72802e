/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/gap.h"

#include <picket/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint32_t see(struct pk_gap *g, uint32_t cpu, uint32_t seq)
{
	struct pk_hdr h = { .cpu = cpu, .seq = seq };

	return pk_gap_see(g, &h);
}

static void test_no_loss(void **state)
{
	struct pk_gap g;

	(void)state;
	assert_int_equal(pk_gap_init(&g, 2), 0);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(see(&g, i & 1, i / 2), 0);
	assert_int_equal(g.lost + g.late + g.bad_cpu, 0);
	assert_int_equal(g.seen, 100);
	pk_gap_done(&g);
}

static void test_loss_from_the_first_record_on(void **state)
{
	struct pk_gap g;

	(void)state;
	assert_int_equal(pk_gap_init(&g, 2), 0);
	assert_int_equal(see(&g, 1, 7), 7);
	assert_int_equal(see(&g, 1, 8), 0);
	assert_int_equal(see(&g, 1, 12), 3);
	assert_int_equal(g.lost, 10);
	assert_int_equal(g.cpu[1].lost, 10);
	assert_int_equal(g.cpu[0].lost, 0);
	pk_gap_done(&g);
}

static void test_overtaken_is_not_lost(void **state)
{
	struct pk_gap g;

	(void)state;
	assert_int_equal(pk_gap_init(&g, 1), 0);
	see(&g, 0, 0);
	assert_int_equal(see(&g, 0, 3), 2);
	see(&g, 0, 2);
	see(&g, 0, 1);
	see(&g, 0, 4);
	assert_int_equal(g.lost, 0);
	assert_int_equal(g.late, 2);
	pk_gap_done(&g);
}

static void test_wraps(void **state)
{
	struct pk_gap g;

	(void)state;
	assert_int_equal(pk_gap_init(&g, 1), 0);
	g.cpu[0].next = UINT32_MAX;
	assert_int_equal(see(&g, 0, UINT32_MAX), 0);
	assert_int_equal(see(&g, 0, 0), 0);
	assert_int_equal(see(&g, 0, 2), 1);
	pk_gap_done(&g);
}

static void test_bad_cpu(void **state)
{
	struct pk_gap g;

	(void)state;
	assert_int_equal(pk_gap_init(&g, 2), 0);
	assert_int_equal(see(&g, 2, 5), 0);
	assert_int_equal(see(&g, UINT32_MAX, 5), 0);
	assert_int_equal(g.bad_cpu, 2);
	assert_int_equal(g.lost, 0);
	pk_gap_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_loss),
		cmocka_unit_test(test_loss_from_the_first_record_on),
		cmocka_unit_test(test_overtaken_is_not_lost),
		cmocka_unit_test(test_wraps),
		cmocka_unit_test(test_bad_cpu),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
