/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions by their truth tables: a, b and c hold if the event's fields say so. */
#include "rule_of.h"

#define IDENTS "  sel_a:\n    Image: a\n  sel_b:\n    CommandLine: b\n  _c:\n    User: c\n"

/* Bits a, b, c of which the event is made. */
static bool holds(const struct pk_sigma_set *set, unsigned bits)
{
	const struct fields f = { .image = bits & 1 ? "a" : "x",
				  .command_line = bits & 2 ? "b" : "x",
				  .user = bits & 4 ? "c" : "x" };

	return fits(set, &f);
}

static void test_truth(void **state)
{
	static const struct {
		const char *condition;
		uint8_t truth; /* bit n: for the event of bits n */
	} rows[] = {
		{ "sel_a", 0xaa },
		{ "not sel_a", 0x55 },
		{ "not not sel_a", 0xaa },
		{ "sel_a and sel_b", 0x88 },
		{ "sel_a or sel_b", 0xee },
		{ "sel_a and not sel_b", 0x22 },
		{ "sel_a or sel_b and _c", 0xea }, /* and binds more */
		{ "(sel_a or sel_b) and _c", 0xe0 },
		{ "not sel_a or sel_b", 0xdd },
		{ "not (sel_a or sel_b)", 0x11 },
		{ "1 of sel_*", 0xee },
		{ "any of sel_*", 0xee },
		{ "all of sel_*", 0x88 },
		{ "2 of sel_*", 0x88 },
		{ "1 of them", 0xee }, /* without those that begin with _ */
		{ "all of them", 0x88 },
		{ "2 of *", 0xe8 },
		{ "not 1 of sel_* and _c", 0x10 },
		{ "1 of *_a", 0xaa },
		{ "sel_a AND NOT sel_b", 0x22 },
		{ "( ( sel_a )and(sel_b) )", 0x88 },
		{ "[sel_a, sel_b]", 0xee }, /* a list: any of them */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pk_sigma_set *set = rule_of(IDENTS, rows[i].condition);

		if (*problem_of(set))
			fail_msg("%s: %s", rows[i].condition, problem_of(set));
		for (unsigned bits = 0; bits < 8; bits++)
			if (holds(set, bits) != (rows[i].truth >> bits & 1))
				fail_msg("%s: event %u", rows[i].condition, bits);
		pk_sigma_set_free(set);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *condition, *says;
	} rows[] = {
		{ "sel_a and", "it ends too early" },
		{ "sel_a sel_b", "expected and, or, or its end before sel_b" },
		{ "(sel_a", "expected )" },
		{ "sel_a)", "before )" },
		{ "sel_x", "no search identifier is named sel_x" },
		{ "1 of x*", "no search identifier is named x*" },
		{ "3 of sel_*", "asks for more" },
		{ "0 of sel_*", "before \"of\"" },
		{ "some of sel_*", "before \"of\"" },
		{ "sel_a | count() > 5", "aggregation" },
		{ "'sel_a | near sel_b'", "aggregation" },
		{ "1 of *****", "too many wildcards" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pk_sigma_set *set = rule_of(IDENTS, rows[i].condition);

		if (!strstr(problem_of(set), rows[i].says))
			fail_msg("%s: says \"%s\"", rows[i].condition, problem_of(set));
		pk_sigma_set_free(set);
	}
}

static void test_deep(void **state)
{
	char text[4096] = "";
	struct pk_sigma_set *set;

	(void)state;
	for (int i = 0; i < 1000; i++)
		strcat(text, "(");
	set = rule_of(IDENTS, text);
	assert_non_null(strstr(problem_of(set), "nested too deeply"));
	pk_sigma_set_free(set);
	text[0] = '\0';
	for (int i = 0; i < 500; i++)
		strcat(text, "not ");
	strcat(text, "sel_a");
	set = rule_of(IDENTS, text);
	assert_non_null(strstr(problem_of(set), "nested too deeply"));
	pk_sigma_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truth),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_deep),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
