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
#include "probe/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <string.h>
#include <sys/stat.h>

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

/* A map that was taken over keeps its size. */
static int set_ring(struct bpf_map *m, uint64_t bytes)
{
	if (bpf_map__fd(m) < 0)
		return bpf_map__set_max_entries(m, (uint32_t)bytes);
	if (bpf_map__max_entries(m) != bytes)
		pk_notice("%s keeps its %u bytes until `picket detach`", bpf_map__name(m),
			  bpf_map__max_entries(m));
	return 0;
}

static int open_host(const struct pk_conf *conf, struct pk_pins *pins, uint64_t netns,
		     uint32_t slots, const char *const *progs, struct pk_object **ret)
{
	struct pk_object_opts opts = {
		.slots = slots, .netns = netns, .progs = progs, .pins = pins
	};
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
	r = set_ring(s->maps.pk_rb_proc, conf->ring_proc_bytes);
	if (!r)
		r = set_ring(s->maps.pk_rb_sock, conf->ring_sock_bytes);
	if (!r)
		r = set_ring(s->maps.pk_rb_flow, conf->ring_flow_bytes);
	if (!r)
		r = set_ring(s->maps.pk_rb_sample, conf->ring_sample_bytes);
	if (!r)
		r = set_ring(s->maps.pk_rb_record, conf->ring_record_bytes);
	if (r < 0)
		return r;
	if (!progs && pk_object_slots(o) != slots)
		pk_notice("the flow table keeps its %u slots until `picket detach`",
			  pk_object_slots(o));
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
	int r = open_host(conf, NULL, 1, 64, progs, &o);

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
static int load_without(const struct pk_conf *conf, struct pk_pins *pins, uint64_t netns,
			int refusal, struct pk_object **ret)
{
	_cleanup_(object_freep) struct pk_object *o = NULL;
	struct bpf_program *p;
	size_t left_out = 0;
	int r;

	r = open_host(conf, pins, netns, (uint32_t)conf->flow_slots, NULL, &o);
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

int pk_attach_load(const struct pk_conf *conf, uint64_t netns, struct pk_pins *pins,
		   struct pk_object **ret_obj, struct pk_attachments *ret_hooks)
{
	_cleanup_(object_freep) struct pk_object *o = NULL;
	struct bpf_program *p;
	int r;

	r = open_host(conf, pins, netns, (uint32_t)conf->flow_slots, NULL, &o);
	if (r < 0)
		return r;
	r = pk_object_load(o);
	if (r < 0) {
		pk_object_free(PK_TAKE(o));
		r = load_without(conf, pins, netns, r, &o);
	}
	if (r < 0)
		return r;
	*ret_hooks = (struct pk_attachments){ .cgroup_fd = -1, .pins = pins };
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

/* Those that refuse calls go on without us. */
static bool outlives(const struct pk_attachment *k)
{
	return k->kind == PK_ATTACH_CGROUP &&
	       (!strncmp(k->name, "pk_connect", 10) || !strncmp(k->name, "pk_sendmsg", 10));
}

static void pin_name(char name[PK_PIN_NAME_MAX], const struct pk_attachment *k)
{
	snprintf(name, PK_PIN_NAME_MAX, "cgroup-%s", k->name);
}

static int take_over(const struct pk_attachments *h, const struct pk_attachment *k,
		     enum bpf_attach_type type)
{
	struct pk_pin_want want = { .type = PK_LINK_CGROUP, .attach = type };
	char name[PK_PIN_NAME_MAX];
	struct stat st;
	int fd, r;

	if (!pk_pins_is_held(h->pins) || !outlives(k) || fstat(h->cgroup_fd, &st) < 0)
		return -ENOENT;
	want.cgroup = st.st_ino;
	pin_name(name, k);
	fd = pk_pins_claim(h->pins, name, &want);
	if (fd < 0)
		return fd;
	r = pk_pins_renew(h->pins, fd, k->prog_fd);
	if (!r)
		return fd;
	(void)bpf_link_detach(fd);
	close(fd);
	return r;
}

static int attach_cgroup(const struct pk_attachments *h, const struct pk_attachment *k,
			 enum bpf_attach_type type)
{
	char name[PK_PIN_NAME_MAX];
	int fd;

	if (h->cgroup_fd < 0)
		return -ENOENT;
	fd = take_over(h, k, type);
	if (fd < 0)
		fd = bpf_link_create(k->prog_fd, h->cgroup_fd, type, NULL);
	if (fd >= 0 && outlives(k)) {
		pin_name(name, k);
		(void)pk_pins_put(h->pins, name, fd); /* it says what fails */
	}
	return fd;
}

static int attach_one(struct pk_attachments *h, struct pk_attachment *k, struct pk_object *obj)
{
	struct bpf_program *p = bpf_object__find_program_by_name(pk_object_bpf(obj), k->name);
	int fd;

	if (!p)
		return -ENOENT;
	if (k->kind == PK_ATTACH_CGROUP)
		fd = attach_cgroup(h, k, bpf_program__expected_attach_type(p));
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

/* Unpinned and closed; the kernel would detach an unpinned one only later. */
static void drop(const struct pk_attachments *h, struct pk_attachment *k)
{
	char name[PK_PIN_NAME_MAX];

	pin_name(name, k);
	if (outlives(k))
		pk_pins_drop(h->pins, name);
	(void)bpf_link_detach(k->link_fd);
	close(k->link_fd);
	k->link_fd = -1;
}

size_t pk_attach_pin(const struct pk_attachments *h)
{
	char name[PK_PIN_NAME_MAX];
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct pk_attachment *k = &h->v[i];

		if (k->link_fd < 0 || !outlives(k))
			continue;
		pin_name(name, k);
		n += pk_pins_put(h->pins, name, k->link_fd) > 0;
	}
	return n;
}

void pk_attach_renew(struct pk_attachments *h, struct pk_object *obj)
{
	for (size_t i = 0; i < h->n; i++) {
		struct pk_attachment *k = &h->v[i];
		int r;

		if (k->link_fd < 0 || !outlives(k) ||
		    !pk_pins_renew(h->pins, k->link_fd, k->prog_fd))
			continue;
		drop(h, k);
		r = attach_one(h, k, obj);
		if (r < 0)
			pk_warn("hook %s can not be attached: %s; continuing without it", k->name,
				strerror(-r));
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
		drop(h, k);
		again(arg, k, attach_one(h, k, obj));
	}
}

void pk_attach_done(struct pk_attachments *h)
{
	for (size_t i = 0; i < h->n; i++) {
		/* One that was pinned until now would go later than its descriptor. */
		if (h->v[i].link_fd >= 0 && outlives(&h->v[i]) && !pk_pins_is_held(h->pins))
			(void)bpf_link_detach(h->v[i].link_fd);
		pk_closep(&h->v[i].link_fd);
		h->v[i].link_fd = -1;
	}
	pk_closep(&h->cgroup_fd);
	h->cgroup_fd = -1;
	h->n = 0;
}
