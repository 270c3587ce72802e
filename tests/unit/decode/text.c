/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/text.h"

#include "exact.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct pk_text t;
static char *input;

static int decode(enum pk_text_proto hint, const void *data, size_t len)
{
	free(input);
	input = exact(data, len);
	return pk_text_decode(&t, hint, input, len);
}

#define TEXT(s)            decode(PK_TEXT_NONE, BYTES(s))
#define assert_slice(a, s) assert_true(pk_slice_is(a, s))

static void test_who(void **state)
{
	static const struct {
		const char *lines;
		enum pk_text_proto hint, proto;
		bool server;
	} rows[] = {
		{ "220 mx ESMTP Postfix\r\n", 0, PK_TEXT_SMTP, true },
		{ "220-mx\r\n220 Microsoft smtp\r\n", 0, PK_TEXT_SMTP, true },
		{ "220 (vsFTPd 3.0.3)\r\n", 0, PK_TEXT_FTP, true },
		{ "220 ready\r\n", PK_TEXT_FTP, PK_TEXT_FTP, true },
		{ "220 ready\r\n", PK_TEXT_SMTP, PK_TEXT_SMTP, true },
		{ "220 ready\r\n331 password please\r\n", 0, PK_TEXT_FTP, true },
		{ "220 ready\r\n250-mx\r\n250 STARTTLS\r\n", PK_TEXT_FTP, PK_TEXT_SMTP, true },
		{ "220 my FTP\r\n", PK_TEXT_SMTP, PK_TEXT_FTP, true }, /* content wins */
		{ "+OK ready\r\n", 0, PK_TEXT_POP3, true },
		{ "* OK [CAPABILITY IMAP4rev1] hi\r\n", 0, PK_TEXT_IMAP, true },
		{ ":irc.example 001 me :Welcome\r\n", 0, PK_TEXT_IRC, true },
		{ ":irc.example NOTICE * :*** Looking up\r\n", 0, PK_TEXT_IRC, true },
		{ "NOTICE AUTH :*** Looking up\r\n", 0, PK_TEXT_IRC, true },
		{ "EHLO me\r\n", 0, PK_TEXT_SMTP, false },
		{ "helo me\n", 0, PK_TEXT_SMTP, false },
		{ "USER x\r\n", PK_TEXT_FTP, PK_TEXT_FTP, false },
		{ "USER x\r\n", PK_TEXT_POP3, PK_TEXT_POP3, false },
		{ "USER x\r\nPASS y\r\nSYST\r\n", 0, PK_TEXT_FTP, false },
		{ "USER x\r\nPASS y\r\nUIDL\r\n", 0, PK_TEXT_POP3, false },
		{ "USER a 0 * :real name\r\n", 0, PK_TEXT_IRC, false },
		{ "PASS x\r\nNICK me\r\n", 0, PK_TEXT_IRC, false },
		{ "AUTH TLS\r\n", 0, PK_TEXT_FTP, false },
		{ "a001 CAPABILITY\r\n", 0, PK_TEXT_IMAP, false },
		{ "+OK\r\n", PK_TEXT_POP3, PK_TEXT_POP3, true },
		{ "PING x\r\n", PK_TEXT_IRC, PK_TEXT_IRC, false },
		{ "STAT\r\nUIDL\r\nCAPA\r\n", 0, PK_TEXT_POP3, false },
	};

	(void)state;
	for (unsigned i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		assert_int_equal(decode(rows[i].hint, rows[i].lines, strlen(rows[i].lines)), 0);
		assert_int_equal(t.proto, rows[i].proto);
		assert_int_equal(t.server, rows[i].server);
		assert_false(t.partial);
	}
}

/* Words of ours that other protocols have too: Redis, Munin, NNTP. */
static void test_lookalikes(void **state)
{
	static const char *const lines[] = {
		"+OK\r\n",
		"+OK\r\n+OK\r\n",
		"-ERR unknown command\r\n",
		"PING\r\n",
		"QUIT\r\n",
		"AUTH secret\r\n",
		"cap multigraph dirtyconfig\n",
		"list\n",
		"200 NNTP ready\r\n211 10 1 10 group\r\n",
		"MODE READER\r\n",
		"HELP\r\n",
	};

	(void)state;
	for (unsigned i = 0; i < PK_ARRAY_SIZE(lines); i++)
		assert_int_equal(decode(PK_TEXT_NONE, lines[i], strlen(lines[i])), -EBADMSG);
}

static void test_none(void **state)
{
	static const char *const lines[] = {
		"220 ready\r\n",
		"USER x\r\n",
		"GET / HTTP/1.1\r\n",
		"SSH-2.0-x\r\n",
		"hello world\r\n",
		"\r\n",
		"220x\r\n",
		"999 x\r\n",
		"220 \x1b[2J SMTP\r\n",
		"EHLO \x01\r\n",
		"{\"id\":1}\n",
		"{}\n",
		"{\"method\":\"login\",\"params\":{}}\n",
		"{\"method\":\"eth_call\"}\n",
	};

	(void)state;
	for (unsigned i = 0; i < PK_ARRAY_SIZE(lines); i++)
		assert_int_equal(decode(PK_TEXT_NONE, lines[i], strlen(lines[i])), -EBADMSG);
	assert_int_equal(TEXT(""), -ENODATA);
	assert_int_equal(TEXT("EHLO me"), -ENODATA);
	assert_int_equal(TEXT("{\"method\":"), -ENODATA);
	assert_int_equal(TEXT("\x16\3\1\0\n\3\3"), -EBADMSG);
}

static void test_smtp(void **state)
{
	(void)state;
	assert_int_equal(TEXT("220 mx.example ESMTP Postfix\r\n250-mx.example\r\n250-PIPELINING\r\n"
			      "250 STARTTLS\r\n"),
			 0);
	assert_int_equal(t.code, 220);
	assert_slice(t.banner, "mx.example ESMTP Postfix");
	assert_true(t.tls_offered);
	assert_int_equal(t.lines, 4);
	assert_int_equal(TEXT("EHLO client.example\r\nSTARTTLS\r\n\x16\3\1"), 0);
	assert_slice(t.command, "EHLO");
	assert_slice(t.helo, "client.example");
	assert_true(t.tls_asked && t.partial);
	assert_false(t.password);
	assert_int_equal(TEXT("EHLO c\r\nAUTH PLAIN AGEAYg==\r\n"), 0);
	assert_true(t.password);
	assert_int_equal(t.user.len, 0);
}

static void test_logins(void **state)
{
	(void)state;
	assert_int_equal(TEXT("USER anna\r\nPASS secret\r\nPWD\r\n"), 0);
	assert_slice(t.user, "anna");
	assert_true(t.password);
	assert_int_equal(TEXT("220 FTP\r\n211-Features:\r\n AUTH TLS\r\n211 End\r\n"), 0);
	assert_true(t.tls_offered);
	assert_int_equal(TEXT("CAPA\r\nSTLS\r\n"), 0);
	assert_true(t.tls_asked);
	assert_int_equal(TEXT("APOP anna c4c9334bac560ecc979e58001b3e22fb\r\n"), 0);
	assert_slice(t.user, "anna");
	assert_false(t.password);
	assert_int_equal(TEXT("a LOGIN \"anna\" secret\r\n"), 0);
	assert_slice(t.user, "anna");
	assert_slice(t.command, "LOGIN");
	assert_true(t.password);
	assert_int_equal(TEXT("a LOGIN {4}\r\nanna secret\r\n"), 0);
	assert_int_equal(t.user.len, 0);
	assert_int_equal(TEXT("a CAPABILITY\r\nb STARTTLS\r\n"), 0);
	assert_true(t.tls_asked);
	assert_int_equal(TEXT("* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\n"), 0);
	assert_true(t.tls_offered);
	assert_slice(t.banner, "OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.");
	assert_int_equal(TEXT("CAP LS 302\r\nNICK me\r\nUSER me 0 * :Me\r\n"), 0);
	assert_slice(t.nick, "me");
	assert_slice(t.user, "me");
}

/* A password is nowhere in what comes out, wherever the input is cut. */
static void test_no_password(void **state)
{
	static const char *const lines[] = {
		"USER u\r\nPASS topsecret\r\nSYST\r\n",
		"PASS topsecret\r\nNICK n\r\nUSER u 0 * :r\r\n",
		"a LOGIN u topsecret\r\n",
		"EHLO me\r\nAUTH PLAIN topsecret\r\n",
		"AUTH PLAIN topsecret\r\nUIDL\r\n",
		"{\"method\":\"mining.authorize\",\"params\":[\"w\",\"topsecret\"]}\n",
		"{\"method\":\"login\",\"params\":{\"login\":\"w\",\"pass\":\"topsecret\"}}\n",
	};
	const struct pk_slice *all[] = { &t.banner, &t.command, &t.helo, &t.user, &t.nick };

	(void)state;
	for (unsigned i = 0; i < PK_ARRAY_SIZE(lines); i++)
		for (size_t n = 0; n <= strlen(lines[i]); n++) {
			if (decode(PK_TEXT_FTP, lines[i], n))
				continue;
			for (unsigned k = 0; k < PK_ARRAY_SIZE(all); k++)
				assert_true(!all[k]->len ||
					    !memmem(all[k]->s, all[k]->len, "top", 3));
			assert_null(strstr(t.agent, "top"));
			assert_null(strstr(t.login, "top"));
			assert_true(t.password || n < strlen(lines[i]));
		}
}

static void test_limits(void **state)
{
	static char big[10000];

	(void)state;
	memset(big, 'a', sizeof(big));
	assert_int_equal(decode(PK_TEXT_NONE, big, sizeof(big)), -EBADMSG);
	memcpy(big, "EHLO ", 5);
	big[2046] = '\n';
	assert_int_equal(decode(PK_TEXT_NONE, big, sizeof(big)), 0);
	assert_int_equal(t.helo.len, 2041);
	for (size_t i = 0; i < sizeof(big); i += 5)
		memcpy(big + i, "QUIT\n", 5);
	memcpy(big, "EHLO\n", 5);
	assert_int_equal(decode(PK_TEXT_NONE, big, sizeof(big)), 0);
	assert_int_equal(t.lines, PK_TEXT_LINES_MAX);
	assert_true(t.partial);
	memset(big, '{', sizeof(big));
	assert_int_equal(decode(PK_TEXT_NONE, big, sizeof(big)), -ENODATA);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(pk_text_name(PK_TEXT_POP3), "pop3");
	assert_null(pk_text_name(PK_TEXT_NONE));
	assert_null(pk_text_name(PK_TEXT_PROTOS));
}

static int done(void **state)
{
	(void)state;
	free(input);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who),        cmocka_unit_test(test_none),
		cmocka_unit_test(test_lookalikes), cmocka_unit_test(test_smtp),
		cmocka_unit_test(test_logins),     cmocka_unit_test(test_no_password),
		cmocka_unit_test(test_limits),     cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
