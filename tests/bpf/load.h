/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet programs loaded for a test: run a frame, look into the mapped flow table, read the
 * counters, sweep, collect reports. Everything asserts; without root the test file is skipped.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frame.h"
#include "probe/object.h"
#include "probe/verdicts.h"

#define NETNS 0x1234u

struct bed {
	struct pk_object *o;
	uint32_t *tags; /* PK_WAYS per bucket */
	struct pk_flow *flows;
	struct pk_replay_ctx *clock;
	uint32_t slots;
	uint32_t cpus;
	struct ring_buffer *ring;
	struct pk_flow_report last, last_final; /* reports read by bed_read() */
	uint32_t reports, finals;
};

static inline void *bed_map(const struct bed *t, const char *name, size_t size)
{
	void *p = mmap(NULL, (size + 4095) & ~4095ul, PROT_READ | PROT_WRITE, MAP_SHARED,
		       pk_object_map_fd(t->o, name), 0);

	assert_true(p != MAP_FAILED);
	return p;
}

static inline int bed_on_report(void *arg, void *data, size_t size)
{
	struct bed *t = arg;

	assert_int_equal(size, sizeof(t->last));
	memcpy(&t->last, data, sizeof(t->last));
	t->reports++;
	t->finals += t->last.final;
	if (t->last.final)
		t->last_final = t->last;
	return 0;
}

/* One instance with this many slots; the clock is the test's when replaying. tc: its programs, too.
 */
static inline void bed_open_ring(struct bed *t, uint32_t slots, bool replaying, uint32_t ring_bytes,
				 bool tc)
{
	static const char *const all[] = { PK_PROG_XDP,      PK_PROG_TC_IN,     PK_PROG_TC_OUT,
					   PK_PROG_TC_IN_L3, PK_PROG_TC_OUT_L3, PK_PROG_SWEEP,
					   PK_PROG_MARK,     PK_PROG_DRAIN,     NULL };
	static const char *const few[] = { PK_PROG_XDP, PK_PROG_SWEEP, NULL };
	const char *const *progs = tc ? all : few;
	struct pk_object_opts opts = {
		.slots = slots, .netns = NETNS, .replaying = replaying, .progs = progs
	};
	struct bpf_map *rb;

	memset(t, 0, sizeof(*t));
	assert_int_equal(pk_object_open(&opts, &t->o), 0);
	rb = bpf_object__find_map_by_name(pk_object_bpf(t->o), "pk_rb_flow");
	if (ring_bytes)
		assert_int_equal(bpf_map__set_max_entries(rb, ring_bytes), 0);
	assert_int_equal(pk_object_load(t->o), 0);
	t->slots = pk_object_slots(t->o);
	t->cpus = libbpf_num_possible_cpus();
	t->tags = bed_map(t, "pk_buckets", t->slots * sizeof(uint32_t));
	t->flows = bed_map(t, "pk_flows", t->slots * sizeof(struct pk_flow));
	t->clock = bed_map(t, "pk_replay", sizeof(*t->clock));
	t->clock->now_ns = 1000000000;
	t->ring = ring_buffer__new(pk_object_map_fd(t->o, "pk_rb_flow"), bed_on_report, t, NULL);
	assert_non_null(t->ring);
}

static inline void bed_open(struct bed *t, uint32_t slots, bool replaying)
{
	bed_open_ring(t, slots, replaying, 0, false);
}

static inline void bed_close(struct bed *t)
{
	ring_buffer__free(t->ring);
	munmap(t->tags, (t->slots * sizeof(uint32_t) + 4095) & ~4095ul);
	munmap(t->flows, (t->slots * sizeof(struct pk_flow) + 4095) & ~4095ul);
	munmap(t->clock, 4096);
	pk_object_free(t->o);
}

/* Runs one frame through a program; returns its verdict. */
static inline int bed_run_bytes(const struct bed *t, const char *prog, const void *data,
				uint32_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = len, .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(pk_object_prog_fd(t->o, prog), &opts), 0);
	return (int)opts.retval;
}

static inline void bed_xdp(const struct bed *t, struct frame *f)
{
	assert_int_equal(bed_run_bytes(t, PK_PROG_XDP, f->b, f->n), 2);
}

static inline uint64_t bed_count(const struct bed *t, enum pk_hook hook, enum pk_pkt_count which)
{
	uint64_t all[64][PK_PKT_COUNT_MAX], sum = 0;
	uint32_t key = hook, i;

	assert_true(t->cpus <= 64);
	(void)pk_verdicts_drain(pk_object_prog_fd(t->o, PK_PROG_DRAIN), (int)t->cpus);
	assert_int_equal(bpf_map_lookup_elem(pk_object_map_fd(t->o, "pk_pkt_cnt"), &key, all), 0);
	for (i = 0; i < t->cpus; i++)
		sum += all[i][which];
	return sum;
}

/* SEEN = FLOW + AGGREGATE + refusals, for one hook. */
static inline void bed_check_sum(const struct bed *t, enum pk_hook hook)
{
	static const int parts[] = { PK_PKT_FLOW,
				     PK_PKT_AGGREGATE,
				     PK_PKT_UNSUPPORTED_L3,
				     PK_PKT_TRUNCATED_L2,
				     PK_PKT_TRUNCATED_L3,
				     PK_PKT_BAD_IP_VERSION,
				     PK_PKT_BAD_IP_LENGTH,
				     PK_PKT_VLAN_TOO_DEEP,
				     PK_PKT_PULL_FAILED,
				     PK_PKT_DROPPED,
				     PK_PKT_CUT };
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		sum += bed_count(t, hook, parts[i]);
	assert_int_equal(bed_count(t, hook, PK_PKT_SEEN), sum);
}

static inline uint32_t bed_in_state(const struct bed *t, uint32_t state)
{
	uint32_t i, n = 0;

	for (i = 0; i < t->slots; i++)
		n += t->tags[i] && (t->tags[i] & PK_TAG_STATE) == state;
	return n;
}

/* The n-th live flow with this depth, or NULL. */
static inline struct pk_flow *bed_flow(const struct bed *t, int depth, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < t->slots; i++)
		if ((t->tags[i] & PK_TAG_STATE) == PK_TAG_LIVE && t->flows[i].key.depth == depth &&
		    !n--)
			return &t->flows[i];
	return NULL;
}

static inline struct pk_table_use bed_use(const struct bed *t)
{
	struct pk_table_use use;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(pk_object_map_fd(t->o, "pk_use"), &zero, &use), 0);
	return use;
}

/* Forgets every flow without a report: for tests that look at one packet at a time. */
static inline void bed_reset(struct bed *t)
{
	struct pk_table_use use = { 0 };
	uint32_t zero = 0;

	memset(t->tags, 0, t->slots * sizeof(uint32_t));
	assert_int_equal(bpf_map_update_elem(pk_object_map_fd(t->o, "pk_use"), &zero, &use, 0), 0);
}

static inline struct pk_sweep_ctx bed_sweep(const struct bed *t, uint64_t now, bool flush)
{
	struct pk_sweep_ctx s = { .now_ns = now, .flush = flush };

	assert_int_equal(pk_object_sweep(t->o, &s), 0);
	return s;
}

static inline void bed_read(struct bed *t)
{
	assert_true(ring_buffer__consume(t->ring) >= 0);
}

/* Call first in main(): without root nothing of this can run. */
static inline bool bed_skip(void)
{
	if (geteuid() == 0)
		return false;
	printf("1..0 # SKIP loading BPF programs needs root\n");
	return true;
}
