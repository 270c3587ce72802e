/* SPDX-License-Identifier: Apache-2.0 */
#include "pull/told.h"

#include "conf/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SEC 1000000000ull
#define NOW (100 * SEC)

static struct pk_conf *conf_of(const char *lists)
{
	struct pk_conf *c = pk_conf_new();

	assert_int_equal(pk_conf_set(c, "pull.lists", lists, NULL), 0);
	assert_int_equal(pk_conf_set(c, "pull.stale", "10s", NULL), 0);
	return c;
}

static struct pk_pull_news news(const char *list, enum pk_pull_outcome o)
{
	struct pk_pull_news n = { .outcome = o, .next_ms = 1500 };

	strcpy(n.list, list);
	return n;
}

static int take(struct pk_pulls *p, const char *list, enum pk_pull_outcome o, uint64_t now_ns)
{
	struct pk_pull_news n = news(list, o);

	return pk_pulls_take(p, &n, now_ns);
}

static void there_are_none_where_none_are_fetched(void **state)
{
	struct pk_conf *c = conf_of("");

	(void)state;
	assert_null(pk_pulls_new(c, NOW));
	assert_null(pk_pulls_at(NULL, 0));
	assert_null(pk_pulls_find(NULL, "drop"));
	assert_null(pk_pulls_stale(NULL, NOW));
	pk_conf_free(c);
}

static void each_list_has_its_row_and_others_none(void **state)
{
	struct pk_conf *c = conf_of("drop=https://a/1,drop=https://b/1,web=https://a/2");
	struct pk_pulls *p = pk_pulls_new(c, NOW);
	const struct pk_pulled *drop = pk_pulls_find(p, "drop");

	(void)state;
	assert_ptr_equal(pk_pulls_at(p, 0), drop);
	assert_string_equal(pk_pulls_at(p, 1)->list, "web");
	assert_null(pk_pulls_at(p, 2));
	assert_int_equal(take(p, "other", PK_PULL_ACCEPTED, NOW), -ENOENT);
	assert_int_equal(take(p, "drop", PK_PULL_REFUSED, NOW + 1), 0);
	assert_int_equal(take(p, "drop", PK_PULL_ACCEPTED, NOW + 2), 0);
	assert_int_equal(take(p, "drop", PK_PULL_REFUSED, NOW + 3), 0);
	assert_int_equal(drop->count[PK_PULL_REFUSED], 2);
	assert_int_equal(drop->last.outcome, PK_PULL_REFUSED);
	assert_true(drop->tried_ns == NOW + 3 && drop->good_ns == NOW + 2);
	assert_true(drop->next_ns == NOW + 3 + 1500000000);
	pk_pulls_free(p);
	pk_conf_free(c);
}

static void a_wait_for_ever_is_no_time_of_the_past(void **state)
{
	struct pk_conf *c = conf_of("drop=https://a/1");
	struct pk_pulls *p = pk_pulls_new(c, NOW);
	struct pk_pull_news n = news("drop", PK_PULL_UNCHANGED);

	(void)state;
	n.next_ms = UINT64_MAX;
	assert_int_equal(pk_pulls_take(p, &n, NOW), 0);
	assert_true(pk_pulls_at(p, 0)->next_ns == UINT64_MAX);
	n.next_ms = UINT64_MAX / 1000000;
	assert_int_equal(pk_pulls_take(p, &n, NOW), 0);
	assert_true(pk_pulls_at(p, 0)->next_ns == UINT64_MAX);
	pk_pulls_free(p);
	pk_conf_free(c);
}

static void what_nobody_has_for_long_is_told_once(void **state)
{
	struct pk_conf *c = conf_of("drop=https://a/1,web=https://a/2");
	struct pk_pulls *p = pk_pulls_new(c, NOW);
	const struct pk_pulled *drop = pk_pulls_at(p, 0);

	(void)state;
	assert_int_equal(take(p, "web", PK_PULL_UNCHANGED, NOW + 5 * SEC), 0);
	assert_null(pk_pulls_stale(p, NOW + 10 * SEC - 1));
	/* that it is tried does not help */
	assert_int_equal(take(p, "drop", PK_PULL_UNREACHABLE, NOW + 9 * SEC), 0);
	assert_ptr_equal(pk_pulls_stale(p, NOW + 10 * SEC), drop);
	assert_true(drop->stale);
	assert_null(pk_pulls_stale(p, NOW + 11 * SEC));
	assert_int_equal(take(p, "drop", PK_PULL_ACCEPTED, NOW + 12 * SEC), 0);
	assert_false(drop->stale);
	assert_string_equal(pk_pulls_stale(p, NOW + 15 * SEC)->list, "web");
	assert_ptr_equal(pk_pulls_stale(p, NOW + 22 * SEC), drop);
	pk_pulls_free(p);
	pk_conf_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_are_none_where_none_are_fetched),
		cmocka_unit_test(each_list_has_its_row_and_others_none),
		cmocka_unit_test(a_wait_for_ever_is_no_time_of_the_past),
		cmocka_unit_test(what_nobody_has_for_long_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
