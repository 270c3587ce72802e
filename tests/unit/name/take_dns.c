/* SPDX-License-Identifier: Apache-2.0 */
/* Answers teach names only where they answer what was asked, and only to who asked. */
#include "samples.h"

#include "decode/app.h"

static struct talk dns(uint64_t flow)
{
	return talk_of(flow, PK_APP_DNS, IPPROTO_UDP, "10.0.0.2", 40000, "192.0.2.53", 53);
}

static const char *name_of(struct pk_names *n, const char *client, const char *addr)
{
	uint8_t c[16], a[16];

	pk_ip_parse(client, c);
	pk_ip_parse(addr, a);
	return pk_names_address(n, NET, c, a, 101 * S);
}

static void test_answer(void **state)
{
	struct pk_names *n = names_new();
	struct talk t = dns(1);
	struct record rr = { "www.example.org", 1, 300, "192.0.2.1" };

	(void)state;
	assert_int_equal(ask_dns(n, &t, 77, "WWW.example.org"), 0);
	assert_int_equal(heard[0].kind, PK_NEWS_QUESTION);
	assert_string_equal(heard[0].name, "www.example.org");
	assert_int_equal(ask_dns(n, &t, 77, "www.example.org"), 0); /* again: no news */
	assert_int_equal(n_heard, 1);
	assert_null(name_of(n, "10.0.0.2", "192.0.2.1"));
	assert_int_equal(answer_dns(n, &t, 77, "www.example.org", &rr, 1), 0);
	assert_int_equal(n_heard, 2);
	assert_int_equal(heard[1].kind, PK_NEWS_DNS);
	assert_true(heard[1].believed && heard[1].answered);
	assert_int_equal(heard[1].asked, 2);
	assert_int_equal(heard[1].client, 0);
	assert_string_equal(name_of(n, "10.0.0.2", "192.0.2.1"), "www.example.org");
	assert_string_equal(name_of(n, "10.0.0.9", "192.0.2.1"), "www.example.org"); /* own too */
	assert_null(name_of(n, "198.51.100.1", "192.0.2.1")); /* somebody else's */
	assert_int_equal(pk_names_fact(n, 1)->dns_questions, 2);
	assert_int_equal(pk_names_fact(n, 1)->dns_answers, 1);
	assert_string_equal(pk_names_fact(n, 1)->dns_question, "www.example.org");
	pk_names_free(n);
}

static void test_chain(void **state)
{
	struct pk_names *n = names_new();
	struct talk t = dns(1);
	const struct record rr[] = {
		{ "b.cdn.example", 1, 10, "192.0.2.2" }, /* before what leads to it */
		{ "www.example.org", 5, 300, "a.cdn.example" },
		{ "a.cdn.example", 5, 20, "b.cdn.example" },
		{ "b.cdn.example", 1, 10, "192.0.2.1" },
		{ "other.example", 1, 300, "192.0.2.66" }, /* nobody asked */
	};

	(void)state;
	assert_int_equal(ask_dns(n, &t, 1, "www.example.org"), 0);
	assert_int_equal(answer_dns(n, &t, 1, "www.example.org", rr, 5), 0);
	assert_string_equal(name_of(n, "10.0.0.2", "192.0.2.1"), "www.example.org");
	assert_string_equal(name_of(n, "10.0.0.2", "192.0.2.2"), "www.example.org");
	assert_null(name_of(n, "10.0.0.2", "192.0.2.66"));
	pk_names_free(n);
}

/* Everything that an off-path sender must guess. */
static void test_spoofed(void **state)
{
	const struct record rr = { "www.example.org", 1, 300, "203.0.113.66" };
	struct pk_names *n = names_new();
	struct pk_names_count c;
	struct talk t = dns(1), other;

	(void)state;
	assert_int_equal(ask_dns(n, &t, 77, "www.example.org"), 0);
	assert_int_equal(answer_dns(n, &t, 78, "www.example.org", &rr, 1), 0); /* id */
	other = t;
	other.key.port[0] = htons(40001);
	assert_int_equal(answer_dns(n, &other, 77, "www.example.org", &rr, 1), 0); /* port */
	other = t;
	other.key.addr[1][15]++;
	assert_int_equal(answer_dns(n, &other, 77, "www.example.org", &rr, 1), 0); /* server */
	other = t;
	other.key.netns++;
	assert_int_equal(answer_dns(n, &other, 77, "www.example.org", &rr, 1), 0); /* namespace */
	assert_int_equal(answer_dns(n, &t, 77, "wwv.example.org", &rr, 1), 0);     /* name */
	pk_names_counts(n, &c);
	assert_int_equal(c.unsolicited, 5);
	for (size_t i = 1; i < n_heard; i++)
		assert_false(heard[i].believed);
	assert_null(name_of(n, "10.0.0.2", "203.0.113.66"));
	pk_names_free(n);
}

static void test_second_answer(void **state)
{
	const struct record good = { "www.example.org", 1, 300, "192.0.2.1" },
			    bad = { "www.example.org", 1, 300, "203.0.113.66" };
	struct pk_names *n = names_new();
	struct pk_names_count c;
	struct talk t = dns(1);

	(void)state;
	assert_int_equal(ask_dns(n, &t, 77, "www.example.org"), 0);
	assert_int_equal(answer_dns(n, &t, 77, "www.example.org", &good, 1), 0);
	t.flow = 2; /* the same packet on another interface */
	assert_int_equal(answer_dns(n, &t, 77, "www.example.org", &good, 1), 0);
	assert_int_equal(n_heard, 2);
	assert_int_equal(answer_dns(n, &t, 77, "www.example.org", &bad, 1), 0);
	assert_int_equal(n_heard, 3);
	assert_false(heard[2].believed);
	pk_names_counts(n, &c);
	assert_int_equal(c.contradicted, 1);
	assert_int_equal(c.unsolicited, 0);
	assert_null(name_of(n, "10.0.0.2", "203.0.113.66"));
	pk_names_free(n);
}

static void test_no_answer(void **state)
{
	struct pk_names *n = names_new();
	struct pk_names_count c;
	struct talk t = dns(1);

	(void)state;
	assert_int_equal(ask_dns(n, &t, 77, "slow.example.org"), 0);
	pk_names_tick(n, t.ts + PK_QUESTION_WAIT_NS - S);
	assert_int_equal(n_heard, 1);
	pk_names_tick(n, t.ts + PK_QUESTION_WAIT_NS + S);
	assert_int_equal(n_heard, 2);
	assert_int_equal(heard[1].kind, PK_NEWS_DNS);
	assert_false(heard[1].answered);
	assert_int_equal(heard[1].client, 0);
	assert_string_equal(heard[1].name, "slow.example.org");
	pk_names_counts(n, &c);
	assert_int_equal(c.unanswered, 1);
	assert_int_equal(c.questions.used, 0);
	pk_names_free(n);
}

static void test_tcp(void **state)
{
	const struct record rr = { "www.example.org", 1, 300, "192.0.2.1" };
	struct pk_names *n = names_new();
	struct talk t = dns(1);
	uint8_t m[1024];
	size_t len, two;

	(void)state;
	t.key.proto = IPPROTO_TCP;
	len = dns_message(m + 2, 5, QUERY, "www.example.org", 1, NULL, 0);
	(void)put16(m, 0, (unsigned)len);
	two = len + 2;
	len = dns_message(m + two + 2, 6, QUERY, "two.example.org", 1, NULL, 0);
	(void)put16(m, two, (unsigned)len);
	two += len + 2;
	for (size_t i = 0; i < two; i += 7)
		(void)say(n, &t, 0, m + i, two - i < 7 ? two - i : 7);
	assert_int_equal(n_heard, 2);
	assert_string_equal(heard[1].name, "two.example.org");
	len = dns_message(m + 2, 5, ANSWER, "www.example.org", 1, &rr, 1);
	(void)put16(m, 0, (unsigned)len);
	assert_int_equal(say(n, &t, 1, m, len + 2), 0);
	assert_int_equal(n_heard, 3);
	assert_true(heard[2].believed);
	assert_string_equal(name_of(n, "10.0.0.2", "192.0.2.1"), "www.example.org");
	assert_int_equal(pk_names_fact(n, 1)->app, PK_PROTO_DNS);
	pk_names_free(n);
}

/* An answer of multicast DNS: no question in it (RFC 6762 6). */
static size_t announce(uint8_t *m, const struct record *rr, size_t n)
{
	uint8_t with[512];
	size_t len = dns_message(with, 0, 0x8400, "x", 1, rr, n), question = 3 + 4;

	memcpy(m, with, 12);
	m[5] = 0;
	memcpy(m + 12, with + 12 + question, len - 12 - question);
	return len - question;
}

static void test_multicast(void **state)
{
	const struct record rr[] = { { "printer.local", 1, 120, "192.0.2.7" },
				     { "other.local", 1, 120, "192.0.2.8" } };
	struct pk_names *n = names_new();
	struct talk q = talk_of(1, PK_APP_DNS, IPPROTO_UDP, "10.0.0.2", 5353, "224.0.0.251", 5353),
		    a = talk_of(2, PK_APP_DNS, IPPROTO_UDP, "192.0.2.7", 5353, "224.0.0.251", 5353);
	uint8_t m[512];
	struct pk_names_count c;

	(void)state;
	/* announced before anybody asked: told, but no name, no spoofing */
	assert_int_equal(say(n, &a, 0, m, announce(m, rr, 2)), 0);
	assert_int_equal(n_heard, 1);
	assert_string_equal(heard[0].name, "printer.local");
	assert_true(heard[0].answered && !heard[0].believed);
	assert_null(name_of(n, "10.0.0.2", "192.0.2.7"));
	assert_int_equal(say(n, &q, 0, m, dns_message(m, 0, 0, "printer.local", 1, NULL, 0)), 0);
	assert_int_equal(say(n, &a, 0, m, announce(m, rr, 2)), 0);
	assert_int_equal(n_heard, 3);
	assert_true(heard[2].believed);
	assert_string_equal(heard[2].name, "printer.local");
	assert_string_equal(name_of(n, "10.0.0.2", "192.0.2.7"), "printer.local");
	assert_null(name_of(n, "10.0.0.2", "192.0.2.8")); /* came along: nobody asked */
	assert_int_equal(pk_names_fact(n, 1)->app, PK_PROTO_MDNS);
	pk_names_counts(n, &c);
	assert_int_equal(c.unsolicited, 0);
	pk_names_free(n);
}

/* Browsers ask for several names at once, and for anything of one. */
static void test_multicast_questions(void **state)
{
	static const uint8_t two[] = "\0\0\0\0\0\2\0\0\0\0\0\0\1a\5local\0\0\xff\0\1"
				     "\1b\xc0\x0e\0\1\x80\1";
	const struct record rr[] = { { "b.local", 1, 120, "192.0.2.8" },
				     { "a.local", 1, 120, "192.0.2.7" } };
	struct pk_names *n = names_new();
	struct talk q = talk_of(1, PK_APP_DNS, IPPROTO_UDP, "10.0.0.2", 5353, "224.0.0.251", 5353),
		    a = talk_of(2, PK_APP_DNS, IPPROTO_UDP, "192.0.2.7", 5353, "224.0.0.251", 5353);
	uint8_t m[512];

	(void)state;
	assert_int_equal(say(n, &q, 0, two, sizeof(two) - 1), 0);
	assert_int_equal(n_heard, 2);
	assert_string_equal(heard[0].name, "a.local");
	assert_string_equal(heard[1].name, "b.local");
	assert_int_equal(say(n, &a, 0, m, announce(m, rr, 2)), 0);
	assert_int_equal(n_heard, 4);
	assert_true(heard[2].believed && heard[3].believed);
	assert_string_equal(name_of(n, "10.0.0.2", "192.0.2.7"), "a.local");
	assert_string_equal(name_of(n, "10.0.0.2", "192.0.2.8"), "b.local");
	pk_names_free(n);
}

static void test_damaged(void **state)
{
	struct pk_names *n = names_new();
	struct talk t = dns(1);
	struct pk_names_count c;
	uint8_t m[512];
	size_t len = dns_message(m, 1, QUERY, "www.example.org", 1, NULL, 0);

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		(void)say(n, &t, 0, m, cut);
	m[12] = 0xc0; /* points to itself */
	m[13] = 12;
	assert_true(say(n, &t, 0, m, len) < 0);
	assert_int_equal(n_heard, 0);
	pk_names_counts(n, &c);
	assert_int_equal(c.samples[PK_APP_DNS], len + 1);
	assert_int_equal(c.named[PK_APP_DNS], 0);
	pk_names_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),    cmocka_unit_test(test_chain),
		cmocka_unit_test(test_spoofed),   cmocka_unit_test(test_second_answer),
		cmocka_unit_test(test_no_answer), cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_multicast), cmocka_unit_test(test_multicast_questions),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("name/take_dns", tests, NULL, NULL);
}
