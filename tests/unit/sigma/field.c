/* SPDX-License-Identifier: Apache-2.0 */
#include "sigma/field.h"

#include "sigma/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_logsources(void **state)
{
	static const struct {
		const char *category, *product, *service;
		enum pk_sigma_source source; /* NO_SOURCE: refused */
	} rows[] = {
		{ "process_creation", "linux", NULL, PK_SIGMA_PROCESS },
		{ "process_creation", NULL, NULL, PK_SIGMA_PROCESS },
		{ "Process_Creation", "Linux", "sysmon", PK_SIGMA_PROCESS },
		{ "process_creation", "windows", NULL, PK_SIGMA_NO_SOURCE },
		{ "process_creation", "linux", "auditd", PK_SIGMA_NO_SOURCE },
		{ "network_connection", "linux", NULL, PK_SIGMA_NETWORK },
		{ "dns", NULL, NULL, PK_SIGMA_DNS },
		{ "dns_query", "linux", NULL, PK_SIGMA_DNS },
		{ "firewall", NULL, NULL, PK_SIGMA_FLOW },
		{ NULL, "zeek", "dns", PK_SIGMA_DNS },
		{ NULL, "zeek", "http", PK_SIGMA_HTTP },
		{ NULL, "zeek", "smb_files", PK_SIGMA_NO_SOURCE },
		{ NULL, "linux", "auditd", PK_SIGMA_AUDIT },
		{ NULL, "linux", "sshd", PK_SIGMA_NO_SOURCE },
		{ "file_event", "linux", NULL, PK_SIGMA_NO_SOURCE },
		{ NULL, NULL, NULL, PK_SIGMA_NO_SOURCE },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct pk_sigma_rule rule = { .category = rows[i].category,
						    .product = rows[i].product,
						    .service = rows[i].service };
		const char *reason = NULL;
		int row = pk_sigma_logsource(&rule, &reason);

		assert_int_equal(row >= 0 ? pk_sigma_row_source(row) : PK_SIGMA_NO_SOURCE,
				 rows[i].source);
		assert_int_equal(!reason, row >= 0);
	}
}

/* Each name leads to a field, and back to a name of the same field. */
static void test_names(void **state)
{
	const struct pk_sigma_rule rule = { .product = "linux", .service = "auditd" };
	const char *reason, *name;
	int row = pk_sigma_logsource(&rule, &reason);

	(void)state;
	for (size_t i = 0; (name = pk_sigma_field_at(row, i)); i++) {
		int field = pk_sigma_field_find(row, name);

		assert_true(field >= 0);
		assert_int_equal(pk_sigma_field_find(row, pk_sigma_field_name(row, field)), field);
		assert_true(pk_sigma_source_fields(PK_SIGMA_AUDIT) >> field & 1);
	}
	assert_int_equal(pk_sigma_field_find(row, "TYPE"), -1); /* case counts */
	assert_int_equal(pk_sigma_field_find(row, "a16"), -1);
	assert_string_equal(pk_sigma_field_only(PK_SIGMA_F_INITIATED), "true false");
	assert_null(pk_sigma_field_only(PK_SIGMA_F_IMAGE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logsources),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
