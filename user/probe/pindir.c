/* SPDX-License-Identifier: Apache-2.0 */
/* Knows bpffs, not what is pinned there. Every change is one system call, so that a kill leaves a
 * name or none. */
#include "probe/pindir.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define BPFFS_MAGIC 0xcafe4a11
#define PATH_LEN    (256 + PK_PIN_NAME_MAX)

/* bpffs takes no file that is being written: a name is made beside and moved. */
#define SPARE "new"

static void dir_closep(DIR **d)
{
	if (*d)
		closedir(*d);
}

void pk_pindir_init(struct pk_pindir *d, const char *path)
{
	*d = (struct pk_pindir){ .path = path, .fd = -1 };
}

__attribute__((format(printf, 3, 4))) static int refuse(struct pk_pindir *d, int r, const char *fmt,
							...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->trouble, sizeof(d->trouble), fmt, ap);
	va_end(ap);
	return r;
}

static bool is_bpffs(int fd)
{
	struct statfs st;

	return !fstatfs(fd, &st) && (unsigned long)st.f_type == BPFFS_MAGIC;
}

static int make(struct pk_pindir *d)
{
	_cleanup_close_ int up = -1;
	const char *slash = strrchr(d->path, '/');
	char parent[256];

	if (!slash)
		return refuse(d, -EINVAL, "%s is not a path", d->path);
	snprintf(parent, sizeof(parent), "%.*s", slash == d->path ? 1 : (int)(slash - d->path),
		 d->path);
	up = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (up < 0)
		return refuse(d, -errno, "%s: %s", parent, strerror(errno));
	if (!is_bpffs(up))
		return refuse(d, -EMEDIUMTYPE,
			      "%s is not on bpffs; mount one (mount -t bpf bpf /sys/fs/bpf) or set "
			      "dirs.pins",
			      parent);
	if (mkdirat(up, slash + 1, 0700) < 0 && errno != EEXIST)
		return refuse(d, -errno, "%s: %s", d->path, strerror(errno));
	return 0;
}

/* Is what we opened ours alone, and still what the path leads to? */
static int check(struct pk_pindir *d, int fd)
{
	struct stat st, there;

	if (!is_bpffs(fd))
		return refuse(d, -EMEDIUMTYPE, "%s is not on bpffs", d->path);
	if (fstat(fd, &st) < 0)
		return refuse(d, -errno, "%s: %s", d->path, strerror(errno));
	if (st.st_uid != geteuid() || st.st_mode & 077)
		return refuse(d, -EPERM, "%s is not root's alone (mode 0700)", d->path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return refuse(d, -EBUSY, "another picketd uses %s; give each its own dirs.pins",
			      d->path);
	if (lstat(d->path, &there) < 0 || there.st_ino != st.st_ino)
		return refuse(d, -EAGAIN, "%s changed while it was opened", d->path);
	return 0;
}

int pk_pindir_open(struct pk_pindir *d, bool may_make)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (d->fd >= 0 && !fstat(d->fd, &st) && st.st_nlink)
		return 0;
	pk_pindir_close(d);
	d->trouble[0] = 0;
	for (int tries = 0; tries < 2; tries++) {
		fd = open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 || errno != ENOENT || !may_make)
			break;
		r = make(d);
		if (r < 0)
			return r;
	}
	if (fd < 0)
		return errno == ENOENT ? -ENOENT
				       : refuse(d, -errno, "%s: %s", d->path, strerror(errno));
	r = check(d, fd);
	if (!r)
		d->fd = PK_TAKE_FD(fd);
	return r;
}

void pk_pindir_close(struct pk_pindir *d)
{
	pk_closep(&d->fd);
	d->fd = -1;
}

int pk_pindir_folder(const struct pk_pindir *d, const char *name)
{
	return mkdirat(d->fd, name, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int pin(const struct pk_pindir *d, const char *name, int fd)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

int pk_pindir_put(const struct pk_pindir *d, const char *name, int fd)
{
	char spare[PK_PIN_NAME_MAX];
	const char *slash = strchr(name, '/');
	int r = pin(d, name, fd);

	if (r != -EEXIST)
		return r;
	snprintf(spare, sizeof(spare), "%.*s" SPARE, slash ? (int)(slash + 1 - name) : 0, name);
	pk_pindir_drop(d, spare); /* of one who was killed here */
	r = pin(d, spare, fd);
	return r < 0 ? r : pk_pindir_rename(d, spare, name);
}

int pk_pindir_get(const struct pk_pindir *d, const char *name)
{
	char path[PATH_LEN];
	int fd;

	if (d->fd < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

bool pk_pindir_has(const struct pk_pindir *d, const char *name)
{
	struct stat st;

	return d->fd >= 0 && !fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW);
}

int pk_pindir_rename(const struct pk_pindir *d, const char *from, const char *to)
{
	return renameat(d->fd, from, d->fd, to) < 0 ? -errno : 0;
}

void pk_pindir_drop(const struct pk_pindir *d, const char *name)
{
	if (d->fd >= 0)
		(void)unlinkat(d->fd, name, 0);
}

int pk_pindir_each(const struct pk_pindir *d, const char *folder,
		   void (*each)(void *arg, const char *name), void *arg)
{
	_cleanup_(dir_closep) DIR *dir = NULL;
	char name[PK_PIN_NAME_MAX];
	struct dirent *e;
	int fd = d->fd < 0 ? -1
			   : openat(d->fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return d->fd < 0 ? -ENOENT : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.' &&
		    snprintf(name, sizeof(name), "%s/%s", folder, e->d_name) < (int)sizeof(name))
			each(arg, name);
	return 0;
}

struct emptied {
	const struct pk_pindir *d;
	size_t n;
};

static void drop_one(void *arg, const char *name)
{
	struct emptied *e = arg;

	e->n++;
	pk_pindir_drop(e->d, name);
}

size_t pk_pindir_empty(const struct pk_pindir *d, const char *folder)
{
	struct emptied e = { d, 0 };
	size_t before;

	/* Reading a directory while it shrinks may leave names out. */
	do {
		before = e.n;
		(void)pk_pindir_each(d, folder, drop_one, &e);
	} while (e.n != before && unlinkat(d->fd, folder, AT_REMOVEDIR) < 0 && errno == ENOTEMPTY);
	if (d->fd >= 0)
		(void)unlinkat(d->fd, folder, AT_REMOVEDIR); /* was empty from the start */
	return e.n;
}

void pk_pindir_remove(struct pk_pindir *d)
{
	if (d->fd >= 0)
		(void)rmdir(d->path); /* what others put there keeps it */
	pk_pindir_close(d);
}
