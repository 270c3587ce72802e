/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000000000ull

static struct pk_rate *rate;

static unsigned take(uint8_t who, unsigned times, uint64_t now_ns)
{
	const uint8_t id[32] = { who };
	unsigned n = 0;

	while (times--)
		n += pk_rate_take(rate, id, 10, now_ns);
	return n;
}

static void each_has_its_own(void **state)
{
	(void)state;
	assert_int_equal(take(1, 50, SECOND), 10);
	assert_int_equal(take(2, 50, SECOND), 10); /* others are not in its way */
	assert_int_equal(rate->refused, 80);
	assert_int_equal(take(1, 50, SECOND + SECOND / 2), 5);
	assert_int_equal(take(1, 50, 100 * SECOND), 10); /* silence saves up no more than that */
	assert_int_equal(take(1, 1, 1), 0);              /* a clock that goes back gives nothing */
}

static void who_asked_longest_ago_goes(void **state)
{
	uint8_t id[32] = { 0 };

	(void)state;
	for (unsigned i = 0; i <= PK_RATE_CLIENTS; i++) {
		memcpy(id + 4, &i, sizeof(i));
		assert_true(pk_rate_take(rate, id, 1, SECOND + i));
	}
	assert_int_equal(rate->evicted, 1);
	assert_false(pk_rate_take(rate, id, 1, SECOND + PK_RATE_CLIENTS)); /* the last is known */
	memset(id, 0, sizeof(id));
	assert_true(pk_rate_take(rate, id, 1, 2 * SECOND)); /* the first was forgotten */
	assert_int_equal(rate->evicted, 2);
}

static int set_up(void **state)
{
	(void)state;
	rate = calloc(1, sizeof(*rate));
	return rate ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(rate);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_has_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_asked_longest_ago_goes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
