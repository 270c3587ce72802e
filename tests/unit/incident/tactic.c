/* SPDX-License-Identifier: Apache-2.0 */
#include "incident/tactic.h"

#include "base/cleanup.h"
#include "detect/detect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_known(void **state)
{
	static const struct {
		const char *technique, *uid;
	} cases[] = {
		{ "T1046", "TA0007" },
		{ "T1110.001", "TA0006" },
		{ "T1059.004", "TA0002" },
		{ "T1071.001", "TA0011" },
		{ "T1048.003", "TA0010" },
		{ "T1496.001", "TA0040" },
		{ "T1685", "TA0112" },
		{ "T9999", NULL },
		{ "T10", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		const char *uid = pk_tactic_uid(pk_tactic_of(cases[i].technique));

		if (cases[i].uid)
			assert_string_equal(uid, cases[i].uid);
		else
			assert_null(uid);
	}
}

/* What a detector says must have a place in an attack. */
static void test_detectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < pk_detectors_n; i++)
		for (size_t k = 0; k < PK_TECHNIQUES_MAX && pk_detectors[i]->technique[k]; k++)
			if (!pk_tactic_name(pk_tactic_of(pk_detectors[i]->technique[k])))
				fail_msg("%s of %s", pk_detectors[i]->technique[k],
					 pk_detectors[i]->name);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_known),
					    cmocka_unit_test(test_detectors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
