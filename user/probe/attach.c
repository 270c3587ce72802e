/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads what this kernel takes and attaches what serves the whole host. Whether a program works is
 * found by trying it, never from a version. Interfaces are device.c's.
 */
#include "probe/attach.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "conf/conf.h"
#include "probe/hooks.h"
#include "probe/object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <string.h>

#include "picket.skel.h"

static void object_freep(struct pk_object **o)
{
	pk_object_free(*o);
}

/* Packet programs and the sweep: without them there is no sensor. */
static bool is_required(const struct bpf_program *p)
{
	enum bpf_prog_type t = bpf_program__type(p);

	return t == BPF_PROG_TYPE_XDP || t == BPF_PROG_TYPE_SCHED_CLS || t == BPF_PROG_TYPE_SYSCALL;
}

static int open_host(const struct pk_conf *conf, uint64_t netns, uint32_t slots,
		     const char *const *progs, struct pk_object **ret)
{
	struct pk_object_opts opts = { .slots = slots, .netns = netns, .progs = progs };
	_cleanup_(object_freep) struct pk_object *o = NULL;
	struct picket_bpf *s;
	int r;

	r = pk_object_open(&opts, &o);
	if (r < 0)
		return r;
	s = pk_object_skel(o);
	if (!progs) {
		r = pk_hooks_prepare(s);
		if (r < 0)
			return r;
		/* Loaded by space.c when an interface needs one. */
		(void)pk_object_autoload(o, PK_PROG_TC_IN, false);
		(void)pk_object_autoload(o, PK_PROG_TC_IN_L3, false);
		(void)pk_object_autoload(o, PK_PROG_TC_OUT_L3, false);
	}
	r = bpf_map__set_max_entries(s->maps.pk_rb_proc, (uint32_t)conf->ring_proc_bytes);
	if (!r)
		r = bpf_map__set_max_entries(s->maps.pk_rb_sock, (uint32_t)conf->ring_sock_bytes);
	if (!r)
		r = bpf_map__set_max_entries(s->maps.pk_rb_flow, (uint32_t)conf->ring_flow_bytes);
	if (r < 0)
		return r;
	*ret = PK_TAKE(o);
	return 0;
}

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level, (void)fmt, (void)args;
	return 0;
}

/* Does this one program load, alone, with a small table? */
static int try_program(const struct pk_conf *conf, const char *name)
{
	const char *const progs[] = { name, NULL };
	_cleanup_(object_freep) struct pk_object *o = NULL;
	libbpf_print_fn_t old = libbpf_set_print(silent);
	int r = open_host(conf, 1, 64, progs, &o);

	if (!r)
		r = pk_object_load(o);
	libbpf_set_print(old);
	return r;
}

static void add_hook(struct pk_attachments *h, const char *name, int kind, const char *why)
{
	struct pk_attachment *k = &h->v[h->n];

	if (h->n == PK_ATTACH_MAX)
		return;
	*k = (struct pk_attachment){
		.name = name, .prog_fd = -1, .link_fd = -1, .kind = (uint8_t)kind
	};
	snprintf(k->why, sizeof(k->why), "%s", why);
	h->n++;
}

/* After the whole object was refused: find which optional programs are at fault and leave them out.
 */
static int load_without(const struct pk_conf *conf, uint64_t netns, int refusal,
			struct pk_object **ret)
{
	_cleanup_(object_freep) struct pk_object *o = NULL;
	struct bpf_program *p;
	size_t left_out = 0;
	int r;

	r = open_host(conf, netns, (uint32_t)conf->flow_slots, NULL, &o);
	if (r < 0)
		return r;
	bpf_object__for_each_program(p, pk_object_bpf(o))
	{
		if (!bpf_program__autoload(p) || is_required(p))
			continue;
		r = try_program(conf, bpf_program__name(p));
		if (!r)
			continue;
		pk_warn("kernel refuses program %s: %s; continuing without it",
			bpf_program__name(p), strerror(-r));
		bpf_program__set_autoload(p, false);
		left_out++;
	}
	if (!left_out)
		return refusal;
	r = pk_object_load(o);
	if (r < 0)
		return r;
	*ret = PK_TAKE(o);
	return 0;
}

static int kind_of(const struct bpf_program *p)
{
	switch (bpf_program__type(p)) {
	case BPF_PROG_TYPE_TRACING:
		return bpf_program__expected_attach_type(p) == BPF_TRACE_ITER ? PK_ATTACH_OTHER
									      : PK_ATTACH_TRACE;
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
		return PK_ATTACH_CGROUP;
	default:
		return PK_ATTACH_OTHER;
	}
}

/* One of two programs is for the tracepoint's older name: not missing when the other is there. */
static bool has_twin(const struct pk_object *o, const char *name)
{
	static const char *const twins[2] = { "pk_uring_req", "pk_uring_sqe" };

	for (int i = 0; i < 2; i++)
		if (!strcmp(name, twins[i]))
			return pk_object_prog_fd(o, twins[!i]) >= 0;
	return false;
}

int pk_attach_load(const struct pk_conf *conf, uint64_t netns, struct pk_object **ret_obj,
		   struct pk_attachments *ret_hooks)
{
	_cleanup_(object_freep) struct pk_object *o = NULL;
	struct bpf_program *p;
	int r;

	r = open_host(conf, netns, (uint32_t)conf->flow_slots, NULL, &o);
	if (r < 0)
		return r;
	r = pk_object_load(o);
	if (r < 0) {
		pk_object_free(PK_TAKE(o));
		r = load_without(conf, netns, r, &o);
	}
	if (r < 0)
		return r;
	*ret_hooks = (struct pk_attachments){ .cgroup_fd = -1 };
	bpf_object__for_each_program(p, pk_object_bpf(o))
	{
		int kind = kind_of(p);
		bool loaded = bpf_program__fd(p) >= 0;

		if (kind == PK_ATTACH_OTHER || (!loaded && has_twin(o, bpf_program__name(p))))
			continue;
		add_hook(ret_hooks, bpf_program__name(p), kind,
			 loaded ? "" : "this kernel does not have it");
		if (loaded && ret_hooks->n)
			ret_hooks->v[ret_hooks->n - 1].prog_fd = bpf_program__fd(p);
	}
	*ret_obj = PK_TAKE(o);
	return 0;
}

/* The mount point of cgroup v2 (pure or beside v1). */
static int open_cgroup(const char *path)
{
	_cleanup_(pk_fclosep) FILE *f = NULL;
	struct mntent m;
	char buf[4096];

	if (path && *path)
		return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f = setmntent("/proc/self/mounts", "re");
	while (f && getmntent_r(f, &m, buf, sizeof(buf)))
		if (!strcmp(m.mnt_type, "cgroup2"))
			return open(m.mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	errno = ENOENT;
	return -1;
}

static int attach_one(struct pk_attachments *h, struct pk_attachment *k, struct pk_object *obj)
{
	struct bpf_program *p = bpf_object__find_program_by_name(pk_object_bpf(obj), k->name);
	int fd;

	if (!p)
		return -ENOENT;
	if (k->kind == PK_ATTACH_CGROUP)
		fd = h->cgroup_fd < 0 ? -ENOENT
				      : bpf_link_create(k->prog_fd, h->cgroup_fd,
							bpf_program__expected_attach_type(p), NULL);
	else
		fd = bpf_raw_tracepoint_open(NULL, k->prog_fd);
	if (fd < 0)
		return fd == -1 ? -errno : fd;
	k->link_fd = fd;
	k->why[0] = 0;
	return 0;
}

void pk_attach_all(struct pk_attachments *h, struct pk_object *obj, const char *cgroup)
{
	h->cgroup_fd = open_cgroup(cgroup);
	if (h->cgroup_fd < 0)
		pk_warn("cgroup v2 not found: %m; continuing without socket owners");
	for (size_t i = 0; i < h->n; i++) {
		struct pk_attachment *k = &h->v[i];
		int r;

		if (k->prog_fd < 0)
			continue;
		r = attach_one(h, k, obj);
		if (r < 0) {
			snprintf(k->why, sizeof(k->why), "attach: %s", strerror(-r));
			pk_warn("hook %s can not be attached: %s; continuing without it", k->name,
				strerror(-r));
		}
	}
}

/* A cgroup link that somebody detached stays open but belongs to no cgroup any more. */
static bool is_detached(const struct pk_attachment *k)
{
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info);

	if (k->kind != PK_ATTACH_CGROUP || k->link_fd < 0)
		return false;
	return !bpf_obj_get_info_by_fd(k->link_fd, &info, &len) && !info.cgroup.cgroup_id;
}

void pk_attach_check(struct pk_attachments *h, struct pk_object *obj,
		     void (*again)(void *arg, const struct pk_attachment *hook, int r), void *arg)
{
	for (size_t i = 0; i < h->n; i++) {
		struct pk_attachment *k = &h->v[i];

		if (!is_detached(k))
			continue;
		close(k->link_fd);
		k->link_fd = -1;
		again(arg, k, attach_one(h, k, obj));
	}
}

void pk_attach_done(struct pk_attachments *h)
{
	for (size_t i = 0; i < h->n; i++) {
		pk_closep(&h->v[i].link_fd);
		h->v[i].link_fd = -1;
	}
	pk_closep(&h->cgroup_fd);
	h->cgroup_fd = -1;
	h->n = 0;
}
