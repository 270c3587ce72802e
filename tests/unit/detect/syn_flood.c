/* SPDX-License-Identifier: Apache-2.0 */
/* Flow by flow and summed up; absorbed or not; not a busy server, a scan or a service that ended.
 */
#include "see.h"

#include "flows.h"
#include "hidden.h"

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

static void calls(enum how how, unsigned n, uint32_t dst, uint16_t port, uint64_t now_ns)
{
	for (unsigned i = 0; i < n; i++)
		see_flow((struct talk){ .how = how,
					.src = hidden_random(),
					.dst = dst,
					.sport = 40000,
					.dport = port,
					.at_ns = now_ns });
}

/* Connections to anybody that are begun and left: in a second more than the table holds. */
static void noise(uint64_t now_ns)
{
	for (unsigned i = 0; i < 5000; i++)
		calls(HALF, 1, hidden_random() | 1u << 31, (uint16_t)(1 | hidden_random()), now_ns);
}

/* For half a minute one port is flooded and another is busy. */
static void play(uint64_t now_ns, unsigned second)
{
	if (second < 300 || second >= 330)
		return;
	calls(HALF, 250, TARGET, 443, now_ns);
	calls(HALF, 250, TARGET, 80, now_ns);
	calls(SESSION, 1000, TARGET, 80, now_ns);
}

static bool is_flooded(const struct pk_finding *f)
{
	return has_end(f, TARGET) && f->key.port[!f->initiator] == htons(443);
}

static bool is_twin(const struct pk_finding *f)
{
	return !is_flooded(f);
}

static void test_hidden_in_flood(void **state)
{
	static const struct hidden flood = { "syn_flood", noise, play, is_flooded, is_twin };

	(void)state;
	see_begin("syn_flood");
	hidden_judge(&flood);
	see_end();
}

/* Who was flooded for long and is no more does not keep another out. */
static void test_after_floods(void **state)
{
	(void)state;
	see_begin("syn_flood");
	set("detect.remember", "64");
	pk_detect_free(seen.detect);
	assert_int_equal(pk_detect_new(&seen.world, seen_found, NULL, &seen.detect), 0);
	for (unsigned s = 1; s <= 1200; s++) {
		for (unsigned i = 0; s < 600 && i < 64; i++)
			calls(HALF, 2, IP(10, 0, 1, i), 80, s * SEC);
		if (s >= 1180)
			calls(HALF, 250, TARGET, 443, s * SEC);
		pk_detect_tick(seen.detect, s * SEC);
	}
	assert_true(seen.n > 0);
	assert_true(is_flooded(&seen.finding[0]));
	see_end();
}

RUN(cmocka_unit_test(test_flows), cmocka_unit_test(test_summed), cmocka_unit_test(test_benign),
    cmocka_unit_test(test_bytes), cmocka_unit_test(test_hidden_in_flood),
    cmocka_unit_test(test_after_floods))
