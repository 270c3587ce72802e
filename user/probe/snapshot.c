/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the iterator programs. They can't read the memory of other processes, so the arguments are
 * filled in here from /proc/PID/cmdline.
 */
#include "probe/snapshot.h"

#include "base/cleanup.h"
#include "probe/object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <picket/event.h>
#include <stdio.h>
#include <string.h>

#define READ_BYTES 65536

static void fill_argv(struct pk_exec *e)
{
	_cleanup_close_ int fd = -1;
	char path[32], c;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/cmdline", e->task.id.tgid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return; /* it ended meanwhile: the exit record follows */
	n = read(fd, e->argv, sizeof(e->argv));
	if (n <= 0)
		return;
	e->argv_len = e->argv_total = (uint32_t)n;
	if (n == sizeof(e->argv) && read(fd, &c, 1) == 1) {
		e->argv_total++; /* longer, by how much is not known */
		e->hdr.flags |= PK_EVF_TRUNCATED;
	}
}

/* Hands out the whole records in buf, returns how many bytes they took or -errno. */
static ssize_t hand_out(char *buf, size_t len, pk_snapshot_fn fn, void *arg)
{
	size_t at = 0;

	while (len - at >= sizeof(struct pk_hdr)) {
		union {
			struct pk_hdr hdr;
			struct pk_exec exec;
			struct pk_sock sock;
		} rec;
		uint32_t size;
		int r;

		memcpy(&rec.hdr, buf + at, sizeof(rec.hdr));
		size = rec.hdr.size;
		if (size < sizeof(rec.hdr) || size > sizeof(rec))
			return -EBADMSG;
		if (size > len - at)
			break;
		memcpy(&rec, buf + at, size);
		rec.hdr.flags |= PK_EVF_SNAPSHOT;
		if (rec.hdr.type == PK_EV_EXEC && size == sizeof(rec.exec))
			fill_argv(&rec.exec);
		r = fn(arg, &rec, size);
		if (r < 0)
			return r;
		at += size;
	}
	return (ssize_t)at;
}

static int read_all(int fd, pk_snapshot_fn fn, void *arg)
{
	_cleanup_free_ char *buf = malloc(READ_BYTES);
	size_t have = 0;

	if (!buf)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, buf + have, READ_BYTES - have), done;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n < 0 ? -errno : have ? -EBADMSG : 0;
		have += (size_t)n;
		done = hand_out(buf, have, fn, arg);
		if (done < 0)
			return (int)done;
		have -= (size_t)done;
		memmove(buf, buf + done, have);
	}
}

static int walk(const struct pk_object *obj, const char *section, pk_snapshot_fn fn, void *arg)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, pk_object_bpf(obj))
	{
		_cleanup_close_ int link = -1, iter = -1;

		if (strcmp(bpf_program__section_name(p), section) != 0 || bpf_program__fd(p) < 0)
			continue;
		link = bpf_link_create(bpf_program__fd(p), 0, BPF_TRACE_ITER, NULL);
		if (link < 0)
			return -errno;
		iter = bpf_iter_create(link);
		if (iter < 0)
			return -errno;
		return read_all(iter, fn, arg);
	}
	return -ENOENT;
}

int pk_snapshot_take(const struct pk_object *obj, pk_snapshot_fn fn, void *arg)
{
	int r = walk(obj, "iter/task", fn, arg), s = walk(obj, "iter/task_file", fn, arg);

	return r < 0 ? r : s;
}
