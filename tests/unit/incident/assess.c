/* SPDX-License-Identifier: Apache-2.0 */
/* What people say is kept as they said it, with an act for each change, and goes along when two
 * incidents become one. */
#include "incident/assess.h"

#include "base/cleanup.h"
#include "incident/incident.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct pk_incident_by by = { "alice", "first look", 1234 };

static void test_values(void **state)
{
	struct pk_incident i = { 0 };
	char text[PK_ASSESS_TEXT + 1];

	(void)state;
	assert_string_equal(pk_incident_assessed(&i, PK_ASSESS_SERVICES), "");
	assert_int_equal(pk_incident_assess(&i, PK_ASSESS_SERVICES, "", &by), 0);
	assert_null(i.assessed); /* nothing is kept for nothing */
	assert_int_equal(pk_incident_assess(&i, PK_ASSESS_INTEGRITY, "huge", &by), -EINVAL);
	assert_int_equal(pk_incident_assess(&i, PK_ASSESS_INTEGRITY, "hig", &by), -EINVAL);
	assert_int_equal(pk_incident_assess(&i, PK_ASSESS_INTEGRITY, "none low", &by), -EINVAL);
	assert_int_equal(pk_incident_assess(&i, PK_ASSESS_PERSONAL_DATA, "maybe", &by), -EINVAL);
	memset(text, 'x', sizeof(text));
	text[PK_ASSESS_TEXT] = 0;
	assert_int_equal(pk_incident_assess(&i, PK_ASSESS_CAUSE, text, &by), -EMSGSIZE);
	text[PK_ASSESS_TEXT - 1] = 0;
	assert_int_equal(i.acts, 0);
	assert_int_equal(pk_incident_assess(&i, PK_ASSESS_CAUSE, text, &by), 0);
	assert_string_equal(pk_incident_assessed(&i, PK_ASSESS_CAUSE), text);
	pk_incident_done(&i);
}

static void test_acts(void **state)
{
	struct pk_incident i = { 0 };

	(void)state;
	assert_int_equal(pk_incident_assess(&i, PK_ASSESS_ROOT_CAUSE, "shared-key", &by), 0);
	assert_int_equal(pk_incident_assess(&i, PK_ASSESS_ROOT_CAUSE, "shared-key", &by), 0);
	assert_int_equal(i.acts, 1); /* the same again is no change */
	assert_string_equal(i.act[0].what, "root_cause: shared-key");
	assert_string_equal(i.act[0].who, "alice");
	assert_string_equal(i.act[0].why, "first look");
	assert_int_equal(pk_incident_assess(&i, PK_ASSESS_ROOT_CAUSE, "", &by), 0);
	assert_string_equal(i.act[1].what, "root_cause: nothing, was shared-key");
	assert_string_equal(pk_incident_assessed(&i, PK_ASSESS_ROOT_CAUSE), "");
	assert_true(i.revision > 0);
	pk_incident_done(&i);
}

static void test_impact(void **state)
{
	struct pk_incident i = { 0 };

	(void)state;
	assert_int_equal(pk_incident_impact_id(&i), 0);
	assert_int_equal(pk_incident_assess(&i, PK_ASSESS_AVAILABILITY, "none", &by), 0);
	assert_int_equal(pk_incident_impact_id(&i), 0);
	assert_int_equal(pk_incident_assess(&i, PK_ASSESS_CONFIDENTIALITY, "high", &by), 0);
	assert_int_equal(pk_incident_assess(&i, PK_ASSESS_INTEGRITY, "low", &by), 0);
	assert_int_equal(pk_incident_impact_id(&i), 3);
	pk_incident_done(&i);
}

static void test_merge(void **state)
{
	struct pk_incident a = { 0 }, b = { 0 };

	(void)state;
	pk_incident_assess_merge(&a, &b);
	assert_null(a.assessed);
	assert_int_equal(pk_incident_assess(&a, PK_ASSESS_SERVICES, "shop", &by), 0);
	assert_int_equal(pk_incident_assess(&b, PK_ASSESS_SERVICES, "mail", &by), 0);
	assert_int_equal(pk_incident_assess(&b, PK_ASSESS_PERSONAL_DATA, "yes", &by), 0);
	pk_incident_assess_merge(&a, &b);
	assert_string_equal(pk_incident_assessed(&a, PK_ASSESS_SERVICES), "shop");
	assert_string_equal(pk_incident_assessed(&a, PK_ASSESS_PERSONAL_DATA), "yes");
	pk_incident_done(&a);
	pk_incident_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_acts),
		cmocka_unit_test(test_impact),
		cmocka_unit_test(test_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
