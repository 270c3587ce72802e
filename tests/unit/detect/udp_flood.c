/* SPDX-License-Identifier: Apache-2.0 */
/* Many small flows or one fast one without an answer; not streams that are answered or slow. */
#include "see.h"

#include "flows.h"

static void run(enum how how, unsigned flows, uint64_t bytes, uint32_t dst)
{
	for (unsigned s = 1; s <= 12; s++) {
		for (unsigned i = 0; i < flows; i++)
			see_flow((struct talk){ .how = how,
						.src = IP(203, 0, 113, i % 200),
						.dst = dst,
						.sport = (uint16_t)(1024 + i),
						.dport = (uint16_t)(1024 + i),
						.sent = bytes,
						.received = bytes,
						.at_ns = s * SEC + i });
		pk_detect_tick(seen.detect, (s + 1) * SEC);
	}
}

static void test_flood(void **state)
{
	(void)state;
	see_begin("udp_flood");
	run(ONE_WAY, 10000, 60, IP(10, 0, 0, 7));
	assert_true(seen.n > 0);
	assert_true(seen.finding[0].spoofable);
	assert_false(seen.finding[0].has_remote); /* many */
	check_words(&seen.finding[0]);
	see_end();
	see_begin("udp_flood");
	run(ONE_WAY, 1, 15000000, IP(10, 0, 0, 7));
	assert_true(seen.n > 0);
	assert_true(is_remote(&seen.finding[0], IP(203, 0, 113, 0)));
	see_end();
}

static void test_benign(void **state)
{
	(void)state;
	see_begin("udp_flood");
	run(BOTH_WAYS, 1, 150000000, IP(10, 0, 0, 7)); /* QUIC, VPN */
	run(ONE_WAY, 100, 1500, IP(10, 0, 0, 8));      /* logs */
	run(ONE_WAY, 1, 150000000, IP(239, 1, 1, 1));  /* television */
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_bytes(void **state)
{
	(void)state;
	see_begin("udp_flood");
	for (unsigned i = 0; i < 200000; i++)
		see_flow((struct talk){ .how = ONE_WAY,
					.src = 1,
					.dst = i * 2654435761u,
					.dport = 9,
					.at_ns = SEC + i });
	pk_detect_tick(seen.detect, 2 * SEC);
	check_bytes("udp_flood");
	assert_int_equal(seen.n, 0);
	see_end();
}

RUN(cmocka_unit_test(test_flood), cmocka_unit_test(test_benign), cmocka_unit_test(test_bytes))
