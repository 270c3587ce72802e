/* SPDX-License-Identifier: Apache-2.0 */
/* Two that take turns and unasked answers are told; one change is low, VRRP and probes nothing. */
#include "sample.h"

#include "hidden.h"

#include "base/ip.h"
#include "decode/arp.h"

#define SEC 1000000000ull

static const uint8_t owner[6] = { 2, 0, 0, 0, 0, 1 }, thief[6] = { 2, 0, 0, 0, 0, 2 },
		     third[6] = { 2, 0, 0, 0, 0, 3 }, vrrp_mac[6] = { 0, 0, 0x5e, 0, 1, 9 };

static void arp(uint64_t now_ns, uint16_t op, const uint8_t mac[6], uint32_t sender,
		uint32_t target)
{
	uint8_t p[28] = { 0, 1, 8, 0, 6, 4, 0, (uint8_t)op };

	sender = htonl(sender);
	target = htonl(target);
	memcpy(p + 8, mac, 6);
	memcpy(p + 14, &sender, 4);
	memcpy(p + 24, &target, 4);
	see_frame(now_ns, mac, PK_APP_ARP, 0x0806, 0, p, sizeof(p));
}

/* The gateway's address, answered for at this second. */
static void answer(unsigned second, const uint8_t mac[6])
{
	arp(second * SEC, PK_ARP_REPLY, mac, 0x0a000001, 0x0a000005);
}

/* So many findings so far, none worse than that an address changed. */
static void changed(size_t n)
{
	assert_int_equal(seen.n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(seen.finding[i].severity, PK_LOW);
}

static void test_turns(void **state)
{
	(void)state;
	see_begin("arp_spoof");
	for (unsigned i = 0; i < 6; i++)
		arp(i * SEC + SEC, PK_ARP_REPLY, i % 2 ? thief : owner, 0x0a000001, 0x0a000005);
	assert_true(seen.n > 1);
	assert_int_equal(seen.finding[0].severity, PK_LOW);
	assert_int_equal(seen.finding[seen.n - 1].severity, PK_HIGH);
	assert_true(seen.finding[0].spoofable);
	assert_string_equal(seen.finding[seen.n - 1].technique[0], "T1557.002");
	see_end();
}

static void test_unasked(void **state)
{
	(void)state;
	see_begin("arp_spoof");
	arp(SEC, PK_ARP_REQUEST, owner, 0x0a000001, 0x0a000005);
	for (unsigned i = 0; i < 8; i++)
		arp((10 + i) * SEC, PK_ARP_REPLY, thief, 0x0a000001, 0x0a000005);
	assert_int_equal(seen.finding[seen.n - 1].severity, PK_HIGH);
	see_end();
}

/* Whoever announces the address itself has not been asked by that. */
static void test_unasked_announced(void **state)
{
	(void)state;
	see_begin("arp_spoof");
	arp(SEC, PK_ARP_REQUEST, owner, 0x0a000001, 0x0a000005);
	for (unsigned i = 0; i < 8; i++) {
		arp((10 + i) * SEC, PK_ARP_REQUEST, thief, 0x0a000001, 0x0a000001);
		arp((10 + i) * SEC + 5, PK_ARP_REPLY, thief, 0x0a000001, 0x0a000005);
	}
	assert_int_equal(seen.finding[seen.n - 1].severity, PK_HIGH);
	see_end();
}

static void test_benign(void **state)
{
	(void)state;
	see_begin("arp_spoof");
	/* asked and answered, announced at start, probed */
	for (unsigned i = 0; i < 50; i++) {
		arp((i * 2 + 1) * SEC, PK_ARP_REQUEST, thief, 0x0a000002, 0x0a000001);
		arp((i * 2 + 1) * SEC + 5, PK_ARP_REPLY, owner, 0x0a000001, 0x0a000002);
	}
	arp(200 * SEC, PK_ARP_REQUEST, thief, 0x0a000002, 0x0a000002);
	arp(201 * SEC, PK_ARP_REQUEST, owner, 0, 0x0a000002);
	arp(201 * SEC, PK_ARP_REQUEST, third, 0, 0x0a000002);
	/* a router hands its address to the next */
	arp(202 * SEC, PK_ARP_REPLY, vrrp_mac, 0x0a000001, 0x0a000001);
	assert_int_equal(seen.n, 0);
	/* a new card after long silence */
	arp(9000 * SEC, PK_ARP_REPLY, owner, 0x0a000002, 0x0a000001);
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_replaced(void **state)
{
	(void)state;
	see_begin("arp_spoof");
	arp(SEC, PK_ARP_REQUEST, owner, 0x0a000001, 0x0a000001);
	arp(2 * SEC, PK_ARP_REQUEST, thief, 0x0a000001, 0x0a000001);
	for (unsigned i = 0; i < 20; i++)
		arp((i + 3) * SEC, PK_ARP_REQUEST, thief, 0x0a000001, 0x0a000009);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].severity, PK_LOW);
	see_end();
}

/* The new one answers, for an hour, but it was asked each time. */
static void test_replaced_and_asked(void **state)
{
	(void)state;
	see_begin("arp_spoof");
	answer(10, owner);
	for (unsigned i = 20; i < 3600; i += 10) {
		arp(i * SEC, PK_ARP_REQUEST, owner, 0x0a000002, 0x0a000001);
		arp(i * SEC + 5, PK_ARP_REPLY, thief, 0x0a000001, 0x0a000002);
	}
	changed(1);
	see_end();
}

/* Or it says where it is by itself, every four minutes: twice while the change is new. */
static void test_replaced_and_announced(void **state)
{
	(void)state;
	see_begin("arp_spoof");
	for (unsigned i = 0; i < 20; i++)
		answer(10 + i * 240, i ? thief : owner);
	changed(1);
	see_end();
}

/* Each of two new ones says so a few times; together that would be enough. */
static void test_replaced_twice(void **state)
{
	(void)state;
	see_begin("arp_spoof");
	answer(10, owner);
	for (unsigned i = 0; i < 4; i++)
		answer(20 + i, thief);
	for (unsigned i = 0; i < 4; i++)
		answer(30 + i, third);
	changed(2);
	see_end();
}

/* A virtual address leaves its router for a moment, and comes back; the virtual one repeats it. But
 * who goes on to answer in its place is no router. */
static void test_virtual(void **state)
{
	(void)state;
	see_begin("arp_spoof");
	for (unsigned i = 10; i < 300; i++)
		answer(i, i % 8 == 7 ? owner : vrrp_mac);
	changed(0);
	for (unsigned i = 300; i < 306; i++)
		answer(i, thief);
	assert_true(seen.n > 0);
	assert_int_equal(seen.finding[seen.n - 1].severity, PK_HIGH);
	see_end();
}

/* A third one in between: nobody takes turns. And a pair that changes over every 20 minutes. */
static void test_moves(void **state)
{
	static const uint8_t *const moves[] = { owner, thief, owner, third, owner };

	(void)state;
	see_begin("arp_spoof");
	for (unsigned i = 0; i < 5; i++)
		answer(10 + i * 10, moves[i]);
	changed(4);
	see_end();
	see_begin("arp_spoof");
	for (unsigned i = 1; i < 240; i++)
		arp(i * 30 * SEC, PK_ARP_REQUEST, i / 40 % 2 ? thief : owner, 0x0a000001,
		    0x0a000001);
	changed(5);
	see_end();
}

static void test_flood(void **state)
{
	(void)state;
	see_begin("arp_spoof");
	for (uint32_t i = 1; i <= 300000; i++)
		arp(i * 1000, PK_ARP_REPLY, i % 3 ? thief : owner, i * 2654435761u, i);
	assert_bounded("arp_spoof");
	see_end();
}

static void made_up(uint64_t now_ns)
{
	for (unsigned i = 0; i < 4000; i++) {
		uint32_t r = hidden_random();
		uint8_t mac[6] = { 2, 1, (uint8_t)r, (uint8_t)(r >> 8), (uint8_t)i, 7 };

		arp(now_ns, PK_ARP_REPLY, mac, hidden_random() | 0x80000000, 0x0a000005);
	}
}

/* The gateway is heard of every 10 s; from the sixth minute on somebody else answers for it, too.
 */
static void take_turns(uint64_t now_ns, unsigned second)
{
	if (second % 10 == 0)
		arp(now_ns, PK_ARP_REPLY, owner, 0x0a000001, 0x0a000005);
	if (second > 300 && second % 10 == 5)
		arp(now_ns, PK_ARP_REPLY, thief, 0x0a000001, 0x0a000005);
	if (second % 10 == 5) /* one that has its address to itself */
		arp(now_ns, PK_ARP_REPLY, owner, 0x0a000002, 0x0a000005);
}

static bool is_attack(const struct pk_finding *f)
{
	return f->severity == PK_HIGH && strcmp(f->field[0].value, "10.0.0.1") == 0;
}

static bool is_twin(const struct pk_finding *f)
{
	return strcmp(f->field[0].value, "10.0.0.2") == 0;
}

static void test_hidden_in_flood(void **state)
{
	static const struct hidden flood = { "arp_spoof", made_up, take_turns, is_attack, is_twin };

	(void)state;
	see_begin("arp_spoof");
	hidden_judge(&flood);
	see_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_unasked),
		cmocka_unit_test(test_unasked_announced),
		cmocka_unit_test(test_benign),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_replaced_and_asked),
		cmocka_unit_test(test_replaced_and_announced),
		cmocka_unit_test(test_replaced_twice),
		cmocka_unit_test(test_virtual),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_hidden_in_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
