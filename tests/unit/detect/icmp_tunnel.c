/* SPDX-License-Identifier: Apache-2.0 */
/* Replies that say something else and dense echoes are told; every ping's pattern is not. */
#include "sample.h"

#include "hidden.h"

#include "decode/icmp.h"

#define SEC 1000000000ull

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
static uint32_t seed;

static uint8_t draw(void)
{
	seed = seed * 1103515245 + 12345;
	return (uint8_t)(seed >> 16);
}

static void echo(uint64_t now_ns, bool request, uint16_t seq, const uint8_t *data, uint32_t len)
{
	uint8_t p[8 + 1500] = { request ? 8 : 0, 0, 0, 0, 0, 7, (uint8_t)(seq >> 8), (uint8_t)seq };

	memcpy(p + 8, data, len);
	frame_record.s.dir = !request;
	frame_record.s.key.addr[1][15] = 2;
	see_frame(now_ns, mac, PK_APP_ICMP, IPPROTO_ICMP, 20, p, 8 + len);
}

static void test_replies(void **state)
{
	(void)state;
	see_begin("icmp_tunnel");
	for (uint16_t i = 0; i < 5; i++) {
		uint8_t up[64] = "poll",
			down[64] = "uid=0(root) gid=0(root) and so on, as a shell says";

		up[10] = (uint8_t)i;
		down[60] = (uint8_t)i;
		echo(i * SEC, true, i, up, sizeof(up));
		echo(i * SEC, false, i, down, sizeof(down));
	}
	assert_true(seen.n > 0);
	assert_int_equal(seen.finding[0].severity, PK_HIGH);
	assert_string_equal(seen.finding[0].technique[0], "T1095");
	assert_false(seen.finding[0].spoofable);
	see_end();
}

static void test_dense(void **state)
{
	uint8_t data[400];

	(void)state;
	see_begin("icmp_tunnel");
	for (uint16_t i = 0; i < 12; i++) {
		for (size_t b = 0; b < sizeof(data); b++)
			data[b] = draw();
		echo(i * SEC, true, i, data, 300 + i);
	}
	assert_true(seen.n > 0);
	assert_int_equal(seen.finding[0].severity, PK_MEDIUM);
	assert_true(seen.finding[0].spoofable);
	see_end();
}

static void fill(unsigned kind, uint8_t *p, size_t n, uint16_t i)
{
	memset(p, kind == 2 ? 0xab : 0, n);
	for (size_t b = 0; b < n; b++)
		if (kind == 0) /* iputils, behind its time */
			p[b] = b < 16 ? draw() : (uint8_t)b;
		else if (kind == 1) /* Windows */
			p[b] = (uint8_t)('a' + b % 23);
		else if (kind == 3) /* fping, behind its time */
			p[b] = b < 16 ? (uint8_t)(i + b) : 0;
		else if (kind == 4) /* ping -p abcd */
			p[b] = b < 16 ? draw() : b % 2 ? 0xcd : 0xab;
}

static void test_pings(void **state)
{
	(void)state;
	see_begin("icmp_tunnel");
	for (unsigned kind = 0; kind < 5; kind++)
		for (uint16_t i = 0; i < 200; i++) {
			uint8_t data[1400];
			uint32_t len = kind == 4 ? 56 : 32u << (i % 5);

			fill(kind, data, len, i);
			echo(i * SEC, true, i, data, len);
			echo(i * SEC, false, i, data, len > 64 && kind == 1 ? 64 : len);
		}
	if (seen.n)
		fail_msg("%s", seen.finding[0].detail);
	see_end();
}

static void test_flood(void **state)
{
	(void)state;
	see_begin("icmp_tunnel");
	for (uint32_t i = 0; i < 200000; i++) {
		uint8_t data[64];

		for (size_t b = 0; b < sizeof(data); b++)
			data[b] = draw();
		memcpy(frame_record.s.key.addr[0], &i, sizeof(i));
		echo(i, true, 1, data, sizeof(data));
	}
	assert_bounded("icmp_tunnel");
	see_end();
}

static void from_anybody(uint64_t now_ns)
{
	uint8_t data[64] = { 0 };

	for (unsigned i = 0; i < 2000; i++) {
		uint32_t r = hidden_random();

		memcpy(frame_record.s.key.addr[0], &r, sizeof(r));
		echo(now_ns, true, 1, data, sizeof(data));
	}
}

/* A dense echo in ten seconds. */
static void tunnel(uint64_t now_ns, unsigned second)
{
	uint8_t data[400];

	if (second % 10)
		return;
	for (size_t b = 0; b < sizeof(data); b++)
		data[b] = draw();
	memset(frame_record.s.key.addr[0], 0, 16);
	echo(now_ns, true, (uint16_t)second, data, 300);
}

static void test_hidden_in_flood(void **state)
{
	(void)state;
	see_begin("icmp_tunnel");
	hidden_run("icmp_tunnel", from_anybody, tunnel);
	assert_in_range(seen.n, 1, 60);
	assert_int_equal(seen.finding[0].key.addr[0][0], 0);
	see_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies),         cmocka_unit_test(test_dense),
		cmocka_unit_test(test_pings),           cmocka_unit_test(test_flood),
		cmocka_unit_test(test_hidden_in_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
