/* SPDX-License-Identifier: Apache-2.0 */
/* Folding: the same is counted, another is another, old ones are left to be read, the oldest goes.
 */
#include "detect/alert.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SEC 1000000000ull

static void alerts_freep(struct pk_alerts **t)
{
	pk_alerts_free(*t);
}

static struct pk_finding finding(const char *rule, uint64_t fold, uint64_t s)
{
	return (struct pk_finding){ .rule = rule,
				    .title = "t",
				    .technique = { "T1" },
				    .severity = PK_LOW,
				    .fold = fold,
				    .ts_ns = s * SEC };
}

static void test_folds(void **state)
{
	_cleanup_(alerts_freep) struct pk_alerts *t = pk_alerts_new(8, 60 * SEC);
	struct pk_finding f = finding("a", 1, 1);
	struct pk_alert *a, *b;
	bool is_new;

	(void)state;
	a = pk_alerts_take(t, &f, &is_new);
	assert_true(is_new);
	assert_ptr_not_equal(a->finding.rule, f.rule);
	f.ts_ns += 59 * SEC;
	f.severity = PK_HIGH;
	assert_ptr_equal(pk_alerts_take(t, &f, &is_new), a);
	assert_false(is_new);
	assert_int_equal(a->count, 2);
	assert_int_equal(a->finding.severity, PK_HIGH);
	f.rule = "b";
	assert_ptr_not_equal(pk_alerts_take(t, &f, &is_new), a);
	assert_true(is_new);
	f.rule = "a";
	f.ts_ns += 61 * SEC;
	b = pk_alerts_take(t, &f, &is_new);
	assert_true(is_new);
	assert_ptr_not_equal(b, a);
	assert_int_equal(a->count, 2);
	assert_ptr_equal(pk_alerts_find(t, a->number), a);
}

static void test_oldest_goes(void **state)
{
	_cleanup_(alerts_freep) struct pk_alerts *t = pk_alerts_new(16, 60 * SEC);
	struct pk_alerts_count c;
	uint64_t last = 0;
	bool is_new;
	size_t n = 0;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		struct pk_finding f = finding("a", i, i / 100);
		struct pk_alert *a = pk_alerts_take(t, &f, &is_new);

		assert_true(is_new);
		assert_int_equal(pk_alert_keep(a, "[]", 2, NULL, 0), 0);
	}
	for (struct pk_alert *a = NULL; (a = pk_alerts_next(t, a)); n++) {
		assert_true(a->number > last);
		last = a->number;
	}
	pk_alerts_counts(t, &c);
	assert_int_equal(n, 16);
	assert_int_equal(last, 1000);
	assert_int_equal(c.evicted, 1000 - 16);
	assert_null(pk_alerts_find(t, 1));
}

static void test_is_due(void **state)
{
	struct pk_alert a = { .count = 9, .told = 1, .told_ns = SEC };

	(void)state;
	assert_false(pk_alert_is_due(&a, 2 * SEC));
	a.count = 10;
	assert_true(pk_alert_is_due(&a, 2 * SEC));
	a.count = 2;
	assert_true(pk_alert_is_due(&a, 62 * SEC));
	a.told = 2;
	assert_false(pk_alert_is_due(&a, 62 * SEC));
}

/* Suppressed ones take what others leave, and a quarter; however many there are, the others stay.
 */
static void test_suppressed_go_first(void **state)
{
	_cleanup_(alerts_freep) struct pk_alerts *t = pk_alerts_new(16, 60 * SEC);
	size_t told = 0, quiet = 0;
	bool is_new, was_quiet = false;

	(void)state;
	for (uint64_t i = 0; i < 16; i++) {
		struct pk_finding f = finding("a", i, i);

		assert_non_null(pk_alerts_take(t, &f, &is_new));
	}
	for (uint64_t i = 0; i < 1000; i++) {
		struct pk_finding f = finding("b", i, 20);

		f.mute = 3;
		assert_non_null(pk_alerts_take(t, &f, &is_new));
		assert_true(is_new);
	}
	for (struct pk_alert *a = NULL; (a = pk_alerts_next(t, a));) {
		*(a->finding.mute ? &quiet : &told) += 1;
		assert_true(a->finding.mute || !was_quiet); /* behind all others */
		was_quiet = a->finding.mute != 0;
		assert_ptr_equal(pk_alerts_find(t, a->number), a);
	}
	assert_int_equal(quiet, 5); /* the one above a quarter makes the room for the next */
	assert_int_equal(told, 11);
	/* with none that is told, all slots may be theirs */
	for (uint64_t i = 0; i < 100; i++) {
		struct pk_finding f = finding("a", 100 + i, 30);

		assert_non_null(pk_alerts_take(t, &f, &is_new));
	}
	quiet = 0;
	for (struct pk_alert *a = NULL; (a = pk_alerts_next(t, a));)
		quiet += a->finding.mute != 0;
	assert_int_equal(quiet, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folds),
		cmocka_unit_test(test_oldest_goes),
		cmocka_unit_test(test_suppressed_go_first),
		cmocka_unit_test(test_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
