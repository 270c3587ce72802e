/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations packet by packet through the loaded programs: what of them leaves the kernel, as
 * which application, how much, and what is counted instead.
 */
#include "talk.h"

static void test_tls(void **state)
{
	const struct pk_sample *s;
	const struct pk_flow *f;
	uint8_t p[3000];
	uint32_t n = hello(p, 1, 508);

	(void)state;
	handshake(443);
	memset(p + n, 0x66, 100); /* what comes behind the hello stays in the kernel */
	say(443, 0, p, n + 100);
	s = look();
	f = bed_flow(&bed, 0, 0);
	assert_payload(s, PK_APP_TLS, p, n);
	assert_int_equal(s->why, PK_SAMPLE_PAYLOAD);
	assert_int_equal(s->number, 1);
	assert_int_equal(s->seq, 101);
	assert_int_equal(s->payload_len, n + 100);
	assert_int_equal(s->payload_off, 54);
	assert_int_equal(s->l3_off, 14);
	assert_int_equal(s->frame_len, 54 + n + 100);
	assert_int_equal(s->dir, 0);
	assert_int_equal(s->initiator, 0);
	assert_int_equal(s->where, PK_AT_INGRESS);
	assert_int_equal(s->hdr.ts, bed.clock->now_ns);
	assert_int_equal(s->flow, f->meta.id);
	assert_ptr_equal(&bed.flows[s->slot], f);
	assert_memory_equal(&s->key, &f->key, sizeof(s->key));
	n = hello(p, 2, 1000);
	answer(443, 0, p, n);
	s = look();
	assert_payload(s, PK_APP_TLS, p, n);
	assert_int_equal(s->dir, 1);
	assert_int_equal(s->initiator, 0);
	for (uint32_t i = 0; i < 10; i++) {
		say(443, 1000 + i * 100, "\x17\x03\x03", 3);
		answer(443, 5000 + i * 100, "\x17\x03\x03", 3);
	}
	assert_null(look());
	assert_ordinary();
	assert_int_equal(f->meta.app[0], PK_APP_TLS);
	assert_int_equal(f->meta.app[1], PK_APP_TLS);
}

/* A hello of 3,000 bytes, in segments of every size; with and without its first byte alone. */
static void test_split_hello(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 3, 5, 8, 9, 100, 536, 1448, 3100 };
	uint8_t p[3100];
	uint32_t n = hello(p, 1, 2991);

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t at = 0, size = sizes[i], sum = 0, packets = 0;

		handshake(443);
		/* sixty segments at most: all of those are taken */
		for (; at < n && packets < 60; packets++) {
			uint32_t len = at + size < n ? size : n - at;
			const struct pk_sample *s;

			say(443, at, p + at, len);
			s = look();
			assert_non_null(s);
			assert_int_equal(got.n, 1);
			assert_int_equal(s->seq, 101 + at);
			assert_int_equal(s->number, packets + 1);
			assert_int_equal(s->app, at + len >= 3 ? PK_APP_TLS : PK_APP_SHORT);
			sum += s->data_len - s->payload_off;
			at += len;
		}
		assert_int_equal(sum, at);
		if (at < n)
			continue;
		for (uint32_t k = 0; k < 70; k++) {
			uint8_t more[3] = { 0x17, 3, 3 };

			say(443, 20000 + 3 * k, more, 3);
		}
		assert_null(look());
		assert_int_equal(bed_flow(&bed, 0, 0)->dir[0].started, PK_DIR_OPEN);
	}
}

/* The second segment comes before the first; or the first comes again, with more behind it. */
static void test_order(void **state)
{
	uint8_t p[600];
	uint32_t n = hello(p, 1, 500);

	(void)state;
	handshake(443);
	say(443, 1, p + 1, n - 1);
	expect(PK_APP_TLS, p + 1, n - 1);
	say(443, 0, p, 1);
	expect(PK_APP_TLS, p, 1);
	handshake(443);
	say(443, 200, p + 200, n - 200);
	expect(PK_APP_SHORT, p + 200, n - 200);
	say(443, 0, p, 200);
	expect(PK_APP_TLS, p, 200);
	handshake(443);
	say(443, 0, p, 1);
	expect(PK_APP_SHORT, p, 1);
	say(443, 0, p, n);
	expect(PK_APP_TLS, p, n);
	say(443, 0, p, n); /* it did not arrive behind us */
	expect(PK_APP_TLS, p, n);
	handshake(443);
	tcp(true, 443, ACK, 100, "\0", 1); /* a probe: a byte before the stream */
	assert_null(look());
	say(443, 0, p, n);
	expect(PK_APP_TLS, p, n);
	talk_reset(); /* no SYN was seen */
	say(443, 0, p, n);
	expect(PK_APP_TLS, p, n);
	talk_reset(); /* data with the SYN (RFC 7413) */
	tcp(true, 443, SYN, 100, p, n);
	assert_payload(look(), PK_APP_TLS, p, n);
	assert_int_equal(got.ev.sample->seq, 101);
}

/* One hello in records of 100 bytes: behind its first record goes on what is still the hello. */
static void test_hello_in_records(void **state)
{
	uint8_t p[4000], whole[2100];
	uint32_t n = hello(whole, 1, 2000), at = 0, len;

	(void)state;
	for (uint32_t from = 5; from < n; from += 100, at += 5 + len) {
		len = n - from < 100 ? n - from : 100;
		memcpy(p + at, (const uint8_t[]){ 0x16, 3, 1, 0, (uint8_t)len }, 5);
		memcpy(p + at + 5, whole + from, len);
	}
	handshake(443);
	say(443, 0, p, 1400);
	expect(PK_APP_TLS, p, 1400);
	say(443, 1400, p + 1400, at - 1400);
	expect(PK_APP_TLS, p + 1400, at - 1400);
	/* A length that lies takes 16 KiB and no byte more. */
	memcpy(p, (const uint8_t[]){ 0x16, 3, 1, 0xff, 0xff, 1, 0xff, 0xff, 0xff }, 9);
	handshake(443);
	for (uint32_t i = 0; i < 5; i++)
		say(443, i * 4000, p, 4000);
	(void)look();
	assert_int_equal(got.n, 5);
	say(443, 16380, p, 1000);
	expect(PK_APP_TLS, p, 4);
	say(443, 16384, p, 1000);
	assert_null(look());
}

static void test_http(void **state)
{
	static const char *const first[] = {
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /x HTTP/1.0\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\n\r\n",
		"CONNECT a:443 HTTP/1.1\r\n\r\n",
		"G",
		"GE",
		"GET",
		"GET ",
		"PUT /",
		"DELE",
	};
	uint8_t big[4200] = "POST / HTTP/1.1\r\n";

	(void)state;
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		uint32_t n = strlen(first[i]);

		handshake(8080);
		say(8080, 0, first[i], n);
		expect(n < 4 ? PK_APP_SHORT : PK_APP_HTTP, first[i], n);
		if (n >= 4)
			continue;
		say(8080, n, "GET / HTTP/1.1\r\n" + n, 16 - n);
		expect(PK_APP_HTTP, "GET / HTTP/1.1\r\n" + n, 16 - n);
	}
	answer(8080, 0, "HTTP/1.1 200 OK\r\n\r\n", 19);
	expect(PK_APP_HTTP, "HTTP/1.1 200 OK\r\n\r\n", 19);
	handshake(8080); /* 4 KiB, four segments */
	say(8080, 0, big, 4090);
	expect(PK_APP_HTTP, big, 4090);
	say(8080, 4090, big, 100);
	expect(PK_APP_HTTP, big, 6);
	say(8080, 4190, big, 100);
	assert_null(look());
	handshake(8080);
	for (uint32_t i = 0; i < 8; i++)
		say(8080, i * 100, big, 100);
	(void)look();
	assert_int_equal(got.n, 4);
	assert_int_equal(bed_flow(&bed, 0, 0)->dir[0].started, PK_DIR_OPEN);
}

static void test_ssh(void **state)
{
	uint8_t kex[5000] = { 0 };

	(void)state;
	handshake(2222);
	answer(2222, 0, "SSH-2.0-x\r\n", 11);
	expect(PK_APP_SSH, "SSH-2.0-x\r\n", 11);
	answer(2222, 11, kex, 1400);
	expect(PK_APP_SSH, kex, 1400);
	answer(2222, 1411, kex, 5000);
	expect(PK_APP_SSH, kex, 4096 - 1411);
	say(2222, 0, "SSH-2.0-y\r\n", 11);
	expect(PK_APP_SSH, "SSH-2.0-y\r\n", 11);
}

static void test_text(void **state)
{
	static const char *const first[] = {
		"220 mx ESMTP\r\n",
		"220-hello\r\n",
		"EHLO x\r\n",
		"NICK a\r\n",
		"CAP LS 302\r\n",
		"+OK ready\r\n",
		"* OK IMAP\r\n",
		"USER x\r\n",
		"{\"id\":1,\"method\"",
		"{\"method\":\"login\"",
		"{\"jsonrpc\":\"2.0\"",
		"{\"params\":[",
		":irc.example.org NOTICE * :",
	};
	char line[600];

	(void)state;
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		handshake(9999);
		say(9999, 0, first[i], strlen(first[i]));
		expect(PK_APP_TEXT, first[i], strlen(first[i]));
	}
	handshake(143); /* a client that no word tells answers a server that one did */
	answer(143, 0, "* OK IMAP4rev1\r\n", 16);
	expect(PK_APP_TEXT, "* OK IMAP4rev1\r\n", 16);
	say(143, 0, "a1 LOGIN x y\r\n", 14);
	expect(PK_APP_TEXT, "a1 LOGIN x y\r\n", 14);
	memset(line, 'x', sizeof(line));
	say(143, 14, line, sizeof(line)); /* 512 bytes of each segment, six of them */
	expect(PK_APP_TEXT, line, 512);
	for (uint32_t i = 0; i < 10; i++)
		say(143, 614 + 10 * i, line, 10);
	(void)look();
	assert_int_equal(got.n, 4);
}

/* What nobody knows stays in the kernel, and costs nothing any more after eight segments. */
static void test_unknown(void **state)
{
	static const char *const first[] = { "x",     "\x15\x03\x01",    "\x16\x02", "\x16\x03\x09",
					     "GOT /", "HELLO",           ": ",       "{",
					     "SSL-",  "\x03\x00\x00\x13" };
	uint64_t before = talk_count(PK_APP_NONE).seen;

	(void)state;
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		handshake(3389);
		say(3389, 0, first[i], strlen(first[i]) ? strlen(first[i]) : 4);
		if (*first[i] == '{') { /* the beginning of something, which does not follow */
			expect(PK_APP_SHORT, "{", 1);
			say(3389, 1, "}", 1);
		}
		for (uint32_t k = 1; k < 8; k++) /* TLS might still begin */
			say(3389, 20 * k, "none of it", 10);
		assert_null(look());
		assert_int_equal(bed_flow(&bed, 0, 0)->dir[0].started, PK_DIR_OPEN);
		assert_int_equal(talk_count(PK_APP_NONE).seen, ++before);
	}
	handshake(3389); /* one byte at a time is not waited for without end */
	for (uint32_t i = 0; i < 20; i++)
		say(3389, 100 + i, "x", 1);
	(void)look();
	assert_int_equal(got.n, 8);
	assert_int_equal(bed_flow(&bed, 0, 0)->dir[0].started, PK_DIR_OPEN);
	handshake(3389); /* one end only listens: it is over for it, too */
	for (uint32_t i = 0; i < 1030; i++)
		say(3389, 0, "", 0);
	assert_int_equal(bed_flow(&bed, 0, 0)->dir[0].started, PK_DIR_OPEN);
}

static void test_dns(void **state)
{
	static const uint8_t query[40] = { 0x12, 0x34, 1, 0, 0, 1 };
	static const uint16_t ports[] = { 53, 5353, 5355 };
	uint8_t big[5000] = { 0 };
	const struct pk_sample *s;

	(void)state;
	for (size_t p = 0; p < 3; p++) {
		talk_reset();
		for (int i = 0; i < 20; i++) { /* every one of them */
			udp(CLIENT, 5000, ports[p], query, sizeof(query));
			s = look();
			assert_payload(s, PK_APP_DNS, query, sizeof(query));
			assert_int_equal(s->payload_off, 42);
			assert_int_equal(s->number, i + 1);
		}
	}
	udp(SERVER, 53, 5000, big, 5000);
	expect(PK_APP_DNS, big, 4096);
	udp(CLIENT, 5000, 9999, query, sizeof(query));
	assert_null(look());
	handshake(53);
	for (uint32_t i = 0; i < 50; i++) { /* of TCP, too */
		say(53, i * 42, "\0\50", 2);
		expect(PK_APP_DNS, "\0\50", 2);
		say(53, i * 42 + 2, query, 40);
		expect(PK_APP_DNS, query, 40);
	}
}

static void test_quic(void **state)
{
	uint8_t p[1400] = { 0xc3, 0, 0, 0, 1, 8 };
	uint32_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		talk_reset();
		udp(CLIENT, 5000, 8443, p, 1200);
		expect(PK_APP_QUIC, p, 1200);
		udp(SERVER, 8443, 5000, p, 1252);
		expect(PK_APP_QUIC, p, 1252);
		memcpy(p + 1, "\x6b\x33\x43\xcf", 4);
	}
	udp(CLIENT, 5000, 8443, "\x43yyyyyyyyyyyyyyy", 16); /* a short header */
	assert_null(look());
	for (i = 0; i < 10; i++)
		udp(CLIENT, 5000, 8443, p, 1200);
	(void)look();
	assert_int_equal(got.n, 4);
	assert_int_equal(bed_flow(&bed, 0, 0)->dir[0].started, PK_DIR_OPEN);
	talk_reset();
	memcpy(p + 1, "\xff\0\0\x1d", 4); /* a draft */
	udp(CLIENT, 5000, 8443, p, 1200);
	assert_null(look());
}

static void test_dhcp(void **state)
{
	uint8_t p[300] = { 1, 1, 6 };

	(void)state;
	talk_reset();
	for (int i = 0; i < 20; i++) {
		udp(CLIENT, 68, 67, p, 300);
		expect(PK_APP_DHCP, p, 300);
	}
	udp(CLIENT, 546, 547, p, 100);
	expect(PK_APP_DHCP, p, 100);
	udp(CLIENT, 5000, 67, p, 100);
	assert_null(look());
}

static void echo(uint8_t type, uint32_t len)
{
	struct frame f = { 0 };

	frame_eth(&f, 0x0800);
	frame_ip4(&f, 1, CLIENT, SERVER);
	frame_echo(&f, type, 77);
	frame_fill(&f, len);
	frame_end(&f);
	bed_xdp(&bed, &f);
}

static void test_icmp(void **state)
{
	static const uint8_t zero[1000];
	const struct pk_sample *s;

	(void)state;
	talk_reset();
	for (int i = 0; i < 4; i++) {
		echo(8, 1000);
		s = look();
		assert_payload(s, PK_APP_ICMP, zero, 256);
		assert_int_equal(s->payload_len, 1000);
		assert_int_equal(s->payload_off, 42);
	}
	for (int i = 0; i < 100; i++) { /* then one a second */
		if (i % 10 == 5)
			bed.clock->now_ns += SEC;
		echo(8, 56);
	}
	(void)look();
	assert_int_equal(got.n, 10);
	talk_reset();
	echo(3, 56);
	assert_null(look());
}

static void icmp6(uint8_t type, uint32_t len)
{
	struct frame f = { 0 };

	frame_eth(&f, 0x86dd);
	frame_ip6(&f, 58, 1, 2);
	frame_echo(&f, type, 0);
	frame_fill(&f, len);
	frame_end(&f);
	bed_xdp(&bed, &f);
}

/* A router's advertisements are taken, also behind what else it says to all. */
static void test_advert(void **state)
{
	static const uint8_t zero[48];

	(void)state;
	talk_reset();
	icmp6(130, 20);
	icmp6(136, 24);
	assert_null(look());
	icmp6(134, 48);
	assert_payload(look(), PK_APP_ICMP, zero, 48);
}

static void test_arp(void **state)
{
	struct frame f = { 0 };
	const struct pk_sample *s;

	(void)state;
	talk_reset();
	frame_eth(&f, 0x0806);
	frame_16(&f, 1);
	frame_16(&f, 0x0800);
	frame_16(&f, 0x0604);
	frame_16(&f, 1);
	frame_fill(&f, 6);
	frame_32(&f, CLIENT);
	frame_fill(&f, 6);
	frame_32(&f, SERVER);
	frame_fill(&f, 18); /* padding */
	bed_xdp(&bed, &f);
	s = look();
	assert_payload(s, PK_APP_ARP, f.b + 14, 28);
	assert_int_equal(s->l3_off, 14);
	assert_int_equal(s->data_len, 42);
}

static void test_fragments(void **state)
{
	struct frame f = { 0 };

	(void)state;
	talk_reset();
	frame_eth(&f, 0x0800);
	frame_ip4_full(&f, 17, SERVER, CLIENT, 0, 0x2000, 900);
	frame_udp(&f, 53, 5000);
	frame_fill(&f, 1472);
	frame_end(&f);
	bed_xdp(&bed, &f);
	assert_payload(look(), PK_APP_DNS, f.b + 42, 1472);
	assert_int_equal(got.ev.sample->frag, 1);
	frame_set16(&f, 20, 185); /* the second fragment */
	bed_xdp(&bed, &f);
	assert_null(look());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls),       cmocka_unit_test(test_split_hello),
		cmocka_unit_test(test_order),     cmocka_unit_test(test_hello_in_records),
		cmocka_unit_test(test_http),      cmocka_unit_test(test_ssh),
		cmocka_unit_test(test_text),      cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_dns),       cmocka_unit_test(test_quic),
		cmocka_unit_test(test_dhcp),      cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_advert),    cmocka_unit_test(test_arp),
		cmocka_unit_test(test_fragments),
	};

	if (bed_skip())
		return 0;
	return cmocka_run_group_tests_name("sample", tests, talk_open, talk_close);
}
