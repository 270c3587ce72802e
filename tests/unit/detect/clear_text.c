/* SPDX-License-Identifier: Apache-2.0 */
/* A password in clear text and a Telnet session are told once a flow; HTTP without one is not. */
#include "flow.h"

static void test_password(void **state)
{
	struct pk_flow_entry e = flow_to(1, IPPROTO_TCP, 1, 21);
	struct pk_fact fact = { .app = PK_PROTO_FTP, .flags = PK_FACT_CLEAR, .user = "anna" };

	(void)state;
	see_begin("clear_text");
	see_flow(&e, &fact);
	see_flow(&e, &fact);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].severity, PK_LOW);
	assert_string_equal(seen.finding[0].field[0].value, "ftp");
	assert_string_equal(seen.finding[0].field[1].value, "anna");
	see_end();
}

static void test_telnet(void **state)
{
	struct pk_flow_entry e = flow_to(1, IPPROTO_TCP, 1, 23), scan = e;

	(void)state;
	scan.flow.meta.id = 2;
	scan.flow.dir[1].looked_at = 0;
	see_begin("clear_text");
	see_flow(&scan, NULL);
	assert_int_equal(seen.n, 0);
	see_flow(&e, NULL);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.finding[0].field[0].value, "telnet");
	see_end();
}

static void test_usual(void **state)
{
	struct pk_flow_entry e = flow_to(1, IPPROTO_TCP, 1, 80);
	struct pk_fact fact = { .app = PK_PROTO_HTTP, .flags = PK_FACT_HTTP };

	(void)state;
	see_begin("clear_text");
	see_flow(&e, &fact);
	see_flow(&e, NULL);
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_flood(void **state)
{
	(void)state;
	see_begin("clear_text");
	see_flood("clear_text", PK_PROTO_FTP, PK_FACT_CLEAR);
	see_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_telnet),
		cmocka_unit_test(test_usual),
		cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
