/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flow table under the loaded programs: TCP state, quota, a full table, the end of flows, a
 * full ring, two CPUs at once. Sums are exact everywhere.
 */
#include "load.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <time.h>

#define CLIENT 0x0a000001u
#define SERVER 0x0a000002u
#define FIN    0x01
#define SYN    0x02
#define RST    0x04
#define ACK    0x10
#define SEC    1000000000ull

struct seg {
	uint32_t from, to;
	uint16_t sport, dport;
	uint8_t flags;
	uint32_t seq, ack, payload;
};

static void make(struct frame *f, const struct seg *s)
{
	memset(f, 0, sizeof(*f));
	frame_eth(f, 0x0800);
	frame_ip4(f, 6, s->from, s->to);
	frame_tcp(f, s->sport, s->dport, s->flags, s->seq, s->ack, s->payload);
	frame_end(f);
}

static void out(struct bed *t, uint16_t port, uint8_t flags, uint32_t seq, uint32_t ack,
		uint32_t payload)
{
	struct frame f;

	make(&f, &(struct seg){ CLIENT, SERVER, port, 80, flags, seq, ack, payload });
	bed_xdp(t, &f);
}

static void back(struct bed *t, uint16_t port, uint8_t flags, uint32_t seq, uint32_t ack,
		 uint32_t payload)
{
	struct frame f;

	make(&f, &(struct seg){ SERVER, CLIENT, 80, port, flags, seq, ack, payload });
	bed_xdp(t, &f);
}

/* A handshake of 3 ms by the test's clock. */
static void establish(struct bed *t, uint16_t port)
{
	out(t, port, SYN, 100, 0, 0);
	t->clock->now_ns += 1000000;
	back(t, port, SYN | ACK, 500, 101, 0);
	t->clock->now_ns += 2000000;
	out(t, port, ACK, 101, 501, 0);
}

static void set_knobs(struct bed *t, uint64_t half_open_max)
{
	struct pk_knobs k;

	pk_knobs_default(&k, t->slots);
	k.half_open_max = half_open_max;
	assert_int_equal(pk_object_set_knobs(t->o, &k), 0);
}

static void test_handshake(void **state)
{
	struct pk_flow *f;
	struct bed t;

	(void)state;
	bed_open(&t, 1024, true);
	out(&t, 1000, SYN, 100, 0, 0);
	f = bed_flow(&t, 0, 0);
	assert_non_null(f);
	assert_int_equal(f->meta.state, PK_FLOW_HALF_OPEN);
	assert_int_equal(bed_use(&t).half_open, 1);
	t.clock->now_ns += 1000000;
	back(&t, 1000, SYN | ACK, 500, 101, 0);
	assert_int_equal(bed_use(&t).half_open, 1);
	t.clock->now_ns += 2000000;
	out(&t, 1000, ACK, 101, 501, 0);
	assert_int_equal(bed_use(&t).half_open, 0);
	assert_int_equal(f->meta.state, 0);
	assert_int_equal(f->meta.rtt_us, 3000);
	assert_int_equal(f->meta.initiator, 0);
	assert_int_equal(f->meta.start_ns, 1 * SEC);
	assert_int_equal(f->meta.syn_ns, 1 * SEC);
	assert_int_equal(f->meta.synack_ns, 1 * SEC + 1000000);
	assert_int_equal(f->dir[0].packets, 2);
	assert_int_equal(f->dir[1].packets, 1);
	assert_int_equal(f->dir[0].tcp_flags, SYN | ACK);
	assert_int_equal(f->dir[0].ttl, 64);
	assert_int_equal(f->dir[0].last_ns, 1 * SEC + 3000000);
	out(&t, 1000, ACK, 101, 501, 10);
	assert_int_equal(f->dir[0].retransmits, 0);
	out(&t, 1000, ACK, 101, 501, 10);
	out(&t, 1000, ACK, 106, 501, 5);
	assert_int_equal(f->dir[0].retransmits, 2);
	out(&t, 1000, ACK, 111, 501, 0); /* a bare ACK is none */
	assert_int_equal(f->dir[0].retransmits, 2);
	assert_int_equal(f->dir[0].tcp_next, 111);
	assert_int_equal(bed_use(&t).created, 1);
	assert_int_equal(bed_count(&t, PK_HOOK_XDP, PK_PKT_FLOW), 7);
	bed_check_sum(&t, PK_HOOK_XDP);
	bed_close(&t);
}

/* The answer comes first, or the SYN twice: initiator right, no made-up round trip time. */
static void test_odd_handshakes(void **state)
{
	struct pk_flow *f;
	struct bed t;

	(void)state;
	bed_open(&t, 1024, true);
	back(&t, 1000, SYN | ACK, 500, 101, 0);
	f = bed_flow(&t, 0, 0);
	assert_int_equal(f->meta.initiator, 0);
	bed_reset(&t);
	out(&t, 1000, SYN, 100, 0, 0);
	out(&t, 1000, SYN, 100, 0, 0);
	back(&t, 1000, SYN | ACK, 500, 101, 0);
	out(&t, 1000, ACK, 101, 501, 0);
	f = bed_flow(&t, 0, 0);
	assert_int_equal(f->meta.rtt_us, 0);
	assert_int_equal(f->meta.state, 0);
	bed_reset(&t);
	out(&t, 1000, ACK, 100, 77, 10); /* midstream */
	back(&t, 1000, ACK, 77, 110, 10);
	f = bed_flow(&t, 0, 0);
	assert_int_equal(f->meta.state, PK_FLOW_MIDSTREAM);
	bed_close(&t);
}

/* A spoofing sender does not know the server's number: its ACK opens nothing. */
static void test_blind_ack(void **state)
{
	struct bed t;

	(void)state;
	bed_open(&t, 1024, true);
	out(&t, 1000, SYN, 100, 0, 0);
	back(&t, 1000, SYN | ACK, 0x50000000, 101, 0);
	out(&t, 1000, ACK, 101, 0x12345678, 0);
	assert_int_equal(bed_use(&t).half_open, 1);
	out(&t, 1000, ACK, 101, 0x50000001, 0); /* the real one, later */
	assert_int_equal(bed_use(&t).half_open, 0);
	bed_close(&t);
}

static void test_full_table(void **state)
{
	struct pk_agg_key key = {
		.netns = NETNS, .ifindex = 1, .dport = htons(80), .proto = 6, .where = PK_AT_INGRESS
	};
	struct pk_agg agg;
	struct bed t;
	uint16_t i;

	(void)state;
	bed_open(&t, 8, true);
	set_knobs(&t, 100);
	for (i = 0; i < 20; i++)
		out(&t, 1000 + i, SYN, 100, 0, 0);
	assert_int_equal(bed_in_state(&t, PK_TAG_LIVE), 8);
	assert_int_equal(bed_use(&t).used, 8);
	assert_int_equal(bed_use(&t).refused, 12);
	assert_int_equal(bed_count(&t, PK_HOOK_XDP, PK_PKT_FLOW), 8);
	assert_int_equal(bed_count(&t, PK_HOOK_XDP, PK_PKT_AGGREGATE), 12);
	bed_check_sum(&t, PK_HOOK_XDP);
	key.dst[10] = key.dst[11] = 0xff;
	key.dst[12] = 10;
	key.dst[15] = 2;
	assert_int_equal(bpf_map_lookup_elem(pk_object_map_fd(t.o, "pk_aggs"), &key, &agg), 0);
	assert_int_equal(agg.packets, 12);
	assert_int_equal(agg.bytes, 12 * 54);
	bed_close(&t);
}

/* Beyond the quota new flows go to aggregates; what is there goes on, and place made is used. */
static void test_quota(void **state)
{
	struct pk_flow *f;
	struct bed t;
	uint16_t i;

	(void)state;
	bed_open(&t, 1024, true);
	establish(&t, 999);
	set_knobs(&t, 3);
	for (i = 0; i < 10; i++)
		out(&t, 1000 + i, SYN, 100, 0, 0);
	assert_int_equal(bed_use(&t).half_open, 3);
	assert_int_equal(bed_use(&t).used, 4);
	assert_int_equal(bed_count(&t, PK_HOOK_XDP, PK_PKT_AGGREGATE), 7);
	out(&t, 999, ACK, 101, 501, 100);
	for (i = 0; (f = bed_flow(&t, 0, i)); i++)
		if (f->key.port[0] == htons(999))
			assert_int_equal(f->dir[0].packets, 3);
	back(&t, 1000, SYN | ACK, 500, 101, 0);
	out(&t, 1000, ACK, 101, 501, 0);
	out(&t, 2000, SYN, 100, 0, 0);
	assert_int_equal(bed_use(&t).half_open, 3);
	assert_int_equal(bed_use(&t).used, 5);
	bed_check_sum(&t, PK_HOOK_XDP);
	bed_close(&t);
}

/* More destinations than aggregates: the rest by protocol, and no packet is missing. */
static void test_many_aggregates(void **state)
{
	struct pk_agg_key key, next;
	uint32_t proto = 6, n = 0, fd;
	struct pk_agg agg;
	uint64_t sum = 0;
	struct frame f;
	struct bed t;
	int i, r;

	(void)state;
	bed_open(&t, 8, true);
	set_knobs(&t, 0);
	for (i = 0; i < 6000; i++) {
		make(&f, &(struct seg){ CLIENT, 0xc0a80000u + i, 1, 2, SYN, 1, 0, 0 });
		bed_xdp(&t, &f);
	}
	fd = pk_object_map_fd(t.o, "pk_aggs");
	for (r = bpf_map_get_next_key(fd, NULL, &next); !r;
	     r = bpf_map_get_next_key(fd, &key, &next)) {
		key = next;
		assert_int_equal(bpf_map_lookup_elem(fd, &key, &agg), 0);
		sum += agg.packets;
		n++;
	}
	assert_int_equal(n, 4096);
	fd = pk_object_map_fd(t.o, "pk_agg_rest");
	assert_int_equal(bpf_map_lookup_elem(fd, &proto, &agg), 0);
	assert_int_equal(sum + agg.packets, 6000);
	assert_int_equal(bed_count(&t, PK_HOOK_XDP, PK_PKT_AGGREGATE), 6000);
	bed_close(&t);
}

static void test_reports(void **state)
{
	struct pk_sweep_ctx s;
	struct bed t;

	(void)state;
	bed_open(&t, 1024, true);
	establish(&t, 1000);
	s = bed_sweep(&t, 2 * SEC, false);
	assert_int_equal(s.live, 1);
	assert_int_equal(s.reported, 1);
	bed_read(&t);
	assert_int_equal(t.last.why, PK_REPORT_START);
	assert_int_equal(t.last.final, 0);
	assert_int_equal(t.last.hdr.type, PK_EV_FLOW);
	assert_int_equal(t.last.hdr.ts, 2 * SEC);
	assert_int_equal(t.last.flow.dir[0].packets, 2);
	assert_int_equal(bed_sweep(&t, 13 * SEC, false).reported, 0); /* nothing new */
	t.clock->now_ns = 13 * SEC;
	out(&t, 1000, ACK, 101, 501, 10);
	assert_int_equal(bed_sweep(&t, 13 * SEC, false).reported, 1);
	bed_read(&t);
	assert_int_equal(t.last.why, PK_REPORT_ACTIVE);
	t.clock->now_ns = 14 * SEC;
	out(&t, 1000, FIN | ACK, 111, 501, 0);
	back(&t, 1000, FIN | ACK, 501, 112, 0);
	s = bed_sweep(&t, 14 * SEC + SEC / 2, false); /* lingers */
	assert_int_equal(s.live, 1);
	s = bed_sweep(&t, 15 * SEC, false);
	assert_int_equal(s.freed, 1);
	bed_read(&t);
	assert_int_equal(t.last.why, PK_REPORT_END);
	assert_int_equal(t.last.final, 1);
	assert_int_equal(t.reports, 3);
	establish(&t, 1001);
	assert_int_equal(bed_sweep(&t, 80 * SEC, false).freed, 1);
	bed_read(&t);
	assert_int_equal(t.last.why, PK_REPORT_START); /* the first, and the last */
	assert_int_equal(t.last.final, 1);
	assert_int_equal(bed_use(&t).used, 0);
	assert_int_equal(bed_use(&t).half_open, 0);
	assert_int_equal(bed_use(&t).freed, 2);
	bed_close(&t);
}

/* Above three quarters full, half-open flows leave early and established ones stay. */
static void test_emergency(void **state)
{
	struct pk_sweep_ctx s;
	struct bed t;
	uint16_t i;

	(void)state;
	bed_open(&t, 8, true);
	set_knobs(&t, 8);
	establish(&t, 1000);
	for (i = 1; i < 6; i++)
		out(&t, 1000 + i, SYN, 100, 0, 0);
	assert_int_equal(bed_sweep(&t, 4 * SEC, false).freed, 0);
	out(&t, 1006, SYN, 100, 0, 0);
	s = bed_sweep(&t, 4 * SEC, false);
	assert_int_equal(s.freed, 6);
	assert_int_equal(s.live, 1);
	assert_int_equal(bed_use(&t).half_open, 0);
	bed_close(&t);
}

static void test_reborn(void **state)
{
	struct bed t;

	(void)state;
	bed_open(&t, 1024, true);
	establish(&t, 1000);
	out(&t, 1000, RST, 101, 0, 0);
	out(&t, 1000, SYN, 7000, 0, 0);
	assert_int_equal(bed_in_state(&t, PK_TAG_LIVE), 1);
	assert_int_equal(bed_in_state(&t, PK_TAG_DYING), 1);
	assert_int_equal(bed_flow(&t, 0, 0)->dir[0].packets, 1);
	assert_int_equal(bed_use(&t).created, 2);
	out(&t, 1000, SYN, 7000, 0, 0); /* a repeated SYN is no third connection */
	assert_int_equal(bed_use(&t).created, 2);
	assert_int_equal(bed_sweep(&t, t.clock->now_ns, false).freed, 1);
	bed_read(&t);
	assert_int_equal(t.finals, 1);
	assert_int_equal(t.last_final.flow.dir[0].packets, 3);
	bed_close(&t);
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* On the real clock: an ended flow is found no more, and freed only after the grace time. */
static void test_grace(void **state)
{
	struct pk_knobs k;
	struct bed t;

	(void)state;
	bed_open(&t, 1024, false);
	pk_knobs_default(&k, t.slots);
	k.half_open_ns = 20000000;
	assert_int_equal(pk_object_set_knobs(t.o, &k), 0);
	out(&t, 1000, SYN, 100, 0, 0);
	sleep_ms(50);
	assert_int_equal(bed_sweep(&t, 0, false).dying, 1);
	assert_int_equal(bed_in_state(&t, PK_TAG_DYING), 1);
	assert_int_equal(bed_use(&t).used, 1);
	assert_int_equal(bed_sweep(&t, 0, false).freed, 0);
	out(&t, 1000, SYN, 100, 0, 0);
	assert_int_equal(bed_in_state(&t, PK_TAG_LIVE), 1);
	assert_int_equal(bed_use(&t).used, 2);
	sleep_ms(250);
	assert_int_equal(bed_sweep(&t, 0, false).freed, 1);
	bed_read(&t);
	assert_int_equal(t.finals, 1);
	assert_int_equal(bed_sweep(&t, 0, true).freed, 1);
	bed_read(&t);
	assert_int_equal(t.finals, 2);
	assert_int_equal(bed_use(&t).used, 0);
	bed_close(&t);
}

/* A full ring delays, it forgets nothing: each flow has exactly one last report. */
static void test_full_ring(void **state)
{
	struct pk_event_count ev[64];
	uint32_t key = PK_EH_FLOW_REPORT, i, sweeps = 0;
	struct pk_sweep_ctx s;
	struct bed t;

	(void)state;
	bed_open_ring(&t, 1024, true, 4096, false);
	for (i = 0; i < 100; i++)
		out(&t, (uint16_t)(1000 + i), SYN, 100, 0, 0);
	do {
		s = bed_sweep(&t, 2 * SEC, true);
		bed_read(&t);
		sweeps++;
	} while (s.ring_full && sweeps < 100);
	assert_in_range(sweeps, 10, 20);
	assert_int_equal(t.finals, 100);
	assert_int_equal(t.reports, 100);
	assert_int_equal(bed_use(&t).used, 0);
	assert_int_equal(bpf_map_lookup_elem(pk_object_map_fd(t.o, "pk_ev_cnt"), &key, ev), 0);
	for (i = 1; i < t.cpus; i++) {
		ev[0].seen += ev[i].seen;
		ev[0].submitted += ev[i].submitted;
		ev[0].ring_full += ev[i].ring_full;
	}
	assert_int_equal(ev[0].submitted, 100);
	assert_true(ev[0].ring_full > 0);
	assert_int_equal(ev[0].seen, ev[0].submitted + ev[0].ring_full);
	bed_close(&t);
}

struct runner {
	struct bed *t;
	struct frame f;
	uint32_t repeat;
	uint16_t ports; /* 0: the frame as it is; else this many flows, one after the other */
	pthread_barrier_t *start;
	int failed;
};

static void *run(void *arg)
{
	struct runner *r = arg;
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = r->f.b, .data_size_in = r->f.n,
		    .repeat = (int)r->repeat);
	int fd = pk_object_prog_fd(r->t->o, PK_PROG_XDP);
	uint16_t i;

	pthread_barrier_wait(r->start);
	if (!r->ports)
		r->failed = bpf_prog_test_run_opts(fd, &o);
	/* One by one: a repeated run changes the kernel's XDP dispatcher, which takes milliseconds.
	 */
	for (i = 0; i < r->ports * 3 && !r->failed; i++) {
		o.repeat = 1;
		frame_set16(&r->f, 34, (uint16_t)(1000 + i / 3));
		r->failed = bpf_prog_test_run_opts(fd, &o);
	}
	return NULL;
}

static void run_two(struct runner r[2])
{
	pthread_barrier_t start;
	pthread_t id[2];
	int i;

	pthread_barrier_init(&start, NULL, 2);
	for (i = 0; i < 2; i++) {
		r[i].start = &start;
		assert_int_equal(pthread_create(&id[i], NULL, run, &r[i]), 0);
	}
	for (i = 0; i < 2; i++) {
		pthread_join(id[i], NULL);
		assert_int_equal(r[i].failed, 0);
	}
	pthread_barrier_destroy(&start);
}

/* Two CPUs in the same direction of one flow: no packet and no byte is lost. */
static void test_two_cpus(void **state)
{
	struct runner r[2] = { { .repeat = 200000 }, { .repeat = 200000 } };
	struct pk_flow *f;
	struct bed t;
	int i;

	(void)state;
	bed_open(&t, 1024, false);
	establish(&t, 1000);
	for (i = 0; i < 2; i++) {
		r[i].t = &t;
		make(&r[i].f, &(struct seg){ CLIENT, SERVER, 1000, 80, ACK, 101, 501, 10 });
	}
	run_two(r);
	f = bed_flow(&t, 0, 0);
	assert_int_equal(f->dir[0].packets, 400002);
	assert_int_equal(f->dir[0].bytes, 400000ull * 64 + 2 * 54);
	assert_int_equal(bed_use(&t).created, 1);
	bed_check_sum(&t, PK_HOOK_XDP);
	bed_close(&t);
}

/* Two CPUs that make the same flows at the same time: one flow each, every packet in it. */
static void test_two_inserters(void **state)
{
	struct runner r[2] = { { .ports = 2000 }, { .ports = 2000 } };
	struct pk_flow *f;
	struct bed t;
	uint32_t n;
	int i;

	(void)state;
	bed_open(&t, 8192, false);
	for (i = 0; i < 2; i++) {
		r[i].t = &t;
		make(&r[i].f, &(struct seg){ CLIENT, SERVER, 1000, 80, SYN, 100, 0, 0 });
	}
	run_two(r);
	for (n = 0; (f = bed_flow(&t, 0, n)); n++)
		if (f->dir[0].packets != 6)
			fail_msg("a flow of %llu packets", (unsigned long long)f->dir[0].packets);
	assert_int_equal(n, 2000);
	assert_int_equal(bed_use(&t).created, 2000);
	assert_int_equal(bed_use(&t).half_open, 2000);
	assert_int_equal(bed_count(&t, PK_HOOK_XDP, PK_PKT_FLOW), 12000);
	bed_close(&t);
}

/* A second instance on the first one's maps: one table, the flows of another namespace. */
static void test_shared_maps(void **state)
{
	static const char *const progs[] = { PK_PROG_XDP, NULL };
	struct pk_object_opts opts = { .netns = 77, .replaying = true, .progs = progs };
	struct bed t, other;
	struct frame f;

	(void)state;
	bed_open(&t, 1024, true);
	opts.share = t.o;
	other = t;
	assert_int_equal(pk_object_open(&opts, &other.o), 0);
	assert_int_equal(pk_object_load(other.o), 0);
	make(&f, &(struct seg){ CLIENT, SERVER, 1000, 80, SYN, 100, 0, 0 });
	bed_xdp(&t, &f);
	bed_xdp(&other, &f);
	assert_int_equal(bed_use(&t).used, 2);
	assert_int_equal(bed_flow(&t, 0, 0)->key.netns + bed_flow(&t, 0, 1)->key.netns, NETNS + 77);
	pk_object_free(other.o);
	bed_xdp(&t, &f);
	assert_int_equal(bed_use(&t).used, 2);
	bed_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handshake),     cmocka_unit_test(test_odd_handshakes),
		cmocka_unit_test(test_blind_ack),     cmocka_unit_test(test_full_table),
		cmocka_unit_test(test_quota),         cmocka_unit_test(test_many_aggregates),
		cmocka_unit_test(test_reports),       cmocka_unit_test(test_emergency),
		cmocka_unit_test(test_reborn),        cmocka_unit_test(test_grace),
		cmocka_unit_test(test_full_ring),     cmocka_unit_test(test_two_cpus),
		cmocka_unit_test(test_two_inserters), cmocka_unit_test(test_shared_maps),
	};

	if (bed_skip())
		return 0;
	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
