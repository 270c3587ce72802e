/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds net namespaces by name below /run/netns and, for containers, by the processes in them. A
 * namespace is known by its inode; one that has neither name nor process any more is let go, so
 * that the kernel can free it.
 */
#include "probe/spaces.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "conf/conf.h"
#include "probe/pins.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define NAMED_DIR "/run/netns"

static void dir_closep(DIR **d)
{
	if (*d)
		closedir(*d);
}

static struct pk_space *find(const struct pk_spaces *s, uint32_t inum)
{
	for (size_t i = 0; i < s->n; i++)
		if (pk_space_inum(s->v[i]) == inum)
			return s->v[i];
	return NULL;
}

static void add(struct pk_spaces *s, int fd, const char *name, bool is_host)
{
	struct pk_space *space;
	int r;

	if (s->n == PK_SPACES_MAX) {
		if (!s->refused_told)
			s->env.ops.notice(
				s->env.ops.arg, PK_LOG_WARN,
				"more than %d network namespaces: the others are not covered",
				PK_SPACES_MAX);
		s->refused_told = true;
		return;
	}
	r = pk_space_open(fd, name, is_host, &s->env, &space);
	if (r < 0) {
		s->failed = true;
		s->env.ops.notice(s->env.ops.arg, PK_LOG_WARN,
				  "network namespace %s: %s; trying again in a second",
				  *name ? name : "of a container", strerror(-r));
		return;
	}
	s->v[s->n++] = space;
	s->watch(s->env.ops.arg, space, true);
}

struct seen {
	uint32_t inum[PK_SPACES_MAX * 2];
	size_t n;
};

/* A namespace exists: covers it when it is new. */
static void meet(struct pk_spaces *s, struct seen *seen, int dir, const char *path,
		 const char *name)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (fstatat(dir, path, &st, 0) < 0)
		return;
	for (size_t i = 0; i < seen->n; i++)
		if (seen->inum[i] == (uint32_t)st.st_ino)
			return;
	if (seen->n < PK_ARRAY_SIZE(seen->inum))
		seen->inum[seen->n++] = (uint32_t)st.st_ino;
	if (find(s, (uint32_t)st.st_ino))
		return;
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		add(s, fd, name, false);
}

static bool is_wanted(const struct pk_conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->netns.n; i++)
		if (!strcmp(conf->netns.v[i], name) || !strcmp(conf->netns.v[i], "all"))
			return true;
	return false;
}

static void scan_named(struct pk_spaces *s, struct seen *seen)
{
	_cleanup_(dir_closep) DIR *d = s->env.conf->netns.n ? opendir(NAMED_DIR) : NULL;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		struct stat st;

		/* A name that nothing is mounted on yet is a file without any permission. */
		if (e->d_name[0] == '.' || !is_wanted(s->env.conf, e->d_name) ||
		    fstatat(dirfd(d), e->d_name, &st, 0) < 0 || !(st.st_mode & 0444))
			continue;
		meet(s, seen, dirfd(d), e->d_name, e->d_name);
	}
}

static void scan_processes(struct pk_spaces *s, struct seen *seen)
{
	_cleanup_(dir_closep) DIR *d = s->env.conf->containers ? opendir("/proc") : NULL;
	struct dirent *e;
	char path[280];

	while (d && (e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "%s/ns/net", e->d_name);
		meet(s, seen, dirfd(d), path, "");
	}
}

static void drop_gone(struct pk_spaces *s, const struct seen *seen)
{
	for (size_t i = s->n; i-- > 0;) {
		bool there = pk_space_is_host(s->v[i]);

		for (size_t j = 0; !there && j < seen->n; j++)
			there = seen->inum[j] == pk_space_inum(s->v[i]);
		if (there)
			continue;
		s->watch(s->env.ops.arg, s->v[i], false);
		pk_space_close(s->v[i], true);
		s->v[i] = s->v[--s->n];
	}
}

static void scan(struct pk_spaces *s)
{
	struct seen seen = {};
	size_t n;

	s->failed = false;
	if (s->n)
		seen.inum[seen.n++] = pk_space_inum(s->v[0]);
	scan_named(s, &seen);
	scan_processes(s, &seen);
	drop_gone(s, &seen);
	/* What nobody claimed now is of interfaces and namespaces that went or are left out. */
	n = s->failed ? 0 : pk_pins_prune(s->env.pins);
	if (n)
		s->env.ops.notice(s->env.ops.arg, PK_LOG_NOTICE,
				  "%zu pinned hook%s of interfaces that are not watched any more "
				  "removed",
				  n, n == 1 ? "" : "s");
}

int pk_spaces_open(struct pk_spaces *s)
{
	_cleanup_close_ int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	add(s, fd, "", true);
	if (!s->n)
		return -EIO;
	scan(s);
	return 0;
}

void pk_spaces_check(struct pk_spaces *s)
{
	scan(s);
	for (size_t i = 0; i < s->n; i++)
		pk_space_check(s->v[i]);
}

void pk_spaces_recover(struct pk_spaces *s, const struct pk_conf *conf)
{
	s->env.conf = conf;
	for (size_t i = 0; i < s->n; i++)
		pk_space_recover(s->v[i]);
	scan(s);
}

size_t pk_spaces_pin(const struct pk_spaces *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += pk_space_pin(s->v[i]);
	return n;
}

void pk_spaces_renew(struct pk_spaces *s)
{
	for (size_t i = 0; i < s->n; i++)
		pk_space_renew(s->v[i]);
}

void pk_spaces_tell(struct pk_spaces *s)
{
	for (size_t i = 0; i < s->n; i++)
		pk_space_tell(s->v[i]);
}

void pk_spaces_tell_addrs(struct pk_spaces *s)
{
	for (size_t i = 0; i < s->n; i++)
		pk_space_tell_addrs(s->v[i]);
}

void pk_spaces_close(struct pk_spaces *s)
{
	while (s->n) {
		struct pk_space *last = s->v[--s->n];

		s->watch(s->env.ops.arg, last, false);
		pk_space_close(last, false);
	}
}
