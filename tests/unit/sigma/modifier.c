/* SPDX-License-Identifier: Apache-2.0 */
/* Each modifier with an event that fits and one that just does not; and chains that are refused. */
#include "rule_of.h"

static void test_hits_and_near_misses(void **state)
{
	static const struct {
		const char *item;
		struct fields hit, miss;
	} rows[] = {
		{ "Image: /bin/Sh", { .image = "/BIN/sh" }, { .image = "/bin/shx" } },
		{ "Image: '/bin/*sh'", { .image = "/bin/dash" }, { .image = "/bin/dashx" } },
		{ "Image: '/b?n/sh'", { .image = "/bxn/sh" }, { .image = "/bn/sh" } },
		{ "Image: 'a\\*b'", { .image = "a*b" }, { .image = "axb" } },
		{ "Image: ''", { .image = "" }, { .image = "x" } },
		{ "Image: null", { .user = "x" }, { .image = "" } },
		{ "Image: ['/a', '/b']", { .image = "/b" }, { .image = "/c" } },
		{ "ProcessId: 42", { .pid = "42" }, { .pid = "421" } },
		{ "CommandLine|contains: 'x Y'",
		  { .command_line = "aX yb" },
		  { .command_line = "ax  y" } },
		{ "CommandLine|contains: 'a*b'",
		  { .command_line = "1a2b3" },
		  { .command_line = "1b2a3" } },
		{ "Image|startswith: /tmp/", { .image = "/tmp/x" }, { .image = "/x/tmp/" } },
		{ "Image|endswith: /nc", { .image = "/bin/nc" }, { .image = "/bin/ncat" } },
		{ "CommandLine|contains|all: [a1, b2]",
		  { .command_line = "b2 a1" },
		  { .command_line = "b2 a" } },
		{ "CommandLine|re: 'a{3}$'",
		  { .command_line = "baaa" },
		  { .command_line = "BAAA" } },
		{ "CommandLine|re|i: '^xyz[0-9]'",
		  { .command_line = "XYZ7" },
		  { .command_line = "aXYZ7" } },
		{ "CommandLine|re|m: '^two$'",
		  { .command_line = "one\ntwo\nthree" },
		  { .command_line = "one two three" } },
		{ "CommandLine|re|s: 'a.b'", { .command_line = "a\nb" }, { .command_line = "ab" } },
		{ "User|cidr: 10.0.0.0/8", { .user = "10.200.3.4" }, { .user = "11.0.0.1" } },
		{ "User|cidr: fe80::/10", { .user = "fe80::1" }, { .user = "::ffff:10.0.0.1" } },
		{ "CommandLine|base64: 'foo bar'",
		  { .command_line = "Zm9vIGJhcg==" },
		  { .command_line = "xZm9vIGJhcg==" } },
		{ "CommandLine|base64offset|contains: /bin/bash",
		  { .command_line = "x AvYmluL2Jhc2gA" }, /* one byte before and behind it */
		  { .command_line = "x L2Jpbi9iYX" } },
		{ "CommandLine|wide|base64offset|contains: 'ping'",
		  { .command_line = "echo cABpAG4AZwAgAA==" },
		  { .command_line = "echo cGluZyA=" } },
		{ "CommandLine|utf16le|base64: 'cmd'",
		  { .command_line = "YwBtAGQA" },
		  { .command_line = "AGMAbQBk" } },
		{ "CommandLine|utf16be|base64: 'cmd'",
		  { .command_line = "AGMAbQBk" },
		  { .command_line = "YwBtAGQA" } },
		{ "CommandLine|utf16|base64: 'cmd'",
		  { .command_line = "//5jAG0AZAA=" },
		  { .command_line = "YwBtAGQA" } },
		{ "CommandLine|windash|contains: ' -f '",
		  { .command_line = "x /f y" },
		  { .command_line = "x +f y" } },
		{ "CommandLine|windash|contains: ' -f '",
		  { .command_line = "x \u2014f y" },
		  { .command_line = "x --f y" } },
		{ "User|exists: true", { .user = "" }, { .image = "x" } },
		{ "User|exists: false", { .image = "x" }, { .user = "" } },
		{ "ProcessId|gt: 10", { .pid = "11" }, { .pid = "10" } },
		{ "ProcessId|gte: 10", { .pid = "10" }, { .pid = "9" } },
		{ "ProcessId|lt: 10", { .pid = "9" }, { .pid = "10" } },
		{ "ProcessId|lte: 10.5", { .pid = "10" }, { .pid = "11" } },
		{ "ProcessId|lt: 10", { .pid = "-3" }, { .pid = "nine" } },
		{ "Image|neq: /bin/sh", { .image = "/bin/ash" }, { .image = "/BIN/sh" } },
		{ "Image|neq: [/a, /b]", { .image = "/c" }, { .image = "/b" } },
		{ "Image|fieldref: ParentImage",
		  { .image = "/x", .parent = "/X" },
		  { .image = "/x", .parent = "/y" } },
		{ "CommandLine|fieldref|startswith: Image",
		  { .image = "/x", .command_line = "/x -a" },
		  { .image = "/x", .command_line = "a /x" } },
		{ "CommandLine|fieldref|contains: Image",
		  { .image = "/x", .command_line = "a /x b" },
		  { .image = "/x", .command_line = "/y" } },
		{ "Image|cased: /Bin/sh", { .image = "/Bin/sh" }, { .image = "/bin/sh" } },
		{ "CommandLine|contains|cased: 'aB'",
		  { .command_line = "xaBx" },
		  { .command_line = "xabx" } },
		{ "CommandLine|contains|cased: 'aB*Cd'",
		  { .command_line = "aB1Cd" },
		  { .command_line = "aB1cd" } },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pk_sigma_set *set;
		char text[256];

		snprintf(text, sizeof(text), "  s:\n    %s\n", rows[i].item);
		set = rule_of(text, "s");
		if (*problem_of(set))
			fail_msg("%s: %s", rows[i].item, problem_of(set));
		if (!fits(set, &rows[i].hit) || fits(set, &rows[i].miss))
			fail_msg("%s: hit %d, miss %d", rows[i].item, fits(set, &rows[i].hit),
				 fits(set, &rows[i].miss));
		pk_sigma_set_free(set);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *item, *says;
	} rows[] = {
		{ "Image|foo: x", "an unknown modifier" },
		{ "Image|contains|startswith: x", "not allowed" },
		{ "Image|contains|contains: x", "not allowed" },
		{ "Image|contains|re: x", "not allowed" },
		{ "Image|base64|wide: x", "not allowed" },
		{ "Image|contains|base64: x", "not allowed" },
		{ "Image|i: x", "only behind re" },
		{ "Image|re|i|i: x", "given twice" },
		{ "Image|re|contains: x", "not allowed" },
		{ "Image|cased|re: x", "not allowed" },
		{ "Image|wide: x", "only with base64" },
		{ "Image|all: x", "single value" },
		{ "Image|base64: 'a*'", "without wildcards" },
		{ "Image|cidr: 10.0.0.0/33", "not a network" },
		{ "ProcessId|gt: ten", "not a number" },
		{ "Image|exists: maybe", "expected true or false" },
		{ "Image|exists|contains: x", "not allowed" },
		{ "Image|re: '(a'", "wrong regular expression" },
		{ "Image|fieldref: Nonsense", "field Nonsense" },
		{ "Image|contains: null", "null can not have modifiers" },
		{ "Image: ['', null]", "null can not be part of a list" },
		{ "Image|expand: '%who%'", "nothing says what %who%" },
		{ "Image|hour: 3", "no field holds a date" },
		{ "Image|windash: '-a -b -c -d -e -f'", "too many combinations" },
		{ "'|fieldref': x", "needs a field" },
		{ "OriginalFileName: x", "field OriginalFileName" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pk_sigma_set *set;
		char text[256];

		snprintf(text, sizeof(text), "  s:\n    %s\n", rows[i].item);
		set = rule_of(text, "s");
		if (!strstr(problem_of(set), rows[i].says))
			fail_msg("%s: says \"%s\"", rows[i].item, problem_of(set));
		assert_int_equal(set->rules.v[0]->problem->at.line > 0, 1);
		pk_sigma_set_free(set);
	}
}

static void test_expand(void **state)
{
	struct pk_sigma_set *set =
		set_of(RULE_HEAD "  s:\n    User|expand: '%who%-%where%\\%'\n  condition: s\n"
				 "---\nplaceholders:\n  who: [root, adm*]\n  where: a\n");

	(void)state;
	assert_true(fits(set, &(struct fields){ .user = "root-a%" }));
	assert_true(fits(set, &(struct fields){ .user = "administrator-a%" }));
	assert_false(fits(set, &(struct fields){ .user = "root-b%" }));
	assert_false(fits(set, &(struct fields){ .user = "%who%-a%" }));
	pk_sigma_set_free(set);
}

static void test_keywords(void **state)
{
	struct pk_sigma_set *set = rule_of("  k:\n    - 'one'\n    - 't?o'\n", "k");

	(void)state;
	assert_true(fits(set, &(struct fields){ .user = "xONEx" }));
	assert_true(fits(set, &(struct fields){ .command_line = "a two" }));
	assert_false(fits(set, &(struct fields){ .command_line = "on e to" }));
	pk_sigma_set_free(set);
	set = rule_of("  k:\n    '|all':\n      - one\n      - two\n", "k");
	assert_true(fits(set, &(struct fields){ .user = "one", .image = "two" }));
	assert_false(fits(set, &(struct fields){ .user = "one", .image = "t wo" }));
	pk_sigma_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hits_and_near_misses),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_keywords),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
