/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, counts, ends, and what happens when all places are taken. */
#include "mute/mutes.h"

#include "base/cleanup.h"
#include "flow/filter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define T0 1768467600000

static const struct pk_filter_subject nobody;
static const struct pk_finding beacon = { .rule = "beacon" };

static void mutes_freep(struct pk_mutes **t)
{
	pk_mutes_free(*t);
}

static struct pk_mute *add(struct pk_mutes *t, int64_t expires_ms, int64_t now_ms)
{
	struct pk_mute wish = { .owner = "alice", .reason = "known", .expires_ms = expires_ms };
	struct pk_mute *m;

	assert_int_equal(pk_mute_add_rule(&wish, "beacon"), 0);
	return pk_mutes_add(t, &wish, "alice (uid 1)", now_ms, &m) == 0 ? m : NULL;
}

static void test_counts_and_ends(void **state)
{
	_cleanup_(mutes_freep) struct pk_mutes *t = pk_mutes_new();
	struct pk_mute *m = add(t, T0 + 1000, T0);
	struct pk_mutes_count c;

	(void)state;
	assert_string_equal(m->uid, "mute-20260115T090000-1");
	assert_int_equal(m->acts, 1);
	assert_string_equal(m->act[0].what, "created");
	assert_string_equal(m->act[0].why, "known");
	assert_true(pk_mutes_name(t, "beacon"));
	assert_false(pk_mutes_name(t, "dga"));
	assert_ptr_equal(pk_mutes_take(t, &beacon, &nobody, T0 + 1), m);
	assert_ptr_equal(pk_mutes_take(t, &beacon, &nobody, T0 + 999), m);
	assert_int_equal(m->hits, 2);
	assert_int_equal(m->last_hit_ms, T0 + 999);
	/* over at its time, whether somebody has looked since or not */
	assert_null(pk_mutes_take(t, &beacon, &nobody, T0 + 1000));
	assert_null(pk_mutes_expire(t, T0 + 999));
	assert_ptr_equal(pk_mutes_expire(t, T0 + 1000), m);
	assert_null(pk_mutes_expire(t, T0 + 1000)); /* told once */
	assert_int_equal(m->state, PK_MUTE_EXPIRED);
	assert_false(pk_mutes_name(t, "beacon"));
	pk_mutes_counts(t, &c);
	assert_int_equal(c.active, 0);
	assert_int_equal(c.expired, 1);
	assert_int_equal(c.hits, 2);
}

static void test_extend_and_remove(void **state)
{
	_cleanup_(mutes_freep) struct pk_mutes *t = pk_mutes_new();
	struct pk_mute *m = add(t, T0 + 1000, T0);

	(void)state;
	assert_int_equal(pk_mutes_extend(m, T0 + 5000, "bob", "still", T0 + 500), 0);
	assert_null(pk_mutes_expire(t, T0 + 1000));
	assert_ptr_equal(pk_mutes_take(t, &beacon, &nobody, T0 + 4999), m);
	assert_ptr_equal(pk_mutes_expire(t, T0 + 5000), m);
	assert_int_equal(pk_mutes_extend(m, T0 + 9000, "bob", "again", T0 + 6000), 0);
	assert_int_equal(m->ended_ms, 0);
	assert_ptr_equal(pk_mutes_take(t, &beacon, &nobody, T0 + 7000), m);
	assert_int_equal(pk_mutes_remove(m, "bob", NULL, T0 + 7500), 0);
	assert_null(pk_mutes_take(t, &beacon, &nobody, T0 + 7600));
	assert_int_equal(pk_mutes_remove(m, "bob", NULL, T0 + 7700), -EALREADY);
	assert_int_equal(pk_mutes_extend(m, T0 + 9000, "bob", "no", T0 + 8000), -EALREADY);
	assert_int_equal(m->acts, 5); /* created, extended, expired, renewed, removed */
	assert_int_equal(m->hits, 2);
}

static void test_acts_are_bounded(void **state)
{
	_cleanup_(mutes_freep) struct pk_mutes *t = pk_mutes_new();
	struct pk_mute *m = add(t, T0 + 1000, T0);

	(void)state;
	for (int i = 0; i < 3 * PK_MUTE_ACTS; i++)
		assert_int_equal(pk_mutes_extend(m, T0 + 2000 + i, "bob", "more", T0), 0);
	assert_int_equal(m->acts, PK_MUTE_ACTS);
	assert_int_equal(m->acts_ever, 3 * PK_MUTE_ACTS + 1);
	assert_int_equal(m->act[PK_MUTE_ACTS - 1].number, m->acts_ever);
}

/* Those that are over make room; those in force never do. */
static void test_full(void **state)
{
	_cleanup_(mutes_freep) struct pk_mutes *t = pk_mutes_new();
	struct pk_mute *m;
	uint64_t last = 0;

	(void)state;
	for (int i = 0; i < PK_MUTES_MAX; i++)
		assert_non_null(add(t, T0 + 1000, T0));
	assert_null(add(t, T0 + 1000, T0));
	assert_int_equal(pk_mutes_remove(pk_mutes_find(t, 7), "bob", NULL, T0 + 2), 0);
	assert_int_equal(pk_mutes_remove(pk_mutes_find(t, 9), "bob", NULL, T0 + 1), 0);
	m = add(t, T0 + 1000, T0);
	assert_int_equal(m->number, PK_MUTES_MAX + 1);
	assert_null(pk_mutes_find(t, 9)); /* ended first */
	assert_non_null(pk_mutes_find(t, 7));
	for (m = NULL; (m = pk_mutes_next(t, m)); last = m->number)
		assert_true(m->number > last);
	assert_int_equal(last, PK_MUTES_MAX + 1);
}

static void test_restore(void **state)
{
	_cleanup_(mutes_freep) struct pk_mutes *t = pk_mutes_new(), *was = pk_mutes_new();
	struct pk_mute *m;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_non_null(add(was, T0 + 1000, T0));
	for (int i = 5; i > 0; i--)
		assert_int_equal(pk_mutes_restore(t, pk_mutes_find(was, (uint64_t)i)), 0);
	assert_int_equal(pk_mutes_restore(t, pk_mutes_find(was, 3)), -EEXIST);
	m = pk_mutes_next(t, NULL);
	assert_int_equal(m->number, 1);
	assert_ptr_equal(pk_mutes_by_uid(t, m->uid), m);
	assert_int_equal(add(t, T0 + 1, T0)->number, 6); /* no number comes twice */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_and_ends),  cmocka_unit_test(test_extend_and_remove),
		cmocka_unit_test(test_acts_are_bounded), cmocka_unit_test(test_full),
		cmocka_unit_test(test_restore),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
