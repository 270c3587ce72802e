/* SPDX-License-Identifier: Apache-2.0 */
/* Files as people get them wrong: each complaint names its place. */
#include "rule_of.h"

#define LOGSOURCE "logsource:\n  category: process_creation\n  product: linux\n"

static void test_places(void **state)
{
	static const struct {
		const char *text, *says;
		unsigned line, column;
		bool unsupported;
	} rows[] = {
		{ "title: [\n", "not YAML", 2, 1, false },
		{ "just text\n", "not a rule", 1, 1, false },
		{ "title: t\n", "neither a detection nor a correlation", 1, 1, false },
		{ LOGSOURCE "detection:\n  s:\n    Image: x\n  condition: s\n", "title: missing", 1,
		  1, false },
		{ "title: t\ndetection:\n  s:\n    Image: x\n  condition: s\n",
		  "logsource: missing", 1, 1, false },
		{ "title: t\n" LOGSOURCE "detection:\n  s:\n    Image: x\n", "condition: missing",
		  1, 1, false },
		{ "title: t\nlevel: bad\n", "level: bad", 2, 8, false },
		{ "title: t\ntitle: u\n", "title: given twice", 2, 1, false },
		{ "title: t\ndetection:\n  s:\n    Image: x\n    Image: y\n", "Image: given twice",
		  5, 5, false },
		{ "title: t\ndetection:\n  s:\n    Image: {a: b}\n", "a value must be", 4, 12,
		  false },
		{ "title: t\ndetection:\n  s:\n    - - x\n", "a list within a list", 4, 7, false },
		{ "title: t\ndetection:\n  s: {}\n", "an empty search identifier", 3, 6, false },
		{ "title: t\ndetection:\n  s:\n    Image: []\n", "an empty list", 4, 5, false },
		{ "title: t\ndetection:\n  timeframe: 5m\n", "timeframe: deprecated", 3, 3, true },
		{ "title: t\nfilter:\n  x: y\n", "a Sigma filter", 2, 1, true },
		{ "action: global\ntitle: t\n", "action: not supported", 1, 1, true },
		{ "title: t\n" LOGSOURCE "detection:\n  s:\n    Imge: x\n  condition: s\n",
		  "field Imge", 7, 5, true },
		{ "title: t\nlogsource:\n  product: windows\ndetection:\n  s:\n    a: b\n"
		  "  condition: s\n",
		  "it is about Windows", 3, 3, true },
		{ "title: t\nlogsource:\n  category: file_event\n  product: linux\ndetection:\n"
		  "  s:\n    a: b\n  condition: s\n",
		  "no file events", 3, 3, true },
		{ "title: t\ncorrelation:\n  type: value_avg\n", "correlation type value_avg", 3, 9,
		  true },
		{ "title: t\ncorrelation:\n  type: event_count\n  rules: [x]\n  timespan: 5x\n",
		  "timespan: 5x", 5, 13, false },
		{ "title: t\ncorrelation:\n  type: event_count\n  rules: [x]\n  timespan: 5m\n"
		  "  condition:\n    about: 5\n",
		  "condition about", 7, 12, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pk_sigma_set *set = set_of(rows[i].text);
		const struct pk_sigma_problem *p = set->rules.v[0]->problem;

		if (!p || !strstr(p->text, rows[i].says) || p->at.line != rows[i].line ||
		    p->at.column != rows[i].column || p->unsupported != rows[i].unsupported)
			fail_msg("%s%u:%u %s", rows[i].text, p ? p->at.line : 0,
				 p ? p->at.column : 0, p ? p->text : "no complaint");
		assert_int_equal(set->n_broken, !rows[i].unsupported);
		assert_int_equal(set->n_running, 0);
		pk_sigma_set_free(set);
	}
}

static void test_meta(void **state)
{
	struct pk_sigma_set *set =
		set_of("title: A title\nid: 1-2-3\nname: short\nauthor: Someone\nstatus: test\n"
		       "level: HIGH\ntags: [attack.t1059.004, attack.execution, cve.2024-1, "
		       "attack.t1046]\n"
		       "falsepositives: [Tests]\nreferences: https://example.org\nfields: [Image]\n"
		       "custom: {a: [1, 2]}\n" LOGSOURCE
		       "detection:\n  s:\n    User: yes\n    ProcessId: 0x10\n  condition: s\n");
	const struct pk_sigma_rule *rule = set->rules.v[0];

	(void)state;
	assert_null(rule->problem);
	assert_string_equal(rule->title, "A title");
	assert_string_equal(rule->id, "1-2-3");
	assert_string_equal(rule->author, "Someone");
	assert_int_equal(rule->level, PK_SIGMA_HIGH);
	assert_int_equal(rule->techniques.n, 2);
	assert_string_equal(rule->techniques.v[0], "T1059.004");
	assert_string_equal(rule->techniques.v[1], "T1046");
	assert_string_equal(rule->falsepositives.v[0], "Tests");
	assert_string_equal(rule->references.v[0], "https://example.org");
	assert_string_equal(rule->fields.v[0], "Image");
	/* plain scalars, as YAML 1.1 reads them */
	assert_true(fits(set, &(struct fields){ .user = "true", .pid = "16" }));
	assert_false(fits(set, &(struct fields){ .user = "yes", .pid = "16" }));
	pk_sigma_set_free(set);
}

/* Aliases in aliases: a tree of millions, of which little is read. */
static void test_billion_laughs(void **state)
{
	char text[4096] = "title: t\na0: &a0 [x, x, x, x, x, x, x, x, x]\n";
	struct pk_sigma_set *set;

	(void)state;
	for (int i = 1; i < 12; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i,
			 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	strcat(text, "detection:\n  s: *a11\n");
	set = set_of(text);
	assert_non_null(set->rules.v[0]->problem);
	pk_sigma_set_free(set);
	set = set_of("title: t\ndetection: &d\n  s: *d\n"); /* a circle */
	assert_non_null(set->rules.v[0]->problem);
	pk_sigma_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_meta),
		cmocka_unit_test(test_billion_laughs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
