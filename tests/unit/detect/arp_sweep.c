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

/* An address each second, and that is slow for ARP. */
static void slowly(uint64_t now_ns, unsigned second)
{
	if (second < 255)
		ask(IP(10, 0, 0, 5), IP(10, 0, 0, second), now_ns);
}

static void test_hidden_in_flood(void **state)
{
	bool found = false;

	(void)state;
	see_begin("arp_sweep");
	hidden_run("arp_sweep", noise, slowly);
	for (size_t i = 0; i < seen.n && i < FOUND_MAX; i++)
		found |= is_remote(&seen.finding[i], IP(10, 0, 0, 5));
	assert_true(found);
	assert_in_range(seen.n, 1, 60);
	see_end();
}

RUN(cmocka_unit_test(test_sweep), cmocka_unit_test(test_benign), cmocka_unit_test(test_bytes),
    cmocka_unit_test(test_hidden_in_flood))
