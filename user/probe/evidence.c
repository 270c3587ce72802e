/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read of the process is /proc as it is at that moment. What can't be read is left out, and
 * said in bag-info.txt: half of the evidence is better than none.
 */
#include "probe/evidence.h"

#include "base/cleanup.h"
#include "probe/suspend.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

struct bag {
	int dir, data, proc; /* of the bag, its data/, and /proc/PID (-1: none) */
	FILE *manifest, *info;
};

static void bag_done(struct bag *b)
{
	pk_closep(&b->dir);
	pk_closep(&b->data);
	pk_closep(&b->proc);
	if (b->manifest)
		(void)fclose(b->manifest); /* errors were looked for before */
	if (b->info)
		(void)fclose(b->info);
}

static int write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Everything of `from` (at most PK_EVIDENCE_BYTES) to `to`, and its SHA-256. */
static int copy_hashed(int to, int from, unsigned char hash[EVP_MAX_MD_SIZE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	static char buf[1 << 16];
	size_t total = 0;
	ssize_t n = 0;
	int r = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) ? 0 : -ENOMEM;

	while (!r && total < PK_EVIDENCE_BYTES && (n = read(from, buf, sizeof(buf))) > 0) {
		r = write_all(to, buf, (size_t)n);
		(void)EVP_DigestUpdate(ctx, buf, (size_t)n); /* can't fail once begun */
		total += (size_t)n;
	}
	if (!r && n < 0)
		r = -errno;
	if (!r)
		(void)EVP_DigestFinal_ex(ctx, hash, NULL);
	EVP_MD_CTX_free(ctx);
	return r;
}

static void list(struct bag *b, const char *name, const unsigned char hash[EVP_MAX_MD_SIZE])
{
	for (int i = 0; i < 32; i++)
		(void)fprintf(b->manifest, "%02x", hash[i]);
	(void)fprintf(b->manifest, "  data/%s\n", name);
}

/* from is taken; what is wrong with one file is written down, not the end of it. */
static void keep(struct bag *b, const char *name, int from)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	_cleanup_close_ int in = from, out = -1;
	int r = in < 0 ? -errno : 0;

	if (!r) {
		out = openat(b->data, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			     0400);
		r = out < 0 ? -errno : copy_hashed(out, in, hash);
	}
	if (!r && fsync(out) < 0)
		r = -errno;
	if (!r)
		list(b, name, hash);
	else
		(void)fprintf(b->info, "Picket-Missing: %s, %s\n", name, strerror(-r));
}

/* Each descriptor and what it leads to, as a text. */
static void keep_descriptors(struct bag *b)
{
	int dir = openat(b->proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir < 0 ? NULL : fdopendir(dir);
	FILE *text = tmpfile();
	struct dirent *e;

	while (d && text && (e = readdir(d))) {
		char to[1024];
		ssize_t n = readlinkat(dirfd(d), e->d_name, to, sizeof(to) - 1);

		if (n > 0)
			(void)fprintf(text, "%s -> %.*s\n", e->d_name, (int)n, to);
	}
	if (d)
		(void)closedir(d);
	else
		pk_closep(&dir);
	if (!text)
		return;
	(void)fflush(text);
	rewind(text);
	keep(b, "fds.txt", dup(fileno(text)));
	(void)fclose(text);
}

static void keep_process(struct bag *b, const struct pk_msg_evidence *ask)
{
	static const char *const files[][2] = {
		{ "maps", "maps.txt" },     { "cgroup", "cgroup.txt" }, { "status", "status.txt" },
		{ "cmdline", "cmdline" },   { "environ", "environ" },   { "net/tcp", "tcp.txt" },
		{ "net/tcp6", "tcp6.txt" }, { "net/udp", "udp.txt" },   { "net/udp6", "udp6.txt" },
		{ "net/unix", "unix.txt" },
	};
	unsigned long flags;
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%u", ask->tgid);
	b->proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* the directory is that of one process for good: a number used again does not lead to it */
	if (b->proc < 0 || pk_suspend_is_same(ask->tgid, ask->start_ns, &flags) < 0) {
		(void)fprintf(b->info, "Picket-Missing: process %u, it is over\n", ask->tgid);
		return;
	}
	(void)fprintf(b->info, "Picket-Process: %u\n", ask->tgid);
	keep(b, "exe", openat(b->proc, "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK));
	for (size_t i = 0; i < PK_ARRAY_SIZE(files); i++)
		keep(b, files[i][1], openat(b->proc, files[i][0], O_RDONLY | O_CLOEXEC));
	keep_descriptors(b);
}

static int open_file(int dir, const char *name, FILE **ret)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	*ret = fd < 0 ? NULL : fdopen(fd, "w");
	return *ret ? 0 : -errno;
}

static int begin(int dir, const char *name, struct bag *b)
{
	static const char bagit[] = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
	_cleanup_close_ int fd = -1;
	char at[32];
	time_t now = time(NULL); /* a label of the bag, no record's time */
	struct tm tm;

	if (mkdirat(dir, name, 0700) < 0)
		return -errno;
	b->dir = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (b->dir < 0 || mkdirat(b->dir, "data", 0700) < 0)
		return -errno;
	b->data = openat(b->dir, "data", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	fd = openat(b->dir, "bagit.txt", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (b->data < 0 || fd < 0 || write_all(fd, bagit, sizeof(bagit) - 1) < 0 ||
	    open_file(b->dir, "manifest-sha256.txt", &b->manifest) < 0 ||
	    open_file(b->dir, "bag-info.txt", &b->info) < 0)
		return -errno;
	(void)gmtime_r(&now, &tm);
	(void)strftime(at, sizeof(at), "%FT%TZ", &tm);
	(void)fprintf(b->info, "Bagging-Date: %.10s\nPicket-Time: %s\nExternal-Identifier: %s\n",
		      at, at, name);
	return 0;
}

static int finish(struct bag *b)
{
	int r = fflush(b->manifest) || fflush(b->info) ? -errno : 0;

	if (!r &&
	    (fsync(fileno(b->manifest)) < 0 || fsync(fileno(b->info)) < 0 || fsync(b->dir) < 0))
		r = -errno;
	return r;
}

int pk_evidence_write(int dir, const struct pk_msg_evidence *ask, int packets)
{
	_cleanup_(bag_done) struct bag b = { .dir = -1, .data = -1, .proc = -1 };
	int r = begin(dir, ask->name, &b);

	if (r < 0)
		return r;
	if (ask->tgid)
		keep_process(&b, ask);
	if (packets >= 0 && lseek(packets, 0, SEEK_SET) == 0)
		keep(&b, "packets.pcapng", dup(packets));
	return finish(&b);
}

static int open_place(const char *state_dir)
{
	_cleanup_close_ int fd = -1;
	char path[256];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/evidence", state_dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || st.st_mode & 022)
		return -EPERM;
	/* each bag is a directory in it, and so a link of it where the file system counts those */
	return st.st_nlink > 2 + PK_EVIDENCE_BAGS ? -ENOSPC : PK_TAKE_FD(fd);
}

static pid_t fork_job(const struct pk_evidence *e, const struct pk_evidence_job *j)
{
	sigset_t all, before;
	pid_t pid;
	int r;

	/* The handlers write to a socket that we share: in the child none may run. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (!pid) {
		int dir = open_place(e->state_dir);

		r = dir < 0 ? dir : pk_evidence_write(dir, &j->ask, j->fd);
		_exit(-r);
	}
	r = -errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid < 0 ? r : pid;
}

static void remove_job(struct pk_evidence *e, size_t i, int result)
{
	struct pk_evidence_job j = e->job[i];

	memmove(&e->job[i], &e->job[i + 1], (--e->jobs - i) * sizeof(e->job[0]));
	pk_closep(&j.fd);
	e->done(e->arg, j.ask.serial, result);
}

void pk_evidence_take(struct pk_evidence *e, const struct pk_msg_evidence *ask, int *fd)
{
	struct pk_evidence_job *j = &e->job[e->jobs];
	pid_t pid;

	if (e->jobs == PK_EVIDENCE_JOBS) {
		pk_closep(fd);
		*fd = -1;
		e->done(e->arg, ask->serial, -EBUSY);
		return;
	}
	*j = (struct pk_evidence_job){ .ask = *ask, .fd = PK_TAKE_FD(*fd) };
	e->jobs++;
	pid = fork_job(e, j);
	if (pid > 0)
		j->pid = pid;
	else
		remove_job(e, e->jobs - 1, (int)pid);
}

bool pk_evidence_reaped(struct pk_evidence *e, pid_t pid, int status)
{
	for (size_t i = 0; i < e->jobs; i++)
		if (e->job[i].pid == pid) {
			remove_job(e, i, WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR);
			return true;
		}
	return false;
}
