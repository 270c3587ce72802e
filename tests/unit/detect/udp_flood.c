/* SPDX-License-Identifier: Apache-2.0 */
/* Many small flows or one fast one without an answer; not streams that are answered or slow. */
#include "see.h"

#include "flows.h"
#include "hidden.h"

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

static void stream(enum how how, uint32_t src, uint32_t dst, uint64_t bytes, uint64_t now_ns)
{
	see_flow((struct talk){ .how = how,
				.src = src,
				.dst = dst,
				.sport = 40000,
				.dport = 2000,
				.sent = bytes,
				.received = bytes,
				.at_ns = now_ns });
}

/* Datagrams to anybody: in a second more than the table holds. */
static void noise(uint64_t now_ns)
{
	for (unsigned i = 0; i < 5000; i++)
		stream(ONE_WAY, hidden_random(), hidden_random() | 1u << 31, 60, now_ns);
}

/* For half a minute 8,000 a second that are not answered, as many that are, and a few logs. */
static void play(uint64_t now_ns, unsigned second)
{
	if (second < 300 || second >= 330)
		return;
	stream(ONE_WAY, IP(203, 0, 113, 9), IP(10, 0, 0, 7), 12000000, now_ns);
	stream(BOTH_WAYS, IP(203, 0, 113, 9), IP(10, 0, 0, 8), 12000000, now_ns);
	stream(ONE_WAY, IP(203, 0, 113, 9), IP(10, 0, 0, 9), 150000, now_ns);
}

static bool is_flooded(const struct pk_finding *f)
{
	return has_end(f, IP(10, 0, 0, 7));
}

static bool is_twin(const struct pk_finding *f)
{
	return !is_flooded(f);
}

static void test_hidden_in_flood(void **state)
{
	static const struct hidden flood = { "udp_flood", noise, play, is_flooded, is_twin };

	(void)state;
	see_begin("udp_flood");
	hidden_judge(&flood);
	see_end();
}

RUN(cmocka_unit_test(test_flood), cmocka_unit_test(test_benign), cmocka_unit_test(test_bytes),
    cmocka_unit_test(test_hidden_in_flood))
