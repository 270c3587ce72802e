/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sampling costs a packet, by BPF_PROG_RUN of the XDP program: two instances, one with
 * sampling on and one without, each with a TLS conversation that is beyond its samples. Rounds
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

#define REPEAT     1000000
#define SAMPLED    20000 /* as many as the ring takes at once */
#define ROUNDS_MAX 64
#define BOUND_NS   15

#define CLIENT 0x0a000001u
#define SERVER 0x0a000002u

static void die(const char *what, int r)
{
	fprintf(stderr, "bench sample: %s: %s\n", what, strerror(-r));
	exit(1);
}

static struct pk_object *load(uint32_t sample_rate)
{
	static const char *const progs[] = { PK_PROG_XDP, NULL };
	struct pk_object_opts opts = { .slots = 65536, .netns = 1, .progs = progs };
	struct pk_knobs knobs;
	struct pk_object *o;
	int r = pk_object_open(&opts, &o);

	if (r == 0)
		r = pk_object_load(o);
	if (r < 0)
		die("load", r);
	pk_knobs_default(&knobs, opts.slots);
	knobs.sample_rate = sample_rate;
	r = pk_object_set_knobs(o, &knobs);
	if (r < 0)
		die("knobs", r);
	return o;
}

static uint32_t run(const struct pk_object *o, const struct frame *f, uint32_t repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->b, .data_size_in = f->n,
		    .repeat = repeat);
	int r = bpf_prog_test_run_opts(pk_object_prog_fd(o, PK_PROG_XDP), &opts);

	if (r < 0)
		die("run", r);
	if (opts.retval != 2)
		die("the packet did not pass", -EINVAL);
	return opts.duration;
}

static void segment(struct frame *f, bool from_client, uint16_t port, uint8_t flags, uint32_t seq,
		    const void *p, uint32_t len)
{
	memset(f, 0, sizeof(*f));
	frame_eth(f, 0x0800);
	frame_ip4(f, 6, from_client ? CLIENT : SERVER, from_client ? SERVER : CLIENT);
	frame_tcp(f, from_client ? 1000 : port, from_client ? port : 1000, flags, seq,
		  from_client ? 501 : 101, 0);
	frame_put(f, p, len);
	frame_end(f);
}

static void converse(const struct pk_object *o, uint16_t port, uint32_t data)
{
	static const uint8_t hello[600] = { 0x16, 3, 1, 2, 0x53, 1, 0, 2, 0x4f },
			     answer[600] = { 0x16, 3, 3, 2, 0x53, 2, 0, 2, 0x4f }, more[100];
	struct frame f;

	segment(&f, true, port, 0x02, 100, "", 0);
	run(o, &f, 1);
	segment(&f, false, port, 0x12, 500, "", 0);
	run(o, &f, 1);
	segment(&f, true, port, 0x10, 101, "", 0);
	run(o, &f, 1);
	segment(&f, true, port, 0x10, 101, hello, sizeof(hello));
	run(o, &f, 1);
	segment(&f, false, port, 0x10, 501, answer, sizeof(answer));
	run(o, &f, 1);
	for (uint32_t i = 0; i < data; i++) {
		segment(&f, true, port, 0x10, 701 + i * 100, more, sizeof(more));
		run(o, &f, 1);
		segment(&f, false, port, 0x10, 1101 + i * 100, more, sizeof(more));
		run(o, &f, 1);
	}
}

enum kase { OFF_ACK, ON_ACK, OFF_DATA, ON_DATA, OFF_DNS, ON_DNS, KASES };

static const char *const names[KASES] = {
	[OFF_ACK] = "established, ACK, sampling off",
	[ON_ACK] = "established, ACK, sampling on",
	[OFF_DATA] = "established, 1,000 bytes, sampling off",
	[ON_DATA] = "established, 1,000 bytes, sampling on",
	[OFF_DNS] = "DNS query, sampling off",
	[ON_DNS] = "DNS query, each one sampled",
};

static struct {
	struct pk_object *on, *off;
	struct ring_buffer *ring;
	struct frame ack, data, dns;
	uint64_t sampled;
} b;

static int on_sample(void *arg, void *rec, size_t size)
{
	(void)arg, (void)rec, (void)size;
	b.sampled++;
	return 0;
}

static uint32_t sample_dns(void)
{
	uint32_t ns = run(b.on, &b.dns, SAMPLED);

	b.sampled = 0;
	if (ring_buffer__consume(b.ring) < 0 || b.sampled != SAMPLED)
		die("not every query was sampled", -EINVAL);
	return ns;
}

static uint32_t measure(enum kase k)
{
	switch (k) {
	case OFF_ACK:
		return run(b.off, &b.ack, REPEAT);
	case ON_ACK:
		return run(b.on, &b.ack, REPEAT);
	case OFF_DATA:
		return run(b.off, &b.data, REPEAT);
	case ON_DATA:
		return run(b.on, &b.data, REPEAT);
	case OFF_DNS:
		return run(b.off, &b.dns, SAMPLED);
	case ON_DNS:
		return sample_dns();
	case KASES:
		break;
	}
	return 0;
}

static int by_size(const void *x, const void *y)
{
	const uint32_t *a = x, *c = y;

	return *a < *c ? -1 : *a > *c;
}

static void set_up(void)
{
	static const uint8_t query[40] = { 0x12, 0x34, 1, 0, 0, 1 };

	b.off = load(0);
	b.on = load(UINT32_MAX);
	b.ring = ring_buffer__new(pk_object_map_fd(b.on, "pk_rb_sample"), on_sample, NULL, NULL);
	if (!b.ring)
		die("ring", -errno);
	converse(b.off, 443, 10);
	converse(b.on, 443, 10);
	segment(&b.ack, true, 443, 0x10, 90000, "", 0);
	segment(&b.data, true, 443, 0x10, 90000, (const uint8_t[1000]){ 0 }, 1000);
	frame_eth(&b.dns, 0x0800);
	frame_ip4(&b.dns, 17, CLIENT, SERVER);
	frame_udp(&b.dns, 5000, 53);
	frame_put(&b.dns, query, sizeof(query));
	frame_end(&b.dns);
	if (ring_buffer__consume(b.ring) < 0 || b.sampled != 2)
		die("the hellos were not sampled", -EINVAL);
}

int main(void)
{
	static uint32_t ns[KASES][ROUNDS_MAX], mid[KASES];
	const char *env = getenv("ROUNDS");
	int rounds = env ? atoi(env) : 15;

	if (rounds < 1 || rounds > ROUNDS_MAX)
		die("ROUNDS", -EINVAL);
	set_up();
	for (int i = 0; i < rounds; i++)
		for (int k = 0; k < KASES; k++)
			ns[k][i] = measure(k);
	printf("%-44s %8s %8s\n", "ns per packet", "median", "best");
	for (int k = 0; k < KASES; k++) {
		qsort(ns[k], (size_t)rounds, sizeof(ns[k][0]), by_size);
		mid[k] = ns[k][rounds / 2];
		printf("%-44s %8u %8u\n", names[k], mid[k], ns[k][0]);
	}
	printf("sampling on adds to an established flow: %d ns (ACK), %d ns (data); at most %d\n",
	       (int)(mid[ON_ACK] - mid[OFF_ACK]), (int)(mid[ON_DATA] - mid[OFF_DATA]), BOUND_NS);
	printf("a packet that is sampled costs %d ns more\n", (int)(mid[ON_DNS] - mid[OFF_DNS]));
	ring_buffer__free(b.ring);
	pk_object_free(b.on);
	pk_object_free(b.off);
	return 0;
}
