/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON lines to a file of mode 0640. It is rotated by size and age, FILE.1 being the newest of the
 * old ones, and opened again when somebody moved it away: logrotate needs to tell nobody. Records
 * are with the receiver when they are on the disk.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "conf/conf.h"
#include "sink/kinds.h"
#include "sink/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_MAX_ 200

struct file {
	int dir_fd, fd;
	char name[NAME_MAX_];
	uint64_t size_max, age_ns, keep;
	uint64_t since_ns; /* boottime of its first line, as far as we know */
	struct pk_buf text;
};

void pk_sink_lines(struct pk_buf *out, const struct pk_sink_record *rec, size_t n)
{
	pk_buf_reset(out);
	for (size_t i = 0; i < n; i++) {
		pk_buf_add(out, rec[i].json, rec[i].len);
		pk_buf_char(out, '\n');
	}
}

static bool wanted(const struct pk_conf *c)
{
	return *c->sink_file;
}

static void close_file(void *state)
{
	struct file *f = state;

	pk_closep(&f->fd);
	pk_buf_done(&f->text);
	free(f);
}

static int open_sink(const struct pk_sink_env *env, void **ret_state)
{
	const char *slash = strrchr(env->conf->sink_file, '/');
	struct file *f;

	if (env->file_fd < 0)
		return -EACCES;
	if (!slash[1])
		return -EISDIR;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	*f = (struct file){ .dir_fd = env->file_fd,
			    .fd = -1,
			    .size_max = env->conf->sink_file_bytes,
			    .age_ns = env->conf->sink_file_age_ns,
			    .keep = env->conf->sink_file_keep };
	snprintf(f->name, sizeof(f->name), "%s", slash + 1);
	*ret_state = f;
	return 0;
}

/* Is what we have open still what its name leads to? */
static bool is_there(const struct file *f, struct stat *ret_open)
{
	struct stat named;

	return f->fd >= 0 && fstat(f->fd, ret_open) == 0 &&
	       fstatat(f->dir_fd, f->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       named.st_dev == ret_open->st_dev && named.st_ino == ret_open->st_ino;
}

static int open_again(struct file *f)
{
	pk_closep(&f->fd);
	f->fd = openat(f->dir_fd, f->name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		       0640);
	f->since_ns = pk_clock_boot_ns();
	return f->fd < 0 ? -errno : 0;
}

static void old_name(const struct file *f, uint64_t n, char out[NAME_MAX_ + 24])
{
	snprintf(out, NAME_MAX_ + 24, "%s.%llu", f->name, (unsigned long long)n);
}

/* FILE.2 to FILE.3, FILE.1 to FILE.2, FILE to FILE.1; the last one goes. */
static int rotate(struct file *f)
{
	char from[NAME_MAX_ + 24], to[NAME_MAX_ + 24];

	if (!f->keep) {
		if (unlinkat(f->dir_fd, f->name, 0) < 0)
			return -errno;
		return open_again(f);
	}
	for (uint64_t n = f->keep; n > 1; n--) {
		old_name(f, n - 1, from);
		old_name(f, n, to);
		if (renameat(f->dir_fd, from, f->dir_fd, to) < 0 && errno != ENOENT)
			return -errno;
	}
	old_name(f, 1, to);
	if (renameat(f->dir_fd, f->name, f->dir_fd, to) < 0)
		return -errno;
	return open_again(f);
}

static int make_ready(struct file *f, size_t more)
{
	struct stat st = { 0 };
	bool old;

	if (!is_there(f, &st))
		return open_again(f);
	old = f->age_ns && pk_clock_boot_ns() - f->since_ns > f->age_ns;
	if (st.st_size && (old || (uint64_t)st.st_size + more > f->size_max))
		return rotate(f);
	return 0;
}

/* All of it or nothing: half a line would be read by somebody. */
static int append(struct file *f)
{
	struct stat st;
	ssize_t n;

	if (fstat(f->fd, &st) < 0)
		return -errno;
	n = write(f->fd, f->text.data, f->text.len);
	if (n == (ssize_t)f->text.len)
		return fdatasync(f->fd) < 0 && errno != EINVAL ? -errno : 0;
	if (n > 0 && ftruncate(f->fd, st.st_size) < 0)
		return -errno;
	return n < 0 ? -errno : -ENOSPC;
}

static int send_lines(void *state, const struct pk_sink_record *rec, size_t n, size_t *ret_done,
		      char *why)
{
	struct file *f = state;
	int r;

	pk_sink_lines(&f->text, rec, n);
	r = f->text.error ? f->text.error : make_ready(f, f->text.len);
	if (!r)
		r = append(f);
	if (r < 0) {
		snprintf(why, PK_SINK_WHY, "%.99s: %s", f->name, strerror(-r));
		return r;
	}
	*ret_done = n;
	return 0;
}

const struct pk_sink_kind pk_sink_file = {
	.name = "file", .wanted = wanted, .open = open_sink, .send = send_lines, .close = close_file
};
