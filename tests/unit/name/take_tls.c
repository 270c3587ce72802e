/* SPDX-License-Identifier: Apache-2.0 */
/* Hellos over TCP, however they are cut, and what they become. QUIC's are read in decode's tests.
 */
#include "samples.h"

#include "decode/app.h"

static uint8_t hello[4096];
static size_t hello_len;

static const uint8_t server_hello[] = {
	0x16, 0x03, 0x03, 0x00, 0x7a, 0x02, 0x00, 0x00, 0x76, 0x03, 0x03, 1,    2,    3,    4,
	5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15,   16,   17,   18,   19,
	20,   21,   22,   23,   24,   25,   26,   27,   28,   29,   30,   31,   32,   0x20, 1,
	2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15,   16,
	17,   18,   19,   20,   21,   22,   23,   24,   25,   26,   27,   28,   29,   30,   31,
	32,   0x13, 0x02, 0x00, 0x00, 0x2e, 0x00, 0x2b, 0x00, 0x02, 0x03, 0x04, 0x00, 0x33, 0x00,
	0x24, 0x00, 0x1d, 0x00, 0x20, 1,    2,    3,    4,    5,    6,    7,    8,    9,    10,
	11,   12,   13,   14,   15,   16,   17,   18,   19,   20,   21,   22,   23,   24,   25,
	26,   27,   28,   29,   30,   31,   32,
};

static struct talk tls(uint64_t flow)
{
	return talk_of(flow, PK_APP_TLS, IPPROTO_TCP, "10.0.0.2", 40000, "192.0.2.1", 443);
}

static void check(const struct pk_names *n, uint64_t flow)
{
	const struct pk_fact *f = pk_names_fact(n, flow);
	struct pk_name_best best;

	assert_non_null(f);
	assert_string_equal(f->sni, "www.example.org");
	assert_string_equal(f->alpn, "h2,http/1.1");
	assert_int_equal(f->tls_offered, 0x0304);
	assert_int_equal(f->app, PK_PROTO_TLS);
	assert_int_equal(strlen(f->ja4), 36);
	assert_memory_equal(f->ja4, "t13d", 4);
	assert_int_equal(strlen(f->ja3), 32);
	assert_true(f->flags & PK_FACT_HELLO);
	assert_false(f->flags & PK_FACT_ODD);
	assert_true(pk_names_best(n, flow, &best));
	assert_string_equal(best.name, "www.example.org");
	assert_int_equal(best.source, PK_NAME_SNI);
}

static void test_whole(void **state)
{
	struct pk_names *n = names_new();
	struct talk t = tls(1);
	const struct pk_fact *f;

	(void)state;
	assert_int_equal(say(n, &t, 0, hello, hello_len), 0);
	check(n, 1);
	assert_int_equal(n_heard, 1);
	assert_int_equal(heard[0].kind, PK_NEWS_HELLO);
	assert_string_equal(heard[0].sni, "www.example.org");
	assert_int_equal(say(n, &t, 1, server_hello, sizeof(server_hello)), 0);
	assert_int_equal(heard[1].kind, PK_NEWS_SERVER);
	f = pk_names_fact(n, 1);
	assert_int_equal(f->tls_chosen, 0x0304);
	assert_int_equal(f->cipher, 0x1302);
	/* more of the same direction changes nothing */
	assert_int_equal(say(n, &t, 0, "\x17\x03\x03\x00\x10", 5), 0);
	assert_int_equal(n_heard, 2);
	pk_names_free(n);
}

/* Two segments cut at each byte, in either order; and one byte a segment. */
static void test_split(void **state)
{
	(void)state;
	for (size_t at = 1; at < hello_len; at++) {
		for (int turned = 0; turned < 2; turned++) {
			struct pk_names *n = names_new();
			struct talk t = tls(1);
			struct pk_names_count c;

			for (int i = 0; i < 2; i++) {
				bool second = i != turned;

				assert_int_equal(say_at(n, &t, 0, second ? 50 + (uint32_t)at : 50,
							hello + (second ? at : 0),
							second ? hello_len - at : at, 0),
						 0);
			}
			check(n, 1);
			pk_names_counts(n, &c);
			assert_int_equal(c.streams.used, 0);
			pk_names_free(n);
		}
	}
}

static void test_bytes(void **state)
{
	struct pk_names *n = names_new();
	struct talk t = tls(1);

	(void)state;
	t.app = PK_APP_SHORT;
	for (size_t i = 0; i < hello_len; i++)
		assert_int_equal(say(n, &t, 0, hello + i, 1), 0);
	check(n, 1);
	pk_names_free(n);
}

static void test_not_tls(void **state)
{
	struct pk_names *n = names_new();
	struct talk t = tls(1);
	struct pk_names_count c;
	uint8_t junk[100];

	(void)state;
	memset(junk, 0xee, sizeof(junk));
	for (int i = 0; i < 10; i++)
		(void)say(n, &t, 0, junk, sizeof(junk));
	pk_names_counts(n, &c);
	assert_int_equal(c.failed[PK_APP_TLS][1], 1); /* malformed, said once */
	assert_int_equal(c.streams.used, 0);
	pk_names_free(n);
}

/* A forged segment from far away does not end the reading. */
static void test_forged(void **state)
{
	struct pk_names *n = names_new();
	struct talk t = tls(1);

	(void)state;
	assert_int_equal(say_at(n, &t, 0, 50, hello, 100, 0), 0);
	assert_true(say_at(n, &t, 0, 900000000, hello, 50, 0) < 0);
	assert_int_equal(say_at(n, &t, 0, 150, hello + 100, hello_len - 100, 0), 0);
	check(n, 1);
	pk_names_free(n);
}

/* In the middle of a conversation in clear text. */
static void test_starttls(void **state)
{
	struct pk_names *n = names_new();
	struct talk t = talk_of(1, PK_APP_TEXT, IPPROTO_TCP, "10.0.0.2", 40000, "192.0.2.1", 25);

	(void)state;
	(void)say(n, &t, 1, "220 mail.example.org ESMTP\r\n", 28);
	(void)say(n, &t, 0, "EHLO me\r\n", 9);
	(void)say(n, &t, 0, "STARTTLS\r\n", 10);
	(void)say(n, &t, 1, "220 go\r\n", 8);
	t.app = PK_APP_TLS;
	assert_int_equal(say(n, &t, 0, hello, hello_len), 0);
	check(n, 1);
	assert_int_equal(say(n, &t, 1, server_hello, sizeof(server_hello)), 0);
	assert_int_equal(pk_names_fact(n, 1)->cipher, 0x1302);
	assert_string_equal(pk_names_fact(n, 1)->banner, "mail.example.org ESMTP");
	pk_names_free(n);
}

static void test_odd(void **state)
{
	struct pk_names *n = names_new();
	struct talk t = talk_of(1, PK_APP_TLS, IPPROTO_TCP, "10.0.0.2", 40000, "192.0.2.1", 22);

	(void)state;
	assert_int_equal(say(n, &t, 0, hello, hello_len), 0);
	assert_true(pk_names_fact(n, 1)->flags & PK_FACT_ODD);
	assert_int_equal(pk_names_fact(n, 1)->port_app, PK_PROTO_SSH);
	pk_names_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),  cmocka_unit_test(test_split),
		cmocka_unit_test(test_bytes),  cmocka_unit_test(test_not_tls),
		cmocka_unit_test(test_forged), cmocka_unit_test(test_starttls),
		cmocka_unit_test(test_odd),
	};

	hello_len = client_hello("www.example.org", hello, sizeof(hello));
	return cmocka_run_group_tests_name("name/take_tls", tests, NULL, NULL);
}
