/* SPDX-License-Identifier: Apache-2.0 */
/* Facts and names of flows, from samples of every kind; what contradicts what; what is forgotten.
 */
#include "samples.h"

#include "decode/app.h"

static struct talk http(uint64_t flow)
{
	return talk_of(flow, PK_APP_HTTP, IPPROTO_TCP, "10.0.0.2", 40000, "192.0.2.1", 80);
}

static int say_text(struct pk_names *n, struct talk *t, unsigned dir, const char *text)
{
	return say(n, t, dir, text, strlen(text));
}

static void hello_to(struct pk_names *n, uint64_t flow, const char *sni, const char *addr)
{
	struct talk t = talk_of(flow, PK_APP_TLS, IPPROTO_TCP, "10.0.0.2", 40000, addr, 443);
	uint8_t hello[4096];

	t.ts = 101 * S;
	assert_int_equal(say(n, &t, 0, hello, client_hello(sni, hello, sizeof(hello))), 0);
}

static void test_http(void **state)
{
	struct pk_names *n = names_new();
	struct talk t = http(1);
	const struct pk_fact *f;
	struct pk_name_best best;

	(void)state;
	assert_int_equal(
		say_text(n, &t, 0, "GET /a/b?secret=1 HTTP/1.1\r\nHost: Www.Example.org:80\r\n"),
		0);
	assert_int_equal(say_text(n, &t, 0, "User-Agent: test/1\r\n\r\n"), 0);
	assert_int_equal(say_text(n, &t, 1, "HTTP/1.1 100 Continue\r\n\r\n"), 0);
	assert_int_equal(say_text(n, &t, 1, "HTTP/1.1 404 Not Found\r\nServer: x\r\n\r\n"), 0);
	f = pk_names_fact(n, 1);
	assert_string_equal(f->http_method, "GET");
	assert_string_equal(f->http_path, "/a/b");
	assert_string_equal(f->http_host, "www.example.org");
	assert_string_equal(f->http_agent, "test/1");
	assert_int_equal(f->http_status, 404);
	assert_string_equal(f->http_server, "x");
	assert_true(pk_names_best(n, 1, &best));
	assert_int_equal(best.source, PK_NAME_HTTP);
	assert_int_equal(best.conflict, PK_CONFLICT_NONE);
	pk_names_free(n);
}

static void test_ssh(void **state)
{
	struct pk_names *n = names_new();
	struct talk t = talk_of(1, PK_APP_SSH, IPPROTO_TCP, "10.0.0.2", 40000, "192.0.2.1", 22);
	static const char *const lists[] = {
		"a,b", "h", "e", "e", "m", "m", "none", "none", "", ""
	};
	uint8_t kex[512] = { 0 };
	size_t at = 22;

	(void)state;
	assert_int_equal(say_text(n, &t, 0, "SSH-2.0-test_1\r\n"), 0);
	assert_int_equal(say_text(n, &t, 1, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), 0);
	assert_string_equal(pk_names_fact(n, 1)->ssh[0], "SSH-2.0-test_1");
	assert_string_equal(pk_names_fact(n, 1)->ssh[1], "SSH-2.0-OpenSSH_9.2p1 Debian-2");
	kex[5] = 20;
	for (size_t i = 0; i < 10; i++) {
		size_t len = strlen(lists[i]);

		kex[at + 3] = (uint8_t)len;
		memcpy(kex + at + 4, lists[i], len);
		at += 4 + len;
	}
	at += 5;
	kex[4] = 4; /* padding */
	kex[3] = (uint8_t)(at - 4 + 4);
	assert_int_equal(say(n, &t, 0, kex, at + 4), 0);
	assert_int_equal(strlen(pk_names_fact(n, 1)->hassh[0]), 32);
	assert_null(pk_names_fact(n, 1)->hassh[1]);
	assert_int_equal(pk_names_fact(n, 1)->app, PK_PROTO_SSH);
	pk_names_free(n);
}

static void test_text(void **state)
{
	struct pk_names *n = names_new();
	struct talk t = talk_of(1, PK_APP_TEXT, IPPROTO_TCP, "10.0.0.2", 40000, "192.0.2.1", 21);

	(void)state;
	(void)say_text(n, &t, 1, "220 ready\r\n");
	(void)say_text(n, &t, 0, "USER alice\r\n");
	(void)say_text(n, &t, 0, "PASS hunter2\r\n");
	assert_int_equal(pk_names_fact(n, 1)->app, PK_PROTO_FTP);
	assert_string_equal(pk_names_fact(n, 1)->banner, "ready");
	assert_string_equal(pk_names_fact(n, 1)->user, "alice");
	assert_true(pk_names_fact(n, 1)->flags & PK_FACT_CLEAR);
	pk_names_free(n);
}

static void test_link(void **state)
{
	struct pk_names *n = names_new();
	struct talk t = talk_of(1, PK_APP_ICMP, IPPROTO_ICMP, "10.0.0.2", 1, "192.0.2.1", 1);
	uint8_t m[300] = { 8 };

	(void)state;
	for (int i = 8; i < 64; i++)
		m[i] = (uint8_t)i;
	/* the sample's payload is what is behind the head */
	t.number[0] = 0;
	{
		static uint64_t room[100];
		struct pk_sample *s = (struct pk_sample *)room;

		*s = (struct pk_sample){ .key = t.key,
					 .flow = 1,
					 .data_len = 14 + 20 + 64,
					 .l3_off = 14,
					 .payload_off = 14 + 20 + 8,
					 .payload_len = 56,
					 .why = PK_SAMPLE_PAYLOAD,
					 .app = PK_APP_ICMP };
		memcpy((char *)(s + 1) + 34, m, 64);
		assert_int_equal(pk_names_feed(n, s), 0);
	}
	assert_int_equal(pk_names_fact(n, 1)->echo_bytes_max, 56);
	assert_int_equal(pk_names_fact(n, 1)->echoes, 1);
	assert_true(pk_names_fact(n, 1)->echo_entropy_max > 500);
	pk_names_free(n);
}

static void test_dns_name(void **state)
{
	struct pk_names *n = names_new();
	struct pk_flow f = {
		.key = talk_of(9, 0, IPPROTO_TCP, "10.0.0.7", 4000, "192.0.2.1", 9999).key
	};
	struct pk_name_best best;

	(void)state;
	f.meta.id = 9;
	f.meta.start_ns = 101 * S;
	pk_names_flow(n, &f, false);
	assert_null(pk_names_fact(n, 9)); /* nothing to say */
	resolve(n, "10.0.0.2", "a.example", "192.0.2.1", 1);
	pk_names_flow(n, &f, false);
	assert_true(pk_names_best(n, 9, &best));
	assert_string_equal(best.name, "a.example");
	assert_int_equal(best.source, PK_NAME_DNS);
	resolve(n, "10.0.0.2", "b.example", "192.0.2.1", 2);
	pk_names_flow(n, &f, false); /* the name it was opened by stays */
	assert_true(pk_names_best(n, 9, &best));
	assert_string_equal(best.name, "a.example");
	pk_names_forget(n, 9);
	assert_null(pk_names_fact(n, 9));
	assert_false(pk_names_best(n, 9, &best));
	assert_null(best.name);
	pk_names_free(n);
}

/* To a proxy at 192.0.2.1, and through it. */
static void connect_to(struct pk_names *n, uint64_t flow, const char *host, const char *sni)
{
	struct talk t = http(flow);
	uint8_t hello[4096];
	char text[128];

	t.ts = 101 * S;
	snprintf(text, sizeof(text), "CONNECT %s:443 HTTP/1.1\r\nHost: %s:443\r\n\r\n", host, host);
	assert_int_equal(say_text(n, &t, 0, text), 0);
	assert_int_equal(say_text(n, &t, 1, "HTTP/1.1 200 OK\r\n\r\n"), 0);
	t.app = PK_APP_TLS;
	assert_int_equal(say(n, &t, 0, hello, client_hello(sni, hello, sizeof(hello))), 0);
	assert_string_equal(pk_names_fact(n, flow)->sni, sni);
}

static void test_conflict(void **state)
{
	struct pk_names *n = names_new();
	struct talk t;

	(void)state;
	hello_to(n, 10, "unresolved.example", "192.0.2.1"); /* nothing known: no contradiction */
	assert_int_equal(pk_names_fact(n, 10)->conflict, PK_CONFLICT_NONE);
	resolve(n, "10.0.0.2", "a.example", "192.0.2.1", 1);
	resolve(n, "10.0.0.2", "b.example", "192.0.2.1", 2);
	hello_to(n, 11, "a.example", "192.0.2.1");
	assert_int_equal(pk_names_fact(n, 11)->conflict, PK_CONFLICT_NONE);
	assert_string_equal(pk_names_fact(n, 11)->dns[1], "a.example"); /* the one that agrees */
	hello_to(n, 12, "front.example", "192.0.2.1");
	assert_int_equal(pk_names_fact(n, 12)->conflict, PK_CONFLICT_SNI_DNS);
	assert_string_equal(pk_names_fact(n, 12)->dns[1], "b.example"); /* the newest */
	t = http(13);
	t.ts = 101 * S;
	(void)say_text(n, &t, 0, "GET / HTTP/1.1\r\nHost: front.example\r\n\r\n");
	assert_int_equal(pk_names_fact(n, 13)->conflict, PK_CONFLICT_HTTP_DNS);
	t = http(14);
	t.ts = 101 * S;
	(void)say_text(n, &t, 0, "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n");
	assert_int_equal(pk_names_fact(n, 14)->conflict, PK_CONFLICT_NONE); /* an address */
	t = http(15);
	t.ts = 101 * S;
	(void)say_text(n, &t, 0, "GET http://x.example/ HTTP/1.1\r\nHost: x.example\r\n\r\n");
	assert_int_equal(pk_names_fact(n, 15)->conflict, PK_CONFLICT_NONE); /* to a proxy */
	assert_true(pk_names_fact(n, 15)->flags & PK_FACT_PROXIED);
	connect_to(n, 16, "x.example", "x.example"); /* through one */
	assert_int_equal(pk_names_fact(n, 16)->conflict, PK_CONFLICT_NONE);
	assert_true(pk_names_fact(n, 16)->flags & PK_FACT_UPGRADED);
	connect_to(n, 17, "x.example", "front.example");
	assert_int_equal(pk_names_fact(n, 17)->conflict, PK_CONFLICT_HTTP_SNI);
	pk_names_free(n);
}

static void test_ends(void **state)
{
	struct pk_names *n = names_new();
	struct talk t = talk_of(1, PK_APP_TLS, IPPROTO_TCP, "10.0.0.2", 40000, "192.0.2.1", 443);
	struct pk_flow f = { .key = t.key, .meta = { .id = 1, .start_ns = 100 * S } };
	struct pk_names_count c;

	(void)state;
	(void)say(n, &t, 0, "\x16\x03\x01\x02\x00\x01", 6);
	pk_names_counts(n, &c);
	assert_int_equal(c.streams.used, 1);
	pk_names_flow(n, &f, true);
	pk_names_counts(n, &c);
	assert_int_equal(c.streams.used, 0);
	assert_int_equal(c.unfinished, 1);
	assert_int_equal(c.facts.used, 1);
	assert_non_null(c.geo_error); /* none was asked for */
	for (unsigned w = 0; w < PK_NAMES_WHY; w++)
		assert_non_null(pk_names_why(w));
	assert_null(pk_names_why(PK_NAMES_WHY));
	pk_names_free(n);
	pk_names_free(NULL);
}

/* Headers alone, payload that was cut off, offsets beyond the data, unknown applications. */
static void test_hostile(void **state)
{
	struct pk_names *n = names_new();
	static uint64_t room[100];
	struct pk_sample *s = (struct pk_sample *)room;

	(void)state;
	srand(2);
	for (unsigned i = 0; i < 20000; i++) {
		for (size_t b = 0; b < sizeof(room); b++)
			((uint8_t *)room)[b] = (uint8_t)rand();
		s->data_len = (uint32_t)rand() % 400;
		s->hdr.size = (uint32_t)(sizeof(*s) + s->data_len + 7) & ~7u;
		s->payload_off = (uint32_t)rand() % 500;
		s->l3_off = (uint32_t)rand() % 500;
		s->dir &= 1;
		s->initiator &= 1;
		s->app = (uint8_t)(rand() % (PK_APP_MAX + 1));
		s->why = PK_SAMPLE_PAYLOAD;
		s->flow = (uint64_t)rand() % 50;
		s->hdr.ts = i * 1000000ull;
		if (rand() % 2)
			s->key.proto = rand() % 2 ? IPPROTO_TCP : IPPROTO_UDP;
		(void)pk_names_feed(n, s);
		if (rand() % 100 == 0)
			pk_names_tick(n, s->hdr.ts);
		if (rand() % 10 == 0)
			pk_names_forget(n, (uint64_t)rand() % 50);
	}
	pk_names_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http),     cmocka_unit_test(test_ssh),
		cmocka_unit_test(test_text),     cmocka_unit_test(test_link),
		cmocka_unit_test(test_dns_name), cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_ends),     cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("name/name", tests, NULL, NULL);
}
