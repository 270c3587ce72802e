/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/record.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct packet {
	struct pk_sample s;
	uint8_t data[1500];
};

static void name(void *arg, uint64_t netns, uint32_t ifindex, struct pk_capture_iface *i)
{
	(void)arg;
	(void)netns;
	snprintf(i->name, sizeof(i->name), "eth%u", ifindex);
}

static struct packet packet(uint64_t ts)
{
	struct packet p = { .s = { .flow = 1, .data_len = 1500, .frame_len = 1500 } };

	p.s.hdr.ts = ts;
	p.s.key.ifindex = 2;
	return p;
}

static struct pk_recording begin(const struct pk_recording_conf *conf)
{
	struct pk_writer w = { .name = name };
	struct pk_recording r;

	assert_int_equal(pk_recording_init(&r, conf, &w, 1000), 0);
	return r;
}

static bool has(const struct pk_recording *r, const char *text)
{
	return memmem(r->w.out.data, r->w.out.len, text, strlen(text));
}

static void test_packets(void **state)
{
	struct pk_recording_conf conf = { .packets = 3, .filter_text = "proc curl" };
	struct pk_recording r = begin(&conf);

	(void)state;
	for (uint64_t i = 1; i <= 5; i++) {
		struct packet p = packet(i);

		pk_recording_packet(&r, &p.s, "pid 1");
	}
	assert_string_equal(r.over, "packets");
	assert_int_equal(r.w.packets, 3);
	pk_recording_end(&r, 2000, r.over);
	assert_string_equal(r.ended, "packets");
	assert_true(has(&r, "proc curl"));
	assert_true(has(&r, "ended=packets flows=0 packets=3 cut=0 slow=0 missed=0 refused=0"));
	pk_recording_end(&r, 3000, "again"); /* nothing more */
	assert_string_equal(r.ended, "packets");
	assert_false(has(&r, "again"));
	pk_recording_done(&r);
}

static void test_bytes(void **state)
{
	struct pk_recording_conf conf = { .bytes = 10000 };
	struct pk_recording r = begin(&conf);

	(void)state;
	for (uint64_t i = 1; i <= 20; i++) {
		struct packet p = packet(i);

		pk_recording_packet(&r, &p.s, NULL);
	}
	assert_string_equal(r.over, "bytes");
	assert_in_range(r.w.bytes, 10000, 11600);
	pk_recording_done(&r);
}

static void test_duration(void **state)
{
	struct pk_recording_conf conf = { .duration_ns = 500 };
	struct pk_recording r = begin(&conf);

	(void)state;
	pk_recording_tick(&r, 1499);
	assert_null(r.over);
	pk_recording_tick(&r, 1500);
	assert_string_equal(r.over, "duration");
	pk_recording_done(&r);
}

/* A reader that does not read: memory is bounded, and what is dropped is told. */
static void test_slow_reader(void **state)
{
	struct pk_recording_conf conf = { .snaplen = 0 };
	struct pk_recording r = begin(&conf);
	struct packet p = packet(1);
	uint64_t n = 0;

	(void)state;
	for (; n < 20000; n++) {
		p.s.hdr.ts = n + 1;
		pk_recording_packet(&r, &p.s, NULL);
	}
	assert_true(r.w.dropped > 0);
	assert_int_equal(r.w.dropped + r.w.packets, n);
	assert_true(r.w.out.len <= PK_RECORDING_BACKLOG);
	r.behind = 1000; /* it has taken nearly all */
	pk_buf_reset(&r.w.out);
	pk_recording_packet(&r, &p.s, NULL);
	assert_int_equal(r.w.dropped + r.w.packets, n + 1);
	assert_true(r.w.out.len > 1500);
	pk_recording_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_slow_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
