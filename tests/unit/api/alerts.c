/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts and detectors as whoever asks the agent sees them. */
#include "attack.h"
#include "served.h"

static void feed_attacks(struct pk_pipeline *p)
{
	feed_exec(p, 4000001, PK_EXEC_MEMFD);
	feed_exec(p, 4000002, PK_EXEC_MEMFD);
	feed_exec(p, 4000003, 0);
	pk_pipeline_tick(p, pk_clock_boot_ns());
}

static void test_record(void **state)
{
	json_t *j = ask("GET", "/v1/alerts?rule=fileless", "", 200), *a = at(j, "alerts.0");

	(void)state;
	assert_int_equal(num(j, "matched"), 1);
	assert_int_equal(num(a, "class_uid"), 2004);
	assert_int_equal(num(a, "type_uid"), 200402);
	assert_int_equal(num(a, "count"), 2);
	assert_int_equal(num(a, "severity_id"), 4);
	assert_string_equal(text_at(a, "finding_info.analytic.uid"), "fileless");
	assert_string_equal(text_at(a, "finding_info.attacks.0.technique.uid"), "T1620");
	assert_string_equal(text_at(a, "finding_info.attacks.0.version"), PK_ATTACK_VERSION);
	assert_int_equal(num(a, "evidences.0.process.pid"), 4000001);
	assert_true(strlen(text_at(a, "message")) > 10);
	assert_true(strlen(text_at(a, "remediation.desc")) > 10);
	json_decref(j);
}

static void test_wishes(void **state)
{
	static const struct {
		const char *query;
		int matched;
	} cases[] = {
		{ "technique=T1620", 1 },      { "technique=T1027", 1 }, /* with those below it */
		{ "technique=T162", 0 },       { "severity=high", 1 },
		{ "severity=critical", 0 },    { "filter=pid%204000001", 1 },
		{ "filter=pid%204000002", 0 }, /* the first one is its evidence */
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		char path[96];
		json_t *j;

		snprintf(path, sizeof(path), "/v1/alerts?rule=fileless&%s", cases[i].query);
		j = ask("GET", path, "", 200);
		if (num(j, "matched") != cases[i].matched)
			fail_msg("%s: %d", path, (int)num(j, "matched"));
		json_decref(j);
	}
	detail_has(ask("GET", "/v1/alerts?severity=odd", "", 400), "severity");
	json_decref(ask("GET", "/v1/alerts/none", "", 404));
	json_decref(ask("GET", "/v1/alerts/1", "", 200));
}

static void test_detectors(void **state)
{
	json_t *j = ask("GET", "/v1/detectors", "", 200), *d;
	bool found = false;
	size_t i;

	(void)state;
	json_array_foreach(at(j, "detectors"), i, d)
	{
		assert_true(num(d, "bytes") <= num(d, "bytes_max"));
		if (strcmp(text_at(d, "name"), "fileless") != 0)
			continue;
		assert_int_equal(num(d, "found"), 2);
		assert_true(num(d, "seen") >= 3);
		found = true;
	}
	assert_true(found);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_wishes),
		cmocka_unit_test(test_detectors),
	};

	feed_more = feed_attacks;
	return cmocka_run_group_tests(tests, setup, teardown);
}
