/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of a duty begins when somebody knows, that of the next when he was told. */
#include "incident/duty.h"

#include "incident/incident.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR 3600000ll

static void test_clocks(void **state)
{
	struct pk_incident i = { .at_ms[PK_CLOCK_DETECTED] = 1000 };
	struct pk_incident_by by = { "alice", "case 4711", 50 * HOUR };
	struct pk_duty d;

	(void)state;
	assert_int_equal(pk_duty_of(&i, "early", &d), -EINVAL);
	assert_int_equal(pk_duty_of(&i, "early=24h", &d), 0);
	assert_int_equal(d.due_ms, 0); /* nobody knows yet that it is significant */
	assert_int_equal(d.earliest_ms, 1000 + 24 * HOUR);
	assert_int_equal(d.told_ms, 0);
	assert_int_equal(pk_duty_of(&i, "final=30d after early", &d), 0);
	assert_int_equal(d.due_ms, 0);
	assert_int_equal(d.earliest_ms, 0);

	assert_int_equal(pk_incident_aware(&i, &by), 0);
	assert_int_equal(pk_duty_of(&i, "early=24h", &d), 0);
	assert_int_equal(d.due_ms, 74 * HOUR);
	assert_int_equal(d.earliest_ms, 1000 + 24 * HOUR);
	by.now_ms = 60 * HOUR;
	assert_int_equal(pk_incident_report(&i, "early", &by), 0);
	assert_int_equal(pk_incident_report(&i, "early", &by), -EALREADY);
	assert_int_equal(pk_duty_of(&i, "early=24h", &d), 0);
	assert_int_equal(d.told_ms, 60 * HOUR);
	/* counted from the report, not from the incident */
	assert_int_equal(pk_duty_of(&i, "final=30d after early", &d), 0);
	assert_int_equal(d.due_ms, (60 + 30 * 24) * HOUR);
	assert_string_equal(i.act[i.acts - 1].what, "reported: early");
	assert_string_equal(i.act[i.acts - 1].why, "case 4711");
	for (int k = 0; k < PK_CONF_DEADLINES - 1; k++) {
		char to[8] = { (char)('a' + k), 0 };

		assert_int_equal(pk_incident_report(&i, to, &by), 0);
	}
	assert_int_equal(pk_incident_report(&i, "one more", &by), -ENOSPC);
	pk_incident_done(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_clocks) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
