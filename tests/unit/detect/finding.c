/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds of a finding: what is too much is cut or left out, never written beyond. */
#include "detect/finding.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_texts(void **state)
{
	struct pk_finding f = { 0 };
	char longer[2000];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	pk_finding_plain(&f, "%s", longer);
	pk_finding_detail(&f, "%s", longer);
	assert_int_equal(strlen(f.plain), sizeof(f.plain) - 1);
	assert_int_equal(strlen(f.detail), sizeof(f.detail) - 1);
	for (int i = 0; i < PK_FINDING_FIELDS + 3; i++)
		pk_finding_field(&f, longer, "%s", longer);
	assert_int_equal(f.fields, PK_FINDING_FIELDS);
	assert_int_equal(strlen(f.field[0].name), sizeof(f.field[0].name) - 1);
	assert_int_equal(strlen(f.field[0].value), sizeof(f.field[0].value) - 1);
}

static void test_procs(void **state)
{
	struct pk_finding f = { 0 };

	(void)state;
	pk_finding_proc(&f, &(struct pk_proc_id){ .tgid = 0 });
	assert_int_equal(f.procs, 0);
	for (uint32_t i = 0; i < 20; i++)
		pk_finding_proc(&f, &(struct pk_proc_id){ .tgid = 1 + i / 2, .start_ns = 9 });
	assert_int_equal(f.procs, PK_FINDING_PROCS);
	assert_int_equal(f.proc[1].tgid, 2);
}

static void test_fold(void **state)
{
	struct pk_finding a = { 0 }, b = { 0 };

	(void)state;
	pk_finding_fold(&a, "ab", 2);
	pk_finding_fold(&b, "a", 1);
	pk_finding_fold(&b, "b", 1);
	assert_int_equal(a.fold, b.fold);
	pk_finding_fold(&b, "c", 1);
	assert_int_not_equal(a.fold, b.fold);
}

static void test_severity(void **state)
{
	enum pk_severity s = PK_LOW;

	(void)state;
	assert_int_equal(pk_severity_parse("HIGH", &s), 0);
	assert_int_equal(s, PK_HIGH);
	assert_int_equal(pk_severity_parse("highest", &s), -EINVAL);
	assert_int_equal(s, PK_HIGH);
	assert_string_equal(pk_severity_name(PK_INFORMATIONAL), "Informational");
	assert_string_equal(pk_severity_name(99), "Unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_procs),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_severity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
