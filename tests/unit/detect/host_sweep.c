/* SPDX-License-Identifier: Apache-2.0 */
/* One port or pings of many hosts; not a client that finds who it looks for, nor QUIC. */
#include "see.h"

#include "flows.h"
#include "hidden.h"

static void sweep(enum how how, unsigned from, unsigned to, uint16_t port, uint64_t gap_ns)
{
	for (unsigned i = from; i < to; i++)
		see_flow((struct talk){ .how = how,
					.src = IP(10, 0, 0, 5),
					.dst = IP(10, 0, 1, i),
					.sport = how == PING ? (uint16_t)i : 50000,
					.dport = how == PING ? (uint16_t)i : port,
					.at_ns = SEC + i * gap_ns });
}

static void test_found(void **state)
{
	static const struct {
		enum how how;
		uint16_t port;
		const char *technique;
	} cases[] = {
		{ HALF, 23, "T1046" },
		{ REFUSED, 22, "T1046" },
		{ ONE_WAY, 161, "T1046" },
		{ PING, 0, "T1018" },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		see_begin("host_sweep");
		sweep(cases[i].how, 0, 40, cases[i].port, SEC / 10);
		assert_true(seen.n > 0);
		assert_true(is_remote(&seen.finding[0], IP(10, 0, 0, 5)));
		assert_string_equal(seen.finding[0].technique[0], cases[i].technique);
		assert_true(seen.finding[0].spoofable);
		check_words(&seen.finding[0]);
		see_end();
	}
	see_begin("host_sweep");
	sweep(HALF, 0, 100, 23, 100 * SEC);
	assert_true(seen.n > 0); /* slowly */
	see_end();
}

static void test_benign(void **state)
{
	(void)state;
	see_begin("host_sweep");
	sweep(SESSION, 0, 100, 443, SEC / 10);
	sweep(HALF, 100, 140, 443, SEC / 10); /* some are down */
	sweep(ONE_WAY, 0, 100, 443, SEC / 10);
	sweep(HALF, 0, 10, 22, SEC);
	assert_int_equal(seen.n, 0);
	see_end();
}

/* An hour later somebody calls hosts of these again. */
static void test_after_sweep(void **state)
{
	size_t told;

	(void)state;
	see_begin("host_sweep");
	sweep(HALF, 0, 100, 22, SEC / 10);
	told = seen.n;
	assert_true(told > 0);
	for (unsigned i = 0; i < 10; i++)
		see_flow((struct talk){ .how = HALF,
					.src = IP(10, 0, 0, 5),
					.dst = IP(10, 0, 1, i),
					.sport = 50001,
					.dport = 22,
					.at_ns = (3600 + i * 120) * SEC });
	assert_int_equal(seen.n, told);
	sweep(HALF, 100, 200, 22, 40 * SEC);
	assert_true(seen.n > told);
	see_end();
}

static void test_bytes(void **state)
{
	(void)state;
	see_begin("host_sweep");
	for (unsigned i = 0; i < 200000; i++)
		see_flow((struct talk){ .how = HALF,
					.src = i * 2654435761u,
					.dst = IP(10, 0, 0, 1),
					.dport = (uint16_t)(1 + i % 60000),
					.sport = 1,
					.at_ns = SEC + i });
	check_bytes("host_sweep");
	assert_int_equal(seen.n, 0);
	see_end();
}

/* Forged sources. */
static void noise(uint64_t now_ns)
{
	for (unsigned i = 0; i < 3300; i++)
		see_flow((struct talk){ .how = HALF,
					.src = hidden_random(),
					.dst = hidden_random(),
					.sport = (uint16_t)hidden_random(),
					.dport = (uint16_t)(1 | hidden_random()),
					.at_ns = now_ns });
}

/* A host in six seconds: a hundred, for the count is an estimate and sixty are told. */
static void slowly(uint64_t now_ns, unsigned second)
{
	if (second % 6 == 0)
		see_flow((struct talk){ .how = REFUSED,
					.src = IP(10, 0, 0, 5),
					.dst = IP(10, 0, 1, second / 6),
					.sport = 50000,
					.dport = 22,
					.at_ns = now_ns });
	if (second % 10 == 0) /* finds all it looks for, and asks one in vain */
		for (unsigned how = 0; how < 2; how++)
			see_flow((struct talk){ .how = how ? SESSION : REFUSED,
						.src = IP(10, 0, 0, 6),
						.dst = IP(10, 0, 1, how ? second / 10 : 1),
						.sport = 50000,
						.dport = 22,
						.at_ns = now_ns });
}

static bool is_attack(const struct pk_finding *f)
{
	return is_remote(f, IP(10, 0, 0, 5));
}

static bool is_twin(const struct pk_finding *f)
{
	return !is_attack(f);
}

static void test_hidden_in_flood(void **state)
{
	static const struct hidden flood = { "host_sweep", noise, slowly, is_attack, is_twin };

	(void)state;
	see_begin("host_sweep");
	hidden_judge(&flood);
	assert_in_range(seen.n, 1, 60);
	see_end();
}

RUN(cmocka_unit_test(test_found), cmocka_unit_test(test_benign), cmocka_unit_test(test_bytes),
    cmocka_unit_test(test_after_sweep), cmocka_unit_test(test_hidden_in_flood))
