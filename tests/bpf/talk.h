/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of samples: two ends that talk through the loaded programs, packet by packet, and
 * what of it left the kernel. One bed for all tests of a file.
 */
#pragma once

#include "load.h"

#include <arpa/inet.h>

#include "decode/record.h"

#define CLIENT 0x0a000001u
#define SERVER 0x0a000002u
#define FIN    0x01
#define SYN    0x02
#define RST    0x04
#define ACK    0x10
#define SEC    1000000000ull

static struct bed bed;
static struct ring_buffer *samples, *records;

/* What came since the last look; `ev` is the first of them. */
static struct {
	uint32_t n;
	struct pk_event ev;
	uint8_t whole[sizeof(struct pk_sample) + PK_SAMPLE_DATA_MAX] __attribute__((aligned(8)));
} got;

static inline int talk_on_sample(void *arg, void *data, size_t size)
{
	struct pk_event ev;

	(void)arg;
	assert_int_equal(pk_record_decode(&ev, data, size), 0);
	if (got.n++)
		return 0;
	assert_true(size <= sizeof(got.whole));
	memcpy(got.whole, data, size);
	assert_int_equal(pk_record_decode(&got.ev, got.whole, size), 0);
	return 0;
}

static inline const struct pk_sample *talk_read(struct ring_buffer *ring)
{
	memset(&got, 0, offsetof(typeof(got), whole));
	assert_true(ring_buffer__consume(ring) >= 0);
	return got.n ? got.ev.sample : NULL;
}

/* The first sample since the last look, or NULL. */
static inline const struct pk_sample *look(void)
{
	return talk_read(samples);
}

static inline void talk_knobs(const struct pk_knobs *change)
{
	struct pk_knobs k;

	pk_knobs_default(&k, bed.slots);
	k.sample_off = change->sample_off;
	k.keep_packets = change->keep_packets;
	k.keep_rate = change->keep_rate;
	k.mark = change->mark;
	if (change->sample_rate)
		k.sample_rate = change->sample_rate;
	assert_int_equal(pk_object_set_knobs(bed.o, &k), 0);
}

/* Nothing but what a test asks for is on. */
static inline void talk_reset(void)
{
	bed_reset(&bed);
	talk_knobs(&(struct pk_knobs){ 0 });
	bed.clock->now_ns += SEC; /* the rate of each second is new */
	(void)talk_read(records);
	(void)look();
}

static inline struct pk_sample_count talk_count(uint32_t row)
{
	struct pk_sample_count all[64], sum = { 0 };
	__u64 *to = &sum.seen; /* all members are alike */

	assert_int_equal(bpf_map_lookup_elem(pk_object_map_fd(bed.o, "pk_sample_cnt"), &row, all),
			 0);
	for (uint32_t cpu = 0; cpu < bed.cpus; cpu++)
		for (size_t i = 0; i < sizeof(sum) / 8; i++)
			to[i] += (&all[cpu].seen)[i];
	return sum;
}

static inline int talk_open(void **state)
{
	(void)state;
	bed_open_ring(&bed, 1024, true, 0, true);
	samples = ring_buffer__new(pk_object_map_fd(bed.o, "pk_rb_sample"), talk_on_sample, NULL,
				   NULL);
	records = ring_buffer__new(pk_object_map_fd(bed.o, "pk_rb_record"), talk_on_sample, NULL,
				   NULL);
	assert_non_null(samples);
	assert_non_null(records);
	return 0;
}

/* No packet and no sample is unaccounted for. */
static inline int talk_close(void **state)
{
	(void)state;
	ring_buffer__free(samples);
	ring_buffer__free(records);
	bed_check_sum(&bed, PK_HOOK_XDP);
	bed_check_sum(&bed, PK_HOOK_TC_EGRESS);
	bed_check_sum(&bed, PK_HOOK_TC_INGRESS);
	for (uint32_t row = PK_APP_SHORT; row < PK_ROW_MAX; row++) {
		struct pk_sample_count c = talk_count(row);

		assert_int_equal(c.seen, c.sampled + c.off + c.limited + c.ring_full + c.unread);
		assert_int_equal(c.unread, 0);
	}
	bed_close(&bed);
	return 0;
}

static inline void tcp_frame(struct frame *f, bool from_client, uint16_t port, uint8_t flags,
			     uint32_t seq, const void *p, uint32_t len)
{
	frame_ip4(f, 6, from_client ? CLIENT : SERVER, from_client ? SERVER : CLIENT);
	frame_tcp(f, from_client ? 1000 : port, from_client ? port : 1000, flags, seq,
		  from_client ? 501 : 101, 0);
	frame_put(f, p, len);
	frame_end(f);
}

/* One segment; seq as in its header. Returns the program's verdict. */
static inline int tcp(bool from_client, uint16_t port, uint8_t flags, uint32_t seq, const void *p,
		      uint32_t len)
{
	struct frame f = { 0 };

	frame_eth(&f, 0x0800);
	tcp_frame(&f, from_client, port, flags, seq, p, len);
	return bed_run_bytes(&bed, PK_PROG_XDP, f.b, f.n);
}

/* What the client says, from sequence number 101 on; and the server, from 501 on. */
static inline void say(uint16_t port, uint32_t at, const void *p, uint32_t len)
{
	tcp(true, port, ACK, 101 + at, p, len);
}

static inline void answer(uint16_t port, uint32_t at, const void *p, uint32_t len)
{
	tcp(false, port, ACK, 501 + at, p, len);
}

static inline void handshake(uint16_t port)
{
	talk_reset();
	tcp(true, port, SYN, 100, "", 0);
	tcp(false, port, SYN | ACK, 500, "", 0);
	tcp(true, port, ACK, 101, "", 0);
	assert_null(look());
}

static inline void udp(uint32_t src, uint16_t sport, uint16_t dport, const void *p, uint32_t len)
{
	struct frame f = { 0 };

	frame_eth(&f, 0x0800);
	frame_ip4(&f, 17, src, src == CLIENT ? SERVER : CLIENT);
	frame_udp(&f, sport, dport);
	frame_put(&f, p, len);
	frame_end(&f);
	bed_xdp(&bed, &f);
}

/* A ClientHello (1) or ServerHello (2) of one record: heads and bytes of no meaning. */
static inline uint32_t hello(uint8_t *p, uint8_t type, uint32_t body)
{
	const uint32_t record = body + 4;
	const uint8_t head[9] = { 0x16, 3, 1,         record >> 8, record & 0xff,
				  type, 0, body >> 8, body & 0xff };

	memcpy(p, head, sizeof(head));
	for (uint32_t i = 0; i < body; i++)
		p[9 + i] = (uint8_t)(i * 7);
	return body + 9;
}

static inline void assert_payload(const struct pk_sample *s, uint8_t app, const void *want,
				  uint32_t len)
{
	const uint8_t *p;
	size_t n;

	assert_non_null(s);
	assert_int_equal(got.n, 1);
	assert_int_equal(s->app, app);
	assert_int_equal(s->why & PK_SAMPLE_PAYLOAD, PK_SAMPLE_PAYLOAD);
	p = pk_sample_payload(s, &n);
	assert_int_equal(n, len);
	assert_memory_equal(p, want, len);
}

#define expect(app, p, len) assert_payload(look(), app, p, len)

/* Neither direction has anything to do any more. */
static inline void assert_ordinary(void)
{
	const struct pk_flow *f = bed_flow(&bed, 0, 0);

	assert_non_null(f);
	for (int d = 0; d < 2; d++)
		if (f->dir[d].packets)
			assert_int_equal(f->dir[d].started & ~PK_DIR_OPEN, 0);
}
