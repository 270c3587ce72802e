/* SPDX-License-Identifier: Apache-2.0 */
/* States and which may follow, clocks, acts and their bound, words. */
#include "incident/incident.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_life(void **state)
{
	static const enum pk_incident_state way[] = { PK_INCIDENT_DECLARED, PK_INCIDENT_CONTAINED,
						      PK_INCIDENT_ERADICATED, PK_INCIDENT_RECOVERED,
						      PK_INCIDENT_CLOSED };
	static const int status[] = { 2, 2, 2, 4, 5 };
	struct pk_incident i = { .state = PK_INCIDENT_NEW };
	struct pk_incident_by by = { "alice", "because", 1 };

	(void)state;
	assert_int_equal(pk_incident_status_id(i.state), 1);
	assert_int_equal(pk_incident_ack(&i, &by), 0);
	assert_int_equal(i.state, PK_INCIDENT_TRIAGE);
	assert_int_equal(pk_incident_ack(&i, &by), -EALREADY);
	for (size_t k = 0; k < PK_ARRAY_SIZE(way); k++) {
		by.now_ms++;
		assert_int_equal(pk_incident_move(&i, way[k], &by), 0);
		assert_int_equal(i.at_ms[PK_CLOCK_DECLARED + k], by.now_ms);
		assert_int_equal(pk_incident_status_id(i.state), status[k]);
		assert_int_equal(pk_incident_is_over(&i), way[k] == PK_INCIDENT_CLOSED);
	}
	assert_int_equal(pk_incident_move(&i, PK_INCIDENT_CONTAINED, &by), -EPERM);
	assert_int_equal(pk_incident_move(&i, PK_INCIDENT_TRIAGE, &by), 0);
	assert_int_equal(i.at_ms[PK_CLOCK_CLOSED], 0);
	assert_int_equal(i.acts, 7);
	assert_string_equal(i.act[0].what, "acknowledged");
	assert_string_equal(i.act[1].what, "state declared, was triage");
	assert_string_equal(i.act[1].who, "alice");
	assert_string_equal(i.act[1].why, "because");
	pk_incident_done(&i);
}

static void test_not_allowed(void **state)
{
	struct pk_incident i = { .state = PK_INCIDENT_NEW };
	struct pk_incident_by by = { "alice", NULL, 1 };

	(void)state;
	assert_int_equal(pk_incident_move(&i, PK_INCIDENT_RECOVERED, &by), -EPERM);
	assert_int_equal(pk_incident_move(&i, PK_INCIDENT_NEW, &by), -EPERM);
	assert_int_equal(i.acts, 0);
	assert_int_equal(pk_incident_move(&i, PK_INCIDENT_DISMISSED, &by), 0);
	assert_int_equal(i.verdict, PK_VERDICT_FALSE_POSITIVE);
	pk_incident_done(&i);
}

static void test_names(void **state)
{
	enum pk_incident_state s;
	enum pk_verdict_id v;

	(void)state;
	for (int k = PK_INCIDENT_NEW; k < PK_INCIDENT_STATES; k++) {
		assert_int_equal(pk_incident_state_parse(
					 pk_incident_state_name((enum pk_incident_state)k), &s),
				 0);
		assert_int_equal(s, k);
	}
	assert_int_equal(pk_incident_state_parse("gone", &s), -EINVAL);
	assert_int_equal(pk_verdict_parse("benign", &v), 0);
	assert_int_equal(v, PK_VERDICT_BENIGN);
	assert_int_equal(pk_verdict_parse("maybe", &v), -EINVAL);
}

static void test_acts_are_bounded(void **state)
{
	struct pk_incident i = { .state = PK_INCIDENT_NEW };
	struct pk_incident_by by = { "alice", NULL, 1 };

	(void)state;
	for (int k = 0; k < PK_INCIDENT_ACTS + 10; k++)
		assert_non_null(pk_incident_note(&i, &by, PK_DEED_OBSERVATION, "note %d", k));
	assert_int_equal(i.acts, PK_INCIDENT_ACTS);
	assert_int_equal(i.acts_lost, 10);
	assert_string_equal(i.act[0].what, "note 10");
	assert_int_equal(i.act[PK_INCIDENT_ACTS - 1].number, PK_INCIDENT_ACTS + 10);
	pk_incident_done(&i);
}

/* What is in force stays, however many notes come: else nothing would end it. */
static void test_acts_in_force_stay(void **state)
{
	struct pk_incident i = { .state = PK_INCIDENT_NEW };
	struct pk_incident_by by = { "alice", NULL, 1 };

	(void)state;
	assert_false(pk_incident_is_in_force(&i));
	pk_incident_note(&i, &by, PK_DEED_OBSERVATION, "first");
	strcpy(pk_incident_note(&i, &by, PK_DEED_MITIGATION, "suspend pid 7")->undo, "resume");
	for (int k = 0; k < 2 * PK_INCIDENT_ACTS; k++)
		assert_non_null(pk_incident_note(&i, &by, PK_DEED_OBSERVATION, "note %d", k));
	assert_int_equal(i.acts, PK_INCIDENT_ACTS);
	assert_string_equal(i.act[0].what, "suspend pid 7");
	assert_int_equal(i.act[1].number, PK_INCIDENT_ACTS + 4);
	assert_true(pk_incident_is_in_force(&i));
	/* all of them in force: the oldest, since one has to */
	for (size_t k = 0; k < i.acts; k++)
		strcpy(i.act[k].undo, "resume");
	assert_non_null(pk_incident_note(&i, &by, PK_DEED_OBSERVATION, "last"));
	assert_string_equal(i.act[PK_INCIDENT_ACTS - 1].what, "last");
	assert_int_equal(i.act[0].number, PK_INCIDENT_ACTS + 4);
	pk_incident_done(&i);
}

static void test_aware_once(void **state)
{
	struct pk_incident i = { .state = PK_INCIDENT_NEW };
	struct pk_incident_by by = { "alice", "personal data", 7 };

	(void)state;
	assert_int_equal(pk_incident_aware(&i, &by), 0);
	by.now_ms = 9;
	assert_int_equal(pk_incident_aware(&i, &by), -EALREADY);
	assert_int_equal(i.at_ms[PK_CLOCK_AWARE], 7);
	pk_incident_done(&i);
}

static void test_severity_of_a_chain(void **state)
{
	struct pk_incident i = { .state = PK_INCIDENT_NEW };

	(void)state;
	pk_incident_alert_add(&i)[0] = (struct pk_incident_alert){ .severity = PK_MEDIUM };
	pk_incident_rate(&i, 1);
	assert_int_equal(i.severity, PK_MEDIUM);
	i.tactics = 1u << PK_TACTIC_DISCOVERY | 1u << PK_TACTIC_CONTROL;
	pk_incident_rate(&i, 1);
	assert_int_equal(i.severity, PK_MEDIUM);
	i.tactics |= 1u << PK_TACTIC_EXFILTRATION;
	pk_incident_rate(&i, 1);
	assert_int_equal(i.severity, PK_HIGH);
	assert_int_equal(i.act[0].type, PK_DEED_SEVERITY);
	pk_incident_done(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_not_allowed),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_acts_are_bounded),
		cmocka_unit_test(test_acts_in_force_stay),
		cmocka_unit_test(test_aware_once),
		cmocka_unit_test(test_severity_of_a_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
