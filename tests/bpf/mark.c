/* SPDX-License-Identifier: Apache-2.0 */
/* Flows that are recorded or cut: what the kernel does with them, and what the broker lets through.
 */
#include "talk.h"

#include "probe/mark.h"

#include <errno.h>

static struct pk_knobs knobs;
static struct pk_marks marks;

static int mark(uint64_t flow, uint32_t slot, uint32_t set, uint32_t clear)
{
	struct pk_msg_mark m = { .flow = flow, .slot = slot, .set = set, .clear = clear };

	return pk_marks_apply(&marks, &m, bed.clock->now_ns);
}

static int mark_flow(const struct pk_flow *f, uint32_t set, uint32_t clear)
{
	return mark(f->meta.id, f - bed.flows, set, clear);
}

static void start(uint16_t port)
{
	handshake(port);
	pk_knobs_default(&knobs, bed.slots);
	marks = (struct pk_marks){ .obj = bed.o, .knobs = &knobs };
}

static void test_record(void **state)
{
	static uint8_t big[8000];
	const struct pk_sample *s;
	struct pk_flow *f;

	(void)state;
	start(3389);
	f = bed_flow(&bed, 0, 0);
	assert_int_equal(mark_flow(f, PK_DIR_RECORD, 0), 0);
	say(3389, 0, big, sizeof(big));
	s = talk_read(records);
	assert_non_null(s);
	assert_int_equal(got.n, 1);
	assert_int_equal(s->why, PK_SAMPLE_RECORD);
	assert_int_equal(s->data_len, 54 + sizeof(big));
	assert_int_equal(s->frame_len, 54 + sizeof(big));
	assert_int_equal(s->flow, f->meta.id);
	answer(3389, 0, "", 0); /* without payload, too */
	say(3389, 8000, "x", 1);
	s = talk_read(records);
	assert_int_equal(got.n, 2);
	assert_int_equal(s->dir, 1);
	assert_int_equal(s->data_len, 54);
	assert_null(look());
	assert_int_equal(mark_flow(f, 0, PK_DIR_RECORD), 0);
	say(3389, 8001, "x", 1);
	assert_null(talk_read(records));
	/* a sample is taken beside it */
	start(80);
	assert_int_equal(mark_flow(bed_flow(&bed, 0, 0), PK_DIR_RECORD, 0), 0);
	say(80, 0, "GET / HTTP/1.1\r\n\r\n", 18);
	expect(PK_APP_HTTP, "GET / HTTP/1.1\r\n\r\n", 18);
	assert_non_null(talk_read(records));
	assert_int_equal(got.ev.sample->app, PK_APP_HTTP);
}

static void test_record_all(void **state)
{
	(void)state;
	start(3389);
	assert_int_equal(mark(0, 0, PK_DIR_RECORD, 0), 0);
	assert_int_equal(knobs.mark, PK_DIR_RECORD);
	say(3389, 0, "x", 1);
	assert_non_null(talk_read(records));
	udp(CLIENT, 5000, 9999, "x", 1); /* and new ones from their first packet */
	udp(CLIENT, 5000, 9999, "x", 1);
	assert_non_null(talk_read(records));
	assert_int_equal(got.n, 2);
	assert_int_equal(pk_marks_reset(&marks), 0);
	assert_int_equal(knobs.mark, 0);
	say(3389, 1, "x", 1);
	udp(CLIENT, 5001, 9999, "x", 1);
	udp(CLIENT, 5000, 9999, "x", 1);
	assert_null(talk_read(records));
}

static void test_cut(void **state)
{
	uint64_t dropped = bed_count(&bed, PK_HOOK_XDP, PK_PKT_CUT), packets;
	struct pk_flow *f;
	uint64_t id;

	(void)state;
	start(443);
	f = bed_flow(&bed, 0, 0);
	id = f->meta.id;
	packets = f->dir[0].packets;
	assert_int_equal(mark_flow(f, PK_DIR_CUT, 0), 0);
	assert_int_equal(tcp(true, 443, ACK, 101, "x", 1), 1); /* XDP_DROP */
	assert_int_equal(tcp(false, 443, ACK, 501, "x", 1), 1);
	assert_int_equal(tcp(false, 443, SYN | ACK, 500, "", 0), 1);
	assert_int_equal(f->dir[0].packets, packets);
	assert_int_equal(bed_count(&bed, PK_HOOK_XDP, PK_PKT_CUT), dropped + 3);
	/* Retransmissions find it cut for a quarter of an hour after the last one. */
	for (int i = 0; i < 3; i++) {
		bed.clock->now_ns += 14 * 60 * SEC;
		(void)bed_sweep(&bed, bed.clock->now_ns, false);
		assert_int_equal(tcp(true, 443, ACK, 101, "x", 1), 1);
	}
	/* Who connects anew begins a new flow; the old one is told as ended. */
	assert_int_equal(tcp(true, 443, SYN, 7000, "", 0), 2);
	assert_int_equal(tcp(false, 443, SYN | ACK, 9000, "", 0), 2);
	f = bed_flow(&bed, 0, 0);
	assert_int_not_equal(f->meta.id, id);
	assert_int_equal(f->dir[0].started & PK_DIR_CUT, 0);
	assert_int_equal(mark_flow(f, PK_DIR_CUT, 0), 0);
	assert_int_equal(mark_flow(f, 0, PK_DIR_CUT), 0);
	assert_int_equal(tcp(true, 443, ACK, 7001, "x", 1), 2);
	assert_int_equal(mark_flow(f, PK_DIR_CUT, 0), 0);
	bed.clock->now_ns += 16 * 60 * SEC;
	(void)bed_sweep(&bed, bed.clock->now_ns, false); /* the first tells it */
	(void)bed_sweep(&bed, bed.clock->now_ns, false);
	assert_int_equal(bed_in_state(&bed, PK_TAG_LIVE), 0);
}

/* tc drops, too; an inner packet takes its outer one along. */
static void test_cut_elsewhere(void **state)
{
	struct frame f = { 0 }, in = { 0 };

	(void)state;
	start(443);
	assert_int_equal(mark_flow(bed_flow(&bed, 0, 0), PK_DIR_CUT, 0), 0);
	frame_eth(&f, 0x0800);
	tcp_frame(&f, true, 443, ACK, 101, "x", 1);
	assert_int_equal(bed_run_bytes(&bed, PK_PROG_TC_OUT, f.b, f.n), 2); /* TC_ACT_SHOT */
	talk_reset();
	frame_eth(&in, 0x0800);
	frame_ip4(&in, 4, 0xc0000201, 0xc0000202);
	tcp_frame(&in, true, 443, ACK, 101, "x", 1);
	bed_xdp(&bed, &in);
	assert_int_equal(mark_flow(bed_flow(&bed, 1, 0), PK_DIR_CUT, 0), 0);
	assert_int_equal(bed_run_bytes(&bed, PK_PROG_XDP, in.b, in.n), 1);
}

static void test_other_flow(void **state)
{
	struct pk_flow *f;

	(void)state;
	start(443);
	f = bed_flow(&bed, 0, 0);
	assert_int_equal(mark(f->meta.id + 1, f - bed.flows, PK_DIR_CUT, 0), 0);
	assert_int_equal(mark(f->meta.id, (f - bed.flows) ^ 1, PK_DIR_CUT, 0), 0);
	assert_int_equal(tcp(true, 443, ACK, 101, "x", 1), 2);
}

static void test_refused(void **state)
{
	struct pk_blk_safe_key key = { .bits = 128 };
	struct pk_blk_safe safe = { .kinds = PK_BLK_SAFE_ADMIN };
	int fd = pk_object_map_fd(bed.o, "pk_blk_safe");
	struct pk_flow *f;

	(void)state;
	start(22);
	f = bed_flow(&bed, 0, 0);
	assert_int_equal(mark_flow(f, 0, 0), -EINVAL);
	assert_int_equal(mark_flow(f, PK_DIR_SAMPLE, 0), -EINVAL);
	assert_int_equal(mark_flow(f, PK_DIR_SEEN, 0), -EINVAL);
	assert_int_equal(mark(0, 0, PK_DIR_CUT, 0), -EINVAL);
	assert_int_equal(mark(1, bed.slots, PK_DIR_CUT, 0), -EINVAL);
	/* The remote end, which sends what comes in, is the administrator's. */
	f->dir[0].where = PK_AT_INGRESS;
	f->dir[1].where = PK_AT_EGRESS;
	memcpy(key.addr, f->key.addr[0], 16);
	assert_int_equal(bpf_map_update_elem(fd, &key, &safe, BPF_ANY), 0);
	assert_int_equal(mark_flow(f, PK_DIR_CUT, 0), -EPERM);
	assert_int_equal(mark_flow(f, PK_DIR_RECORD, 0), 0);
	safe.kinds = PK_BLK_SAFE_OWN | PK_BLK_SAFE_RESOLVER;
	assert_int_equal(bpf_map_update_elem(fd, &key, &safe, BPF_ANY), 0);
	assert_int_equal(mark_flow(f, PK_DIR_CUT, 0), 0);
	assert_int_equal(bpf_map_delete_elem(fd, &key), 0);
	for (uint32_t i = marks.done; i < PK_MARKS_A_SECOND; i++)
		assert_int_equal(mark_flow(f, PK_DIR_CUT, 0), 0);
	assert_int_equal(mark_flow(f, PK_DIR_CUT, 0), -EAGAIN);
	assert_int_equal(marks.refused, 1);
	bed.clock->now_ns += SEC;
	assert_int_equal(mark_flow(f, 0, PK_DIR_CUT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),     cmocka_unit_test(test_record_all),
		cmocka_unit_test(test_cut),        cmocka_unit_test(test_cut_elsewhere),
		cmocka_unit_test(test_other_flow), cmocka_unit_test(test_refused),
	};

	if (bed_skip())
		return 0;
	return cmocka_run_group_tests_name("mark", tests, talk_open, talk_close);
}
