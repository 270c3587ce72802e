/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ns per packet of the packet programs by BPF_PROG_RUN, beside a bare XDP_PASS of the same run:
 * established flow with 1 and with 1,000,000 live flows, new flow, refused flow, tc. Rounds
 * alternate between all cases; the median counts. ROUNDS in the environment sets how many.
 */
#include "../bpf/frame.h"
#include "probe/object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define REPEAT     1000000
#define LIVE       (1u << 20)
#define NEW        100000u
#define ROUNDS_MAX 64

struct wrap {
	uint32_t target, n, counting, reverse;
	uint64_t state;
};

struct bench {
	struct pk_object *few, *many, *fresh;
	struct bpf_object *aid;
	struct frame syn, synack, ack, v6, vlan, v6_reply, vlan_reply;
};

enum { TO_PROGRAM = 0, TO_PASS = 1 };

static void die(const char *what, int r)
{
	fprintf(stderr, "bench packet: %s: %s\n", what, strerror(-r));
	exit(1);
}

static uint32_t run(int fd, const struct frame *f, uint32_t repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = f->b, .data_size_in = f->n, .repeat = repeat);
	int r = bpf_prog_test_run_opts(fd, &o);

	if (r < 0)
		die("run", r);
	if (!o.retval)
		die("the wrapper did not reach its target", -EINVAL);
	return o.duration;
}

static int aid_fd(const struct bench *b, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(b->aid, name));
}

/* Sends the wrapper's frames to this instance. */
static void aim(const struct bench *b, const struct pk_object *o)
{
	int map = bpf_object__find_map_fd_by_name(b->aid, "targets"), fd = aid_fd(b, "b_pass");
	uint32_t key = TO_PASS;
	int r = bpf_map_update_elem(map, &key, &fd, BPF_ANY);

	key = TO_PROGRAM;
	fd = pk_object_prog_fd(o, PK_PROG_XDP);
	if (!r)
		r = bpf_map_update_elem(map, &key, &fd, BPF_ANY);
	if (r < 0)
		die("tail call", r);
}

static uint32_t run_wrapped(struct bench *b, const struct frame *f, uint32_t target, uint32_t n,
			    bool counting, bool reverse, uint32_t repeat)
{
	struct wrap w = { target, n, counting, reverse, counting ? 0 : 88172645463325252ull };
	uint32_t zero = 0;
	int r;

	r = bpf_map_update_elem(bpf_object__find_map_fd_by_name(b->aid, ".data"), &zero, &w,
				BPF_ANY);
	if (r < 0)
		die("wrapper", r);
	return run(aid_fd(b, "b_wrap"), f, repeat);
}

static struct pk_object *load(uint32_t slots)
{
	static const char *const progs[] = { PK_PROG_XDP, PK_PROG_TC_OUT, PK_PROG_SWEEP, NULL };
	struct pk_object_opts opts = { .slots = slots, .netns = 1, .progs = progs };
	struct pk_knobs knobs;
	struct pk_object *o;
	int r = pk_object_open(&opts, &o);

	if (r < 0)
		die("open", r);
	r = pk_object_load(o);
	if (r < 0)
		die("load", r);
	pk_knobs_default(&knobs, slots);
	knobs.half_open_max = slots;
	r = pk_object_set_knobs(o, &knobs);
	if (r < 0)
		die("knobs", r);
	return o;
}

static void start4(struct frame *f, uint32_t src, uint32_t dst)
{
	frame_eth(f, 0x0800);
	frame_ip4(f, 6, src, dst);
}

static void make_frames(struct bench *b)
{
	start4(&b->syn, 0x0a000000, 0xc0000201);
	frame_tcp(&b->syn, 1024, 443, 0x02, 100, 0, 6);
	start4(&b->synack, 0xc0000201, 0x0a000000);
	frame_tcp(&b->synack, 443, 1024, 0x12, 500, 101, 6);
	start4(&b->ack, 0x0a000000, 0xc0000201);
	frame_tcp(&b->ack, 1024, 443, 0x10, 101, 501, 6);
	frame_eth(&b->v6, 0x86dd);
	frame_ip6(&b->v6, 17, 1, 2);
	frame_udp(&b->v6, 1024, 443);
	frame_eth(&b->v6_reply, 0x86dd);
	frame_ip6(&b->v6_reply, 17, 2, 1);
	frame_udp(&b->v6_reply, 443, 1024);
	frame_eth(&b->vlan, 0x8100);
	frame_tag(&b->vlan, 5, 0x0800);
	frame_ip4(&b->vlan, 17, 0x0a000001, 0x0a000002);
	frame_udp(&b->vlan, 1024, 443);
	frame_eth(&b->vlan_reply, 0x8100);
	frame_tag(&b->vlan_reply, 5, 0x0800);
	frame_ip4(&b->vlan_reply, 17, 0x0a000002, 0x0a000001);
	frame_udp(&b->vlan_reply, 443, 1024);
	frame_end(&b->syn);
	frame_end(&b->synack);
	frame_end(&b->ack);
	frame_end(&b->v6);
	frame_end(&b->v6_reply);
	frame_end(&b->vlan);
	frame_end(&b->vlan_reply);
}

static void establish(struct bench *b, struct pk_object *o, uint32_t n)
{
	aim(b, o);
	run_wrapped(b, &b->syn, TO_PROGRAM, n, true, false, n);
	run_wrapped(b, &b->synack, TO_PROGRAM, n, true, true, n);
	run_wrapped(b, &b->ack, TO_PROGRAM, n, true, false, n);
}

static void setup(struct bench *b)
{
	const char *dir = getenv("PICKET_BUILD");
	char path[4096];
	int r;

	snprintf(path, sizeof(path), "%s/tests/bench/packet.bpf.o", dir ? dir : "build");
	b->aid = bpf_object__open(path);
	if (!b->aid)
		die(path, -errno);
	r = bpf_object__load(b->aid);
	if (r < 0)
		die("load the wrapper", r);
	make_frames(b);
}

/* Empties the table of new flows without reports: nobody reads them here. */
static void forget(const struct pk_object *o)
{
	size_t size = pk_object_slots(o) * sizeof(uint32_t);
	int fd = pk_object_map_fd(o, "pk_use");
	struct pk_table_use use = { 0 };
	uint32_t zero = 0;
	void *tags = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			  pk_object_map_fd(o, "pk_buckets"), 0);

	if (tags == MAP_FAILED)
		die("mmap", -errno);
	memset(tags, 0, size);
	munmap(tags, size);
	if (bpf_map_update_elem(fd, &zero, &use, BPF_ANY))
		die("use", -errno);
}

static void set_half_open_max(const struct pk_object *o, uint64_t max)
{
	struct pk_knobs knobs;
	int r;

	pk_knobs_default(&knobs, pk_object_slots(o));
	knobs.half_open_max = max;
	r = pk_object_set_knobs(o, &knobs);
	if (r < 0)
		die("knobs", r);
}

enum kase {
	BARE,
	TCP_FEW,
	V6_FEW,
	VLAN_FEW,
	TCP_MANY,
	WRAP_PASS,
	RANDOM_FEW,
	RANDOM_MANY,
	NEW_FLOW,
	REFUSED,
	BARE_TC,
	TC_FEW,
	KASES
};

static const struct {
	const char *name;
	enum kase base; /* what is subtracted */
} kases[KASES] = {
	[BARE] = { "bare XDP_PASS", BARE },
	[TCP_FEW] = { "XDP, established IPv4 TCP, 1 live flow", BARE },
	[V6_FEW] = { "XDP, established IPv6 UDP", BARE },
	[VLAN_FEW] = { "XDP, established IPv4 UDP in a VLAN", BARE },
	[TCP_MANY] = { "XDP, the same flow among 1,048,576 live ones", BARE },
	[WRAP_PASS] = { "wrapper that draws a flow, then bare XDP_PASS", BARE },
	[RANDOM_FEW] = { "wrapper, XDP, the only live flow", WRAP_PASS },
	[RANDOM_MANY] = { "wrapper, XDP, drawn from 1,048,576 live flows", WRAP_PASS },
	[NEW_FLOW] = { "wrapper, XDP, new flow", WRAP_PASS },
	[REFUSED] = { "wrapper, XDP, new flow beyond the quota", WRAP_PASS },
	[BARE_TC] = { "bare tc", BARE_TC },
	[TC_FEW] = { "tc egress, established IPv4 TCP, 1 live flow", BARE_TC },
};

static uint32_t measure(struct bench *b, enum kase k)
{
	int few = pk_object_prog_fd(b->few, PK_PROG_XDP);

	switch (k) {
	case BARE:
		return run(aid_fd(b, "b_pass"), &b->ack, REPEAT);
	case TCP_FEW:
		return run(few, &b->ack, REPEAT);
	case V6_FEW:
		return run(few, &b->v6, REPEAT);
	case VLAN_FEW:
		return run(few, &b->vlan, REPEAT);
	case TCP_MANY:
		return run(pk_object_prog_fd(b->many, PK_PROG_XDP), &b->ack, REPEAT);
	case WRAP_PASS:
		return run_wrapped(b, &b->ack, TO_PASS, LIVE, false, false, REPEAT);
	case RANDOM_FEW:
		aim(b, b->few);
		return run_wrapped(b, &b->ack, TO_PROGRAM, 1, false, false, REPEAT);
	case RANDOM_MANY:
		aim(b, b->many);
		return run_wrapped(b, &b->ack, TO_PROGRAM, LIVE, false, false, REPEAT);
	case NEW_FLOW:
		forget(b->fresh);
		set_half_open_max(b->fresh, NEW);
		aim(b, b->fresh);
		return run_wrapped(b, &b->syn, TO_PROGRAM, LIVE, true, false, NEW);
	case REFUSED:
		forget(b->fresh);
		set_half_open_max(b->fresh, 0);
		aim(b, b->fresh);
		return run_wrapped(b, &b->syn, TO_PROGRAM, LIVE, true, false, NEW);
	case BARE_TC:
		return run(aid_fd(b, "b_unspec"), &b->ack, REPEAT);
	case TC_FEW:
		return run(pk_object_prog_fd(b->few, PK_PROG_TC_OUT), &b->ack, REPEAT);
	case KASES:
		break;
	}
	return 0;
}

static int by_size(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void print(uint32_t ns[KASES][ROUNDS_MAX], int rounds)
{
	uint32_t mid[KASES];
	int k;

	for (k = 0; k < KASES; k++) {
		qsort(ns[k], rounds, sizeof(ns[k][0]), by_size);
		mid[k] = ns[k][rounds / 2];
	}
	printf("%-52s %8s %8s %8s\n", "ns per packet", "median", "best", "above");
	for (k = 0; k < KASES; k++)
		printf("%-52s %8u %8u %8d\n", kases[k].name, mid[k], ns[k][0],
		       (int)mid[k] - (int)mid[kases[k].base]);
	printf("established, same flow, 1,048,576 : 1 live flows: %.2f\n",
	       (double)mid[TCP_MANY] / mid[TCP_FEW]);
	printf("established, drawn at random, 1,048,576 : 1 live flows, wrapper subtracted, bare "
	       "added: %.2f\n",
	       (double)(mid[RANDOM_MANY] - mid[WRAP_PASS] + mid[BARE]) /
		       (mid[RANDOM_FEW] - mid[WRAP_PASS] + mid[BARE]));
}

static void check_live(const struct pk_object *o, uint64_t want)
{
	struct pk_table_use use;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(pk_object_map_fd(o, "pk_use"), &zero, &use))
		die("use", -errno);
	if (use.used != want || use.half_open)
		fprintf(stderr, "bench packet: %llu flows, %llu half-open, wanted %llu and 0\n",
			(unsigned long long)use.used, (unsigned long long)use.half_open,
			(unsigned long long)want);
}

int main(void)
{
	static uint32_t ns[KASES][ROUNDS_MAX];
	const char *env = getenv("ROUNDS");
	int rounds = env ? atoi(env) : 7, i, k;
	static struct bench b;

	if (rounds < 1 || rounds > ROUNDS_MAX)
		die("ROUNDS", -EINVAL);
	setup(&b);
	b.few = load(65536);
	b.fresh = load(1u << 18);
	b.many = load(LIVE * 2);
	establish(&b, b.few, 1);
	establish(&b, b.many, LIVE);
	check_live(b.few, 1);
	check_live(b.many, LIVE);
	run(pk_object_prog_fd(b.few, PK_PROG_XDP), &b.v6, 1);
	run(pk_object_prog_fd(b.few, PK_PROG_XDP), &b.v6_reply, 1);
	run(pk_object_prog_fd(b.few, PK_PROG_XDP), &b.vlan, 1);
	run(pk_object_prog_fd(b.few, PK_PROG_XDP), &b.vlan_reply, 1);
	for (i = 0; i < rounds; i++)
		for (k = 0; k < KASES; k++)
			ns[k][i] = measure(&b, k);
	print(ns, rounds);
	pk_object_free(b.few);
	pk_object_free(b.fresh);
	pk_object_free(b.many);
	bpf_object__close(b.aid);
	return 0;
}
