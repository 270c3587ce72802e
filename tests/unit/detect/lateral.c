/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions for management with many inside hosts; not with one, not outside, not by knocking. */
#include "see.h"

#include "flows.h"
#include "hidden.h"

static void go(enum how how, unsigned hosts, uint32_t net, uint16_t port, uint32_t pid)
{
	for (unsigned i = 1; i <= hosts; i++)
		see_flow((struct talk){ .how = how,
					.src = IP(10, 0, 0, 5),
					.dst = net + i,
					.sport = 50000,
					.dport = port,
					.pid = pid,
					.program = "sh",
					.at_ns = SEC + i * SEC });
}

static void test_fan_out(void **state)
{
	static const struct {
		uint16_t port;
		const char *technique;
	} cases[] = { { 22, "T1021.004" }, { 445, "T1021" }, { 3389, "T1021" }, { 5985, "T1021" } };

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		see_begin("lateral");
		go(SESSION, 12, IP(10, 0, 1, 0), cases[i].port, 77);
		assert_true(seen.n > 0);
		assert_string_equal(seen.finding[0].technique[0], cases[i].technique);
		assert_int_equal(seen.finding[0].proc[0].tgid, 77);
		assert_false(seen.finding[0].spoofable);
		check_words(&seen.finding[0]);
		see_end();
	}
}

static void test_benign(void **state)
{
	(void)state;
	see_begin("lateral");
	go(SESSION, 3, IP(10, 0, 1, 0), 22, 77);
	go(HALF, 100, IP(10, 0, 1, 0), 22, 77);
	go(REFUSED, 100, IP(10, 0, 1, 0), 445, 77);
	go(SESSION, 100, IP(198, 51, 100, 0), 22, 77);
	go(SESSION, 100, IP(10, 0, 1, 0), 443, 77);
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_bytes(void **state)
{
	(void)state;
	see_begin("lateral");
	for (unsigned i = 0; i < 100000; i++)
		see_flow((struct talk){ .how = SESSION,
					.src = IP(10, 0, 0, 0) + i,
					.dst = IP(10, 9, 0, 1),
					.dport = 22,
					.at_ns = SEC + i });
	check_bytes("lateral");
	assert_int_equal(seen.n, 0);
	see_end();
}

/* Sessions between all hosts of a large network. */
static void noise(uint64_t now_ns)
{
	for (unsigned i = 0; i < 3300; i++)
		see_flow((struct talk){ .how = SESSION,
					.src = IP(10, 128, 0, 0) | (hidden_random() & 0x7fffff),
					.dst = IP(10, 9, 0, 1),
					.sport = (uint16_t)hidden_random(),
					.dport = 22,
					.for_ns = SEC,
					.sent = 460,
					.received = 800,
					.at_ns = now_ns });
}

/* A host in half a minute. */
static void slowly(uint64_t now_ns, unsigned second)
{
	if (second % 30 == 0)
		see_flow((struct talk){ .how = SESSION,
					.src = IP(10, 0, 0, 5),
					.dst = IP(10, 0, 1, second / 30),
					.sport = 50000,
					.dport = 22,
					.pid = 77,
					.program = "sh",
					.at_ns = now_ns });
	if (second % 30 == 0) /* manages three, and knocks at others */
		for (unsigned how = 0; how < 2; how++)
			see_flow((struct talk){
				.how = how ? SESSION : REFUSED,
				.src = IP(10, 0, 0, 6),
				.dst = IP(10, 0, 1, how ? second / 30 % 3 : second / 30),
				.sport = 50000,
				.dport = 22,
				.pid = 78,
				.program = "ansible",
				.at_ns = now_ns });
}

static bool is_attack(const struct pk_finding *f)
{
	return f->proc[0].tgid == 77;
}

static bool is_twin(const struct pk_finding *f)
{
	return !is_attack(f);
}

static void test_hidden_in_flood(void **state)
{
	static const struct hidden flood = { "lateral", noise, slowly, is_attack, is_twin };

	(void)state;
	see_begin("lateral");
	hidden_judge(&flood);
	assert_in_range(seen.n, 1, 60);
	see_end();
}

RUN(cmocka_unit_test(test_fan_out), cmocka_unit_test(test_benign), cmocka_unit_test(test_bytes),
    cmocka_unit_test(test_hidden_in_flood))
