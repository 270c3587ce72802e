/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/ssh.h"

#include "exact.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct pk_ssh s;
static char *input;

static int decode(const void *data, size_t len)
{
	free(input);
	input = exact(data, len);
	return pk_ssh_decode(&s, input, len);
}

#define assert_slice(a, t) assert_true(pk_slice_is(a, t))
#define ID                 "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"

static const char *const lists[PK_SSH_LISTS] = {
	"curve25519-sha256,ecdh-sha2-nistp256",
	"ssh-ed25519",
	"aes128-ctr",
	"aes256-ctr",
	"hmac-sha2-256",
	"hmac-sha1",
	"none",
	"none,zlib",
	"",
	"",
};

/* A KEXINIT of these lists; returns its length. */
static size_t put_kex(char *out)
{
	size_t at = 6 + 16, padding = 4;

	memset(out, 0, at);
	for (unsigned i = 0; i < PK_SSH_LISTS; i++) {
		size_t n = strlen(lists[i]);

		out[at++] = 0;
		out[at++] = 0;
		out[at++] = 0;
		out[at++] = (char)n;
		memcpy(out + at, lists[i], n);
		at += n;
	}
	memset(out + at, 0, 5 + padding);
	out[at] = 1; /* first_kex_packet_follows */
	at += 5 + padding;
	out[2] = (char)((at - 4) >> 8);
	out[3] = (char)((at - 4) & 0xff);
	out[4] = (char)padding;
	out[5] = 20;
	return at;
}

static size_t put_stream(char *out)
{
	memcpy(out, ID, sizeof(ID) - 1);
	return sizeof(ID) - 1 + put_kex(out + sizeof(ID) - 1);
}

static void test_both(void **state)
{
	char buf[1000], hex[PK_SSH_HASSH_TEXT];
	size_t n = put_stream(buf);

	(void)state;
	assert_int_equal(decode(buf, n), 0);
	assert_int_equal(s.id_why, PK_SSH_OK);
	assert_int_equal(s.kex_why, PK_SSH_OK);
	assert_slice(s.id, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3");
	assert_slice(s.version, "2.0");
	assert_slice(s.software, "OpenSSH_9.2p1");
	assert_slice(s.comment, "Debian-2+deb12u3");
	assert_true(s.kex_follows);
	assert_false(s.bare_lf);
	for (unsigned i = 0; i < PK_SSH_LISTS; i++)
		assert_slice(s.list[i], lists[i]);
	/* md5sum of "curve25519-sha256,ecdh-sha2-nistp256;aes128-ctr;hmac-sha2-256;none" */
	assert_int_equal(pk_ssh_hassh(&s, false, hex), 0);
	assert_string_equal(hex, "88189635a3ee7c7f0c02224b7a2e1292");
	assert_int_equal(pk_ssh_hassh(&s, true, hex), 0);
	assert_string_equal(hex, "0f961b941ac50672a56f568be8d6af9d");
}

static void test_cut_at_every_byte(void **state)
{
	char buf[1000], hex[PK_SSH_HASSH_TEXT];
	size_t n = put_stream(buf), id = sizeof(ID) - 1;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		int r = decode(buf, i);

		assert_int_equal(r, i ? 0 : -EBADMSG);
		if (r)
			continue;
		assert_int_equal(s.id_why, i < id ? PK_SSH_SHORT : PK_SSH_OK);
		/* Padding is nothing that anybody waits for. */
		assert_int_equal(s.kex_why, i < n - 4 ? PK_SSH_SHORT : PK_SSH_OK);
		assert_int_equal(pk_ssh_hassh(&s, false, hex), i < n - 4 ? -ENODATA : 0);
	}
}

static void test_kex_alone(void **state)
{
	char buf[1000];
	size_t n = put_kex(buf);

	(void)state;
	assert_int_equal(decode(buf, n), 0);
	assert_int_equal(s.id_why, PK_SSH_NONE);
	assert_int_equal(s.kex_why, PK_SSH_OK);
	for (size_t i = 0; i < n - 4; i++)
		assert_int_equal(decode(buf, i), i < 6 ? -EBADMSG : 0);
	buf[5] = 21; /* NEWKEYS */
	assert_int_equal(decode(buf, n), -EBADMSG);
}

static void test_lists_that_lie(void **state)
{
	char buf[1000];
	size_t n = put_kex(buf);

	(void)state;
	memcpy(buf + 22, "\xff\xff\xff\xff", 4);
	assert_int_equal(decode(buf, n), -EBADMSG);
	n = put_stream(buf);
	memcpy(buf + sizeof(ID) - 1 + 22, "\0\0\1\xff", 4);
	assert_int_equal(decode(buf, n), 0);
	assert_int_equal(s.kex_why, PK_SSH_MALFORMED);
	assert_int_equal(s.list[0].len, 0);
	put_stream(buf);
	memcpy(buf + sizeof(ID) - 1, "\0\1\0\0", 4);
	assert_int_equal(decode(buf, n), 0);
	assert_int_equal(s.kex_why, PK_SSH_LONG);
	put_stream(buf);
	buf[sizeof(ID) - 1 + 4] = (char)0xff; /* padding, beyond what is there */
	assert_int_equal(decode(buf, n), 0);
	assert_int_equal(s.kex_why, PK_SSH_MALFORMED);
	put_stream(buf);
	buf[sizeof(ID) - 1 + 4] = 3;
	assert_int_equal(decode(buf, n), 0);
	assert_int_equal(s.kex_why, PK_SSH_MALFORMED);
	memcpy(buf + sizeof(ID) - 1, "\0\0\0\5", 4);
	assert_int_equal(decode(buf, n), 0);
	assert_int_equal(s.kex_why, PK_SSH_MALFORMED);
}

static void test_identifications(void **state)
{
	char text[400];

	(void)state;
	assert_int_equal(decode(BYTES("Welcome.\r\nNo access.\nSSH-2.0-x\n")), 0);
	assert_int_equal(s.lines_before, 2);
	assert_true(s.bare_lf);
	assert_slice(s.software, "x");
	assert_slice(s.comment, "");
	assert_int_equal(decode(BYTES("SSH-1.99-Cisco-1.25\r\n")), 0);
	assert_slice(s.version, "1.99");
	assert_slice(s.software, "Cisco-1.25");
	assert_int_equal(decode(BYTES("SSH-2.0\r\n")), 0);
	assert_int_equal(s.id_why, PK_SSH_MALFORMED);
	assert_int_equal(s.kex_why, PK_SSH_SHORT);
	assert_int_equal(decode(BYTES("SSH--x\r\n")), 0);
	assert_int_equal(s.id_why, PK_SSH_MALFORMED);
	assert_int_equal(decode(BYTES("SSH-2.0-\x1b[2J \n\r\n")), 0);
	assert_slice(s.software, "\x1b[2J");
	/* 255 bytes with CR LF are the most. */
	memset(text, 'x', sizeof(text));
	memcpy(text, "SSH-2.0-", 8);
	text[254] = '\n';
	assert_int_equal(decode(text, 255), 0);
	assert_int_equal(s.id_why, PK_SSH_OK);
	text[254] = 'x';
	text[255] = '\n';
	assert_int_equal(decode(text, 256), 0);
	assert_int_equal(s.id_why, PK_SSH_LONG);
}

static void test_not_ssh(void **state)
{
	char long_text[PK_SSH_BEFORE_MAX];

	(void)state;
	assert_int_equal(decode(BYTES("")), -EBADMSG);
	assert_int_equal(decode(BYTES("GET / HTTP/1.1\r\n\r\n\0")), -EBADMSG);
	assert_int_equal(decode(BYTES("\x16\3\1\2\0\1\0\1\xfc\3\3")), -EBADMSG);
	assert_int_equal(decode(BYTES("a\x1b\nSSH-2.0-x\r\n")), -EBADMSG);
	/* Text that an identification may follow, until there is too much of it. */
	assert_int_equal(decode(BYTES("Hello stranger\n< you >")), 0);
	assert_int_equal(s.id_why, PK_SSH_SHORT);
	assert_int_equal(s.id.len, 0);
	memset(long_text, 'a', sizeof(long_text));
	for (size_t i = 0; i < sizeof(long_text); i += 100)
		long_text[i] = '\n';
	assert_int_equal(decode(long_text, sizeof(long_text)), -EBADMSG);
	assert_true(pk_ssh_is(BYTES("SSH-2.0-x\r\n")));
	assert_true(pk_ssh_is(BYTES("SSH-1.99")));
	assert_false(pk_ssh_is(BYTES("SSH-x")));
	assert_false(pk_ssh_is(BYTES("SSH-")));
	assert_string_equal(pk_ssh_why_name(PK_SSH_LONG), "too long");
	assert_null(pk_ssh_why_name(PK_SSH_WHYS));
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
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_kex_alone),
		cmocka_unit_test(test_lists_that_lie),
		cmocka_unit_test(test_identifications),
		cmocka_unit_test(test_not_ssh),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
