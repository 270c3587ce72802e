/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vertical, slow, distributed and by odd flags; not clients, answers, traceroute or bare ACKs.
 * Under ten minutes of forged sources memory keeps its bound and the slow scan among them is found.
 */
#include "see.h"

#include "flows.h"
#include "hidden.h"

#define SCANNER IP(203, 0, 113, 9)
#define TARGET  IP(10, 0, 0, 7)

static size_t scan(enum how how, uint8_t flags, unsigned ports, uint64_t gap_ns)
{
	see_begin("port_scan");
	for (unsigned i = 0; i < ports; i++)
		see_flow((struct talk){ .how = how,
					.flags = flags,
					.src = SCANNER,
					.dst = TARGET,
					.sport = 40000,
					.dport = (uint16_t)(1 + i * 7 % 60000),
					.at_ns = SEC + i * gap_ns });
	return seen.n;
}

static void test_kinds(void **state)
{
	static const struct {
		enum how how;
		uint8_t flags;
		const char *probe; /* NULL: nothing is found */
	} cases[] = {
		{ HALF, 0, "SYN" },    { REFUSED, 0, "SYN" },   { FLAGS, 0x01, "FIN" },
		{ FLAGS, 0, "NULL" },  { FLAGS, 0x29, "XMAS" }, { ONE_WAY, 0, "UDP" },
		{ FLAGS, 0x10, NULL }, { FLAGS, 0x11, NULL },   { FLAGS, 0x04, NULL },
		{ SESSION, 0, NULL },  { BOTH_WAYS, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		size_t n = scan(cases[i].how, cases[i].flags, 40, SEC / 10);

		assert_int_equal(n > 0, cases[i].probe != NULL);
		if (n) {
			assert_true(is_remote(&seen.finding[0], SCANNER));
			assert_true(seen.finding[0].spoofable);
			assert_string_equal(seen.finding[0].field[1].value, cases[i].probe);
			check_words(&seen.finding[0]);
			for (size_t j = 1; j < n; j++)
				assert_int_equal(seen.finding[j].fold, seen.finding[0].fold);
		}
		see_end();
	}
}

static void test_slow(void **state)
{
	(void)state;
	assert_true(scan(HALF, 0, 60, 120 * SEC) > 0); /* one in two minutes */
	assert_string_equal(seen.finding[0].field[0].value, "vertical, slow");
	see_end();
	assert_int_equal(scan(HALF, 0, 10, 120 * SEC), 0);
	see_end();
	assert_int_equal(scan(HALF, 0, 60, 3600 * SEC), 0); /* one an hour: not within 8 hours */
	see_end();
}

static void test_distributed(void **state)
{
	(void)state;
	see_begin("port_scan");
	for (unsigned i = 0; i < 100; i++)
		see_flow((struct talk){ .how = HALF,
					.src = IP(203, 0, 113, 1 + i % 25),
					.dst = TARGET,
					.sport = 40000,
					.dport = (uint16_t)(1 + i),
					.at_ns = SEC + i * SEC / 10 });
	assert_true(seen.n > 0);
	assert_string_equal(seen.finding[0].field[0].value, "distributed");
	assert_false(seen.finding[0].has_remote);
	check_words(&seen.finding[0]);
	see_end();
}

/* Many clients of a server that is down; a client of many; answers to questions nobody saw. */
static void test_benign(void **state)
{
	(void)state;
	see_begin("port_scan");
	for (unsigned i = 0; i < 1000; i++) {
		struct talk t = { .at_ns = SEC + i * SEC / 100 };

		t.how = HALF;
		t.src = IP(10, 0, 1, i % 250);
		t.dst = TARGET;
		t.sport = (uint16_t)(30000 + i);
		t.dport = 443;
		see_flow(t);
		t.src = IP(10, 0, 2, 1);
		t.dst = IP(198, 51, i / 250, i % 250);
		see_flow(t);
		t.how = ONE_WAY;
		t.src = IP(10, 0, 0, 53);
		t.dst = TARGET;
		t.sport = 53;
		t.dport = (uint16_t)(20000 + i);
		see_flow(t);
		t.sport = 50000;
		t.dport = (uint16_t)(33434 + i % 90);
		see_flow(t);
	}
	assert_int_equal(seen.n, 0);
	see_end();
}

/*
 * As many half-open flows as the kernel reports by default (half of 65,536 slots each
 * 10 s), for 10 minutes: 2 million. The scan begins in the third minute, one port in 5 s.
 */
static void test_hidden_in_flood(void **state)
{
	bool found = false;

	(void)state;
	see_begin("port_scan");
	for (unsigned i = 0; i < 600 * 3300; i++) {
		uint64_t now = SEC + i * (SEC / 3300);

		see_flow((struct talk){ .how = HALF,
					.src = hidden_random(),
					.dst = i % 2 ? TARGET : hidden_random(),
					.sport = (uint16_t)hidden_random(),
					.dport = (uint16_t)(1 | hidden_random()),
					.at_ns = now });
		if (i > 180 * 3300 && i % (5 * 3300) == 0)
			see_flow((struct talk){ .how = REFUSED,
						.src = SCANNER,
						.dst = TARGET,
						.sport = 40000,
						.dport = (uint16_t)(i / 3300),
						.at_ns = now });
		if (i % 3300 == 0)
			pk_detect_tick(seen.detect, now);
	}
	check_bytes("port_scan");
	for (size_t i = 0; i < seen.n && i < FOUND_MAX; i++)
		found |= is_remote(&seen.finding[i], SCANNER);
	assert_true(found);
	assert_in_range(seen.n, 2, 60);
	see_end();
}

/* In a larger flood the kernel shows one probe in six: of a port each five seconds one in thirty.
 * It takes longer, and is told. */
static void test_thin_in_flood(void **state)
{
	bool found = false;

	(void)state;
	see_begin("port_scan");
	for (uint64_t s = 1; s <= 1500; s++) {
		for (unsigned i = 0; i < 3276; i++)
			see_flow((struct talk){ .how = HALF,
						.src = hidden_random(),
						.dst = i % 2 ? TARGET : hidden_random(),
						.sport = 40000,
						.dport = (uint16_t)(1 | hidden_random()),
						.at_ns = s * SEC });
		if (s % 30 == 0)
			see_flow((struct talk){ .how = HALF,
						.src = SCANNER,
						.dst = TARGET,
						.sport = 40000,
						.dport = (uint16_t)(s * 7),
						.at_ns = s * SEC });
		pk_detect_tick(seen.detect, s * SEC);
		hidden_bounded("port_scan");
	}
	for (size_t i = 0; i < seen.n && i < FOUND_MAX; i++)
		found |= is_remote(&seen.finding[i], SCANNER);
	assert_true(found);
	see_end();
}

/* The same ports the other way round are the same scan. */
static void test_any_order(void **state)
{
	(void)state;
	see_begin("port_scan");
	for (unsigned i = 30; i > 0; i--)
		see_flow((struct talk){ .how = HALF,
					.src = SCANNER,
					.dst = TARGET,
					.sport = 40000,
					.dport = (uint16_t)i,
					.at_ns = SEC + i * SEC / 10 });
	assert_true(seen.n > 0);
	see_end();
}

/* An hour after a scan clients go where it was, and are seen before they were answered: the scan is
 * not told once more in their name. Who goes on to other ports is. */
static void test_after_scan(void **state)
{
	size_t told = scan(HALF, 0, 60, SEC / 10);

	(void)state;
	assert_true(told > 0);
	for (unsigned more = 0; more < 2; more++) {
		for (unsigned i = 0; i < 40; i++)
			see_flow((struct talk){
				.how = HALF,
				.src = SCANNER,
				.dst = TARGET,
				.sport = 50000,
				.dport = (uint16_t)(more ? 50001 + i : 1 + i % 10 * 7),
				.at_ns = (3600 + more * 3600 + i * 120) * SEC });
		assert_int_equal(seen.n > told, more);
	}
	see_end();
}

RUN(cmocka_unit_test(test_kinds), cmocka_unit_test(test_after_scan), cmocka_unit_test(test_slow),
    cmocka_unit_test(test_distributed), cmocka_unit_test(test_benign),
    cmocka_unit_test(test_any_order), cmocka_unit_test(test_hidden_in_flood),
    cmocka_unit_test(test_thin_in_flood))
