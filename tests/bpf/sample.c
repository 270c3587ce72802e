/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations packet by packet through the loaded programs: what of them leaves the kernel, as
 * which application, how much, and what is counted instead.
 */
#include "load.h"

#include <arpa/inet.h>

#include "decode/record.h"

#define CLIENT 0x0a000001u
#define SERVER 0x0a000002u
#define SYN    0x02
#define ACK    0x10

static struct bed bed;
static struct ring_buffer *ring;

/* What came since the last look; `whole` is the first of them. */
static struct {
	uint32_t n;
	struct pk_event ev;
	uint8_t whole[sizeof(struct pk_sample) + PK_SAMPLE_DATA_MAX] __attribute__((aligned(8)));
} got;

static int on_sample(void *arg, void *data, size_t size)
{
	(void)arg;
	if (!got.n++) {
		assert_true(size <= sizeof(got.whole));
		memcpy(got.whole, data, size);
		assert_int_equal(pk_record_decode(&got.ev, got.whole, size), 0);
	}
	return 0;
}

static const struct pk_sample *look(void)
{
	memset(&got, 0, sizeof(got));
	assert_true(ring_buffer__consume(ring) >= 0);
	return got.n ? got.ev.sample : NULL;
}

static int open_bed(void **state)
{
	(void)state;
	bed_open_ring(&bed, 1024, true, 0, true);
	ring = ring_buffer__new(pk_object_map_fd(bed.o, "pk_rb_sample"), on_sample, NULL, NULL);
	assert_non_null(ring);
	return 0;
}

static int close_bed(void **state)
{
	(void)state;
	ring_buffer__free(ring);
	bed_check_sum(&bed, PK_HOOK_XDP);
	bed_check_sum(&bed, PK_HOOK_TC_EGRESS);
	bed_close(&bed);
	return 0;
}

/* A stream between the two ends; seq is of the payload. */
static void tcp(bool from_client, uint16_t port, uint8_t flags, uint32_t seq, const void *p,
		uint32_t len)
{
	struct frame f = { 0 };

	frame_eth(&f, 0x0800);
	frame_ip4(&f, 6, from_client ? CLIENT : SERVER, from_client ? SERVER : CLIENT);
	frame_tcp(&f, from_client ? 1000 : port, from_client ? port : 1000, flags, seq, 1, 0);
	frame_put(&f, p, len);
	frame_end(&f);
	bed_xdp(&bed, &f);
}

static void handshake(uint16_t port)
{
	bed_reset(&bed);
	tcp(true, port, SYN, 100, "", 0);
	tcp(false, port, SYN | ACK, 500, "", 0);
	tcp(true, port, ACK, 101, "", 0);
	assert_null(look());
}

/* A ClientHello (or ServerHello) of one record: heads and bytes of no meaning. */
static uint32_t hello(uint8_t *p, uint8_t type, uint32_t body)
{
	const uint8_t head[9] = { 0x16,     3,    1, (uint8_t)((body + 4) >> 8),
				  body + 4, type, 0, (uint8_t)(body >> 8),
				  body };

	memcpy(p, head, 9);
	memset(p + 9, 0x55, body);
	return body + 9;
}

static void assert_payload(const struct pk_sample *s, const void *want, uint32_t len)
{
	size_t n;
	const uint8_t *p;

	assert_non_null(s);
	p = pk_sample_payload(s, &n);
	assert_int_equal(n, len);
	assert_memory_equal(p, want, len);
}

static void test_tls(void **state)
{
	uint8_t p[3000];
	const struct pk_sample *s;
	uint32_t n = hello(p, 1, 508);

	(void)state;
	handshake(443);
	memset(p + n, 0x66, 100); /* what comes behind the hello stays in the kernel */
	tcp(true, 443, ACK, 101, p, n + 100);
	s = look();
	assert_payload(s, p, n);
	assert_int_equal(got.n, 1);
	assert_int_equal(s->app, PK_APP_TLS);
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
	assert_int_equal(s->flow, bed_flow(&bed, 0, 0)->meta.id);
	assert_ptr_equal(&bed.flows[s->slot], bed_flow(&bed, 0, 0));
	assert_memory_equal(&s->key, &bed_flow(&bed, 0, 0)->key, sizeof(s->key));
	n = hello(p, 2, 1000);
	tcp(false, 443, ACK, 501, p, n);
	s = look();
	assert_payload(s, p, 512);
	assert_int_equal(s->dir, 1);
	assert_int_equal(s->initiator, 0);
	for (uint32_t i = 0; i < 10; i++) { /* then it is over, and the flow is an ordinary one */
		tcp(true, 443, ACK, 1000 + i * 100, "\x17\x03\x03", 3);
		tcp(false, 443, ACK, 5000 + i * 100, "\x17\x03\x03", 3);
	}
	assert_null(look());
	assert_int_equal(bed_flow(&bed, 0, 0)->dir[0].started, PK_DIR_OPEN);
	assert_int_equal(bed_flow(&bed, 0, 0)->dir[1].started, PK_DIR_OPEN);
	assert_int_equal(bed_flow(&bed, 0, 0)->meta.app[0], PK_APP_TLS);
}

static void test_http(void **state)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";
	const struct pk_sample *s;

	(void)state;
	handshake(8080);
	tcp(true, 8080, ACK, 101, get, sizeof(get) - 1);
	s = look();
	assert_payload(s, get, sizeof(get) - 1);
	assert_int_equal(s->app, PK_APP_HTTP);
	tcp(false, 8080, ACK, 501, "HTTP/1.1 200 OK\r\n\r\n", 19);
	assert_payload(look(), "HTTP/1.1 200 OK\r\n\r\n", 19);
}

static void udp(uint16_t sport, uint16_t dport, const void *p, uint32_t len)
{
	struct frame f = { 0 };

	frame_eth(&f, 0x0800);
	frame_ip4(&f, 17, CLIENT, SERVER);
	frame_udp(&f, sport, dport);
	frame_put(&f, p, len);
	frame_end(&f);
	bed_xdp(&bed, &f);
}

static void test_dns(void **state)
{
	static const uint8_t query[40] = { 0x12, 0x34, 1, 0, 0, 1 };
	const struct pk_sample *s;

	(void)state;
	bed_reset(&bed);
	for (int i = 0; i < 20; i++) { /* every one of them */
		udp(5000, 53, query, sizeof(query));
		s = look();
		assert_payload(s, query, sizeof(query));
		assert_int_equal(s->app, PK_APP_DNS);
		assert_int_equal(s->payload_off, 42);
		assert_int_equal(s->number, i + 1);
	}
	udp(5000, 9999, query, sizeof(query));
	assert_null(look());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_dns),
	};

	if (bed_skip())
		return 0;
	return cmocka_run_group_tests_name("sample", tests, open_bed, close_bed);
}
