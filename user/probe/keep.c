/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs are done one after the other, each by a child that gives its result by how it ends. What is
 * new is on disk before the name points to it; what was is linked to its second name before that.
 */
#include "probe/keep.h"

#include "base/cleanup.h"
#include "probe/channel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define FILE_MAX      (4ULL << 30)
#define CLOSE_WAIT_MS 5000

struct paths {
	char list[80], prev[80], fresh[80], old[80];
};

static void name_paths(struct paths *p, const char *name)
{
	snprintf(p->list, sizeof(p->list), "%s.list", name);
	snprintf(p->prev, sizeof(p->prev), "%s.list.prev", name);
	snprintf(p->fresh, sizeof(p->fresh), "%s.list.new", name);
	snprintf(p->old, sizeof(p->old), "%s.list.old", name);
}

static void take_step(void (*step)(void))
{
	if (step)
		step();
}

static int sync_dir(int dir, void (*step)(void))
{
	int r = fsync(dir) < 0 ? -errno : 0;

	take_step(step);
	return r;
}

static int copy(int to, int from)
{
	struct stat st;
	off_t at = 0;

	if (fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > FILE_MAX)
		return -EFBIG;
	while (at < st.st_size) {
		ssize_t n = sendfile(to, from, &at, (size_t)(st.st_size - at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO; /* it became shorter */
	}
	return 0;
}

static int write_fresh(int dir, const struct paths *p, int from, void (*step)(void))
{
	_cleanup_close_ int fd = -1;
	int r;

	(void)unlinkat(dir, p->fresh, 0);
	fd = openat(dir, p->fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	take_step(step);
	r = copy(fd, from);
	take_step(step);
	if (!r && fsync(fd) < 0)
		r = -errno;
	take_step(step);
	return r;
}

/* The present file also becomes the one before. It has its name all the time. */
static int keep_old(int dir, const struct paths *p, void (*step)(void))
{
	(void)unlinkat(dir, p->old, 0);
	if (linkat(dir, p->list, dir, p->old, 0) < 0) {
		if (errno == ENOENT)
			return 0; /* the first save */
		/* No links on this file system: then it has only the other name for a moment. */
		if (errno != EPERM && errno != EOPNOTSUPP)
			return -errno;
		return renameat(dir, p->list, dir, p->prev) < 0 ? -errno : 0;
	}
	take_step(step);
	if (renameat(dir, p->old, dir, p->prev) < 0)
		return -errno;
	take_step(step);
	(void)unlinkat(dir, p->old, 0); /* both were the same file: rename(2) did nothing */
	return 0;
}

int pk_keep_write(int dir, const char *name, int fd, void (*step)(void))
{
	struct paths p;
	int r;

	name_paths(&p, name);
	r = write_fresh(dir, &p, fd, step);
	if (!r)
		r = keep_old(dir, &p, step);
	if (!r)
		r = sync_dir(dir, step);
	if (!r && renameat(dir, p.fresh, dir, p.list) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dir, p.fresh, 0);
		return r;
	}
	take_step(step);
	return sync_dir(dir, step);
}

static int erase_one(int dir, const char *path, void (*step)(void))
{
	int r = unlinkat(dir, path, 0) < 0 && errno != ENOENT ? -errno : 0;

	take_step(step);
	return r < 0 ? r : sync_dir(dir, step);
}

/* The one before first: else it would come back in place of the other. */
int pk_keep_erase(int dir, const char *name, void (*step)(void))
{
	struct paths p;
	int r;

	name_paths(&p, name);
	(void)unlinkat(dir, p.fresh, 0);
	(void)unlinkat(dir, p.old, 0);
	r = erase_one(dir, p.prev, step);
	return r < 0 ? r : erase_one(dir, p.list, step);
}

int pk_keep_open(struct pk_keep *k, const char *state_dir)
{
	_cleanup_close_ int fd = -1;
	char path[256];
	struct stat st;

	k->dir = -1;
	k->jobs = 0;
	k->pid = 0;
	if (snprintf(path, sizeof(path), "%s/lists", state_dir) >= (int)sizeof(path))
		return k->why = -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return k->why = -errno;
	/* Who may write there decides what is blocked. */
	if (st.st_uid != geteuid() || st.st_mode & 022)
		return k->why = -EPERM;
	k->dir = PK_TAKE_FD(fd);
	return k->why = 0;
}

/* Whatever the broker has open is not kept by a child that waits for a disk. */
static void close_others(int a, int b)
{
	unsigned lo = (unsigned)(a < b ? a : b), hi = (unsigned)(a < b ? b : a);

	if (a < 0 || b < 0)
		lo = hi;
	if (lo > 3)
		close_range(3, lo - 1, 0);
	if (hi > lo + 1)
		close_range(lo + 1, hi - 1, 0);
	close_range(hi + 1, ~0U, 0);
}

static pid_t fork_job(const struct pk_keep *k, const struct pk_keep_job *j)
{
	sigset_t all, before;
	pid_t pid;
	int r;

	/* The handlers write to a socket that we share: in the child none may run. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (!pid) {
		close_others(k->dir, j->fd);
		r = j->fd < 0 ? pk_keep_erase(k->dir, j->name, NULL)
			      : pk_keep_write(k->dir, j->name, j->fd, NULL);
		_exit(-r);
	}
	r = -errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid < 0 ? r : pid;
}

static void finish(struct pk_keep *k, int result)
{
	struct pk_keep_job j = k->job[0];

	memmove(k->job, k->job + 1, --k->jobs * sizeof(k->job[0]));
	k->pid = 0;
	pk_closep(&j.fd);
	k->done(k->arg, j.name, j.serial, result);
}

static void start(struct pk_keep *k)
{
	while (k->jobs && !k->pid) {
		pid_t pid = fork_job(k, &k->job[0]);

		if (pid > 0)
			k->pid = pid;
		else
			finish(k, (int)pid);
	}
}

void pk_keep_save(struct pk_keep *k, const char *name, uint64_t serial, int *fd)
{
	struct pk_keep_job *j = &k->job[k->jobs];
	int r = k->dir < 0 ? k->why : k->jobs == PK_KEEP_JOBS ? -EBUSY : 0;

	if (!r && !pk_msg_is_list_name(name))
		r = -EINVAL;
	if (r < 0) {
		pk_closep(fd);
		*fd = -1;
		k->done(k->arg, name, serial, r);
		return;
	}
	*j = (struct pk_keep_job){ .serial = serial, .fd = PK_TAKE_FD(*fd) };
	memcpy(j->name, name, strlen(name) + 1);
	k->jobs++;
	start(k);
}

bool pk_keep_reaped(struct pk_keep *k, pid_t pid, int status)
{
	if (!k->pid || pid != k->pid)
		return false;
	finish(k, WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR);
	start(k);
	return true;
}

void pk_keep_close(struct pk_keep *k)
{
	int status;

	for (int ms = 0; k->pid && ms < CLOSE_WAIT_MS; ms += 10) {
		pid_t pid = waitpid(k->pid, &status, WNOHANG);

		if (pid == k->pid)
			(void)pk_keep_reaped(k, pid, status);
		else if (pid < 0)
			break;
		else
			usleep(10000);
	}
	for (size_t i = 0; i < k->jobs; i++)
		pk_closep(&k->job[i].fd);
	k->jobs = 0;
	k->pid = 0;
	pk_closep(&k->dir);
	k->dir = -1;
}

/* The list whose file this is; false: of none. */
static bool name_of(const char *file, char name[PK_LIST_NAME_MAX + 1], bool *ret_previous)
{
	static const char *const ends[] = { ".list", ".list.prev" };
	size_t len = strlen(file);

	for (int i = 0; i < 2; i++) {
		size_t end = strlen(ends[i]);

		if (len <= end || len - end > PK_LIST_NAME_MAX ||
		    strcmp(file + len - end, ends[i]) != 0)
			continue;
		memcpy(name, file, len - end);
		name[len - end] = 0;
		*ret_previous = i == 1;
		return pk_msg_is_list_name(name);
	}
	return false;
}

static int open_file(int dir, const char *file)
{
	_cleanup_close_ int fd =
		openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? PK_TAKE_FD(fd) : -EBADF;
}

int pk_keep_journal(const struct pk_keep *k, int ret_fd[2])
{
	static const char *const names[2] = { "changes.0", "changes.1" };
	_cleanup_close_ int first = -1;
	int fd = -1;

	for (int i = 0; i < 2; i++) {
		struct stat st;

		first = fd;
		fd = k->dir < 0 ? -1
				: openat(k->dir, names[i],
					 O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK |
						 O_NOCTTY | O_CLOEXEC,
					 0600);
		if (fd < 0)
			return k->dir < 0 ? k->why : -errno;
		if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
			close(fd);
			return -EBADF;
		}
	}
	ret_fd[0] = PK_TAKE_FD(first);
	ret_fd[1] = fd;
	return 0;
}

static void dir_closep(DIR **d)
{
	if (*d)
		closedir(*d);
}

void pk_keep_each(const struct pk_keep *k,
		  void (*found)(void *arg, const char *name, bool previous, int fd_or_error),
		  void *arg)
{
	_cleanup_(dir_closep) DIR *d = NULL;
	int again = k->dir < 0 ? -1 : openat(k->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[PK_LIST_NAME_MAX + 1];
	struct dirent *e;
	bool previous;

	d = again < 0 ? NULL : fdopendir(again);
	while (d && (e = readdir(d))) {
		_cleanup_close_ int fd = -1;

		if (!name_of(e->d_name, name, &previous))
			continue;
		fd = open_file(k->dir, e->d_name);
		found(arg, name, previous, fd);
	}
}
