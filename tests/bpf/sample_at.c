/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples at each hook and of each layer, and what bounds them: the configuration, the rate, the
 * ring. What of a conversation is taken is sample.c's.
 */
#include "talk.h"

static uint8_t p[600];
static uint32_t n;

static void begin6(struct frame *f)
{
	frame_ip6(f, 6, 1, 2);
	frame_tcp(f, 1000, 443, ACK, 101, 501, 0);
	frame_put(f, p, n);
	frame_end(f);
}

static void begin4(struct frame *f)
{
	tcp_frame(f, true, 443, ACK, 101, p, n);
}

/* The hello of the frame, from any program, with its payload at `off`. */
static void check(const char *prog, const struct frame *f, uint32_t off, int depth)
{
	const struct pk_sample *s;

	talk_reset();
	(void)bed_run_bytes(&bed, prog, f->b, f->n);
	s = look();
	assert_payload(s, PK_APP_TLS, p, n);
	assert_int_equal(s->payload_off, off);
	assert_int_equal(s->key.depth, depth);
	assert_int_equal(s->frame_len, f->n);
	assert_memory_equal(pk_sample_data(s), f->b, off);
}

static void check_all(const struct frame *f, uint32_t off, int depth)
{
	check(PK_PROG_XDP, f, off, depth);
	assert_int_equal(got.ev.sample->where, PK_AT_INGRESS);
	check(PK_PROG_TC_IN, f, off, depth);
	assert_int_equal(got.ev.sample->where, PK_AT_INGRESS);
	check(PK_PROG_TC_OUT, f, off, depth);
	assert_int_equal(got.ev.sample->where, PK_AT_EGRESS);
}

static void test_layers(void **state)
{
	struct frame f = { 0 };

	(void)state;
	frame_eth(&f, 0x86dd);
	begin6(&f);
	check_all(&f, 74, 0);
	memset(&f, 0, sizeof(f));
	frame_eth(&f, 0x88a8);
	frame_tag(&f, 5, 0x8100);
	frame_tag(&f, 6, 0x0800);
	begin4(&f);
	check_all(&f, 62, 0);
	assert_int_equal(got.ev.sample->l3_off, 22);
	assert_int_equal(got.ev.sample->key.vlan[1], 6);
	memset(&f, 0, sizeof(f));
	frame_eth(&f, 0x86dd);
	frame_ip6(&f, 60, 1, 2);
	frame_ext(&f, 6, 3);
	frame_tcp(&f, 1000, 443, ACK, 101, 501, 0);
	frame_put(&f, p, n);
	frame_end(&f);
	check_all(&f, 106, 0);
}

static void test_tunnels(void **state)
{
	struct frame f = { 0 };

	(void)state;
	frame_eth(&f, 0x0800);
	frame_ip4(&f, 17, 0xc0000201, 0xc0000202);
	frame_udp(&f, 9, 4789);
	frame_32(&f, 0x08000000);
	frame_32(&f, 77 << 8);
	frame_eth(&f, 0x0800);
	begin4(&f);
	check_all(&f, 50 + 54, 1);
	assert_int_equal(got.ev.sample->l3_off, 64);
	assert_int_equal(got.ev.sample->key.vni, 77);
	memset(&f, 0, sizeof(f));
	frame_eth(&f, 0x86dd);
	frame_ip6(&f, 4, 7, 8);
	begin4(&f);
	check_all(&f, 54 + 40, 1);
}

/* Without an Ethernet header: 8.0.x.y is what a test run takes for the type of IPv4. */
static void test_raw(void **state)
{
	struct frame f = { 0 };

	(void)state;
	frame_ip4(&f, 6, 0x08000001, SERVER);
	frame_tcp(&f, 1000, 443, ACK, 101, 501, 0);
	frame_put(&f, p, n);
	frame_end(&f);
	check(PK_PROG_TC_OUT_L3, &f, 40, 0);
	assert_int_equal(got.ev.sample->raw, 1);
	assert_int_equal(got.ev.sample->l3_off, 0);
	check(PK_PROG_TC_IN_L3, &f, 40, 0);
	memset(&f, 0, sizeof(f));
	frame_eth(&f, 0x0800);
	begin4(&f);
	check(PK_PROG_TC_OUT, &f, 54, 0);
	assert_int_equal(got.ev.sample->raw, 0);
}

/* Merged segments: one sample, with the bytes of the hello alone. */
static void test_gso(void **state)
{
	struct __sk_buff ctx = { .gso_segs = 5, .gso_size = 1448 };
	LIBBPF_OPTS(bpf_test_run_opts, o, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	static uint8_t big[3000];
	struct frame f = { 0 };
	uint32_t len = hello(big, 1, 2000);

	(void)state;
	talk_reset();
	frame_eth(&f, 0x0800);
	tcp_frame(&f, true, 443, ACK, 101, big, sizeof(big));
	o.data_in = f.b;
	o.data_size_in = f.n;
	ctx.wire_len = f.n + 4 * 54;
	assert_int_equal(bpf_prog_test_run_opts(pk_object_prog_fd(bed.o, PK_PROG_TC_OUT), &o), 0);
	assert_payload(look(), PK_APP_TLS, big, len);
	assert_int_equal(got.ev.sample->frame_len, f.n + 4 * 54);
	assert_int_equal(bed_flow(&bed, 0, 0)->dir[0].packets, 5);
}

/* What the capture has of a packet that was longer. */
static void test_cut_capture(void **state)
{
	struct frame f = { 0 };
	const struct pk_sample *s;

	(void)state;
	talk_reset();
	frame_eth(&f, 0x0800);
	begin4(&f);
	bed.clock->wire_bytes = f.n;
	assert_int_equal(bed_run_bytes(&bed, PK_PROG_XDP, f.b, 100), 2);
	bed.clock->wire_bytes = 0;
	s = look();
	assert_payload(s, PK_APP_TLS, p, 46);
	assert_int_equal(s->payload_len, n);
	assert_int_equal(s->frame_len, f.n);
}

/* The program for kernels that know no fragments in XDP copies in another way. */
static void test_linear(void **state)
{
	static const char *const progs[] = { PK_PROG_SWEEP, NULL };
	struct pk_object_opts opts = {
		.slots = 1024, .netns = NETNS, .replaying = true, .progs = progs
	};
	struct pk_object *o;
	struct ring_buffer *ring;
	struct frame f = { 0 };

	(void)state;
	assert_int_equal(pk_object_open(&opts, &o), 0);
	assert_int_equal(pk_object_autoload(o, PK_PROG_XDP_LINEAR, true), 0);
	assert_int_equal(pk_object_load(o), 0);
	ring = ring_buffer__new(pk_object_map_fd(o, "pk_rb_sample"), talk_on_sample, NULL, NULL);
	frame_eth(&f, 0x0800);
	begin4(&f);
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = f.b, .data_size_in = f.n);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(bpf_object__find_program_by_name(
							pk_object_bpf(o), PK_PROG_XDP_LINEAR)),
						&run),
			 0);
	assert_payload(talk_read(ring), PK_APP_TLS, p, n);
	ring_buffer__free(ring);
	pk_object_free(o);
}

static void test_off(void **state)
{
	struct pk_sample_count before, after;

	(void)state;
	handshake(443);
	talk_knobs(&(struct pk_knobs){ .sample_off = 1 << PK_APP_TLS });
	before = talk_count(PK_APP_TLS);
	say(443, 0, p, n);
	assert_null(look());
	after = talk_count(PK_APP_TLS);
	assert_int_equal(after.off - before.off, 1);
	assert_int_equal(after.sampled, before.sampled);
	/* its headers may be kept all the same */
	handshake(443);
	talk_knobs(&(struct pk_knobs){
		.sample_off = 1 << PK_APP_TLS, .keep_packets = 9, .keep_rate = 100 });
	tcp(true, 444, ACK, 101, p, n);
	assert_non_null(look());
	assert_int_equal(got.ev.sample->why, PK_SAMPLE_KEEP);
	assert_int_equal(got.ev.sample->data_len, 54);
	/* rate 0: nothing of new flows is looked at */
	handshake(443);
	talk_knobs(&(struct pk_knobs){ .sample_rate = UINT32_MAX });
	assert_int_equal(bed_flow(&bed, 0, 0)->dir[0].started, PK_DIR_OPEN | PK_DIR_SAMPLE);
}

static void test_rate(void **state)
{
	struct pk_sample_count before = talk_count(PK_APP_DNS), after;

	(void)state;
	talk_reset();
	talk_knobs(&(struct pk_knobs){ .sample_rate = 10 });
	for (int i = 0; i < 25; i++)
		udp(CLIENT, 5000, 53, "0123456789ab", 12);
	(void)look();
	/* per CPU, of which the test may have seen several */
	after = talk_count(PK_APP_DNS);
	assert_in_range(got.n, 10, 10 * bed.cpus);
	assert_int_equal(after.limited - before.limited, 25 - got.n);
	udp(CLIENT, 67, 68, "0123456789ab", 12); /* one does not use up the other's */
	expect(PK_APP_DHCP, "0123456789ab", 12);
	bed.clock->now_ns += SEC;
	udp(CLIENT, 5000, 53, "0123456789ab", 12);
	expect(PK_APP_DNS, "0123456789ab", 12);
}

/* Nobody reads: counted, and the packet goes on. */
static void test_full_ring(void **state)
{
	struct pk_sample_count before = talk_count(PK_APP_DNS), after;
	static uint8_t big[4000];
	struct frame f = { 0 };

	(void)state;
	talk_reset();
	frame_eth(&f, 0x0800);
	frame_ip4(&f, 17, CLIENT, SERVER);
	frame_udp(&f, 53, 5000);
	frame_put(&f, big, sizeof(big));
	frame_end(&f);
	for (int i = 0; i < 4000; i++)
		bed_xdp(&bed, &f);
	after = talk_count(PK_APP_DNS);
	assert_true(after.ring_full > before.ring_full);
	assert_int_equal(after.seen - before.seen, 4000);
	(void)look();
	assert_int_equal(got.n, after.sampled - before.sampled);
	assert_int_equal(got.n + after.ring_full - before.ring_full, 4000);
	assert_int_equal(bed_flow(&bed, 0, 0)->dir[0].packets, 4000);
}

static void test_keep(void **state)
{
	const struct pk_sample *s;
	struct frame f = { 0 };

	(void)state;
	talk_reset();
	talk_knobs(&(struct pk_knobs){ .keep_packets = 3, .keep_rate = 1000 });
	tcp(true, 443, SYN, 100, "", 0);
	s = look();
	assert_non_null(s);
	assert_int_equal(s->why, PK_SAMPLE_KEEP);
	assert_int_equal(s->app, PK_APP_NONE);
	assert_int_equal(s->data_len, 54);
	assert_int_equal(s->tcp_flags, SYN);
	tcp(false, 443, SYN | ACK, 500, "", 0);
	tcp(true, 443, ACK, 101, "", 0);
	(void)look();
	assert_int_equal(got.n, 2);
	say(443, 0, p, n); /* the third packet, and a sample: one record */
	expect(PK_APP_TLS, p, n);
	assert_int_equal(got.ev.sample->why, PK_SAMPLE_PAYLOAD | PK_SAMPLE_KEEP);
	for (uint32_t i = 0; i < 10; i++)
		say(443, n + i, "x", 1);
	assert_null(look());
	assert_int_equal(bed_flow(&bed, 0, 0)->dir[0].started, PK_DIR_OPEN);
	/* headers alone, of what has no ports */
	talk_reset();
	talk_knobs(&(struct pk_knobs){ .keep_packets = 3, .keep_rate = 1000 });
	frame_eth(&f, 0x0800);
	frame_ip4(&f, 89, CLIENT, SERVER);
	frame_fill(&f, 30);
	frame_end(&f);
	bed_xdp(&bed, &f);
	assert_non_null(look());
	assert_int_equal(got.ev.sample->data_len, 34);
	/* and so many a second */
	talk_reset();
	talk_knobs(&(struct pk_knobs){ .keep_packets = 1, .keep_rate = 5 });
	for (uint16_t i = 0; i < 40; i++)
		udp(CLIENT, 5000 + i, 9999, "x", 1);
	(void)look();
	assert_in_range(got.n, 5, 5 * bed.cpus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),      cmocka_unit_test(test_tunnels),
		cmocka_unit_test(test_raw),         cmocka_unit_test(test_gso),
		cmocka_unit_test(test_cut_capture), cmocka_unit_test(test_linear),
		cmocka_unit_test(test_off),         cmocka_unit_test(test_rate),
		cmocka_unit_test(test_full_ring),   cmocka_unit_test(test_keep),
	};

	if (bed_skip())
		return 0;
	n = hello(p, 1, 500);
	return cmocka_run_group_tests_name("sample_at", tests, talk_open, talk_close);
}
