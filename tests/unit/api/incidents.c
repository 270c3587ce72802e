/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents as whoever asks the agent sees them, and what he may do about them. */
#include "attack.h"
#include "served.h"

static void feed_attack(struct pk_pipeline *p)
{
	feed_exec(p, 4000001, PK_EXEC_MEMFD);
	pk_pipeline_tick(p, pk_clock_boot_ns());
}

static void test_read(void **state)
{
	json_t *j = ask("GET", "/v1/incidents", "", 200), *i = at(j, "incidents.0");

	(void)state;
	assert_int_equal(num(j, "matched"), 1);
	assert_int_equal(num(j, "counts.open"), 1);
	assert_int_equal(num(i, "class_uid"), 2005);
	assert_int_equal(num(i, "status_id"), 1);
	assert_int_equal(num(i, "unmapped.picket.number"), 1);
	assert_string_equal(text_at(i, "assignee_group.name"), "on-call");
	assert_string_equal(text_at(i, "unmapped.picket.title"), "Program without a file");
	assert_string_equal(text_at(i, "desc"), "Program without a file.");
	assert_string_equal(text_at(i, "finding_info_list.0.attacks.0.technique.uid"), "T1620");
	assert_string_equal(text_at(i, "finding_info_list.0.attacks.0.tactic.name"), "Stealth");
	json_decref(ask("GET", "/v1/incidents/1", "", 200));
	json_decref(ask("GET", "/v1/incidents/2", "", 404));
	json_decref(ask("GET", "/v1/incidents/none", "", 404));
	json_decref(ask("GET", "/v1/incidents?state=odd", "", 400));
	json_decref(j);
	j = ask("GET", "/v1/incidents?state=closed", "", 200);
	assert_int_equal(num(j, "matched"), 0);
	json_decref(j);
	j = ask("GET", "/v1/alerts/1", "", 200);
	assert_int_equal(num(j, "unmapped.picket.incident"), 1);
	json_decref(j);
}

static void test_acts(void **state)
{
	char who[64];
	json_t *j;

	(void)state;
	json_decref(ask("POST", "/v1/incidents/1/ack", "{", 400));
	json_decref(ask("POST", "/v1/incidents/1/ack", "{\"resaon\":\"x\"}", 400));
	json_decref(ask("POST", "/v1/incidents/7/ack", "", 404));
	j = ask("POST", "/v1/incidents/1/ack", "", 200);
	assert_string_equal(text_at(j, "unmapped.picket.state"), "triage");
	/* there is no store: that is said */
	assert_true(json_is_false(at(j, "unmapped.picket.kept")));
	assert_true(json_is_false(at(j, "unmapped.picket.acts.0.kept")));
	snprintf(who, sizeof(who), "(uid %u, pid %d)", getuid(), (int)getpid());
	assert_non_null(strstr(text_at(j, "unmapped.picket.acts.0.who"), who));
	assert_true(num(j, "unmapped.picket.times.acked") >=
		    num(j, "unmapped.picket.times.detected"));
	json_decref(j);
	json_decref(ask("POST", "/v1/incidents/1/ack", "", 409));
	json_decref(ask("POST", "/v1/incidents/1/assign", "{}", 400));
	j = ask("POST", "/v1/incidents/1/assign", "{\"owner\":\"alice\"}", 200);
	assert_string_equal(text_at(j, "assignee.name"), "alice");
	json_decref(j);
	json_decref(ask("POST", "/v1/incidents/1/note", "{\"text\":\"\"}", 400));
	json_decref(ask("POST", "/v1/incidents/1/note", "{\"text\":\"looked\"}", 200));
	json_decref(ask("POST", "/v1/incidents/1/assess", "{\"reason\":\"r\"}", 400));
	detail_has(ask("POST", "/v1/incidents/1/assess", "{\"integrity\":\"low\"}", 400), "reason");
	detail_has(ask("POST", "/v1/incidents/1/assess",
		       "{\"services\":\"shop\",\"integrity\":\"huge\",\"reason\":\"r\"}", 400),
		   "one of none low medium high");
	detail_has(ask("POST", "/v1/incidents/1/assess",
		       "{\"personal_data\":true,\"reason\":\"r\"}", 400),
		   "one of yes no");
	json_decref(
		ask("POST", "/v1/incidents/1/assess", "{\"mood\":\"low\",\"reason\":\"r\"}", 400));
	j = ask("POST", "/v1/incidents/1/assess",
		"{\"integrity\":\"low\",\"confidentiality\":\"high\",\"root_cause\":\"key\","
		"\"reason\":\"first look\"}",
		200);
	assert_string_equal(text_at(j, "unmapped.picket.assessment.root_cause"), "key");
	assert_null(at(j, "unmapped.picket.assessment.services")); /* all or nothing */
	assert_int_equal(num(j, "impact_id"), 3);
	assert_string_equal(text_at(j, "impact"), "High");
	json_decref(j);
	detail_has(ask("POST", "/v1/incidents/1/reported",
		       "{\"to\":\"NIS2 early warning\",\"reason\":\"r\"}", 400),
		   "incident.deadlines");
	/* each name, also those that are a part of another */
	j = ask("POST", "/v1/incidents/1/assess",
		"{\"reason\":\"r\",\"confidentiality\":\"none\",\"integrity\":\"none\","
		"\"availability\":\"none\",\"services\":\"s\",\"assets\":\"a\","
		"\"personal_data\":\"no\",\"root_cause\":\"c\",\"cause\":\"why\","
		"\"worked\":\"w\",\"improvements\":\"i\"}",
		200);
	assert_int_equal(json_object_size(at(j, "unmapped.picket.assessment")), 10);
	assert_string_equal(text_at(j, "unmapped.picket.assessment.cause"), "why");
	json_decref(j);
	json_decref(
		ask("POST", "/v1/incidents/1/assess", "{\"caus\":\"x\",\"reason\":\"r\"}", 400));
	/* who decides says why */
	detail_has(ask("POST", "/v1/incidents/1/state", "{\"state\":\"declared\"}", 400), "reason");
	j = ask("POST", "/v1/incidents/1/state",
		"{\"state\":\"declared\",\"aware\":true,\"reason\":\"real\"}", 200);
	assert_true(num(j, "unmapped.picket.times.aware") > 0);
	json_decref(j);
	detail_has(ask("POST", "/v1/incidents/1/state",
		       "{\"state\":\"recovered\",\"reason\":\"r\"}", 409),
		   "declared can not become recovered");
	detail_has(ask("POST", "/v1/incidents/1/close", "{}", 400), "reason");
	json_decref(ask("POST", "/v1/incidents/1/close", "{\"verdict\":\"odd\",\"reason\":\"x\"}",
			400));
	j = ask("POST", "/v1/incidents/1/close", "{\"verdict\":\"benign\",\"reason\":\"test\"}",
		200);
	assert_string_equal(text_at(j, "unmapped.picket.state"), "dismissed");
	assert_int_equal(num(j, "status_id"), 5);
	assert_int_equal(num(j, "activity_id"), 3);
	json_decref(j);
	json_decref(ask("POST", "/v1/incidents/1/close", "{\"reason\":\"again\"}", 409));
	json_decref(ask("POST", "/v1/incidents/1/step", "{\"result\":\"done\"}", 400));
	json_decref(ask("POST", "/v1/incidents/1/step", "{\"reason\":\"x\"}", 400));
	json_decref(ask("POST", "/v1/incidents/1/step",
			"{\"reason\":\"x\",\"result\":\"done\",\"step\":\"0\"}", 400));
	j = ask("POST", "/v1/incidents/1/step", "{\"reason\":\"x\",\"result\":\"done\"}", 409);
	assert_string_equal(text_at(j, "detail"), "no step of it waits for a person");
	json_decref(j);
	j = ask("GET", "/v1/incidents", "", 200);
	assert_int_equal(num(j, "matched"), 0);
	json_decref(j);
	j = ask("GET", "/v1/incidents?state=all", "", 200);
	assert_int_equal(num(j, "matched"), 1);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_acts),
	};

	feed_more = feed_attack;
	return cmocka_run_group_tests(tests, setup, teardown);
}
