/* SPDX-License-Identifier: Apache-2.0 */
/* Many addresses asked for by ARP; not a host with a few peers, nor one that looks for itself. */
#include "see.h"

#include "flows.h"
#include "hidden.h"

static void ask(uint32_t src, uint32_t dst, uint64_t at_ns)
{
	see_flow((struct talk){ .how = ARP, .src = src, .dst = dst, .at_ns = at_ns });
}

static void test_sweep(void **state)
{
	(void)state;
	see_begin("arp_sweep");
	for (unsigned i = 200; i > 0; i--)
		ask(IP(10, 0, 0, 5), IP(10, 0, 0, i), SEC + i * SEC / 100);
	assert_true(seen.n > 0);
	assert_true(is_remote(&seen.finding[0], IP(10, 0, 0, 5)));
	assert_true(seen.finding[0].spoofable);
	check_words(&seen.finding[0]);
	see_end();
}

static void test_benign(void **state)
{
	(void)state;
	see_begin("arp_sweep");
	for (unsigned i = 0; i < 2000; i++) {
		ask(IP(10, 0, 0, 5), IP(10, 0, 0, i % 20), SEC + i * SEC / 100);
		ask(IP(10, 0, 0, i % 250), IP(10, 0, 0, i % 250), SEC + i * SEC / 100);
		ask(0, IP(10, 0, 0, i % 250), SEC + i * SEC / 100);
	}
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_bytes(void **state)
{
	(void)state;
	see_begin("arp_sweep");
	for (unsigned i = 0; i < 200000; i++)
		ask(i * 2654435761u, i, SEC + i);
	check_bytes("arp_sweep");
	see_end();
}

/* Made-up senders. */
static void noise(uint64_t now_ns)
{
	for (unsigned i = 0; i < 3300; i++)
		ask(hidden_random(), hidden_random(), now_ns);
}

/* Ten addresses in ten seconds, in which the table is filled eight times. A twin asks ten hosts,
 * and whether an address is free. */
static void play(uint64_t now_ns, unsigned second)
{
	for (unsigned i = 0; second % 10 == 0 && i < 10; i++) {
		ask(IP(10, 0, 0, 5), IP(10, 0, 1, 0) + second + i, now_ns);
		ask(IP(10, 0, 0, 6), IP(10, 0, 0, 50 + i), now_ns);
		ask(IP(10, 0, 2, 0) + second + i, IP(10, 0, 2, 0) + second + i, now_ns);
	}
}

static bool is_sweep(const struct pk_finding *f)
{
	return is_remote(f, IP(10, 0, 0, 5));
}

static bool is_twin(const struct pk_finding *f)
{
	return !is_sweep(f);
}

static void test_hidden_in_flood(void **state)
{
	static const struct hidden flood = { "arp_sweep", noise, play, is_sweep, is_twin };

	(void)state;
	see_begin("arp_sweep");
	hidden_judge(&flood);
	see_end();
}

RUN(cmocka_unit_test(test_sweep), cmocka_unit_test(test_benign), cmocka_unit_test(test_bytes),
    cmocka_unit_test(test_hidden_in_flood))
