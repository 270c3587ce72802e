/* SPDX-License-Identifier: Apache-2.0 */
/* A second server is told, low if it offers the same; one server, relays and clients are not. */
#include "sample.h"

#include "hidden.h"

#define SEC 1000000000ull

static const uint8_t macs[][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

static void offer(uint64_t now_ns, unsigned who, uint8_t server, uint8_t router, uint8_t relay,
		  uint8_t type)
{
	uint8_t p[300] = { type == 1 ? 1 : 2, 1, 6, 0, 9 };
	uint8_t options[] = { 0x63, 0x82, 0x53,   0x63, 53, 1,  type, 54, 4,      10,
			      0,    0,    server, 3,    4,  10, 0,    0,  router, 255 };

	p[27] = relay;
	memcpy(p + 236, options, sizeof(options));
	frame_record.s.key.port[0] = htons(67);
	frame_record.s.key.port[1] = htons(68);
	see_frame(now_ns, macs[who], PK_APP_DHCP, IPPROTO_UDP, 28, p, sizeof(p));
}

static void test_second(void **state)
{
	(void)state;
	see_begin("rogue_dhcp");
	offer(SEC, 0, 1, 1, 0, 2);
	offer(2 * SEC, 1, 66, 66, 0, 2);
	offer(3 * SEC, 1, 66, 66, 0, 5);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].severity, PK_MEDIUM);
	assert_string_equal(seen.finding[0].field[0].value, "10.0.0.66");
	assert_true(seen.finding[0].spoofable);
	see_end();
}

static void test_pair(void **state)
{
	(void)state;
	see_begin("rogue_dhcp");
	offer(SEC, 0, 1, 1, 0, 2);
	offer(2 * SEC, 1, 2, 1, 0, 2);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].severity, PK_LOW);
	see_end();
}

static void test_benign(void **state)
{
	(void)state;
	see_begin("rogue_dhcp");
	for (unsigned i = 0; i < 20; i++) {
		offer((i + 1) * SEC, 0, 1, 1, 0, 1);
		offer((i + 1) * SEC, 0, 1, 1, 0, 2);
		offer((i + 1) * SEC, 0, 1, 1, 0, 5);
	}
	offer(30 * SEC, 1, 9, 9, 7, 2); /* by a relay, from another network */
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_flood(void **state)
{
	(void)state;
	see_begin("rogue_dhcp");
	for (uint32_t i = 0; i < 100000; i++) {
		frame_record.s.key.vlan[0] = (uint16_t)i;
		frame_record.s.key.ifindex = i;
		offer(i, i & 1, (uint8_t)i, (uint8_t)(i >> 8), 0, 2);
	}
	assert_bounded("rogue_dhcp");
	see_end();
}

/* Servers of networks that nobody has: VLANs in VLANs. */
static void made_up(uint64_t now_ns)
{
	frame_record.s.key.ifindex = 2;
	for (unsigned i = 0; i < 1000; i++) {
		frame_record.s.key.vlan[0] = (uint16_t)(1 + hidden_random() % 4094);
		frame_record.s.key.vlan[1] = (uint16_t)(1 + hidden_random() % 4094);
		offer(now_ns, 0, (uint8_t)(100 + i % 100), (uint8_t)i, 0, 2);
	}
	frame_record.s.key.vlan[0] = frame_record.s.key.vlan[1] = 0;
}

/* The server answers somebody every 100 s; from the seventh minute on there is another one. */
static void second_server(uint64_t now_ns, unsigned second)
{
	if (second % 100 == 50)
		offer(now_ns, 0, 1, 1, 0, 2);
	if (second > 400 && second % 20 == 0)
		offer(now_ns, 1, 66, 66, 0, 2);
}

static void test_hidden_in_flood(void **state)
{
	bool found = false;

	(void)state;
	see_begin("rogue_dhcp");
	hidden_run("rogue_dhcp", made_up, second_server);
	for (size_t i = 0; i < seen.n && i < FOUND_MAX; i++)
		found |= strcmp(seen.finding[i].field[0].value, "10.0.0.66") == 0;
	assert_true(found);
	see_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second),          cmocka_unit_test(test_pair),
		cmocka_unit_test(test_benign),          cmocka_unit_test(test_flood),
		cmocka_unit_test(test_hidden_in_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
