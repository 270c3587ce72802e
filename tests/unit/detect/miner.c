/* SPDX-License-Identifier: Apache-2.0 */
/* Stratum on any port is told once a flow; HTTP to a port that pools use is not. */
#include "flow.h"

static void test_stratum(void **state)
{
	struct pk_flow_entry e = flow_to(1, IPPROTO_TCP, 1, 443);
	struct pk_fact fact = { .app = PK_PROTO_STRATUM, .user = "wallet.rig" };

	(void)state;
	see_begin("miner");
	see_flow(&e, &fact);
	see_flow(&e, &fact);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.finding[0].technique[0], "T1496.001");
	assert_string_equal(seen.finding[0].field[0].value, "wallet.rig");
	see_end();
}

static void test_usual(void **state)
{
	struct pk_flow_entry e = flow_to(1, IPPROTO_TCP, 1, 3333);
	struct pk_fact fact = { .app = PK_PROTO_HTTP };

	(void)state;
	see_begin("miner");
	see_flow(&e, &fact);
	see_flow(&e, NULL);
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_flood(void **state)
{
	(void)state;
	see_begin("miner");
	see_flood("miner", PK_PROTO_STRATUM, 0);
	see_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stratum),
		cmocka_unit_test(test_usual),
		cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
