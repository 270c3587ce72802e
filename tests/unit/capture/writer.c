/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/writer.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OFFSET 1700000000000000000ll

struct packet {
	struct pk_sample s;
	uint8_t data[2048];
};

static void name(void *arg, uint64_t netns, uint32_t ifindex, struct pk_capture_iface *i)
{
	++*(int *)arg;
	snprintf(i->name, sizeof(i->name), "eth%u", ifindex);
	snprintf(i->description, sizeof(i->description), "netns %u", (unsigned)netns);
}

static int asked;

static struct pk_writer writer(uint32_t snaplen)
{
	struct pk_writer w = { .section = { .application = "picket" },
			       .snaplen = snaplen,
			       .offset_ns = OFFSET,
			       .name = name,
			       .arg = &asked };

	assert_int_equal(pk_writer_init(&w), 0);
	asked = 0;
	return w;
}

static struct packet packet(uint64_t ts, uint32_t ifindex, uint32_t len)
{
	struct packet p = { .s = { .flow = 7, .data_len = len, .frame_len = len } };

	p.s.hdr.ts = ts;
	p.s.key.ifindex = ifindex;
	p.s.key.netns = 1;
	p.s.where = PK_AT_EGRESS;
	memset(p.data, (int)ts, sizeof(p.data));
	return p;
}

/* The nth block of a type, from 0 on; NULL: there are not so many. */
static const char *block(const struct pk_buf *b, uint32_t want, size_t n, uint32_t *ret_len)
{
	for (size_t at = 0; at < b->len; at += *ret_len) {
		uint32_t type;

		assert_true(pk_pcapng_block(b->data + at, b->len - at, &type, ret_len));
		if (type == want && !n--)
			return b->data + at;
	}
	return NULL;
}

static struct pk_pcapng_seen seen(const struct pk_writer *w, size_t n)
{
	struct pk_pcapng_seen s;
	uint32_t len;
	const char *p = block(&w->out, PK_PCAPNG_PACKET, n, &len);

	assert_non_null(p);
	assert_true(pk_pcapng_read_packet(p, len, &s));
	return s;
}

static void test_interfaces(void **state)
{
	struct pk_writer w = writer(0);
	struct packet a = packet(1, 2, 60), b = packet(2, 3, 60), c = packet(3, 2, 61),
		      d = packet(4, 2, 40);
	uint32_t len;

	(void)state;
	d.s.raw = 1; /* the same interface with another link type */
	assert_true(pk_writer_packet(&w, &a.s, "x"));
	assert_true(pk_writer_packet(&w, &b.s, NULL));
	assert_true(pk_writer_packet(&w, &c.s, NULL));
	assert_true(pk_writer_packet(&w, &d.s, NULL));
	assert_int_equal(asked, 3);
	assert_non_null(block(&w.out, PK_PCAPNG_SECTION, 0, &len));
	assert_null(block(&w.out, PK_PCAPNG_SECTION, 1, &len));
	assert_non_null(block(&w.out, PK_PCAPNG_INTERFACE, 2, &len));
	assert_null(block(&w.out, PK_PCAPNG_INTERFACE, 3, &len));
	assert_int_equal(seen(&w, 0).iface, 0);
	assert_int_equal(seen(&w, 1).iface, 1);
	assert_int_equal(seen(&w, 2).iface, 0);
	assert_int_equal(seen(&w, 3).iface, 2);
	assert_int_equal(seen(&w, 0).ts_ns, OFFSET + 1);
	assert_int_equal(w.packets, 4);
	assert_int_equal(w.bytes, w.out.len);
	pk_writer_done(&w);
}

static void test_cut(void **state)
{
	struct pk_writer w = writer(100);
	struct packet a = packet(1, 2, 1500), b = packet(2, 2, 100), c = packet(3, 2, 54);

	(void)state;
	c.s.frame_len = 1400; /* a head */
	assert_true(pk_writer_packet(&w, &a.s, NULL));
	assert_true(pk_writer_packet(&w, &b.s, NULL));
	assert_true(pk_writer_packet(&w, &c.s, NULL));
	assert_int_equal(seen(&w, 0).len, 100);
	assert_int_equal(seen(&w, 0).wire_len, 1500);
	assert_int_equal(seen(&w, 2).len, 54);
	assert_int_equal(seen(&w, 2).wire_len, 1400);
	assert_int_equal(w.cut, 2);
	c.s.hdr.ts = 4;
	c.s.frame_len = 10; /* less than what is there: never a length below that */
	assert_true(pk_writer_packet(&w, &c.s, NULL));
	assert_int_equal(seen(&w, 3).wire_len, 54);
	pk_writer_done(&w);
}

/* Five segments of 1448 bytes that pass as one packet: 66 bytes of headers are there once, and five
 * times on the wire. A padded frame is one packet as it is. */
static void test_merged(void **state)
{
	struct pk_sample s = {
		.frame_len = 5 * 1514, .data_len = 66, .payload_off = 66, .payload_len = 5 * 1448
	};

	(void)state;
	assert_int_equal(pk_sample_len(&s), 66 + 5 * 1448);
	assert_int_equal(pk_sample_packets(&s), 5);
	s.data_len = 66 + 5 * 1448;
	assert_int_equal(pk_sample_len(&s), 66 + 5 * 1448);
	s = (struct pk_sample){ .frame_len = 60, .data_len = 60, .payload_off = 54 };
	assert_int_equal(pk_sample_len(&s), 60);
	assert_int_equal(pk_sample_packets(&s), 1);
	s = (struct pk_sample){ .frame_len = 60, .payload_off = 54, .payload_len = 2 };
	assert_int_equal(pk_sample_len(&s), 60);
	s = (struct pk_sample){ .frame_len = UINT32_MAX,
				.payload_off = UINT32_MAX,
				.payload_len = UINT32_MAX };
	assert_int_equal(pk_sample_len(&s), UINT32_MAX);
	assert_int_equal(pk_sample_packets(&s), 1);
}

/* A frame that comes for a tunnel and for what is in it is written once; others are not taken for
 * it. */
static void test_twice(void **state)
{
	struct pk_writer w = writer(0);
	struct packet a = packet(5, 2, 90), b = a, c = a, d = a, e = a;

	(void)state;
	b.s.flow = 8;
	b.s.hdr.ts++;
	c.s.flow = 9;
	c.data[50] ^= 1;
	d.s.flow = 9;
	d.s.key.ifindex = 3;
	assert_true(pk_writer_packet(&w, &a.s, NULL));
	assert_true(pk_writer_packet(&w, &b.s, NULL));
	assert_int_equal(w.packets, 1);
	assert_int_equal(w.twice, 1);
	assert_true(pk_writer_packet(&w, &c.s, NULL)); /* another frame */
	assert_true(pk_writer_packet(&w, &d.s, NULL)); /* elsewhere */
	assert_int_equal(w.packets, 3);
	e.s.hdr.ts = 1000000;
	e.s.flow = 10;
	assert_true(pk_writer_packet(&w, &e.s, NULL)); /* later */
	assert_int_equal(w.packets, 4);
	pk_writer_done(&w);
}

static uint64_t option_u64(const char *p, uint32_t len, uint16_t code)
{
	for (size_t at = 20; at + 4 < len;) {
		uint16_t c, n;
		uint64_t v;

		memcpy(&c, p + at, 2);
		memcpy(&n, p + at + 2, 2);
		memcpy(&v, p + at + 4, 8);
		if (c == code)
			return v;
		at += 4 + ((n + 3u) & ~3u);
	}
	fail();
	return 0;
}

static void test_losses(void **state)
{
	struct pk_writer w = writer(0);
	struct packet a = packet(1, 2, 60), b = packet(2, 3, 60);
	uint32_t len;
	const char *p;

	(void)state;
	assert_true(pk_writer_packet(&w, &a.s, NULL));
	pk_writer_drop(&w, &a.s);
	pk_writer_drop(&w, &a.s);
	pk_writer_drop(&w, &b.s);
	assert_true(pk_writer_packet(&w, &b.s, NULL));
	a.s.hdr.ts = 9;
	assert_true(pk_writer_packet(&w, &a.s, NULL));
	a.s.hdr.ts = 10;
	assert_true(pk_writer_packet(&w, &a.s, NULL));
	assert_int_equal(seen(&w, 0).dropped, 0);
	assert_int_equal(seen(&w, 1).dropped, 1);
	assert_int_equal(seen(&w, 2).dropped, 2);
	assert_int_equal(seen(&w, 3).dropped, 0);
	pk_writer_missed(&w, 1, 3, 5);
	pk_writer_missed(&w, 1, 99, 1); /* an interface without a packet: in the sum alone */
	assert_int_equal(w.dropped, 3);
	assert_int_equal(w.missed, 6);
	pk_writer_end(&w, 100, "why");
	p = block(&w.out, PK_PCAPNG_STATS, 1, &len);
	assert_non_null(p);
	assert_int_equal(option_u64(p, len, 4), 7); /* all */
	assert_int_equal(option_u64(p, len, 5), 6); /* dropped */
	assert_int_equal(option_u64(p, len, 7), 5); /* by the way from the kernel */
	assert_int_equal(option_u64(p, len, 8), 1); /* delivered */
	assert_int_equal(w.bytes, w.out.len);
	pk_writer_done(&w);
}

static void test_too_many_interfaces(void **state)
{
	struct pk_writer w = writer(0);

	(void)state;
	for (uint32_t i = 0; i < PK_WRITER_IFACES + 3; i++) {
		struct packet p = packet(i + 1, i + 1, 60);

		assert_int_equal(pk_writer_packet(&w, &p.s, NULL), i < PK_WRITER_IFACES);
	}
	assert_int_equal(w.refused, 3);
	assert_int_equal(w.packets, PK_WRITER_IFACES);
	pk_writer_done(&w);
}

/* A section without a packet is a file that can be read, too. */
static void test_empty(void **state)
{
	struct pk_writer w = writer(0);
	uint32_t len;

	(void)state;
	pk_writer_end(&w, 5, "nothing came");
	assert_non_null(block(&w.out, PK_PCAPNG_SECTION, 0, &len));
	assert_null(block(&w.out, PK_PCAPNG_STATS, 0, &len));
	pk_writer_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_merged),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_too_many_interfaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
