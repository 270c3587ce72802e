/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links are detached by their pins. Filters in clsact have none: they are looked for in all network
 * namespaces, and are ours when their program uses one of the pinned maps.
 */
#include "probe/detach.h"

#include "base/cleanup.h"
#include "probe/device.h"
#include "probe/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#define NAMED_DIR "/run/netns"

struct search {
	struct pk_pins_left left;
	ino_t *seen;
	size_t n_seen, cap_seen;
	size_t filters;
};

static void dir_closep(DIR **d)
{
	if (*d)
		closedir(*d);
}

static void pins_freep(struct pk_pins **p)
{
	pk_pins_free(*p);
}

static void names_freep(struct if_nameindex **v)
{
	if (*v)
		if_freenameindex(*v);
}

static bool uses_our_maps(void *arg, uint32_t prog_id)
{
	const struct search *s = arg;
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(prog_id);
	uint32_t ids[64] = {};
	struct bpf_prog_info info = { .nr_map_ids = PK_ARRAY_SIZE(ids), .map_ids = (uintptr_t)ids };
	uint32_t len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return false;
	for (size_t i = 0; i < info.nr_map_ids && i < PK_ARRAY_SIZE(ids); i++)
		for (size_t k = 0; k < s->left.maps; k++)
			if (ids[i] == s->left.map_ids[k])
				return true;
	return false;
}

static void search_here(struct search *s)
{
	_cleanup_(names_freep) struct if_nameindex *v = if_nameindex();

	for (size_t i = 0; v && v[i].if_index; i++)
		s->filters += pk_device_drop_filters(v[i].if_index, uses_our_maps, s);
}

/* Marks a namespace as seen; false when it was. */
static bool is_new(struct search *s, ino_t ino)
{
	for (size_t i = 0; i < s->n_seen; i++)
		if (s->seen[i] == ino)
			return false;
	if (s->n_seen == s->cap_seen) {
		size_t cap = s->cap_seen ? s->cap_seen * 2 : 64;
		ino_t *v = realloc(s->seen, cap * sizeof(*v));

		if (!v)
			return true; /* looked at twice at worst */
		s->seen = v;
		s->cap_seen = cap;
	}
	s->seen[s->n_seen++] = ino;
	return true;
}

static void search_in(struct search *s, int dir, const char *path)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (fstatat(dir, path, &st, 0) < 0 || !(st.st_mode & 0444) || !is_new(s, st.st_ino))
		return;
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !setns(fd, CLONE_NEWNET))
		search_here(s);
}

static void search_all(struct search *s)
{
	_cleanup_(dir_closep) DIR *named = opendir(NAMED_DIR), *proc = opendir("/proc");
	struct dirent *e;
	char path[280];

	while (proc && (e = readdir(proc))) {
		snprintf(path, sizeof(path), "%s/ns/net", e->d_name);
		if (isdigit((unsigned char)e->d_name[0]))
			search_in(s, dirfd(proc), path);
	}
	while (named && (e = readdir(named)))
		if (e->d_name[0] != '.')
			search_in(s, dirfd(named), e->d_name);
}

int pk_detach_offline(const char *dir, struct pk_detached *ret)
{
	_cleanup_close_ int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	_cleanup_(pins_freep) struct pk_pins *p = NULL;
	struct search s = {};
	int r = home < 0 ? -errno : pk_pins_open(dir, &p);

	*ret = (struct pk_detached){};
	libbpf_set_print(NULL); /* it would complain of every interface without clsact */
	if (r < 0)
		return r;
	snprintf(ret->trouble, sizeof(ret->trouble), "%s", pk_pins_trouble(p));
	if (ret->trouble[0])
		return -EBUSY;
	pk_pins_left(p, &s.left);
	if (s.left.maps)
		search_all(&s);
	free(s.seen);
	if (setns(home, CLONE_NEWNET) < 0)
		return -errno;
	pk_pins_release(p);
	ret->maps = s.left.maps;
	ret->xdp = s.left.xdp;
	ret->tcx = s.left.tcx;
	ret->cgroup = s.left.cgroup;
	ret->filters = s.filters;
	return 0;
}
