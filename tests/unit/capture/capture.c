/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/capture.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FLOWS 64
#define S     1000000000ull

/* What stands around captures: who matches, and what the kernel was asked for. */
static struct world {
	int match[5 * FLOWS]; /* by flow: answer while s is given */
	int reported[5 * FLOWS];
	bool marked[FLOWS], mark_all;
	bool first_only; /* the first recording takes any flow at once */
	unsigned turn;   /* of the recordings that are asked about a packet */
	unsigned marks, unmarks, asked;
} world;

static int match(void *arg, const struct pk_filter *filter, uint64_t flow,
		 const struct pk_sample *s)
{
	assert_ptr_equal(arg, &world);
	(void)filter;
	world.asked++;
	if (s && world.first_only && world.turn++ == 0)
		return 1;
	return s ? world.match[flow] : world.reported[flow];
}

static bool comment(void *arg, uint64_t flow, const struct pk_sample *s, struct pk_buf *out)
{
	assert_ptr_equal(arg, &world);
	(void)s;
	pk_buf_fmt(out, "flow %u", (unsigned)flow);
	return true;
}

static void iface(void *arg, uint64_t netns, uint32_t ifindex, struct pk_capture_iface *i)
{
	assert_ptr_equal(arg, &world);
	(void)netns;
	snprintf(i->name, sizeof(i->name), "eth%u", ifindex);
}

static bool mark(void *arg, uint64_t flow, uint32_t slot, bool on)
{
	assert_ptr_equal(arg, &world);
	assert_int_equal(slot, flow + 1000);
	world.marked[flow] = on;
	world.marks += on;
	world.unmarks += !on;
	return true;
}

static bool mark_all(void *arg, bool on)
{
	assert_ptr_equal(arg, &world);
	world.mark_all = on;
	memset(world.marked, on, sizeof(world.marked));
	return true;
}

static const struct pk_capture_ops ops = { match, comment, iface, mark, mark_all };

static struct pk_capture *capture(size_t memory)
{
	static const struct pk_pcapng_section section = { .application = "test" };
	struct pk_capture *c;

	world = (struct world){ 0 };
	assert_int_equal(pk_capture_new(memory, FLOWS, &section, &ops, &world, &c), 0);
	return c;
}

/* Packet ts of a flow: its head, or its frame. */
static void packet(struct pk_capture *c, uint64_t flow, uint64_t ts, bool whole)
{
	static _Alignas(8) uint8_t mem[sizeof(struct pk_sample) + 1000];
	struct pk_sample *s = (void *)mem;

	memset(mem, 0, sizeof(mem));
	s->hdr.ts = ts;
	s->flow = flow;
	s->slot = (uint32_t)flow + 1000;
	s->key.ifindex = 2;
	s->frame_len = 1000;
	s->data_len = whole ? 1000 : 54;
	s->why = whole ? PK_SAMPLE_RECORD : PK_SAMPLE_KEEP;
	memcpy(s + 1, &ts, sizeof(ts));
	pk_capture_packet(c, s);
}

static void report(struct pk_capture *c, uint64_t flow, uint64_t ts, uint64_t start,
		   uint64_t packets, bool final)
{
	struct pk_flow_report r = { .why = PK_REPORT_ACTIVE, .final = final };

	r.hdr.ts = ts;
	r.flow.key.ifindex = 2;
	r.flow.meta.id = flow;
	r.flow.meta.start_ns = start;
	r.flow.dir[0].packets = packets;
	pk_capture_flow(c, &r);
}

static struct pk_recording *record(struct pk_capture *c, uint64_t now, uint64_t before)
{
	struct pk_recording_conf conf = { .before_ns = before };
	struct pk_recording *r;

	assert_int_equal(pk_capture_record(c, &conf, now, &r), 0);
	return r;
}

/* Times of the packets in a file, as "3 4! 5": ! is a whole frame. */
static const char *text_of(const struct pk_buf *b)
{
	static char text[65536];
	size_t n = 0;

	text[0] = '\0';
	assert_int_equal(b->error, 0);
	for (size_t at = 0; at < b->len;) {
		struct pk_pcapng_seen s;
		uint32_t type, len;

		assert_true(pk_pcapng_block(b->data + at, b->len - at, &type, &len));
		if (type == PK_PCAPNG_PACKET) {
			assert_true(pk_pcapng_read_packet(b->data + at, len, &s));
			n += snprintf(text + n, sizeof(text) - n, "%s%u%s", n ? " " : "",
				      (unsigned)s.ts_ns, s.len == s.wire_len ? "!" : "");
		}
		at += len;
	}
	return text;
}

#define expect(r, t) assert_string_equal(text_of(&(r)->w.out), t)

/* The process is known with the first report only: the flow is there from its first packet. */
static void test_beginning(void **state)
{
	struct pk_capture *c = capture(1 << 20);
	struct pk_recording *r = record(c, 1, 0);

	(void)state;
	assert_true(world.mark_all);
	world.match[3] = -EAGAIN;
	world.match[4] = -EAGAIN;
	world.reported[3] = 1;
	for (uint64_t i = 10; i < 14; i++) { /* heads before frames */
		packet(c, 3, i, false);
		packet(c, 4, i + 100, false);
	}
	for (uint64_t i = 10; i < 16; i++) {
		packet(c, 3, i, true);
		packet(c, 4, i + 100, true);
	}
	expect(r, "");
	report(c, 3, 20, 10, 6, false);
	report(c, 4, 21, 110, 6, false);
	packet(c, 4, 22, true); /* other views of it may tell more */
	assert_int_equal(world.unmarks, 0);
	report(c, 4, S / 2, 110, 6, false);
	expect(r, "10! 11! 12! 13! 14! 15!");
	assert_int_equal(world.marks, 0); /* its frames come anyway */
	assert_int_equal(world.unmarks, 1);
	packet(c, 3, 22, true);
	packet(c, 4, S / 2 + 1, true); /* was under way */
	packet(c, 3, 24, false);       /* sampled: the frame comes too */
	packet(c, 3, 24, true);
	expect(r, "10! 11! 12! 13! 14! 15! 22! 24!");
	assert_int_equal(world.unmarks, 1);
	pk_capture_free(c);
}

/* Refused at first, wanted later: what it says of itself grew. And frames that go on coming
 * although the kernel was told. */
static void test_refused(void **state)
{
	struct pk_capture *c = capture(1 << 20);
	struct pk_recording *r = record(c, 1, 0);

	(void)state;
	packet(c, 3, 10, true);
	assert_int_equal(world.unmarks, 1);
	for (uint64_t i = 11; i < 20; i++)
		packet(c, 3, i, true);
	assert_int_equal(world.unmarks, 1);
	packet(c, 3, 2 * S, true);
	packet(c, 3, 2 * S + 1, true);
	assert_int_equal(world.unmarks, 2);
	assert_int_equal(world.asked, 1); /* and not for each packet */
	world.reported[3] = 1;
	report(c, 3, 3 * S, 10, 20, false);
	assert_int_equal(world.marks, 1);
	packet(c, 3, 3 * S + 1, true);
	assert_int_equal(r->w.packets, 1);
	assert_int_equal(r->flows, 1);
	pk_capture_free(c);
}

/* Known at the first packet, whichever of its two records comes first. */
static void test_known_at_once(void **state)
{
	(void)state;
	for (int heads_first = 0; heads_first < 2; heads_first++) {
		struct pk_capture *c = capture(1 << 20);
		struct pk_recording *r = record(c, 1, 0);

		world.match[3] = 1;
		world.match[4] = 0;
		for (uint64_t i = 10; i < 14; i++) {
			packet(c, 3, i, !heads_first);
			packet(c, 3, i, heads_first);
			packet(c, 4, i, !heads_first);
			packet(c, 4, i, heads_first);
		}
		expect(r, "10! 11! 12! 13!");
		assert_int_equal(world.unmarks, 1);
		pk_capture_free(c);
	}
}

/* Begins in the middle of a flow: what memory holds, then heads until frames come, none twice. */
static void test_middle(void **state)
{
	struct pk_capture *c = capture(1 << 20);
	struct pk_recording *r;

	(void)state;
	world.match[3] = world.reported[3] = 1;
	for (uint64_t i = 10; i < 13; i++)
		packet(c, 3, i, false);
	packet(c, 4, 13, false);
	r = record(c, 100, 0);
	expect(r, "10 11 12");
	packet(c, 3, 101, false); /* before the mark was in force */
	packet(c, 3, 102, false); /* and its head, once it was */
	expect(r, "10 11 12");
	packet(c, 3, 102, true);
	expect(r, "10 11 12 101 102!");
	packet(c, 3, 103, true);
	packet(c, 3, 103, false);
	packet(c, 3, 101, false); /* from another CPU, late */
	expect(r, "10 11 12 101 102! 103! 101");
	pk_capture_free(c);
}

/* No frames come: what memory holds is written a moment later. */
static void test_no_frames(void **state)
{
	struct pk_capture *c = capture(1 << 20);
	struct pk_recording *r = record(c, 1, 0);

	(void)state;
	world.match[3] = 1;
	packet(c, 3, 10, false);
	packet(c, 3, 11, false);
	expect(r, "");
	pk_capture_tick(c, S, 0);
	expect(r, "10 11");
	packet(c, 3, S + 5, false); /* the next one waits as long, */
	expect(r, "10 11");
	packet(c, 3, S + 5, true); /* and not in vain */
	expect(r, "10 11 1000000005!");
	pk_capture_free(c);
}

/* A flow that has ended before it was reported once. */
static void test_short(void **state)
{
	struct pk_capture *c = capture(1 << 20);
	struct pk_recording *r = record(c, 1, 0);

	(void)state;
	world.match[3] = -EAGAIN;
	world.reported[3] = 1;
	for (uint64_t i = 10; i < 14; i++)
		packet(c, 3, i, true);
	report(c, 3, 50, 10, 6, true);
	packet(c, 3, 14, true); /* its ring was read later */
	expect(r, "10! 11! 12! 13! 14!");
	assert_int_equal(world.unmarks + world.marks, 0);
	pk_capture_tick(c, 3 * S, 0); /* settled: the sixth never came */
	assert_int_equal(r->w.missed, 1);
	pk_capture_record_end(c, r, 4 * S, "user");
	assert_int_equal(r->w.missed, 1);
	assert_false(world.mark_all);
	pk_capture_free(c);
}

static void test_before(void **state)
{
	struct pk_capture *c = capture(1 << 20);
	struct pk_recording *all, *some;

	(void)state;
	for (unsigned i = 1; i < 4; i++)
		world.match[i] = world.reported[i] = 1;
	packet(c, 1, 10, false); /* goes on */
	packet(c, 2, 20, false);
	packet(c, 3, 30, false);
	packet(c, 2, 80, false);
	packet(c, 1, 90, false);
	report(c, 2, 95, 20, 2, true);
	all = record(c, 100, 0);
	expect(all, "10 30 90");
	some = record(c, 100, 30);
	expect(some, "80 90");
	pk_capture_record_free(c, all);
	pk_capture_record_free(c, some);
	pk_capture_free(c);
}

static void test_two(void **state)
{
	struct pk_capture *c = capture(1 << 20);
	struct pk_recording *a, *b, *r;
	struct pk_capture_counts n;

	(void)state;
	world.match[3] = world.reported[3] = 1;
	packet(c, 3, 10, false);
	a = record(c, 20, 0);
	packet(c, 3, 21, true);
	b = record(c, 30, 0);
	packet(c, 3, 31, true);
	expect(a, "10 21! 31!");
	expect(b, "10 31!"); /* frames that went to a file are not kept */
	assert_int_equal(world.marks + world.unmarks, 0); /* all were marked */
	for (int i = 2; i < PK_RECORDINGS_MAX; i++)
		record(c, 40, 0);
	assert_int_equal(pk_capture_record(c, &a->conf, 50, &r), -EBUSY);
	pk_capture_record_free(c, a);
	assert_int_equal(world.unmarks, 0);
	assert_true(world.mark_all);
	packet(c, 3, 51, true);
	expect(b, "10 31! 51!");
	while ((r = pk_capture_record_next(c, NULL)))
		pk_capture_record_free(c, r);
	assert_false(world.mark_all);
	pk_capture_counts(c, &n);
	assert_int_equal(n.recordings, 0);
	assert_int_equal(n.recordings_ever, 4);
	assert_int_equal(n.recorded, 0);
	packet(c, 3, 60, true); /* was under way: nobody's */
	pk_capture_counts(c, &n);
	assert_int_equal(n.memory.taken, 1);
	pk_capture_free(c);
}

/* One takes a flow at once, the other when its process is known: both have it from the beginning.
 */
static void test_second_later(void **state)
{
	struct pk_capture *c = capture(1 << 20);
	struct pk_recording *a = record(c, 1, 0), *b = record(c, 2, 0);

	(void)state;
	world.match[4] = -EAGAIN;
	world.reported[4] = 1;
	world.first_only = true;
	for (uint64_t i = 20; i < 25; i++)
		packet(c, 4, i, true);
	expect(a, "20! 21! 22! 23! 24!");
	expect(b, "");
	report(c, 4, 30, 20, 5, false);
	expect(b, "20! 21! 22! 23! 24!");
	packet(c, 4, 31, true);
	expect(a, "20! 21! 22! 23! 24! 31!");
	expect(b, "20! 21! 22! 23! 24! 31!");
	pk_capture_free(c);
}

/* A limit ends it in the middle of a batch: marks are taken back at once. */
static void test_limit(void **state)
{
	struct pk_recording_conf conf = { .packets = 2 };
	struct pk_capture *c = capture(1 << 20);
	struct pk_recording *r;

	(void)state;
	assert_int_equal(pk_capture_record(c, &conf, 1, &r), 0);
	world.match[3] = 1;
	for (uint64_t i = 10; i < 20; i++)
		packet(c, 3, i, true);
	assert_string_equal(r->ended, "packets");
	expect(r, "10! 11!");
	assert_false(world.mark_all);
	pk_capture_record_free(c, r);
	conf = (struct pk_recording_conf){ .duration_ns = S };
	assert_int_equal(pk_capture_record(c, &conf, 2 * S, &r), 0);
	pk_capture_tick(c, 3 * S - 1, 0);
	assert_null(r->ended);
	pk_capture_tick(c, 3 * S, 0);
	assert_string_equal(r->ended, "duration");
	pk_capture_free(c);
}

/* More flows than are known at once: a recording ends for those that leave, with their marks. */
static void test_many_flows(void **state)
{
	struct pk_capture *c = capture(1 << 20);
	struct pk_recording *r = record(c, 1, 0);
	struct pk_capture_counts n;
	unsigned marked = 0;

	(void)state;
	for (unsigned i = 0; i < FLOWS; i++)
		world.match[i] = 1;
	for (uint64_t i = 0; i < FLOWS; i++)
		packet(c, i, 10 + i, false);
	pk_capture_counts(c, &n);
	assert_int_equal(n.recorded, FLOWS);
	assert_int_equal(r->flows, FLOWS);
	pk_capture_free(c);
	c = capture(1 << 20);
	r = record(c, 1, 0);
	world.match[3] = 1;
	packet(c, 3, 5, false);
	world.match[3] = world.reported[3] = 0;
	for (uint64_t i = 0; i < 3 * FLOWS; i++) {
		struct pk_flow_report e = { .why = PK_REPORT_START };

		e.flow.meta.id = FLOWS + i; /* no slot known: nothing to mark */
		pk_capture_flow(c, &e);
	}
	for (unsigned i = 0; i < FLOWS; i++)
		marked += world.marked[i];
	assert_int_equal(marked, FLOWS - 1); /* it has left: nobody would know it */
	assert_false(world.marked[3]);
	pk_capture_record_free(c, r);
	pk_capture_free(c);
}

static void test_freeze(void **state)
{
	struct pk_capture *c = capture(1 << 20);
	struct pk_recording *r;
	struct pk_buf out = { 0 };
	uint64_t n;

	(void)state;
	world.match[1] = world.match[2] = 1;
	world.match[3] = 0;
	for (uint64_t i = 10; i < 16; i++)
		packet(c, i % 3 + 1, i, false);
	assert_int_equal(pk_capture_freeze(c, NULL, "x", 12, 100, &out, &n), 0);
	assert_string_equal(text_of(&out), "12 13 15");
	assert_int_equal(n, 3);
	assert_non_null(memmem(out.data, out.len, "flow 2", 6));
	pk_buf_reset(&out);
	world.match[4] = -EAGAIN; /* not decided yet: frames in memory, heads beside them */
	r = record(c, 100, 0);
	packet(c, 4, 101, false);
	packet(c, 4, 101, true);
	packet(c, 4, 102, true);
	packet(c, 4, 102, false);
	world.match[4] = 1;
	assert_int_equal(pk_capture_freeze(c, NULL, NULL, 50, 200, &out, &n), 0);
	assert_string_equal(text_of(&out), "101! 102!");
	pk_capture_record_free(c, r);
	pk_buf_done(&out);
	pk_capture_free(c);
}

/*
 * Flows of many kinds, their heads and frames through two rings that are read in turns of any
 * length: each packet of a flow that is wanted is in the file exactly once, whole if its frame was
 * sent.
 */
static void test_any_order(void **state)
{
	enum { N = 300 };

	(void)state;
	for (unsigned seed = 1; seed <= 200; seed++) {
		struct pk_capture *c = capture(4 << 20);
		struct pk_recording *r;
		unsigned sent[2] = { 0 }, count[2][N + 1] = { 0 };
		char *text, *word, *save = NULL;

		srand(seed);
		r = record(c, 1, 0);
		for (unsigned f = 1; f < 5; f++) {
			world.match[f] = f % 2 ? (rand() % 2 ? -EAGAIN : 1) : 0;
			world.reported[f] = f % 2;
		}
		while (sent[0] < N || sent[1] < N) {
			unsigned ring = rand() % 2, turn = rand() % 20;

			for (; turn && sent[ring] < N; turn--) {
				unsigned i = ++sent[ring], flow = i % 4 + 1;

				if (ring == 1 || i < 40 || i % 7 == 0)
					packet(c, flow, 1000 + i, ring);
			}
			if (rand() % 4 == 0)
				for (unsigned f = 1; f < 5; f++)
					report(c, f, 2000, 1001, 1, false);
		}
		for (unsigned f = 1; f < 5; f++)
			report(c, f, 3000, 1001, N / 4, true);
		pk_capture_record_end(c, r, 5000, "user");
		text = strdup(text_of(&r->w.out));
		for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
			count[!!strchr(word, '!')][atoi(word) - 1000]++;
		for (unsigned i = 1; i <= N; i++) {
			assert_int_equal(count[1][i], (i % 4 + 1) % 2);
			assert_int_equal(count[0][i], 0);
		}
		assert_int_equal(r->w.missed, 0);
		free(text);
		pk_capture_record_free(c, r);
		pk_capture_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beginning),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_known_at_once), cmocka_unit_test(test_middle),
		cmocka_unit_test(test_no_frames),     cmocka_unit_test(test_short),
		cmocka_unit_test(test_before),        cmocka_unit_test(test_two),
		cmocka_unit_test(test_second_later),  cmocka_unit_test(test_limit),
		cmocka_unit_test(test_many_flows),    cmocka_unit_test(test_freeze),
		cmocka_unit_test(test_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
