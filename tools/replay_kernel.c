/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the loaded object, its clock and its ring of reports. It knows nothing of files and keeps no
 * flow.
 */
#include "replay_kernel.h"

#include "base/cleanup.h"
#include "probe/object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A packet leaves at most two samples of 17 KiB; this many fit into the ring beside each other. */
#define PACKETS_UNREAD_MAX 128
#define SWEEPS_MAX         10000 /* reading the ring between two of them frees it: far more than needed */

struct pk_replay {
	struct pk_object *object;
	struct ring_buffer *ring;    /* of reports and of samples */
	uint32_t unread;             /* packets since the rings were read */
	struct pk_replay_ctx *clock; /* the map itself */
	size_t clock_bytes;
	int prog, cpus;
	uint32_t max; /* bytes of a frame that the kernel takes */
	pk_replay_report report;
	void *arg;
	struct pk_pkt_counts {
		uint64_t n[PK_PKT_COUNT_MAX];
	} * counts; /* one per CPU */
};

void pk_replay_free(struct pk_replay *k)
{
	if (!k)
		return;
	if (k->clock)
		munmap(k->clock, k->clock_bytes);
	ring_buffer__free(k->ring);
	pk_object_free(k->object);
	free(k->counts);
	free(k);
}

void pk_replay_freep(struct pk_replay **k)
{
	pk_replay_free(*k);
}

static int on_record(void *ctx, void *record, size_t size)
{
	struct pk_replay *k = ctx;

	return k->report(k->arg, record, size);
}

static int map_clock(struct pk_replay *k)
{
	int fd = pk_object_map_fd(k->object, "pk_replay");
	void *p;

	if (fd < 0)
		return fd;
	k->clock_bytes = (size_t)sysconf(_SC_PAGESIZE);
	p = mmap(NULL, k->clock_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	k->clock = p;
	return 0;
}

static int load(struct pk_replay *k, uint32_t slots)
{
	static const char *const progs[] = { PK_PROG_XDP, PK_PROG_SWEEP, NULL };
	struct pk_object_opts opts = { .slots = slots, .replaying = true, .progs = progs };
	struct pk_knobs knobs;
	int r;

	r = pk_object_open(&opts, &k->object);
	if (r == 0)
		r = pk_object_load(k->object);
	if (r < 0)
		return r;
	/* Nobody attacks a capture that is over: half-open flows may have the whole table. */
	pk_knobs_default(&knobs, pk_object_slots(k->object));
	knobs.half_open_max = pk_object_slots(k->object);
	knobs.sample_rate = UINT32_MAX; /* a second of a capture may be over in no time */
	return pk_object_set_knobs(k->object, &knobs);
}

/* One buffer holds a page without its head and tail room; fragments hold the rest, where known. */
static uint32_t frame_max(const struct pk_object *o)
{
	bool frags = !strcmp(bpf_program__name(pk_object_xdp(o)), PK_PROG_XDP);

	return frags ? 65535 : 3520;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* What libbpf has to say is worth reading only when it is not about missing privileges. */
static int load_quietly(struct pk_replay *k, uint32_t slots)
{
	libbpf_print_fn_t old = libbpf_set_print(quiet);
	int r = load(k, slots);

	libbpf_set_print(old);
	if (r == 0 || r == -EPERM || r == -EACCES)
		return r;
	pk_object_free(k->object);
	k->object = NULL;
	return load(k, slots);
}

int pk_replay_new(uint32_t slots, pk_replay_report report, void *arg, struct pk_replay **ret)
{
	_cleanup_(pk_replay_freep) struct pk_replay *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	k->report = report;
	k->arg = arg;
	k->cpus = libbpf_num_possible_cpus();
	if (k->cpus < 1)
		return -EINVAL;
	k->counts = calloc((size_t)k->cpus, sizeof(*k->counts));
	if (!k->counts)
		return -ENOMEM;
	r = load_quietly(k, slots);
	if (r < 0)
		return r;
	k->max = frame_max(k->object);
	k->prog = pk_object_prog_fd(k->object, PK_PROG_XDP);
	r = map_clock(k);
	if (r < 0)
		return r;
	k->ring = ring_buffer__new(pk_object_map_fd(k->object, "pk_rb_sample"), on_record, k, NULL);
	if (!k->ring)
		return -errno;
	r = ring_buffer__add(k->ring, pk_object_map_fd(k->object, "pk_rb_flow"), on_record, k);
	if (r < 0)
		return r;
	*ret = PK_TAKE(k);
	return 0;
}

uint32_t pk_replay_slots(const struct pk_replay *k)
{
	return pk_object_slots(k->object);
}

static int empty_map(const struct pk_replay *k, const char *name)
{
	int fd = pk_object_map_fd(k->object, name);
	uint8_t key[64];

	if (fd < 0)
		return fd;
	while (bpf_map_get_next_key(fd, NULL, key) == 0)
		if (bpf_map_delete_elem(fd, key) < 0)
			return -errno;
	return 0;
}

static int zero_values(const struct pk_replay *k, const char *name, uint32_t n, size_t size)
{
	_cleanup_free_ void *zero = calloc(1, size);
	int fd = pk_object_map_fd(k->object, name);

	if (!zero)
		return -ENOMEM;
	if (fd < 0)
		return fd;
	for (uint32_t i = 0; i < n; i++)
		if (bpf_map_update_elem(fd, &i, zero, BPF_ANY) < 0)
			return -errno;
	return 0;
}

static int forget(void *arg, const void *record, size_t size)
{
	(void)arg;
	(void)record;
	(void)size;
	return 0;
}

int pk_replay_reset(struct pk_replay *k)
{
	size_t per_cpu = sizeof(struct pk_pkt_counts) * (size_t)k->cpus;
	pk_replay_report report = k->report;
	int r;

	k->report = forget;
	r = pk_replay_sweep(k, 1, true);
	k->report = report;
	if (r == 0)
		r = empty_map(k, "pk_frags");
	if (r == 0)
		r = empty_map(k, "pk_aggs");
	if (r == 0)
		r = zero_values(k, "pk_agg_rest", 256, sizeof(struct pk_agg));
	if (r == 0)
		r = zero_values(k, "pk_pkt_cnt", PK_HOOK_PKT_MAX, per_cpu);
	if (r == 0)
		r = zero_values(k, "pk_sample_cnt", PK_ROW_MAX,
				sizeof(struct pk_sample_count) * (size_t)k->cpus);
	if (r == 0)
		r = zero_values(k, "pk_use", 1, sizeof(struct pk_table_use));
	return r;
}

int pk_replay_packet(struct pk_replay *k, const void *frame, uint32_t len, uint64_t now_ns,
		     uint32_t frame_bytes, uint32_t wire_bytes)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = len < k->max ? len : k->max, .repeat = 1);
	int r;

	k->clock->now_ns = now_ns;
	k->clock->wire_bytes = frame_bytes;
	k->clock->add_bytes = (int32_t)(wire_bytes - frame_bytes);
	r = bpf_prog_test_run_opts(k->prog, &opts);
	if (r < 0 || ++k->unread < PACKETS_UNREAD_MAX)
		return r < 0 ? r : 0;
	k->unread = 0;
	r = ring_buffer__consume(k->ring);
	return r < 0 ? r : 0;
}

int pk_replay_sweep(struct pk_replay *k, uint64_t now_ns, bool flush)
{
	struct pk_sweep_ctx ctx;
	int r;

	for (int i = 0; i < SWEEPS_MAX; i++) {
		ctx = (struct pk_sweep_ctx){ .now_ns = now_ns, .flush = flush };
		r = pk_object_sweep(k->object, &ctx);
		if (r < 0)
			return r;
		r = ring_buffer__consume(k->ring);
		if (r < 0)
			return r;
		if (!ctx.ring_full && !ctx.dying)
			return 0;
	}
	return -ENOSPC;
}

int pk_replay_counts(const struct pk_replay *k, uint64_t ret_counts[PK_PKT_COUNT_MAX])
{
	uint32_t hook = PK_HOOK_XDP;
	int fd = pk_object_map_fd(k->object, "pk_pkt_cnt");

	if (fd < 0)
		return fd;
	if (bpf_map_lookup_elem(fd, &hook, k->counts) < 0)
		return -errno;
	memset(ret_counts, 0, sizeof(*ret_counts) * PK_PKT_COUNT_MAX);
	for (int cpu = 0; cpu < k->cpus; cpu++)
		for (int i = 0; i < PK_PKT_COUNT_MAX; i++)
			ret_counts[i] += k->counts[cpu].n[i];
	return 0;
}
