/* SPDX-License-Identifier: Apache-2.0 */
/* Items of incident.deadlines are read strictly; months are those of the calendar. */
#include "conf/deadline.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void items_are_read(void **state)
{
	static const char *const bad[] = {
		"",
		"=24h",
		"early",
		"early=",
		"early=h",
		"early=0h",
		"early=24",
		"early=24m",
		"early=24hh",
		"early=-1h",
		"early=1.5h",
		"early=10000h",
		"early=25mo",
		"early= 24h",
		" early=24h",
		"early =24h",
		"early=24h after",
		"early=24h after ",
		"early=24h  after x",
		"early=99999999999999999999h",
		"early=9223372036854775807h",
		"ea\trly=24h",
		"a name of more than sixty-three bytes, which is more than there is room for=24h",
	};
	struct pk_conf_deadline d;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++)
		if (pk_conf_deadline_parse(bad[i], &d) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(pk_conf_deadline_parse("NIS2 early warning=24h", &d), 0);
	assert_string_equal(d.name, "NIS2 early warning");
	assert_int_equal(d.ms, 24 * 3600000);
	assert_int_equal(d.months, 0);
	assert_string_equal(d.after, "");
	assert_int_equal(pk_conf_deadline_parse("final report=1mo after NIS2 notification", &d), 0);
	assert_int_equal(d.months, 1);
	assert_string_equal(d.after, "NIS2 notification");
	assert_int_equal(pk_conf_deadline_parse("x=30d", &d), 0);
	assert_int_equal(d.ms, 30ll * 86400000);
}

static void what_it_comes_after_is_there(void **state)
{
	_cleanup_(pk_conf_freep) struct pk_conf *c = pk_conf_new();
	_cleanup_(pk_buf_done) struct pk_buf e = { 0 };

	(void)state;
	assert_int_equal(pk_conf_set(c, "incident.deadlines", "b=1mo after a", &e), -EINVAL);
	assert_non_null(strstr(e.data, "after"));
	assert_int_equal(pk_conf_set(c, "incident.deadlines", "a=24h", &e), 0);
	assert_int_equal(c->incident_deadlines.n, 1);
}

/* "2026-01-31T10:00:00" */
static int64_t at(const char *text)
{
	struct tm tm = { 0 };

	assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%S", &tm));
	return (int64_t)timegm(&tm) * 1000;
}

static void months_are_of_the_calendar(void **state)
{
	static const struct {
		unsigned months;
		const char *from, *due;
	} cases[] = {
		{ 1, "2026-01-31T10:00:00", "2026-02-28T10:00:00" },
		{ 1, "2028-01-31T10:00:00", "2028-02-29T10:00:00" },
		{ 1, "2026-02-28T10:00:00", "2026-03-28T10:00:00" },
		{ 1, "2026-12-15T23:59:59", "2027-01-15T23:59:59" },
		{ 13, "2026-12-31T00:00:00", "2028-01-31T00:00:00" },
		{ 6, "2026-08-31T00:00:00", "2027-02-28T00:00:00" },
	};
	struct pk_conf_deadline d = { .ms = 3600000 };

	(void)state;
	assert_int_equal(pk_conf_deadline_due(&d, 1234), 3601234);
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		d = (struct pk_conf_deadline){ .months = cases[i].months };
		assert_int_equal(pk_conf_deadline_due(&d, at(cases[i].from) + 7),
				 at(cases[i].due) + 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_are_read),
		cmocka_unit_test(what_it_comes_after_is_there),
		cmocka_unit_test(months_are_of_the_calendar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
