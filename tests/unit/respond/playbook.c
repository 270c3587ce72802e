/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped playbooks are right; each kind of mistake is found; a reference playbook's commands
 * are refused, for they are not verbs of this tool. */
#include "respond/playbook.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "respond/shelf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START "start--6513270e-269e-4d37-b2a7-4de452e6b438"
#define ONE   "action--d23f0824-128b-4f33-8c5c-7fd0a6a3a450"
#define TWO   "action--36f675cc-81e7-4ef5-a8e2-5d940ed90475"
#define IF    "if-condition--a170b338-3926-4059-b28c-105d1fb17c23"
#define END   "end--8d116ece-1738-47d9-bd9c-172411e20b8f"

#define HEAD "{" HEAD_REST
#define HEAD_REST                                                                                  \
	"\"type\":\"playbook\",\"spec_version\":\"cacao-2.0\","                                    \
	"\"id\":\"playbook--ec66a787-95e7-41d1-b731-af10506bf2ef\",\"name\":\"n\","                \
	"\"created_by\":\"identity--3f98e277-4cbd-47ad-9c90-a9587403e430\","                       \
	"\"created\":\"2026-01-15T09:00:00.000Z\",\"modified\":\"2026-01-15T09:00:00.000Z\","      \
	"\"labels\":[\"attack:T1059\",\"rule:miner\"],\"workflow_start\":\"" START                 \
	"\",\"workflow\":{"
#define TAIL "}}"
#define BASH(command, more)                                                                        \
	"{\"type\":\"action\",\"commands\":[{\"type\":\"bash\",\"command\":\"" command "\"}]" more \
	"}"
#define TO(what, step) ",\"" what "\":\"" step "\""
#define GOOD_START     "\"" START "\":{\"type\":\"start\"" TO("on_completion", ONE) "},"
#define GOOD_END       ",\"" END "\":{\"type\":\"end\"}"

static void says(const char *json, const char *complaint)
{
	_cleanup_free_ struct pk_playbook *p = calloc(1, sizeof(*p));
	_cleanup_(pk_buf_done) struct pk_buf e = { 0 };
	int r = pk_playbook_read(json, strlen(json), p, &e);

	if (!complaint && r)
		fail_msg("%s", e.data);
	if (complaint && (r != -EBADMSG || !e.data || !strstr(e.data, complaint)))
		fail_msg("wanted %s: %d %s", complaint, r, e.data ? e.data : "");
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *workflow, *complaint;
	} cases[] = {
		{ GOOD_START "\"" ONE "\":" BASH("picket block __remote__:value --ttl 1h",
						 TO("on_completion", END)) GOOD_END,
		  NULL },
		{ GOOD_START "\"" ONE "\":" BASH("picket block __remote__:value; reboot",
						 TO("on_completion", END)) GOOD_END,
		  "no shell" },
		{ GOOD_START "\"" ONE "\":" BASH("rm -rf x", TO("on_completion", END)) GOOD_END,
		  "not a command of picket" },
		{ GOOD_START "\"" ONE "\":" BASH("picket detach", TO("on_completion", END))
			  GOOD_END,
		  "no verb that a playbook may use" },
		{ GOOD_START "\"" ONE "\":" BASH("picket suspend __remote__:value",
						 TO("on_completion", END)) GOOD_END,
		  "its object must be" },
		{ GOOD_START "\"" ONE "\":" BASH("picket cut __remote__:value --ttl 1h",
						 TO("on_completion", END)) GOOD_END,
		  "not an option" },
		{ GOOD_START "\"" ONE "\":" BASH("picket cut __remote__:value", "") GOOD_END,
		  "no end is reached" },
		{ GOOD_START "\"" ONE "\":" BASH("picket cut __remote__:value",
						 TO("on_success", END)) GOOD_END,
		  "both on_success and on_failure" },
		{ GOOD_START "\"" ONE "\":" BASH("picket cut __remote__:value",
						 TO("on_completion", ONE)) GOOD_END,
		  "circle" },
		{ GOOD_START "\"" ONE "\":" BASH("picket cut __remote__:value",
						 TO("on_completion", TWO)) GOOD_END,
		  "not there" },
		{ GOOD_START "\"" ONE "\":" BASH("picket cut __remote__:value",
						 TO("on_completion", END)) GOOD_END
		  ",\"" TWO "\":" BASH("picket cut __remote__:value", TO("on_completion", END)),
		  "nothing leads to it" },
		{ GOOD_START "\"" ONE "\":{\"type\":\"action\",\"commands\":[{\"type\":\"manual\","
			     "\"command\":\"x\"}]" TO("on_completion", END) "}" GOOD_END,
		  "needs a timeout" },
		{ GOOD_START
		  "\"" ONE "\":{\"type\":\"action\",\"timeout\":-1,\"commands\":[{"
		  "\"type\":\"manual\",\"command\":\"x\"}]" TO("on_completion", END) "}" GOOD_END,
		  "timeout must be" },
		{ GOOD_START
		  "\"" ONE "\":{\"type\":\"while-condition\"" TO("on_completion", END) "}" GOOD_END,
		  "a type of step that is not run here" },
		{ GOOD_START "\"action--1\":" BASH("picket cut __remote__:value",
						   TO("on_completion", END)) GOOD_END,
		  "UUIDv4" },
		{ "\"" START "\":{\"type\":\"start\"" TO(
			  "on_completion", IF) "},\"" IF
					       "\":{\"type\":\"if-condition\",\"condition\":\"__"
					       "severity__:value >= high\"" TO("on_true", END)
						       TO("on_false", END) "}" GOOD_END,
		  NULL },
		{ "\"" START "\":{\"type\":\"start\"" TO(
			  "on_completion", IF) "},\"" IF
					       "\":{\"type\":\"if-condition\",\"condition\":\"__"
					       "root__:value = true\"" TO("on_true", END)
						       TO("on_false", END) "}" GOOD_END,
		  "unknown variable" },
		{ "\"" START "\":{\"type\":\"start\"" TO(
			  "on_completion",
			  IF) "},\"" IF "\":{\"type\":\"if-condition\",\"condition\":\"__severity__"
			      ":value = high\"" TO("on_true", END) "}" GOOD_END,
		  "when the condition is false" },
	};
	char json[4096];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		snprintf(json, sizeof(json), "%s%s%s", HEAD, cases[i].workflow, TAIL);
		says(json, cases[i].complaint);
	}
	says("{", "not JSON");
	says("{}", "cacao-2.0");
	says("{\"type\":\"playbook\",\"type\":\"playbook\"}", "not JSON");
}

static void test_impact(void **state)
{
	static const struct {
		const char *impact, *complaint;
	} cases[] = { { "0", NULL },         { "50", NULL },       { "100", NULL },
		      { "101", "0 to 100" }, { "-1", "0 to 100" }, { "\"high\"", "0 to 100" },
		      { "60.5", "0 to 100" } };
	static const char rest[] =
		"," HEAD_REST GOOD_START "\"" ONE
		"\":" BASH("picket block __remote__:value", TO("on_completion", END)) GOOD_END TAIL;
	_cleanup_free_ struct pk_playbook *p = calloc(1, sizeof(*p));
	_cleanup_(pk_buf_done) struct pk_buf out = { 0 };
	char json[4096];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		snprintf(json, sizeof(json), "{\"impact\":%s%s", cases[i].impact, rest);
		says(json, cases[i].complaint);
	}
	for (unsigned impact = 50; impact <= 51; impact++) {
		snprintf(json, sizeof(json), "{\"impact\":%u%s", impact, rest);
		assert_int_equal(pk_playbook_read(json, strlen(json), p, &out), 0);
		assert_int_equal(p->impact, impact);
		pk_playbook_explain(p, &out);
		assert_int_equal(strstr(out.data, "impact 51: ") != NULL, impact == 51);
	}
}

static void test_labels(void **state)
{
	_cleanup_free_ struct pk_playbook *p = calloc(1, sizeof(*p));
	_cleanup_(pk_buf_done) struct pk_buf e = { 0 };
	static const char json[] = HEAD GOOD_START
		"\"" ONE "\":" BASH("picket cut __remote__:value", TO("on_completion", END))
			GOOD_END TAIL;

	(void)state;
	assert_int_equal(pk_playbook_read(json, strlen(json), p, &e), 0);
	assert_true(pk_playbook_is_for(p, "T1059", NULL));
	assert_true(pk_playbook_is_for(p, "T1059.004", NULL));
	assert_false(pk_playbook_is_for(p, "T10591", NULL));
	assert_true(pk_playbook_is_for(p, NULL, "miner"));
	assert_false(pk_playbook_is_for(p, "T1071", "min"));
}

static void test_shipped(void **state)
{
	_cleanup_free_ struct pk_playbook *p = NULL;
	_cleanup_(pk_buf_done) struct pk_buf e = { 0 };
	size_t n;

	(void)state;
	assert_int_equal(pk_shelf_read("user/share/playbooks", &p, &n, &e), 0);
	if (e.len)
		fail_msg("%s", e.data);
	assert_true(n >= 6);
	for (size_t i = 0; i < n; i++) {
		assert_true(*p[i].word);
		assert_true(p[i].steps >= 3);
	}
	assert_int_equal(pk_shelf_read("/nowhere", &p, &n, &e), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_mistakes),
					    cmocka_unit_test(test_impact),
					    cmocka_unit_test(test_labels),
					    cmocka_unit_test(test_shipped) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
