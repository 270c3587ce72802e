/* SPDX-License-Identifier: Apache-2.0 */
#include "pull/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SEC    1000000000ull
#define MINUTE (60 * SEC)
#define NOW    (12345 * SEC)

/* Least, some and most chance. */
static const uint32_t chances[] = { 0, 1u << 31, UINT32_MAX };

static void the_first_try_is_spread(void **state)
{
	struct pk_schedule s;

	(void)state;
	pk_schedule_begin(&s, 15 * MINUTE, 2, NOW, 0);
	assert_true(s.due_ns == NOW);
	pk_schedule_begin(&s, 15 * MINUTE, 2, NOW, UINT32_MAX);
	assert_true(s.due_ns == NOW + 30 * SEC);
	assert_int_equal(s.mirror, 0);
	/* a short interval is no shorter wait than itself */
	pk_schedule_begin(&s, 2 * SEC, 2, NOW, UINT32_MAX);
	assert_true(s.due_ns == NOW + SEC / 2);
}

static void a_success_waits_for_at_most_the_interval(void **state)
{
	struct pk_schedule s;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		pk_schedule_begin(&s, 4 * MINUTE, 1, NOW, 0);
		pk_schedule_good(&s, NOW, chances[i]);
		assert_true(s.due_ns >= NOW + 3 * MINUTE && s.due_ns <= NOW + 4 * MINUTE);
		assert_int_equal(s.mirror, 0);
	}
	/* the hosts of a fleet do not stay in step */
	pk_schedule_good(&s, NOW, 0);
	assert_true(s.due_ns == NOW + 3 * MINUTE);
}

static void each_mirror_has_its_turn(void **state)
{
	struct pk_schedule s;

	(void)state;
	pk_schedule_begin(&s, MINUTE, 3, NOW, 0);
	for (unsigned i = 1; i < 7; i++) {
		pk_schedule_good(&s, NOW, 0);
		assert_int_equal(s.mirror, i % 3);
	}
}

static void a_failure_is_followed_by_the_next_mirror(void **state)
{
	struct pk_schedule s;

	(void)state;
	pk_schedule_begin(&s, 15 * MINUTE, 3, NOW, 0);
	for (unsigned i = 1; i < 3; i++) {
		/* what one mirror asks for does not hold up the others */
		pk_schedule_bad(&s, NOW, 10 * MINUTE, UINT32_MAX);
		assert_int_equal(s.mirror, i);
		assert_true(s.due_ns == NOW + SEC);
	}
	pk_schedule_bad(&s, NOW, 0, UINT32_MAX);
	assert_int_equal(s.mirror, 0);
	assert_true(s.due_ns == NOW + 2 * SEC);
	pk_schedule_good(&s, NOW, 0);
	assert_int_equal(s.failed, 0);
	assert_int_equal(s.mirror, 1);
}

static void waits_double_up_to_the_interval(void **state)
{
	struct pk_schedule s;
	uint64_t most = 2 * SEC;

	(void)state;
	pk_schedule_begin(&s, MINUTE, 1, NOW, 0);
	for (unsigned i = 0; i < 100; i++) {
		uint64_t now = NOW + i;

		pk_schedule_bad(&s, now, 0, chances[i % 3]);
		assert_true(s.due_ns >= now + most / 2 && s.due_ns <= now + most);
		most = most * 2 < MINUTE ? most * 2 : MINUTE;
	}
	pk_schedule_good(&s, NOW, 0);
	pk_schedule_bad(&s, NOW, 0, UINT32_MAX);
	assert_true(s.due_ns == NOW + 2 * SEC);
}

static void a_mirror_may_ask_for_time_but_not_for_ever(void **state)
{
	struct pk_schedule s;

	(void)state;
	pk_schedule_begin(&s, 10 * MINUTE, 1, NOW, 0);
	pk_schedule_bad(&s, NOW, 2 * MINUTE, 0);
	assert_true(s.due_ns == NOW + 2 * MINUTE);
	pk_schedule_bad(&s, NOW, UINT64_MAX, 0);
	assert_true(s.due_ns == NOW + 10 * MINUTE);
	/* less than would be waited anyway */
	pk_schedule_bad(&s, NOW, 1, UINT32_MAX);
	assert_true(s.due_ns == NOW + 8 * SEC);
}

static void soon_forgets_failures_and_keeps_the_turn(void **state)
{
	struct pk_schedule s;

	(void)state;
	pk_schedule_begin(&s, 10 * MINUTE, 2, NOW, 0);
	for (int i = 0; i < 9; i++)
		pk_schedule_bad(&s, NOW, 0, 0);
	assert_int_equal(s.mirror, 1);
	pk_schedule_soon(&s, NOW, 0);
	assert_true(s.due_ns == NOW);
	assert_int_equal(s.mirror, 1);
	assert_int_equal(s.tried + s.failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_try_is_spread),
		cmocka_unit_test(a_success_waits_for_at_most_the_interval),
		cmocka_unit_test(each_mirror_has_its_turn),
		cmocka_unit_test(a_failure_is_followed_by_the_next_mirror),
		cmocka_unit_test(waits_double_up_to_the_interval),
		cmocka_unit_test(a_mirror_may_ask_for_time_but_not_for_ever),
		cmocka_unit_test(soon_forgets_failures_and_keeps_the_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
