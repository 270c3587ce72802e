/* SPDX-License-Identifier: Apache-2.0 */
/* Flow by flow and summed up; absorbed or not; not a busy server, a scan or a service that ended.
 */
#include "see.h"

#include "flows.h"

#include "flow/aggregate.h"

#define TARGET IP(10, 0, 0, 7)

/* n a second for 20 s, with as many completed as said. */
static void run(enum how how, unsigned n, unsigned completed)
{
	for (unsigned s = 1; s <= 20; s++) {
		for (unsigned i = 0; i < n + completed; i++)
			see_flow((struct talk){ .how = i < n ? how : SESSION,
						.src = (s * 65537 + i) * 2654435761u,
						.dst = TARGET,
						.sport = (uint16_t)i,
						.dport = 443,
						.at_ns = s * SEC + i });
		pk_detect_tick(seen.detect, (s + 1) * SEC);
	}
}

static void test_flows(void **state)
{
	(void)state;
	see_begin("syn_flood");
	run(HALF, 1000, 0);
	assert_true(seen.n > 0);
	assert_int_equal(seen.finding[0].severity, PK_HIGH);
	assert_true(seen.finding[0].spoofable);
	assert_false(seen.finding[0].has_remote);
	assert_string_equal(seen.finding[0].field[6].value, "no");
	check_words(&seen.finding[0]);
	see_end();
	see_begin("syn_flood");
	run(HALF, 1000, 10);
	assert_true(seen.n > 0);
	assert_string_equal(seen.finding[0].field[6].value, "yes");
	assert_int_equal(seen.finding[0].severity, PK_MEDIUM);
	see_end();
}

static void test_summed(void **state)
{
	struct pk_agg_table *aggs = pk_agg_table_new(64, 8);
	struct pk_agg_key key = { .netns = 1, .dport = htons(443), .proto = IPPROTO_TCP };
	struct pk_agg sum = { 0 };

	(void)state;
	put_addr(key.dst, TARGET);
	seen.world.aggs = aggs;
	see_begin("syn_flood");
	for (unsigned s = 1; s <= 5; s++) {
		sum.packets += 10000;
		assert_int_equal(pk_agg_table_see(aggs, &key, &sum), 0);
		pk_detect_tick(seen.detect, s * SEC);
	}
	assert_int_equal(seen.n, 1); /* once a window */
	assert_string_equal(seen.finding[0].field[1].value, "10000");
	see_end();
	pk_agg_table_free(aggs);
}

static void test_benign(void **state)
{
	(void)state;
	see_begin("syn_flood");
	run(HALF, 300, 3000); /* busy: some are under way */
	run(HALF, 50, 0);     /* down, and clients try again */
	run(REFUSED, 0, 500);
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_bytes(void **state)
{
	(void)state;
	see_begin("syn_flood");
	for (unsigned i = 0; i < 200000; i++)
		see_flow((struct talk){ .how = HALF,
					.src = 1,
					.dst = i * 2654435761u,
					.dport = (uint16_t)(1 + i % 65535),
					.at_ns = SEC + i });
	pk_detect_tick(seen.detect, 2 * SEC);
	check_bytes("syn_flood");
	assert_int_equal(seen.n, 0);
	see_end();
}

RUN(cmocka_unit_test(test_flows), cmocka_unit_test(test_summed), cmocka_unit_test(test_benign),
    cmocka_unit_test(test_bytes))
