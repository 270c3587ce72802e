/* SPDX-License-Identifier: Apache-2.0 */
#include "pull/news.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void what_is_no_news_is_refused(void **state)
{
	const struct pk_pull_news good = {
		.outcome = PK_PULL_BAD_ANSWER, .status = 404, .list = "drop", .why = "not there"
	};
	struct pk_pull_news n = good;

	(void)state;
	assert_true(pk_pull_news_is_valid(&n));
	n.outcome = PK_PULL_PENDING;
	assert_false(pk_pull_news_is_valid(&n));
	n.outcome = PK_PULL_OUTCOMES;
	assert_false(pk_pull_news_is_valid(&n));
	n = good;
	n.status = 1000;
	assert_false(pk_pull_news_is_valid(&n));
	n = good;
	n.why[0] = '\n';
	assert_false(pk_pull_news_is_valid(&n));
	n = good;
	n.list[1] = '\x7f';
	assert_false(pk_pull_news_is_valid(&n));
	n = good;
	memset(n.source, 'x', sizeof(n.source)); /* no end */
	assert_false(pk_pull_news_is_valid(&n));
	memset(n.source + sizeof(n.source) - 1, 0, 1);
	assert_true(pk_pull_news_is_valid(&n));
}

static void outcomes_have_names(void **state)
{
	(void)state;
	for (int o = 0; o < PK_PULL_OUTCOMES; o++)
		assert_string_not_equal(pk_pull_outcome_name(o), "unknown");
	assert_string_equal(pk_pull_outcome_name(PK_PULL_OUTCOMES), "unknown");
	assert_true(pk_pull_is_good(PK_PULL_ACCEPTED) && pk_pull_is_good(PK_PULL_UNCHANGED));
	assert_false(pk_pull_is_good(PK_PULL_REFUSED) || pk_pull_is_good(PK_PULL_PENDING));
}

static void texts_are_made_printable_and_fit(void **state)
{
	char to[6];

	(void)state;
	pk_pull_text(to, sizeof(to),
		     "a\nb\xff"
		     "cdef");
	assert_string_equal(to, "a?b?c");
	pk_pull_text(to, sizeof(to), "");
	assert_string_equal(to, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_news_is_refused),
		cmocka_unit_test(outcomes_have_names),
		cmocka_unit_test(texts_are_made_printable_and_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
