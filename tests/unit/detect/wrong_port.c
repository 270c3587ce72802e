/* SPDX-License-Identifier: Apache-2.0 */
/* SSH on 443 is told once a flow; TLS there, HTTP on a port of nobody's and half a hello are not.
 */
#include "flow.h"

static void test_odd(void **state)
{
	struct pk_flow_entry e = flow_to(1, IPPROTO_TCP, 1, 443);
	struct pk_fact fact = { .flow = 1, .app = PK_PROTO_SSH, .flags = PK_FACT_ODD };

	(void)state;
	see_begin("wrong_port");
	see_flow(&e, &fact);
	see_flow(&e, &fact);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.finding[0].technique[0], "T1571");
	assert_int_equal(seen.finding[0].severity, PK_MEDIUM);
	assert_string_equal(seen.finding[0].field[0].value, "ssh");
	assert_memory_equal(seen.finding[0].remote, e.flow.key.addr[1], 16);
	see_end();
}

static void test_unknown(void **state)
{
	struct pk_flow_entry e = flow_to(1, IPPROTO_TCP, 1, 443);

	(void)state;
	see_begin("wrong_port");
	see_flow(&e, NULL);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].severity, PK_LOW);
	see_end();
}

static void test_usual(void **state)
{
	struct pk_flow_entry tls = flow_to(1, IPPROTO_TCP, 1, 443);
	struct pk_flow_entry other = flow_to(2, IPPROTO_TCP, 1, 9000);
	struct pk_flow_entry late = flow_to(3, IPPROTO_TCP, 1, 443);
	struct pk_flow_entry silent = flow_to(4, IPPROTO_TCP, 1, 443);
	struct pk_fact fact = { .app = PK_PROTO_TLS };

	(void)state;
	tls.flow.meta.app[0] = tls.flow.meta.app[1] = PK_APP_TLS;
	late.flow.meta.state = PK_FLOW_MIDSTREAM;
	silent.flow.dir[1].looked_at = 0;
	see_begin("wrong_port");
	see_flow(&tls, &fact);
	see_flow(&tls, NULL); /* what it carries is known to the kernel, the fact was evicted */
	see_flow(&other, NULL);
	see_flow(&late, NULL);
	see_flow(&silent, NULL);
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_flood(void **state)
{
	(void)state;
	see_begin("wrong_port");
	see_flood("wrong_port", PK_PROTO_SSH, PK_FACT_ODD);
	see_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_usual),
		cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
