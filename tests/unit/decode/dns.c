/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/dns.h"

#include "exact.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct pk_dns d;

static int decode(enum pk_dns_kind kind, const void *data, size_t len)
{
	_cleanup_free_ void *copy = exact(data, len);
	int r = pk_dns_decode(&d, kind, copy, len);

	/* Slices lead into the copy, which goes: tests look at text and numbers only. */
	return r;
}

#define HEAD(flags, qd, an, ns, ar) "\x12\x34" flags "\0" qd "\0" an "\0" ns "\0" ar
#define QUERY                       "\x01\x00"
#define RESPONSE                    "\x81\x80"
#define WWW                         "\3wWw\7EXAMPLE\3com\0"
#define IN_A                        "\0\1\0\1"

static void test_query(void **state)
{
	(void)state;
	assert_int_equal(
		decode(PK_DNS_UNICAST, BYTES(HEAD(QUERY, "\1", "\0", "\0", "\0") WWW IN_A)), 0);
	assert_int_equal(d.id, 0x1234);
	assert_false(d.response);
	assert_true(d.recursion_desired);
	assert_int_equal(d.opcode, 0);
	assert_int_equal(d.n_questions, 1);
	assert_int_equal(d.n_rrs, 0);
	assert_string_equal(d.questions[0].name, "www.example.com");
	assert_int_equal(d.questions[0].name_len, 15);
	assert_true(d.questions[0].mixed_case);
	assert_int_equal(d.questions[0].type, PK_DNS_A);
	assert_int_equal(d.questions[0].class, 1);
	assert_false(d.edns.seen);
}

/* Question, CNAME, A by pointers, an authority and OPT: one of each section. */
static const char answer[] = HEAD("\x85\xb3", "\1", "\2", "\1", "\2") WWW IN_A
	"\xc0\x0c\0\5\0\1\0\0\1\x2c\0\6\3cdn\xc0\x10"
	"\xc0\x2d\0\1\0\1\x80\0\0\1\0\4\xc0\0\2\1"
	"\xc0\x10\0\2\0\1\0\1\x51\x80\0\5\2NS\xc0\x10"
	"\0\0\x29\x04\xd0\1\0\x80\0\0\x10\0\x0a\0\4\1\2\3\4\0\x08\0\4\0\1\0\0"
	"\2ns\xc0\x10\0\x1c\0\1\0\0\0\x3c\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1";

static void test_answer(void **state)
{
	static const uint8_t v4[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };

	(void)state;
	assert_int_equal(decode(PK_DNS_UNICAST, BYTES(answer)), 0);
	assert_true(d.response && d.authoritative && d.recursion_available && d.authentic &&
		    d.checking_off);
	assert_int_equal(d.n_rrs, 4);
	assert_false(d.forward);
	assert_int_equal(d.rcode, 1 << 4 | 3);
	assert_string_equal(d.rrs[0].name, "www.example.com");
	assert_int_equal(d.rrs[0].type, PK_DNS_CNAME);
	assert_int_equal(d.rrs[0].ttl, 300);
	assert_string_equal(d.rrs[0].target, "cdn.example.com");
	assert_string_equal(d.rrs[1].name, "cdn.example.com");
	assert_int_equal(d.rrs[1].ttl, 0); /* top bit set */
	assert_memory_equal(d.rrs[1].addr, v4, 16);
	assert_int_equal(d.rrs[2].section, PK_DNS_AUTHORITY);
	assert_string_equal(d.rrs[2].name, "example.com");
	assert_string_equal(d.rrs[2].target, "ns.example.com");
	assert_int_equal(d.rrs[3].section, PK_DNS_ADDITIONAL);
	assert_int_equal(d.rrs[3].type, PK_DNS_AAAA);
	assert_int_equal(d.rrs[3].addr[0], 0x20);
	assert_true(d.edns.seen && d.edns.dnssec_ok && d.edns.cookie && d.edns.client_subnet);
	assert_int_equal(d.edns.udp_size, 1232);
	assert_int_equal(d.edns.options, 2);
	assert_int_equal(d.bad_rdata, 0);
}

/* Whatever was whole before the cut is there, and the reason is that it is short. */
static void test_cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(answer) - 1; n++) {
		int r = decode(PK_DNS_UNICAST, answer, n);

		assert_int_equal(r, n < 12 ? -ENODATA : -EBADMSG);
		if (n < 12)
			continue;
		assert_int_equal(d.why, PK_DNS_SHORT);
		assert_true(d.why_at <= n);
		assert_int_equal(d.n_questions, n >= 33);
		assert_int_equal(d.n_rrs, (n >= 51) + (n >= 67) + (n >= 84));
	}
}

static void test_trailing_bytes(void **state)
{
	(void)state;
	assert_int_equal(
		decode(PK_DNS_UNICAST, BYTES(HEAD(QUERY, "\1", "\0", "\0", "\0") WWW IN_A "x")),
		-EBADMSG);
	assert_int_equal(d.why, PK_DNS_TRAILING);
	assert_int_equal(d.why_at, 33);
	assert_string_equal(d.questions[0].name, "www.example.com");
}

static enum pk_dns_why why_of(const char *name, size_t len)
{
	char msg[2048] = HEAD(QUERY, "\1", "\0", "\0", "\0");

	memcpy(msg + 12, name, len);
	memcpy(msg + 12 + len, IN_A, 4);
	return decode(PK_DNS_UNICAST, msg, 12 + len + 4) == 0 ? PK_DNS_OK : d.why;
}

static void test_pointers(void **state)
{
	(void)state;
	assert_int_equal(why_of(BYTES("\xc0\x0c")), PK_DNS_LOOP);         /* itself */
	assert_int_equal(why_of(BYTES("\1a\xc0\x0c")), PK_DNS_LOOP);      /* its own start */
	assert_int_equal(why_of(BYTES("\xc0\x0e\xc0\x0c")), PK_DNS_LOOP); /* there and back */
	assert_int_equal(why_of(BYTES("\xc0\x00")), PK_DNS_POINTER);      /* the header */
	assert_int_equal(why_of(BYTES("\xc0\x0b")), PK_DNS_POINTER);
	assert_int_equal(why_of(BYTES("\xff\xff")), PK_DNS_SHORT); /* outside */
	assert_int_equal(why_of(BYTES("\x41"
				      "a\0")),
			 PK_DNS_LABEL);
	assert_int_equal(why_of(BYTES("\x80\0")), PK_DNS_LABEL);
}

/* As a query is that a public resolver answers: the name is in its second question. */
static void test_forward_pointer(void **state)
{
	(void)state;
	assert_int_equal(decode(PK_DNS_UNICAST,
				BYTES(HEAD(QUERY, "\2", "\0", "\0", "\0") "\xc0\x12" IN_A
									  "\1a\3org\0" IN_A)),
			 0);
	assert_true(d.forward);
	assert_int_equal(d.n_questions, 2);
	assert_string_equal(d.questions[0].name, "a.org");
	assert_string_equal(d.questions[1].name, "a.org");
	/* Forward twice in one name. */
	assert_int_equal(decode(PK_DNS_UNICAST,
				BYTES(HEAD(QUERY, "\2", "\0", "\0",
					   "\0") "\xc0\x12" IN_A "\xc0\x18" IN_A "\1a\0" IN_A)),
			 -EBADMSG);
	assert_int_equal(d.why, PK_DNS_LOOP);
}

/* Two names that lead to each other. */
static void test_pointers_to_each_other(void **state)
{
	(void)state;
	assert_int_equal(
		decode(PK_DNS_UNICAST, BYTES(HEAD(RESPONSE, "\0", "\2", "\0",
						  "\0") "\1a\0\0\x10\0\1\0\0\0\0\0\4\1b\xc0\x1d"
							"\xc0\x19\0\1\0\1\0\0\0\0\0\4\1\2\3\4")),
		-EBADMSG);
	assert_int_equal(d.why, PK_DNS_LOOP);
	assert_int_equal(d.n_rrs, 1);
}

/* A chain of pointers, each to the one before: no name has that many labels. */
static void test_long_chain_of_pointers(void **state)
{
	char msg[2048] = HEAD(RESPONSE, "\0", "\2", "\0", "\0") "\0\0\x0a\0\1\0\0\0\0";
	size_t at = 12 + 9, first, n = 200;

	(void)state;
	msg[at++] = (char)((n * 2 + 1) >> 8);
	msg[at++] = (char)((n * 2 + 1) & 0xff);
	first = at;
	msg[at++] = '\0';
	for (size_t i = 0; i < n; i++, at += 2) {
		size_t to = i ? at - 2 : first;

		msg[at] = (char)(0xc0 | to >> 8);
		msg[at + 1] = (char)(to & 0xff);
	}
	msg[at] = (char)(0xc0 | (at - 2) >> 8);
	msg[at + 1] = (char)((at - 2) & 0xff);
	memcpy(msg + at + 2, "\0\1\0\1\0\0\0\0\0\4\1\2\3\4", 14);
	assert_int_equal(decode(PK_DNS_UNICAST, msg, at + 16), -EBADMSG);
	assert_int_equal(d.why, PK_DNS_POINTER);
	assert_int_equal(d.n_rrs, 1);
}

/* A name of labels of these lengths, with the root: 63 + 63 + 63 + last. */
static size_t long_name(char *out, unsigned last)
{
	size_t at = 0;

	for (unsigned i = 0; i < 3; i++) {
		out[at++] = 63;
		memset(out + at, 'a' + (int)i, 63);
		at += 63;
	}
	out[at++] = (char)last;
	memset(out + at, 'z', last);
	at += last;
	out[at++] = 0;
	return at;
}

static void test_limits_of_names(void **state)
{
	char name[300];
	size_t n;

	(void)state;
	n = long_name(name, 61);
	assert_int_equal(n, 255);
	assert_int_equal(why_of(name, n), PK_DNS_OK);
	assert_int_equal(d.questions[0].name_len, 253);
	assert_int_equal(strlen(d.questions[0].name), 253);
	n = long_name(name, 62);
	assert_int_equal(n, 256);
	assert_int_equal(why_of(name, n), PK_DNS_NAME);
	/* 64 can't be said: its two upper bits are a label type. */
	assert_int_equal(why_of(BYTES("\x40")), PK_DNS_LABEL);
	/* Every byte escaped, as long as can be. */
	memset(name, '\x1b', sizeof(name));
	name[0] = name[64] = name[128] = 63;
	name[192] = 61;
	name[254] = 0;
	assert_int_equal(why_of(name, 255), PK_DNS_OK);
	assert_int_equal(d.questions[0].name_len, 250 * 4 + 3);
	assert_memory_equal(d.questions[0].name, "\\027\\027", 8);
}

static void test_text_of_names(void **state)
{
	(void)state;
	assert_int_equal(why_of(BYTES("\0")), PK_DNS_OK);
	assert_string_equal(d.questions[0].name, ".");
	assert_int_equal(d.questions[0].name_len, 1);
	assert_int_equal(why_of(BYTES("\5a.b\\c\3org\0")), PK_DNS_OK);
	assert_string_equal(d.questions[0].name, "a\\.b\\\\c.org");
	assert_int_equal(why_of(BYTES("\x08 \x1b\n\0\x7f\xff\xc3\xa9\0")), PK_DNS_OK);
	assert_string_equal(d.questions[0].name, "\\032\\027\\010\\000\\127\\255\\195\\169");
	assert_int_equal(why_of(BYTES("\4_tcp\1-\0")), PK_DNS_OK);
	assert_string_equal(d.questions[0].name, "_tcp.-");
	assert_false(d.questions[0].mixed_case);
}

static void test_multicast_bits(void **state)
{
	static const char msg[] =
		HEAD("\0\0", "\2", "\1", "\0", "\0") "\1a\5local\0\0\x0c\x80\1"
						     "\1b\xc0\x0e\0\xff\0\1"
						     "\1c\xc0\x0e\0\x0c\x80\1\0\0\0\x78"
						     "\0\4\1X\xc0\x0e";

	(void)state;
	assert_int_equal(decode(PK_DNS_MULTICAST, BYTES(msg)), 0);
	assert_int_equal(d.n_questions, 2);
	assert_true(d.questions[0].unicast);
	assert_int_equal(d.questions[0].class, 1);
	assert_false(d.questions[1].unicast);
	assert_string_equal(d.questions[1].name, "b.local");
	assert_true(d.rrs[0].flush);
	assert_int_equal(d.rrs[0].class, 1);
	assert_string_equal(d.rrs[0].target, "x.local");
	/* The same bytes as unicast: the bit is part of the class. */
	assert_int_equal(decode(PK_DNS_UNICAST, BYTES(msg)), 0);
	assert_int_equal(d.questions[0].class, 0x8001);
	assert_false(d.questions[0].unicast || d.rrs[0].flush);
}

static void test_many(void **state)
{
	char msg[4096] = HEAD(QUERY, "\x11", "\0", "\0", "\0");
	size_t at = 12;

	(void)state;
	for (unsigned i = 0; i < 17; i++, at += 5)
		memcpy(msg + at, "\0\0\1\0\1", 5);
	assert_int_equal(decode(PK_DNS_UNICAST, msg, at), -EBADMSG);
	assert_int_equal(d.why, PK_DNS_MANY);
	assert_int_equal(d.n_questions, PK_DNS_QUESTIONS_MAX);
	memcpy(msg, BYTES(HEAD(RESPONSE, "\0", "\x41", "\0", "\0")));
	for (at = 12; at < 12 + 65 * 11; at += 11)
		memcpy(msg + at, "\0\xff\xff\0\1\0\0\0\0\0\0", 11);
	assert_int_equal(decode(PK_DNS_UNICAST, msg, at), -EBADMSG);
	assert_int_equal(d.why, PK_DNS_MANY);
	assert_int_equal(d.n_rrs, PK_DNS_RRS_MAX);
	assert_int_equal(d.why_at, 12 + 64 * 11);
}

/* Names without end: the room for text is what is bounded. */
static void test_text_is_bounded(void **state)
{
	char msg[8192] = HEAD(QUERY, "\x10", "\0", "\0", "\0"), name[300];
	size_t at = 12;

	(void)state;
	memset(name, '\n', sizeof(name));
	name[0] = name[64] = name[128] = 63;
	name[192] = 61;
	name[254] = 0;
	for (unsigned i = 0; i < 16; i++, at += 259) {
		memcpy(msg + at, name, 255);
		memcpy(msg + at + 255, IN_A, 4);
	}
	assert_int_equal(decode(PK_DNS_UNICAST, msg, at), -EBADMSG);
	assert_int_equal(d.why, PK_DNS_MANY);
	assert_int_equal(d.n_questions, PK_DNS_TEXT_MAX / 1004);
	assert_true(d.text_len <= PK_DNS_TEXT_MAX);
}

static void test_opt_out_of_place(void **state)
{
#define OPT "\0\0\x29\x04\xd0\0\0\0\0\0\0"
	(void)state;
	assert_int_equal(
		decode(PK_DNS_UNICAST, BYTES(HEAD(RESPONSE, "\0", "\0", "\0", "\2") OPT OPT)),
		-EBADMSG);
	assert_int_equal(d.why, PK_DNS_OPT);
	assert_int_equal(decode(PK_DNS_UNICAST, BYTES(HEAD(RESPONSE, "\0", "\1", "\0", "\0") OPT)),
			 -EBADMSG);
	assert_int_equal(d.why, PK_DNS_OPT);
	assert_int_equal(
		decode(PK_DNS_UNICAST, BYTES(HEAD(RESPONSE, "\0", "\0", "\0", "\1") "\1a" OPT)),
		-EBADMSG);
	assert_int_equal(d.why, PK_DNS_OPT);
	assert_int_equal(decode(PK_DNS_UNICAST, BYTES(HEAD(RESPONSE, "\0", "\0", "\0", "\1") OPT)),
			 0);
}

/* A record beyond the message is not read; one whose data lies is, and the next one too. */
static void test_lengths_that_lie(void **state)
{
	(void)state;
	assert_int_equal(
		decode(PK_DNS_UNICAST, BYTES(HEAD(RESPONSE, "\0", "\1", "\0",
						  "\0") "\0\0\1\0\1\0\0\0\0\xff\xff\1\2\3\4")),
		-EBADMSG);
	assert_int_equal(d.why, PK_DNS_SHORT);
	assert_int_equal(d.n_rrs, 0);
	assert_int_equal(decode(PK_DNS_UNICAST, BYTES(HEAD(RESPONSE, "\0", "\2", "\0",
							   "\0") "\0\0\1\0\1\0\0\0\0\0\3\1\2\3"
								 "\0\0\1\0\1\0\0\0\0\0\4\1\2\3\4")),
			 0);
	assert_int_equal(d.bad_rdata, 1);
	assert_int_equal(d.rrs[0].why, PK_DNS_RDATA);
	assert_int_equal(d.rrs[1].why, PK_DNS_OK);
}

static void test_tcp(void **state)
{
	static const char stream[] = "\0\3abc\0\0\0\5defg";
	struct pk_cursor c = pk_cursor_of(BYTES(stream));
	struct pk_slice msg;
	size_t missing;

	(void)state;
	assert_true(pk_dns_tcp_next(&c, &msg, &missing));
	assert_true(pk_slice_is(msg, "abc"));
	assert_true(pk_dns_tcp_next(&c, &msg, &missing));
	assert_int_equal(msg.len, 0);
	assert_false(pk_dns_tcp_next(&c, &msg, &missing));
	assert_true(pk_slice_is(msg, "defg"));
	assert_int_equal(missing, 1);
	assert_int_equal(c.at, 7);
	c = pk_cursor_of(stream, 1);
	assert_false(pk_dns_tcp_next(&c, &msg, &missing));
	assert_int_equal(missing, 1);
	c = pk_cursor_of(NULL, 0);
	assert_false(pk_dns_tcp_next(&c, &msg, &missing));
	assert_int_equal(missing, 2);
	/* Split anywhere: a message comes out once it is whole, and not before. */
	for (size_t n = 0; n < sizeof(stream) - 1; n++) {
		unsigned whole = 0;

		c = pk_cursor_of(stream, n);
		while (pk_dns_tcp_next(&c, &msg, &missing))
			whole++;
		assert_int_equal(whole, (n >= 5) + (n >= 7));
		assert_true(missing > 0);
	}
}

static void test_is(void **state)
{
	(void)state;
	assert_true(pk_dns_is(BYTES(HEAD(QUERY, "\1", "\0", "\0", "\0") WWW IN_A)));
	assert_true(pk_dns_is(BYTES(HEAD(QUERY, "\1", "\0", "\0", "\0") "\3ww"))); /* cut */
	assert_true(pk_dns_is(BYTES(answer)));
	assert_false(pk_dns_is(BYTES("\x12\x34\1\0\0\1\0\0\0\0\0"))); /* 11 bytes */
	assert_false(pk_dns_is(BYTES(HEAD(QUERY, "\0", "\0", "\0", "\0"))));
	assert_false(pk_dns_is(BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n")));
	assert_false(pk_dns_is(BYTES("SSH-2.0-OpenSSH_9.2\r\n")));
	assert_false(pk_dns_is(BYTES("\x16\3\1\2\0\1\0\1\xfc\3\3aaaaaaaaaaaaaaaaaaa")));
	assert_false(pk_dns_is(BYTES(HEAD(QUERY, "\1", "\0", "\0", "\0") "\1a\0\0\1\x12\1")));
	assert_false(pk_dns_is(BYTES(HEAD(QUERY, "\1", "\0", "\0", "\0") "\xc0\x0c\0\1\0\1")));
}

static void test_alpn(void **state)
{
	struct pk_slice list = { "\2h2\x08http/1.1", 12 }, id;

	(void)state;
	assert_true(pk_dns_alpn_next(&list, &id));
	assert_true(pk_slice_is(id, "h2"));
	assert_true(pk_dns_alpn_next(&list, &id));
	assert_true(pk_slice_is(id, "http/1.1"));
	assert_false(pk_dns_alpn_next(&list, &id));
	list = (struct pk_slice){ "\3h2", 3 };
	assert_false(pk_dns_alpn_next(&list, &id));
	list = (struct pk_slice){ "\0", 1 };
	assert_false(pk_dns_alpn_next(&list, &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_trailing_bytes),
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_forward_pointer),
		cmocka_unit_test(test_pointers_to_each_other),
		cmocka_unit_test(test_long_chain_of_pointers),
		cmocka_unit_test(test_limits_of_names),
		cmocka_unit_test(test_text_of_names),
		cmocka_unit_test(test_multicast_bits),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_text_is_bounded),
		cmocka_unit_test(test_opt_out_of_place),
		cmocka_unit_test(test_lengths_that_lie),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_is),
		cmocka_unit_test(test_alpn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
