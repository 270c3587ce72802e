/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams whose first bytes do not tell what they are: TLS that begins later (STARTTLS), SSH behind
 * lines of text; and how much of a ServerHello leaves the kernel.
 */
#include "talk.h"

#define PORT 389

static void test_starttls(void **state)
{
	static const char ask[] = "0\x1d\2\1\1w\x18\x80\x16"
				  "1.3.6.1.4.1.1466.20037";
	static const char yes[] = "0\x0c\2\1\1x\7\n\1\0\4\0\4\0";
	uint8_t p[600];
	uint32_t n = hello(p, 1, 400);

	(void)state;
	handshake(PORT);
	say(PORT, 0, ask, 31);
	answer(PORT, 0, yes, 14);
	assert_null(look()); /* what they say before stays in the kernel */
	say(PORT, 31, p, n);
	expect(PK_APP_TLS, p, n);
	n = hello(p, 2, 600 - 9);
	answer(PORT, 14, p, n);
	expect(PK_APP_TLS, p, n);
}

/* One byte as the only answer, as PostgreSQL gives it. */
static void test_short_answer(void **state)
{
	uint8_t p[600];
	uint32_t n = hello(p, 1, 400);

	(void)state;
	handshake(5432);
	say(5432, 0, "\0\0\0\x08\x04\xd2\x16\x2f", 8);
	assert_null(look());
	answer(5432, 0, "S", 1);
	expect(PK_APP_SHORT, "S", 1); /* it could be the S of SSH */
	say(5432, 8, p, n);
	expect(PK_APP_TLS, p, n);
	n = hello(p, 2, 600 - 9);
	answer(5432, 1, p, n);
	expect(PK_APP_TLS, p, n);
}

/* In the eighth segment it is seen, in the ninth nobody looks any more. */
static void test_patience(void **state)
{
	uint8_t p[600];
	uint32_t n = hello(p, 1, 400), i;

	(void)state;
	handshake(PORT);
	for (i = 0; i < 7; i++)
		say(PORT, i * 12, "\x30\x30\x30\x30 nothing", 12);
	assert_null(look());
	say(PORT, i * 12, p, n);
	expect(PK_APP_TLS, p, n);
	for (i = 0; i < 8; i++)
		answer(PORT, i * 12, "\x30\x30\x30\x30 nothing", 12);
	n = hello(p, 2, 90);
	answer(PORT, i * 12, p, n);
	assert_null(look());
}

/* Application data, another handshake message, too few bytes to be sure: no beginning. */
static void test_other_records(void **state)
{
	(void)state;
	handshake(PORT);
	say(PORT, 0, "\x30\x30\x30\x30 nothing", 12);
	say(PORT, 12, "\x17\3\3\0\x20 some data of it", 21);
	say(PORT, 33, "\x16\3\3\0\x20\x10 a key", 12);
	say(PORT, 45, "\x16\3\1", 3);
	assert_null(look());
}

static void test_lines_before_ssh(void **state)
{
	static const char line[] = "Welcome to this host\r\n",
			  banner[] = "SSH-2.0-OpenSSH_9.2p1\r\n";

	(void)state;
	handshake(22);
	answer(22, 0, line, sizeof(line) - 1);
	assert_null(look());
	say(22, 0, banner, sizeof(banner) - 1);
	expect(PK_APP_SSH, banner, sizeof(banner) - 1);
	answer(22, sizeof(line) - 1, banner, sizeof(banner) - 1);
	expect(PK_APP_SSH, banner, sizeof(banner) - 1);
}

/* A ServerHello is taken whole, with what a second one behind a retry needs; never all that
 * follows. */
static void test_server_hello(void **state)
{
	static const struct {
		uint32_t body, want;
	} rows[] = {
		{ 90, 512 },    /* more behind it in the segment */
		{ 1206, 1215 }, /* X25519MLKEM768 */
		{ 1300, 1309 },
	};
	uint8_t p[1400];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		handshake(443);
		memset(p, 0x66, sizeof(p));
		(void)hello(p, 2, rows[i].body);
		answer(443, 0, p, sizeof(p));
		expect(PK_APP_TLS, p, rows[i].want);
	}
	handshake(443);
	(void)hello(p, 2, sizeof(p) - 9);
	p[7] = 0x20; /* goes on for 8 KiB: 2 are taken */
	p[3] = 0x20;
	answer(443, 0, p, sizeof(p));
	expect(PK_APP_TLS, p, sizeof(p));
	answer(443, sizeof(p), p, sizeof(p));
	expect(PK_APP_TLS, p, 2048 - sizeof(p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starttls),         cmocka_unit_test(test_short_answer),
		cmocka_unit_test(test_patience),         cmocka_unit_test(test_other_records),
		cmocka_unit_test(test_lines_before_ssh), cmocka_unit_test(test_server_hello),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("turn", tests, talk_open, talk_close);
}
