/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens, sizes, keys and loads the embedded BPF object, alone or on another instance's maps, and
 * runs its sweep. Attaches nothing and reads no ring.
 */
#include "probe/object.h"

#include "base/cleanup.h"
#include "probe/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "picket.skel.h"

#define SLOTS_DEFAULT 65536u
#define SLOTS_MAX     (1u << 24)

struct pk_object {
	struct picket_bpf *skel;
	uint32_t slots;
	bool shared;
	bool loaded;
};

static void object_freep(struct pk_object **o)
{
	pk_object_free(*o);
}

/* Fragments in XDP came with 5.18, and the helper that reads them with them. */
static bool xdp_has_frags(void)
{
	static int known = -1;

	if (known < 0)
		known = libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_load_bytes, NULL) ==
			1;
	return known;
}

static const char *xdp_name(bool usable)
{
	return xdp_has_frags() == usable ? PK_PROG_XDP : PK_PROG_XDP_LINEAR;
}

static bool is_xdp(const char *name)
{
	return !strcmp(name, PK_PROG_XDP) || !strcmp(name, PK_PROG_XDP_LINEAR);
}

static uint32_t buckets_for(uint32_t slots)
{
	uint32_t buckets = 1;

	if (!slots)
		slots = SLOTS_DEFAULT;
	if (slots > SLOTS_MAX)
		slots = SLOTS_MAX;
	while (buckets * PK_WAYS < slots)
		buckets *= 2;
	return buckets;
}

static int choose_programs(struct pk_object *o, const char *const *progs)
{
	struct bpf_program *p;
	int r;

	if (!progs)
		return pk_object_autoload(o, xdp_name(false), false);
	bpf_object__for_each_program(p, o->skel->obj) bpf_program__set_autoload(p, false);
	for (; *progs; progs++) {
		r = pk_object_autoload(o, is_xdp(*progs) ? xdp_name(true) : *progs, true);
		if (r < 0)
			return r;
	}
	return 0;
}

static int share_maps(struct pk_object *o, const struct pk_object *from)
{
	struct bpf_map *m;
	int fd, r;

	if (!from->loaded)
		return -EINVAL;
	bpf_object__for_each_map(m, o->skel->obj)
	{
		if (bpf_map__is_internal(m))
			continue;
		fd = pk_object_map_fd(from, bpf_map__name(m));
		if (fd < 0)
			return fd;
		r = bpf_map__reuse_fd(m, fd);
		if (r < 0)
			return r;
	}
	o->skel->rodata->pk_bucket_mask = from->skel->rodata->pk_bucket_mask;
	memcpy((void *)o->skel->rodata->pk_hash_key, (const void *)from->skel->rodata->pk_hash_key,
	       sizeof(o->skel->rodata->pk_hash_key));
	o->slots = from->slots;
	o->shared = true;
	return 0;
}

/* The maps of an earlier process, where there are any. */
static int adopt_maps(struct pk_object *o, struct pk_pins *pins)
{
	struct pk_pins_meta meta;
	int r = pk_pins_reuse(pins, o->skel->obj, &meta);

	if (r < 0)
		return r;
	o->skel->rodata->pk_bucket_mask = meta.bucket_mask;
	memcpy((void *)o->skel->rodata->pk_hash_key, meta.hash_key, sizeof(meta.hash_key));
	o->slots = (meta.bucket_mask + 1) * PK_WAYS;
	return 0;
}

static int size_table(struct pk_object *o, uint32_t slots)
{
	uint32_t buckets = buckets_for(slots);
	int r;

	r = bpf_map__set_max_entries(o->skel->maps.pk_buckets, buckets);
	if (!r)
		r = bpf_map__set_max_entries(o->skel->maps.pk_flows, buckets);
	if (r < 0)
		return r;
	o->skel->rodata->pk_bucket_mask = buckets - 1;
	o->slots = buckets * PK_WAYS;
	if (getrandom((void *)o->skel->rodata->pk_hash_key, sizeof(o->skel->rodata->pk_hash_key),
		      0) != sizeof(o->skel->rodata->pk_hash_key))
		return -EIO;
	return 0;
}

int pk_object_open(const struct pk_object_opts *opts, struct pk_object **ret)
{
	_cleanup_(object_freep) struct pk_object *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		return -ENOMEM;
	o->skel = picket_bpf__open();
	if (!o->skel)
		return -errno;
	r = opts->share ? share_maps(o, opts->share) : adopt_maps(o, opts->pins);
	if (!opts->share && (r == -ENOENT || r == -ESTALE))
		r = size_table(o, opts->slots);
	if (r < 0)
		return r;
	o->skel->rodata->pk_netns = opts->netns;
	o->skel->rodata->pk_replaying = opts->replaying;
	r = choose_programs(o, opts->progs);
	if (r < 0)
		return r;
	*ret = PK_TAKE(o);
	return 0;
}

int pk_object_load(struct pk_object *o)
{
	struct pk_knobs knobs;
	int r;

	r = picket_bpf__load(o->skel);
	if (r < 0)
		return r;
	o->loaded = true;
	if (o->shared)
		return 0;
	pk_knobs_default(&knobs, o->slots);
	return pk_object_set_knobs(o, &knobs);
}

void pk_object_free(struct pk_object *o)
{
	if (!o)
		return;
	picket_bpf__destroy(o->skel);
	free(o);
}

int pk_object_autoload(struct pk_object *o, const char *prog, bool load)
{
	struct bpf_program *p = bpf_object__find_program_by_name(o->skel->obj, prog);

	return p ? bpf_program__set_autoload(p, load) : -ENOENT;
}

struct picket_bpf *pk_object_skel(const struct pk_object *o)
{
	return o->skel;
}

struct bpf_object *pk_object_bpf(const struct pk_object *o)
{
	return o->skel->obj;
}

struct bpf_program *pk_object_xdp(const struct pk_object *o)
{
	return bpf_object__find_program_by_name(o->skel->obj, xdp_name(true));
}

int pk_object_prog_fd(const struct pk_object *o, const char *name)
{
	struct bpf_program *p = bpf_object__find_program_by_name(o->skel->obj, name);

	if (p && is_xdp(name))
		p = pk_object_xdp(o);
	return p && bpf_program__fd(p) >= 0 ? bpf_program__fd(p) : -ENOENT;
}

int pk_object_map_fd(const struct pk_object *o, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(o->skel->obj, name);

	return fd >= 0 ? fd : -ENOENT;
}

void pk_object_meta(const struct pk_object *o, struct pk_pins_meta *ret)
{
	*ret = (struct pk_pins_meta){ .abi = PK_ABI,
				      .bucket_mask = o->skel->rodata->pk_bucket_mask };
	memcpy(ret->hash_key, (const void *)o->skel->rodata->pk_hash_key, sizeof(ret->hash_key));
}

uint32_t pk_object_slots(const struct pk_object *o)
{
	return o->slots;
}

void pk_knobs_default(struct pk_knobs *ret, uint32_t slots)
{
	const uint64_t sec = 1000000000;

	*ret = (struct pk_knobs){
		.active_ns = 10 * sec,
		.idle_ns = 60 * sec,
		.half_open_ns = 10 * sec,
		.emergency_ns = 2 * sec,
		.linger_ns = sec,
		.half_open_max = slots / 2,
		.sample_rate = 50000,
	};
}

int pk_object_set_knobs(const struct pk_object *o, const struct pk_knobs *knobs)
{
	uint32_t zero = 0;
	int fd = pk_object_map_fd(o, "pk_knobs");

	if (fd < 0)
		return fd;
	return bpf_map_update_elem(fd, &zero, knobs, BPF_ANY);
}

static int run_syscall(const struct pk_object *o, const char *prog, void *ctx, uint32_t size)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = ctx, .ctx_size_in = size);
	int fd = pk_object_prog_fd(o, prog), r;

	if (fd < 0)
		return fd;
	r = bpf_prog_test_run_opts(fd, &opts);
	if (r < 0)
		return r;
	return opts.retval ? -EIO : 0;
}

int pk_object_sweep(const struct pk_object *o, struct pk_sweep_ctx *ctx)
{
	return run_syscall(o, PK_PROG_SWEEP, ctx, sizeof(*ctx));
}

int pk_object_mark(const struct pk_object *o, struct pk_mark_ctx *ctx)
{
	return run_syscall(o, PK_PROG_MARK, ctx, sizeof(*ctx));
}
