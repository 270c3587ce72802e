/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the order in which things are pinned and unpinned, so that a kill between any two steps
 * leaves what the next start can work with: links whose programs enforce, and maps that are whole
 * or not believed. Attaches nothing.
 */
#include "probe/pins.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <picket/map.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#define META  "meta"
#define MAPS  "maps"
#define LINKS "links"

/* A pinned link that nobody claimed yet. */
struct found {
	char name[PK_PIN_NAME_MAX];
	int fd;
	struct bpf_link_info info;
};

struct pk_pins {
	struct pk_pindir dir;
	struct pk_pins_meta meta;
	struct found *v;
	size_t n, cap;
	bool held;
	bool whole;   /* meta is there and of our ABI */
	bool mapped;  /* the pinned maps are those of our object */
	bool adopted; /* and were there before us */
	bool waiting;
};

/* Of tcx and XDP: what Debian 12's linux/bpf.h has only the first half of. */
struct device_info {
	uint32_t ifindex, attach;
};

static struct device_info device_info(const struct bpf_link_info *info)
{
	struct device_info d;

	memcpy(&d, &info->xdp, sizeof(d));
	return d;
}

void pk_pins_name(char name[PK_PIN_NAME_MAX], uint64_t netns, uint32_t ifindex, const char *hook)
{
	snprintf(name, PK_PIN_NAME_MAX, "%llx-%u-%s", (unsigned long long)netns, ifindex, hook);
}

static void full_name(char full[PK_PIN_NAME_MAX], const char *name)
{
	snprintf(full, PK_PIN_NAME_MAX, LINKS "/%s", name);
}

/* Is it a program of ours? Only root can pin there, but root may err. */
static bool is_ours(uint32_t prog_id)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(prog_id);

	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && !strncmp(info.name, "pk_", 3);
}

static struct found *add_found(struct pk_pins *p)
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 32;
		struct found *v = realloc(p->v, cap * sizeof(*v));

		if (!v)
			return NULL;
		p->v = v;
		p->cap = cap;
	}
	return &p->v[p->n++];
}

static void find_link(void *arg, const char *name)
{
	struct pk_pins *p = arg;
	_cleanup_close_ int fd = pk_pindir_get(&p->dir, name);
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info);
	struct found *f;

	/* The descriptor of something else than a link fails here, or names no program. */
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0 ||
	    (info.type != PK_LINK_CGROUP && info.type != PK_LINK_XDP && info.type != PK_LINK_TCX) ||
	    !is_ours(info.prog_id)) {
		pk_warn("%s/%s is not a link of ours and left alone", p->dir.path, name);
		return;
	}
	f = add_found(p);
	if (!f)
		return;
	*f = (struct found){ .fd = PK_TAKE_FD(fd), .info = info };
	snprintf(f->name, sizeof(f->name), "%s", name);
}

static bool read_meta(struct pk_pins *p)
{
	_cleanup_close_ int fd = pk_pindir_get(&p->dir, META);
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info), zero = 0;

	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
	       info.value_size == sizeof(p->meta) && !bpf_map_lookup_elem(fd, &zero, &p->meta) &&
	       p->meta.abi == PK_ABI;
}

int pk_pins_open(const char *dir, struct pk_pins **ret)
{
	struct pk_pins *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	pk_pindir_init(&p->dir, dir);
	*ret = p;
	r = pk_pindir_open(&p->dir, false);
	if (r < 0) {
		if (r != -ENOENT)
			pk_warn("%s; nothing is taken over", p->dir.trouble);
		return 0;
	}
	(void)pk_pindir_each(&p->dir, LINKS, find_link, p); /* no such folder: no links */
	p->whole = read_meta(p);
	p->held = p->whole || p->n;
	p->waiting = !p->whole && p->n;
	if (!p->held)
		pk_pins_release(p); /* of one who was killed before it held anything */
	return 0;
}

static void forget(struct pk_pins *p, size_t i)
{
	close(p->v[i].fd);
	p->v[i] = p->v[--p->n];
}

void pk_pins_free(struct pk_pins *p)
{
	if (!p)
		return;
	while (p->n)
		forget(p, p->n - 1);
	pk_pindir_close(&p->dir);
	free(p->v);
	free(p);
}

const char *pk_pins_trouble(const struct pk_pins *p)
{
	return p ? p->dir.trouble : "";
}

bool pk_pins_is_held(const struct pk_pins *p)
{
	return p && p->held;
}

bool pk_pins_is_adopted(const struct pk_pins *p)
{
	return p && p->adopted;
}

bool pk_pins_is_waiting(const struct pk_pins *p)
{
	return p && p->waiting;
}

static void map_name(char name[PK_PIN_NAME_MAX], const struct bpf_map *m)
{
	snprintf(name, PK_PIN_NAME_MAX, MAPS "/%s", bpf_map__name(m));
}

/* Sizes that the configuration sets; the pinned ones win. */
static bool has_own_size(const struct bpf_map *m)
{
	return bpf_map__type(m) == BPF_MAP_TYPE_RINGBUF || !strcmp(bpf_map__name(m), "pk_flows") ||
	       !strcmp(bpf_map__name(m), "pk_buckets");
}

static bool fits(const struct pk_pins *p, const struct bpf_map *m, int fd)
{
	bool table =
		!strcmp(bpf_map__name(m), "pk_flows") || !strcmp(bpf_map__name(m), "pk_buckets");
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
	       info.type == (uint32_t)bpf_map__type(m) && info.key_size == bpf_map__key_size(m) &&
	       info.value_size == bpf_map__value_size(m) &&
	       info.map_flags == bpf_map__map_flags(m) &&
	       (has_own_size(m) || info.max_entries == bpf_map__max_entries(m)) &&
	       (!table || info.max_entries == p->meta.bucket_mask + 1);
}

int pk_pins_reuse(struct pk_pins *p, struct bpf_object *obj, struct pk_pins_meta *ret_meta)
{
	char name[PK_PIN_NAME_MAX];
	struct bpf_map *m;

	if (!p || !p->whole)
		return -ENOENT;
	/* First look at all: it is either all of them or none. */
	for (int pass = 0; pass < 2; pass++) {
		bpf_object__for_each_map(m, obj)
		{
			_cleanup_close_ int fd = -1;
			int r;

			if (bpf_map__is_internal(m))
				continue;
			map_name(name, m);
			fd = pk_pindir_get(&p->dir, name);
			if (!pass && !fits(p, m, fd)) {
				pk_warn("the pinned map %s is not what this agent works with",
					bpf_map__name(m));
				p->whole = false;
				p->held = p->waiting = p->n > 0;
				return -ESTALE;
			}
			r = pass ? bpf_map__reuse_fd(m, fd) : 0;
			if (r < 0)
				return r;
		}
	}
	p->mapped = p->adopted = true;
	*ret_meta = p->meta;
	return 0;
}

void pk_pins_settle(struct pk_pins *p)
{
	if (p)
		p->waiting = false;
}

static int pin_meta(struct pk_pins *p, const struct pk_pins_meta *meta)
{
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pk_meta", sizeof(uint32_t),
						sizeof(*meta), 1, NULL);
	uint32_t zero = 0;

	if (fd < 0 || bpf_map_update_elem(fd, &zero, meta, BPF_ANY) < 0)
		return -errno;
	return pk_pindir_put(&p->dir, META, fd);
}

static int pin_maps(struct pk_pins *p, const struct bpf_object *obj,
		    const struct pk_pins_meta *meta)
{
	char name[PK_PIN_NAME_MAX];
	struct bpf_map *m;
	int r = pk_pindir_folder(&p->dir, MAPS);

	if (!r)
		r = pk_pindir_folder(&p->dir, LINKS);
	if (r < 0)
		return r;
	bpf_object__for_each_map(m, obj)
	{
		if (bpf_map__is_internal(m))
			continue;
		map_name(name, m);
		if (pk_pindir_has(&p->dir, name))
			continue;
		r = pk_pindir_put(&p->dir, name, bpf_map__fd(m));
		if (r < 0)
			return r;
	}
	return pk_pindir_has(&p->dir, META) ? 0 : pin_meta(p, meta);
}

int pk_pins_hold(struct pk_pins *p, const struct bpf_object *obj, const struct pk_pins_meta *meta)
{
	int r;

	if (!p)
		return -EOPNOTSUPP;
	r = pk_pindir_open(&p->dir, true);
	if (r < 0)
		return r;
	if (!p->mapped) { /* of another object */
		pk_pindir_drop(&p->dir, META);
		pk_pindir_empty(&p->dir, MAPS);
		p->mapped = true;
	}
	r = pin_maps(p, obj, meta);
	if (r < 0) {
		snprintf(p->dir.trouble, sizeof(p->dir.trouble), "%s: %s", p->dir.path,
			 strerror(-r));
		return r;
	}
	p->held = true;
	return 0;
}

bool pk_pins_are_whole(const struct pk_pins *p, const struct bpf_object *obj)
{
	char name[PK_PIN_NAME_MAX];
	struct bpf_map *m;

	bpf_object__for_each_map(m, obj)
	{
		map_name(name, m);
		if (!bpf_map__is_internal(m) && !pk_pindir_has(&p->dir, name))
			return false;
	}
	return pk_pindir_has(&p->dir, META);
}

void pk_pins_release(struct pk_pins *p)
{
	if (!p)
		return;
	(void)pk_pins_prune(p);
	pk_pindir_empty(&p->dir, LINKS);
	pk_pindir_drop(&p->dir, META);
	pk_pindir_empty(&p->dir, MAPS);
	pk_pindir_remove(&p->dir);
	p->held = p->whole = p->mapped = p->waiting = false;
}

static bool is_wanted(const struct bpf_link_info *info, const struct pk_pin_want *want)
{
	struct device_info d = device_info(info);

	if (info->type != want->type)
		return false;
	if (info->type == PK_LINK_CGROUP)
		return info->cgroup.cgroup_id == want->cgroup &&
		       (uint32_t)info->cgroup.attach_type == want->attach;
	if (d.ifindex != want->ifindex || (info->type == PK_LINK_TCX && d.attach != want->attach))
		return false;
	for (size_t i = 0; i < want->n_progs; i++)
		if (want->progs[i] == info->prog_id)
			return true;
	return false;
}

/* The name is to be another link's: what nobody claimed loses it. True when something had it. */
static bool unname(struct pk_pins *p, const char *full)
{
	bool any = false;

	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->v[i].name, full)) {
			p->v[i].name[0] = 0;
			any = true;
		}
	return any;
}

static int take(struct pk_pins *p, const char *full, const struct pk_pin_want *want)
{
	for (size_t i = 0; i < p->n; i++) {
		struct found f = p->v[i];

		if (!is_wanted(&f.info, want))
			continue;
		p->v[i] = p->v[--p->n];
		/* An interface that moved to another namespace brought its link along. */
		if (strcmp(f.name, full) != 0) {
			(void)unname(p, full);
			(void)pk_pindir_rename(&p->dir, f.name, full); /* else put pins it */
		}
		return f.fd;
	}
	return -ENOENT;
}

int pk_pins_claim(struct pk_pins *p, const char *name, const struct pk_pin_want *want)
{
	char full[PK_PIN_NAME_MAX];
	int fd;

	if (!pk_pins_is_held(p))
		return -ENOENT;
	full_name(full, name);
	fd = take(p, full, want);
	/* Claimed before, by a namespace that was let go and comes again. */
	if (fd < 0 && pk_pindir_has(&p->dir, full)) {
		find_link(p, full);
		fd = take(p, full, want);
	}
	return fd;
}

int pk_pins_renew(const struct pk_pins *p, int link, int prog)
{
	if (pk_pins_is_waiting(p))
		return 0;
	return bpf_link_update(link, prog, NULL) < 0 ? -errno : 0;
}

int pk_pins_put(struct pk_pins *p, const char *name, int link)
{
	char full[PK_PIN_NAME_MAX];
	int r;

	full_name(full, name);
	if (!pk_pins_is_held(p) || (!unname(p, full) && pk_pindir_has(&p->dir, full)))
		return 0;
	r = pk_pindir_folder(&p->dir, LINKS);
	if (!r)
		r = pk_pindir_put(&p->dir, full, link);
	if (r < 0)
		pk_warn("%s/%s: %s; this hook ends with the agent", p->dir.path, full,
			strerror(-r));
	return r < 0 ? r : 1;
}

void pk_pins_drop(struct pk_pins *p, const char *name)
{
	char full[PK_PIN_NAME_MAX];

	if (!pk_pins_is_held(p))
		return;
	full_name(full, name);
	pk_pindir_drop(&p->dir, full);
}

size_t pk_pins_prune(struct pk_pins *p)
{
	size_t n = p ? p->n : 0;

	while (p && p->n) {
		struct found *f = &p->v[p->n - 1];

		pk_pindir_drop(&p->dir, f->name);
		/* The kernel drops the name's hold on it later, and then detaches: not so now. */
		(void)bpf_link_detach(f->fd);
		forget(p, p->n - 1);
	}
	return n;
}

static void count_map(void *arg, const char *name)
{
	struct pk_pins_left *left = ((void **)arg)[0];
	const struct pk_pins *p = ((void **)arg)[1];
	_cleanup_close_ int fd = pk_pindir_get(&p->dir, name);
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return;
	if (left->maps < PK_ARRAY_SIZE(left->map_ids))
		left->map_ids[left->maps++] = info.id;
}

void pk_pins_left(const struct pk_pins *p, struct pk_pins_left *ret)
{
	const void *arg[] = { ret, p };

	*ret = (struct pk_pins_left){};
	(void)pk_pindir_each(&p->dir, MAPS, count_map, (void *)arg); /* no such folder: none */
	for (size_t i = 0; i < p->n; i++) {
		uint32_t type = p->v[i].info.type;

		*(type == PK_LINK_XDP   ? &ret->xdp
		  : type == PK_LINK_TCX ? &ret->tcx
					: &ret->cgroup) += 1;
	}
}
