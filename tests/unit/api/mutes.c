/* SPDX-License-Identifier: Apache-2.0 */
/* Suppressions as whoever asks the agent sees them, what he may ask for, and what becomes of
 * alerts. */
#include "attack.h"
#include "served.h"

/* One alert, and a tick: suppressions of before were read. */
static void feed(struct pk_pipeline *p)
{
	pk_pipeline_tick(p, pk_clock_boot_ns());
	feed_exec(p, 4000001, PK_EXEC_MEMFD);
	pk_pipeline_tick(p, pk_clock_boot_ns());
}

static void refused(const char *body, const char *says)
{
	detail_has(ask("POST", "/v1/mutes", body, 400), says);
}

static void test_asked_wrongly(void **state)
{
	(void)state;
	refused("{", "JSON object");
	refused("[]", "JSON object");
	refused("{}", "rules");
	refused("{\"rules\":[\"fileless\"],\"wide\":true}", "reason");
	refused("{\"rules\":[\"fileless\"],\"wide\":true,\"reason\":\"\"}", "reason");
	refused("{\"rules\":[\"fileless\"],\"wide\":true,\"reason\":\"a\\nb\"}", "one line");
	refused("{\"rules\":[\"fileless\"],\"reason\":\"r\"}", "wide");
	refused("{\"rules\":[\"filelss\"],\"wide\":true,\"reason\":\"r\"}", "called filelss");
	refused("{\"rules\":\"fileless\",\"wide\":true,\"reason\":\"r\"}", "array");
	refused("{\"rules\":[\"fileless\"],\"match\":{\"exe\":\"x\"},\"reason\":\"r\"}",
		"whole path");
	refused("{\"rules\":[\"fileless\"],\"match\":{\"ex\":\"/x\"},\"reason\":\"r\"}",
		"no condition");
	refused("{\"rules\":[\"fileless\"],\"wide\":true,\"reason\":\"r\",\"ttl\":0}", "ttl_max");
	refused("{\"rules\":[\"fileless\"],\"wide\":true,\"reason\":\"r\",\"ttl\":7776001}",
		"7776000");
	refused("{\"rules\":[\"fileless\"],\"wide\":true,\"reason\":\"r\",\"resaon\":\"r\"}",
		"not known");
	refused("{\"rules\":[\"tamper\"],\"wide\":true,\"reason\":\"r\"}", "tamper");
	json_decref(ask("GET", "/v1/mutes?state=odd", "", 400));
	json_decref(ask("GET", "/v1/mutes/1", "", 404));
	json_decref(ask("GET", "/v1/mutes/none", "", 404));
	json_decref(ask("DELETE", "/v1/mutes/1", "", 404));
	json_decref(ask("POST", "/v1/mutes/1/extend", "{\"ttl\":1,\"reason\":\"r\"}", 404));
}

static void test_life(void **state)
{
	json_t *j = ask("POST", "/v1/mutes",
			"{\"rules\":[\"fileless\",\"beacon\"],\"match\":{\"process\":\"xyz\","
			"\"user\":\"root\"},"
			"\"reason\":\"our own\",\"owner\":\"team a\"}",
			201);
	char who[64];

	(void)state;
	assert_int_equal(num(j, "number"), 1);
	assert_string_equal(text_at(j, "state"), "active");
	assert_string_equal(text_at(j, "rules.1"), "beacon");
	assert_string_equal(text_at(j, "match.process"), "xyz");
	assert_string_equal(text_at(j, "owner"), "team a");
	assert_int_equal(num(j, "expires") - num(j, "created"), 30ll * 86400 * 1000);
	snprintf(who, sizeof(who), "(uid %u, pid %d)", getuid(), (int)getpid());
	assert_non_null(strstr(text_at(j, "acts.0.who"), who));
	assert_string_equal(text_at(j, "acts.0.why"), "our own");
	json_decref(j);
	detail_has(ask("POST", "/v1/mutes/1/extend", "{\"ttl\":60}", 400), "reason");
	detail_has(ask("POST", "/v1/mutes/1/extend", "{\"reason\":\"r\"}", 400), "ttl");
	detail_has(ask("POST", "/v1/mutes/1/extend", "{\"ttl\":60,\"reason\":\"r\",\"wide\":true}",
		       400),
		   "wide");
	j = ask("POST", "/v1/mutes/1/extend", "{\"ttl\":60,\"reason\":\"shorter\"}", 200);
	assert_true(num(j, "expires") - num(j, "created") < 120000);
	assert_string_equal(text_at(j, "acts.1.why"), "shorter");
	json_decref(j);
	j = ask("GET", "/v1/mutes", "", 200);
	assert_int_equal(num(j, "counts.active"), 1);
	assert_int_equal(num(j, "mutes.0.number"), 1);
	json_decref(j);
	j = ask("DELETE", "/v1/mutes/1", "{\"reason\":\"done\"}", 200);
	assert_string_equal(text_at(j, "state"), "removed");
	json_decref(j);
	json_decref(ask("DELETE", "/v1/mutes/1", "", 409));
	json_decref(ask("POST", "/v1/mutes/1/extend", "{\"ttl\":60,\"reason\":\"r\"}", 409));
	j = ask("GET", "/v1/mutes", "", 200);
	assert_int_equal(json_array_size(at(j, "mutes")), 0);
	json_decref(j);
	j = ask("GET", "/v1/mutes?state=removed", "", 200);
	assert_int_equal(json_array_size(at(j, "mutes")), 1);
	json_decref(j);
}

/* Nobody who said nothing owns it: the one who asked does. */
static void test_owner(void **state)
{
	json_t *j = ask("POST", "/v1/mutes", "{\"rules\":[\"dga\"],\"wide\":true,\"reason\":\"r\"}",
			201);

	(void)state;
	assert_true(strlen(text_at(j, "owner")) > 0);
	json_decref(j);
	j = ask("GET", "/v1/status", "", 200);
	assert_int_equal(num(j, "mutes.active"), 1);
	json_decref(j);
}

static void test_alerts_are_apart(void **state)
{
	json_t *j = ask("GET", "/v1/alerts?rule=fileless", "", 200);

	(void)state;
	assert_int_equal(num(j, "matched"), 1);
	assert_int_equal(num(j, "alerts.0.status_id"), 1);
	json_decref(j);
	j = ask("GET", "/v1/alerts?muted=1", "", 200);
	assert_int_equal(num(j, "matched"), 0);
	json_decref(j);
	json_decref(ask("GET", "/v1/alerts?muted=odd", "", 400));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked_wrongly),
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_alerts_are_apart),
	};

	feed_more = feed;
	return cmocka_run_group_tests(tests, setup, teardown);
}
