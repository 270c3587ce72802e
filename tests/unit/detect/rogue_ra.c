/* SPDX-License-Identifier: Apache-2.0 */
/* A second router with its own prefix is told; the same router again, one that ends, and what was
 * cut are not. */
#include "sample.h"

#include "hidden.h"

#define SEC 1000000000ull

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

static void advert(uint64_t now_ns, uint32_t who, uint16_t lifetime, uint8_t prefix, uint32_t cut)
{
	uint8_t p[48] = { 134, 0, 0, 0, 64, 0, (uint8_t)(lifetime >> 8), (uint8_t)lifetime };
	struct pk_sample *s = &frame_record.s;

	p[16] = 3; /* prefix */
	p[17] = 4;
	p[18] = 64;
	p[32] = 0x20;
	p[33] = 1;
	p[34] = prefix;
	memset(s->key.addr[0], 0, 16);
	s->key.addr[0][0] = 0xfe;
	s->key.addr[0][1] = 0x80;
	memcpy(s->key.addr[0] + 12, &who, sizeof(who));
	see_frame(now_ns, mac, PK_APP_ICMP, IPPROTO_ICMPV6, 40, p, sizeof(p) - cut);
}

static void test_second(void **state)
{
	(void)state;
	see_begin("rogue_ra");
	for (unsigned i = 1; i < 5; i++)
		advert(i * SEC, 1, 1800, 1, 0);
	advert(6 * SEC, 2, 1800, 66, 0);
	advert(7 * SEC, 2, 1800, 66, 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].severity, PK_MEDIUM);
	assert_string_equal(seen.finding[0].field[4].value, "2001:4200::/64");
	advert(8 * SEC, 3, 1800, 1, 0); /* shares the work */
	assert_int_equal(seen.finding[1].severity, PK_LOW);
	see_end();
}

static void test_benign(void **state)
{
	(void)state;
	see_begin("rogue_ra");
	advert(SEC, 1, 1800, 1, 0);
	advert(2 * SEC, 2, 0, 66, 0);    /* no default router */
	advert(3 * SEC, 3, 1800, 1, 45); /* no whole message */
	frame_record.s.key.depth = 1;    /* in a tunnel */
	advert(4 * SEC, 4, 1800, 66, 0);
	frame_record.s.key.depth = 0;
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_flood(void **state)
{
	(void)state;
	see_begin("rogue_ra");
	for (uint32_t i = 0; i < 100000; i++) {
		frame_record.s.key.ifindex = i % 3000;
		advert(i + 1, i, 1800, (uint8_t)i, 0);
	}
	assert_bounded("rogue_ra");
	see_end();
}

/* Routers of networks that nobody has: VLANs in VLANs. */
static void made_up(uint64_t now_ns)
{
	frame_record.s.key.ifindex = 2;
	for (unsigned i = 0; i < 1000; i++) {
		frame_record.s.key.vlan[0] = (uint16_t)(1 + hidden_random() % 4094);
		frame_record.s.key.vlan[1] = (uint16_t)(1 + hidden_random() % 4094);
		advert(now_ns, hidden_random() | 0x80000000, 1800, (uint8_t)i, 0);
	}
	frame_record.s.key.vlan[0] = frame_record.s.key.vlan[1] = 0;
}

/* The router says so every 100 s; from the seventh minute on there is another one. */
static void second_router(uint64_t now_ns, unsigned second)
{
	if (second % 100 == 50)
		advert(now_ns, 1, 1800, 1, 0);
	if (second > 400 && second % 20 == 0)
		advert(now_ns, 2, 1800, 66, 0);
}

static void test_hidden_in_flood(void **state)
{
	bool found = false;

	(void)state;
	see_begin("rogue_ra");
	hidden_run("rogue_ra", made_up, second_router);
	for (size_t i = 0; i < seen.n && i < FOUND_MAX; i++)
		found |= strcmp(seen.finding[i].field[4].value, "2001:4200::/64") == 0 &&
			 seen.finding[i].first_ns >= 400 * SEC;
	assert_true(found);
	see_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second),
		cmocka_unit_test(test_benign),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_hidden_in_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
