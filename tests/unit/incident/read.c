/* SPDX-License-Identifier: Apache-2.0 */
/* An incident comes back from its record as it was; damaged records are refused or bounded. */
#include "incident/read.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "output/ocsf.h"
#include "output/ocsf_incident.h"
#include "world.h"

#include <errno.h>
#include <jansson.h>

static void record(const struct pk_incident *i, struct pk_buf *out)
{
	struct pk_ocsf o = { 0 };
	struct pk_json j;

	pk_buf_reset(out);
	pk_json_init(&j, out);
	pk_ocsf_incident(&j, &o, i, &(struct pk_ocsf_telling){ 0 });
	assert_int_equal(out->error, 0);
}

static struct pk_incident *attack(void)
{
	struct pk_incident_by by = { "alice \x1b[31m", "a \\ reason", 1700000200000 };
	struct pk_finding f;
	struct pk_incident *i;

	process(1, 0, "systemd/bin/", 0);
	process(12, 1, "bash/bin/", 0);
	process(13, 12, "x\"y/tmp/", 0);
	f = finding("shell", "T1059.004", PK_HIGH);
	about(&f, 13);
	with(&f, "198.51.100.7");
	i = say(&f);
	f = finding("tunnel", "T1071.004", PK_MEDIUM);
	about(&f, 13);
	strcpy(f.name, "evil.example");
	assert_ptr_equal(say(&f), i);
	assert_int_equal(pk_incident_ack(i, &by), 0);
	pk_incident_assign(i, "bob", "night", &by);
	assert_int_equal(pk_incident_move(i, PK_INCIDENT_DECLARED, &by), 0);
	assert_int_equal(pk_incident_assess(i, PK_ASSESS_INTEGRITY, "medium", &by), 0);
	assert_int_equal(pk_incident_assess(i, PK_ASSESS_CAUSE, "a \"key\" \\ \x1b", &by), 0);
	assert_int_equal(pk_incident_report(i, "early \"warning\"", &by), 0);
	assert_int_equal(pk_incident_report(i, "notification", &by), 0);
	strcpy(i->act[0].undo, "unblock");
	*pk_incident_wait_add(i) = (struct pk_incident_wait){
		.number = 3,
		.playbook = "playbook--1",
		.step = "action--1",
		.text = "reimage \"the host\"",
		.whom = "who is on call",
		.since_ms = 1700000200000,
		.until_ms = 1700000300000,
		.result = PK_DEED_DONE,
		.human = true,
		.who = "alice",
		.why = "it is real",
		.back = { { "parallel--1", 1 }, { "parallel--2", 0 } },
		.depth = 2,
	};
	return i;
}

static void test_round(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf a = { 0 }, b = { 0 };
	struct pk_incident *i, back;

	(void)state;
	world_begin(16);
	i = attack();
	i->told = 1;
	record(i, &a);
	assert_int_equal(pk_incident_read(a.data, a.len, &back), 0);
	assert_string_equal(back.uid, i->uid);
	assert_int_equal(back.state, PK_INCIDENT_DECLARED);
	assert_string_equal(back.owner, "bob");
	assert_int_equal(back.suspect.tgid, 13);
	assert_string_equal(back.act[0].who, i->act[0].who);
	assert_string_equal(back.act[0].why, "a \\ reason");
	assert_int_equal(back.waits, 1);
	assert_memory_equal(back.wait, i->wait, sizeof(*back.wait));
	assert_memory_equal(back.assessed, i->assessed, PK_ASSESS_KINDS * sizeof(*i->assessed));
	assert_int_equal(back.acts, i->acts);
	assert_int_equal(back.reports, 2);
	assert_memory_equal(back.report, i->report, sizeof(i->report));
	assert_int_equal(back.graph->nodes, i->graph->nodes);
	assert_int_equal(back.graph->edges, i->graph->edges);
	back.told = 1;
	record(&back, &b);
	assert_string_equal(a.data, b.data);
	pk_incident_done(&back);
	world_end();
}

/* What an older agent did not write is nothing; what it wrote is all there. */
static void test_older(void **state)
{
	static const char *const younger[] = { "waits", "assessment", "obligations" };
	static const char *const of_waits[] = { "back", "who", "why", "by_person", "whom" };
	_cleanup_(pk_buf_done) struct pk_buf a = { 0 };
	struct pk_incident *i, back;
	json_t *o, *own;
	char *text;

	(void)state;
	world_begin(16);
	i = attack();
	record(i, &a);
	for (int round = 0; round < 2; round++) {
		o = json_loadb(a.data, a.len, 0, NULL);
		own = json_object_get(json_object_get(o, "unmapped"), "picket");
		for (size_t k = 0; k < PK_ARRAY_SIZE(of_waits); k++)
			assert_int_equal(
				json_object_del(json_array_get(json_object_get(own, "waits"), 0),
						of_waits[k]),
				0);
		for (size_t k = 0; round && k < PK_ARRAY_SIZE(younger); k++)
			assert_int_equal(json_object_del(own, younger[k]), 0);
		text = json_dumps(o, JSON_COMPACT);
		json_decref(o);
		assert_int_equal(pk_incident_read(text, strlen(text), &back), 0);
		free(text);
		assert_int_equal(back.acts, i->acts);
		assert_int_equal(back.waits, !round);
		assert_int_equal(back.reports, round ? 0 : 2);
		assert_int_equal(back.assessed != NULL, !round);
		if (!round) {
			assert_string_equal(back.wait[0].step, "action--1");
			assert_int_equal(back.wait[0].depth, 0);
			assert_false(
				back.wait[0].human); /* it goes on with what is enabled alone */
		}
		pk_incident_done(&back);
	}
	world_end();
}

/* The host runs for so long now, after seconds by the wall clock. */
static void at_uptime(int64_t uptime, int64_t after)
{
	int64_t wall = (int64_t)w.now_ns + pk_clock_offset_ns() + after * (int64_t)SEC;

	w.now_ns = (uint64_t)uptime * SEC;
	pk_clock_fix_offset(wall - (int64_t)w.now_ns);
}

/* The window is of the time that passed: neither uptime nor a boot between makes it another. */
static void test_window(void **state)
{
	static const int64_t uptime[] = { 10, 100, 40000 };
	_cleanup_(pk_buf_done) struct pk_buf a = { 0 };
	struct pk_incident back;
	struct pk_finding f;
	uint64_t number;

	(void)state;
	world_begin(16);
	number = attack()->number;
	record(pk_incidents_find(w.incidents, number), &a);
	world_end();
	for (size_t i = 0; i < 2 * PK_ARRAY_SIZE(uptime); i++) {
		bool late = i % 2;

		world_begin(16);
		at_uptime(uptime[i / 2], late ? 3700 : 3500);
		assert_int_equal(pk_incident_read(a.data, a.len, &back), 0);
		assert_int_equal(pk_incidents_restore(w.incidents, &back), 0);
		f = finding("beacon", "T1071", PK_MEDIUM);
		with(&f, "198.51.100.7");
		assert_int_equal(say(&f)->number, late ? number + 1 : number);
		world_end();
	}
}

/* After a restart: what goes on joins what was read back. */
static void test_goes_on(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf a = { 0 };
	struct pk_incident back, *i;
	struct pk_finding f;
	uint64_t number;

	(void)state;
	world_begin(16);
	i = attack();
	number = i->number;
	record(i, &a);
	world_end();
	world_begin(16);
	at_uptime(40000, 0);
	assert_int_equal(pk_incident_read(a.data, a.len, &back), 0);
	assert_int_equal(pk_incidents_restore(w.incidents, &back), 0);
	f = finding("beacon", "T1071", PK_MEDIUM);
	with(&f, "198.51.100.7");
	assert_int_equal(say(&f)->number, number);
	f = finding("other", "T1071", PK_MEDIUM);
	with(&f, "198.51.100.8");
	assert_int_equal(say(&f)->number, number + 1);
	assert_int_equal(pk_incident_read(a.data, a.len, &back), 0);
	assert_int_equal(pk_incidents_restore(w.incidents, &back), -EEXIST);
	pk_incident_done(&back);
	world_end();
}

static void test_damaged(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{",
		"{\"class_uid\":2004}",
		"{\"class_uid\":2005}",
		"{\"class_uid\":2005,\"metadata\":{\"uid\":\"x\"},"
		"\"unmapped\":{\"picket\":{\"number\":1,\"state\":\"lost\"}}}",
		"{\"class_uid\":2005,\"metadata\":{\"uid\":\"x\"},"
		"\"unmapped\":{\"picket\":{\"number\":0,\"state\":\"new\"}}}",
	};
	static const char odd[] =
		"{\"class_uid\":2005,\"metadata\":{\"uid\":\"x\"},\"severity_id\":99,"
		"\"finding_info_list\":[7,{\"attacks\":[{},{},{},{},{},{}]}],"
		"\"unmapped\":{\"picket\":{\"number\":5,\"state\":\"new\",\"times\":[],"
		"\"remotes\":[{\"ip\":\"nobody\"}],\"acts\":[1,{\"type_id\":-4}],"
		"\"graph\":{\"nodes\":[{\"kind\":\"process\"}],"
		"\"edges\":[{\"kind\":\"started\",\"from\":0,\"to\":999999}]}}}}";
	struct pk_incident i;

	(void)state;
	for (size_t k = 0; k < PK_ARRAY_SIZE(bad); k++)
		assert_int_equal(pk_incident_read(bad[k], strlen(bad[k]), &i), -EBADMSG);
	assert_int_equal(pk_incident_read(odd, strlen(odd), &i), 0);
	assert_int_equal(i.severity, PK_CRITICAL);
	assert_int_equal(i.alerts, 2);
	assert_int_equal(i.acts, 2);
	assert_int_equal(i.remotes, 0);
	assert_int_equal(i.graph->edges, 0);
	pk_incident_done(&i);
}

/* What OCSF 1.8.0 requires of class 2005. */
static void test_required(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf a = { 0 };
	json_t *j;

	(void)state;
	world_begin(16);
	record(attack(), &a);
	j = json_loads(a.data, 0, NULL);
	assert_non_null(j);
	assert_int_equal(json_integer_value(json_object_get(j, "class_uid")), 2005);
	assert_int_equal(json_integer_value(json_object_get(j, "category_uid")), 2);
	assert_int_equal(json_integer_value(json_object_get(j, "type_uid")), 200501);
	assert_int_equal(json_integer_value(json_object_get(j, "status_id")), 2);
	assert_int_equal(json_array_size(json_object_get(j, "finding_info_list")), 2);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(j, "assignee"), "name")), "bob");
	assert_non_null(json_object_get(j, "time"));
	assert_non_null(json_object_get(j, "severity_id"));
	json_decref(j);
	world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),   cmocka_unit_test(test_older),
		cmocka_unit_test(test_goes_on), cmocka_unit_test(test_window),
		cmocka_unit_test(test_damaged), cmocka_unit_test(test_required),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
