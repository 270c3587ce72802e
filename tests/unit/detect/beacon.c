/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular and jittered calls, in any order; not a person's, not bursts, not clocks and names, not
 * who is called.
 */
#include "see.h"

#include "flows.h"
#include "hidden.h"

#define C2 IP(203, 0, 113, 9)

static uint64_t rng = 88172645463325252ull;

static uint64_t below(uint64_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng % n;
}

static void call(uint16_t port, uint64_t at_ns, uint64_t sent)
{
	see_flow((struct talk){ .how = SESSION,
				.src = IP(10, 0, 0, 5),
				.dst = C2,
				.sport = (uint16_t)(40000 + at_ns / SEC % 20000),
				.dport = port,
				.at_ns = at_ns,
				.for_ns = SEC / 2,
				.sent = sent,
				.received = 2000 });
}

static void test_beacon(void **state)
{
	static const uint64_t jitters[] = { 0, 3, 12 }; /* s, of 60 */

	(void)state;
	for (size_t j = 0; j < PK_ARRAY_SIZE(jitters); j++) {
		see_begin("beacon");
		for (unsigned i = 0; i < 40; i++)
			call(443, SEC + i * 60 * SEC + below(jitters[j] * SEC + 1),
			     900 + below(20));
		assert_true(seen.n > 0);
		assert_true(is_remote(&seen.finding[0], C2));
		assert_int_equal(seen.finding[0].severity, PK_MEDIUM);
		assert_false(seen.finding[0].spoofable);
		check_words(&seen.finding[0]);
		for (size_t i = 1; i < seen.n; i++)
			assert_int_equal(seen.finding[i].fold, seen.finding[0].fold);
		see_end();
	}
}

/* Flows end in another order than they began. */
static void test_any_order(void **state)
{
	(void)state;
	see_begin("beacon");
	for (unsigned i = 0; i < 40; i++)
		call(443, SEC + (i * 7 % 40) * 60 * SEC, 900);
	assert_true(seen.n > 0);
	see_end();
}

/* One socket that says every ten minutes that it is there, as servers of games do. */
static void test_one_socket(void **state)
{
	(void)state;
	see_begin("beacon");
	for (unsigned i = 0; i < 40; i++)
		see_flow((struct talk){ .how = BOTH_WAYS,
					.src = IP(10, 0, 0, 5),
					.dst = C2,
					.sport = 2011,
					.dport = 2010,
					.at_ns = SEC + i * 600 * SEC });
	assert_true(seen.n > 0);
	assert_int_equal(seen.finding[0].severity, PK_LOW);
	see_end();
}

static void test_benign(void **state)
{
	uint64_t at = SEC;

	(void)state;
	see_begin("beacon");
	for (unsigned i = 0; i < 400; i++) { /* pages: bursts, then somebody reads */
		at += i % 8 ? SEC / 10 : (20 + below(600)) * SEC;
		call(443, at, 500 + below(9000));
	}
	for (unsigned i = 0; i < 40; i++) {
		call(123, SEC + i * 64 * SEC, 90);
		see_flow((struct talk){ .how = SESSION, /* checks from outside */
					.src = C2,
					.dst = IP(10, 0, 0, 5),
					.dport = 443,
					.at_ns = SEC + i * 60 * SEC });
		see_flow((struct talk){ .how = HALF, /* nobody there */
					.src = IP(10, 0, 0, 5),
					.dst = IP(203, 0, 113, 77),
					.dport = 443,
					.at_ns = SEC + i * 60 * SEC });
	}
	for (unsigned i = 0; i < 40; i++) /* a script, for half a minute */
		call(8443, SEC + i * SEC / 2, 900);
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_bytes(void **state)
{
	(void)state;
	see_begin("beacon");
	for (unsigned i = 0; i < 100000; i++)
		see_flow((struct talk){ .how = SESSION,
					.src = IP(10, 0, 0, 0) + i,
					.dst = C2,
					.dport = 443,
					.at_ns = SEC + i * SEC });
	check_bytes("beacon");
	assert_int_equal(seen.n, 0);
	see_end();
}

/* Calls of anybody to anybody. */
static void noise(uint64_t now_ns)
{
	for (unsigned i = 0; i < 3300; i++)
		see_flow((struct talk){ .how = SESSION,
					.src = hidden_random(),
					.dst = hidden_random(),
					.sport = (uint16_t)hidden_random(),
					.dport = 443,
					.for_ns = SEC,
					.sent = 460,
					.received = 800,
					.at_ns = now_ns });
}

/* A call in ten seconds. */
static void slowly(uint64_t now_ns, unsigned second)
{
	if (second % 10 == 0)
		call(443, now_ns, 900 + second % 20);
	if (below(12) == 0) /* somebody who reads */
		see_flow((struct talk){ .how = SESSION,
					.src = IP(10, 0, 0, 6),
					.dst = IP(203, 0, 113, 10),
					.sport = (uint16_t)(40000 + second),
					.dport = 443,
					.at_ns = now_ns,
					.for_ns = SEC / 2,
					.sent = 500 + below(9000),
					.received = 2000 });
}

static bool is_attack(const struct pk_finding *f)
{
	return is_remote(f, C2);
}

static bool is_twin(const struct pk_finding *f)
{
	return !is_attack(f);
}

static void test_hidden_in_flood(void **state)
{
	static const struct hidden flood = { "beacon", noise, slowly, is_attack, is_twin };

	(void)state;
	see_begin("beacon");
	hidden_judge(&flood);
	assert_in_range(seen.n, 1, 60);
	see_end();
}

RUN(cmocka_unit_test(test_beacon), cmocka_unit_test(test_any_order),
    cmocka_unit_test(test_one_socket), cmocka_unit_test(test_benign), cmocka_unit_test(test_bytes),
    cmocka_unit_test(test_hidden_in_flood))
