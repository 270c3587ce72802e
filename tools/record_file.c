/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Splits the stream into blocks and puts whole blocks into files. What every file begins with (the
 * section and its interfaces) is kept for the next one; statistics of a file that is not the only
 * one are its own. It does not know where the stream comes from.
 */
#include "record_file.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "capture/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WRITE_AT    (256u << 10) /* bytes that are gathered */
#define HEAD_MAX    (4u << 20)   /* of a section and its interfaces */
#define IFACES_MAX  4096
#define FILES_LIMIT 100000

struct file {
	char *name;
	dev_t dev; /* to remove what was made and nothing else */
	ino_t ino;
};

struct iface {
	uint64_t packets, dropped; /* in this file */
};

struct pk_record_files {
	struct pk_record_wish wish;
	struct pk_record_sum sum;
	struct pk_buf in;    /* the beginning of a block whose end has not come */
	struct pk_buf head;  /* section and interfaces so far */
	struct pk_buf out;   /* whole blocks, not written */
	struct pk_buf stats; /* of the stream: for the only file */
	struct file *file;   /* those that are there, oldest first */
	size_t files;
	struct iface *iface;
	size_t ifaces;
	int fd;
	uint64_t written;           /* to this file: ends where a block ends */
	uint64_t packets;           /* in this file */
	uint64_t first_ns, last_ns; /* of packets in it */
	time_t opened;              /* CLOCK_MONOTONIC */
	bool is_stdout;
};

static time_t monotonic(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* can't fail with this clock */
	return t.tv_sec;
}

static bool rotates(const struct pk_record_files *f)
{
	return f->wish.rotate_bytes || f->wish.rotate_s;
}

/* "cap.pcapng" becomes "cap_00001_20261129094500.pcapng", as dumpcap names its files. */
static char *name_of(const struct pk_record_files *f)
{
	const char *path = f->wish.path, *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');
	int stem = dot && dot != path && dot[-1] != '/' ? (int)(dot - path) : (int)strlen(path);
	char stamp[32] = "", *name;
	time_t now = time(NULL);
	struct tm tm;

	if (!rotates(f))
		return strdup(path);
	if (localtime_r(&now, &tm))
		(void)strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &tm);
	if (asprintf(&name, "%.*s_%05llu_%s%s", stem, path, (unsigned long long)f->sum.files + 1,
		     stamp, path + stem) < 0)
		return NULL;
	return name;
}

/* Only a plain file is replaced, and by a new one: no link is followed, nothing is written to what
 * another name leads to as well. */
static int make_room(const char *name)
{
	struct stat st;

	if (lstat(name, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(st.st_mode))
		return -EEXIST;
	return unlink(name) < 0 ? -errno : 0;
}

static void remove_oldest(struct pk_record_files *f)
{
	struct file *old = &f->file[0];
	struct stat st;

	if (lstat(old->name, &st) == 0 && st.st_dev == old->dev && st.st_ino == old->ino &&
	    unlink(old->name) == 0)
		f->sum.removed++;
	free(old->name);
	memmove(f->file, f->file + 1, --f->files * sizeof(*f->file));
}

static int open_next(struct pk_record_files *f)
{
	_cleanup_free_ char *name = name_of(f);
	struct file *more;
	struct stat st;
	int r;

	if (!name)
		return -ENOMEM;
	r = f->wish.force ? make_room(name) : 0;
	if (r < 0)
		return r;
	while (f->files && f->files >= f->wish.files_max)
		remove_oldest(f);
	more = realloc(f->file, (f->files + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	f->file = more;
	f->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return -errno;
	f->file[f->files++] = (struct file){ PK_TAKE(name), st.st_dev, st.st_ino };
	f->sum.files++;
	f->opened = monotonic();
	f->written = f->packets = f->first_ns = f->last_ns = 0;
	return 0;
}

int pk_record_files_open(const struct pk_record_wish *wish, struct pk_record_files **ret_files)
{
	struct pk_record_files *f = calloc(1, sizeof(*f));
	int r = 0;

	if (!f)
		return -ENOMEM;
	f->wish = *wish;
	if (!rotates(f) || f->wish.files_max > FILES_LIMIT)
		f->wish.files_max = FILES_LIMIT;
	f->head.max = HEAD_MAX;
	f->fd = -1;
	f->iface = calloc(IFACES_MAX, sizeof(*f->iface));
	f->is_stdout = strcmp(wish->path, "-") == 0;
	if (!f->iface)
		r = -ENOMEM;
	else if (f->is_stdout)
		f->fd = STDOUT_FILENO;
	else
		r = open_next(f);
	if (r < 0) {
		pk_record_files_free(f);
		return r;
	}
	*ret_files = f;
	return 0;
}

/* Bytes of the whole blocks among the first n of what is gathered. */
static size_t whole(const struct pk_buf *out, size_t n)
{
	size_t at = 0;
	uint32_t type, len;

	while (pk_pcapng_block(out->data + at, out->len - at, &type, &len) && at + len <= n)
		at += len;
	return at;
}

/* Nothing fits any more: the file ends with the last block that is in it whole. */
static int cut_back(struct pk_record_files *f, size_t n, int error)
{
	size_t good = whole(&f->out, n);
	uint32_t type, len;

	for (size_t at = good; pk_pcapng_block(f->out.data + at, f->out.len - at, &type, &len);
	     at += len)
		f->sum.packets -= type == PK_PCAPNG_PACKET;
	f->written += good;
	f->sum.bytes += good;
	pk_buf_reset(&f->out);
	if (!f->is_stdout && ftruncate(f->fd, (off_t)f->written) < 0)
		return -errno;
	return error;
}

int pk_record_files_flush(struct pk_record_files *f)
{
	size_t n = 0;

	if (f->out.error)
		return f->out.error;
	while (n < f->out.len) {
		ssize_t done = write(f->fd, f->out.data + n, f->out.len - n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return cut_back(f, n, -errno);
		n += (size_t)done;
	}
	f->written += n;
	f->sum.bytes += n;
	pk_buf_reset(&f->out);
	return 0;
}

static void own_stats(struct pk_record_files *f)
{
	for (size_t i = 0; i < f->ifaces; i++) {
		struct pk_pcapng_stats s = { .iface = (uint32_t)i,
					     .ts_ns = f->last_ns,
					     .start_ns = f->first_ns,
					     .end_ns = f->last_ns,
					     .received = f->iface[i].packets + f->iface[i].dropped,
					     .dropped = f->iface[i].dropped,
					     .delivered = f->iface[i].packets };

		pk_pcapng_stats(&f->out, &s);
		f->iface[i] = (struct iface){ 0 };
	}
}

/* The stream's own statistics are about all of it. */
static int close_file(struct pk_record_files *f)
{
	int r;

	if (f->stats.len && f->sum.files <= 1)
		pk_buf_add(&f->out, f->stats.data, f->stats.len);
	else
		own_stats(f);
	r = pk_record_files_flush(f);
	if (!f->is_stdout && close(PK_TAKE_FD(f->fd)) < 0 && r == 0)
		r = -errno; /* a file system may say only now that it is full */
	return r;
}

static bool is_due(const struct pk_record_files *f, size_t len)
{
	if (f->is_stdout || !f->packets)
		return false;
	return (f->wish.rotate_bytes && f->written + f->out.len + len > f->wish.rotate_bytes) ||
	       (f->wish.rotate_s && monotonic() - f->opened >= (time_t)f->wish.rotate_s);
}

static int rotate(struct pk_record_files *f)
{
	int r = close_file(f);

	if (r == 0)
		r = open_next(f);
	if (r == 0)
		pk_buf_add(&f->out, f->head.data, f->head.len);
	return r;
}

static int add_packet(struct pk_record_files *f, const char *block, uint32_t len)
{
	struct pk_pcapng_seen s;
	int r;

	if (!pk_pcapng_read_packet(block, len, &s) || s.iface >= f->ifaces)
		return -EBADMSG;
	if (is_due(f, len)) {
		r = rotate(f);
		if (r < 0)
			return r;
	}
	pk_buf_add(&f->out, block, len);
	f->iface[s.iface].packets++;
	f->iface[s.iface].dropped += s.dropped;
	if (!f->packets || s.ts_ns < f->first_ns)
		f->first_ns = s.ts_ns;
	if (s.ts_ns > f->last_ns)
		f->last_ns = s.ts_ns;
	f->packets++;
	f->sum.packets++;
	f->sum.cut += s.len < s.wire_len;
	f->sum.dropped += s.dropped;
	return 0;
}

static uint64_t number_in(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/* "ended=duration flows=3 packets=120 cut=4 slow=0 missed=0 refused=0" */
static void read_end(struct pk_record_files *f, const char *block, uint32_t len)
{
	char text[512] = "";
	size_t n = 0;
	const char *comment = pk_pcapng_read_comment(block, len, &n);

	if (!comment || n >= sizeof(text))
		return;
	memcpy(text, comment, n);
	if (sscanf(text, "ended=%31[a-z]", f->sum.ended) != 1)
		return;
	f->sum.flows = number_in(text, " flows=");
	f->sum.missed = number_in(text, " missed=");
	if (number_in(text, " slow=") > f->sum.dropped) /* those behind the last packet */
		f->sum.dropped = number_in(text, " slow=");
}

static int add_block(struct pk_record_files *f, uint32_t type, const char *block, uint32_t len)
{
	switch (type) {
	case PK_PCAPNG_SECTION:
		if (f->head.len)
			return -EBADMSG; /* a second one: interfaces would begin anew */
		pk_buf_add(&f->head, block, len);
		pk_buf_add(&f->out, block, len);
		return f->head.error;
	case PK_PCAPNG_INTERFACE:
		if (!f->head.len || f->ifaces >= IFACES_MAX)
			return -EBADMSG;
		f->ifaces++;
		pk_buf_add(&f->head, block, len);
		pk_buf_add(&f->out, block, len);
		return f->head.error;
	case PK_PCAPNG_STATS:
		read_end(f, block, len);
		pk_buf_add(&f->stats, block, len);
		return f->stats.error;
	case PK_PCAPNG_PACKET:
		return add_packet(f, block, len);
	default:
		return -EBADMSG;
	}
}

int pk_record_files_add(struct pk_record_files *f, const void *data, size_t len)
{
	size_t at = 0;
	int r = 0;

	pk_buf_add(&f->in, data, len);
	if (f->in.error)
		return f->in.error;
	while (r == 0) {
		uint32_t type, n;

		if (!pk_pcapng_block(f->in.data + at, f->in.len - at, &type, &n)) {
			if (f->in.len - at >= 8)
				r = -EBADMSG;
			break;
		}
		if (n > f->in.len - at)
			break;
		r = add_block(f, type, f->in.data + at, n);
		at += n;
		if (r == 0 && f->out.len >= WRITE_AT)
			r = pk_record_files_flush(f);
	}
	memmove(f->in.data, f->in.data + at, f->in.len - at);
	f->in.len -= at;
	if (r == 0 && f->is_stdout) /* somebody watches */
		r = pk_record_files_flush(f);
	return r;
}

int pk_record_files_end(struct pk_record_files *f)
{
	bool nothing = !f->head.len && !f->is_stdout;
	int r = f->fd < 0 ? 0 : close_file(f);

	if (nothing && f->files == 1) {
		remove_oldest(f);
		f->sum.files = f->sum.removed = 0;
	}
	return r;
}

void pk_record_files_free(struct pk_record_files *f)
{
	if (!f)
		return;
	if (!f->is_stdout)
		pk_closep(&f->fd);
	for (size_t i = 0; i < f->files; i++)
		free(f->file[i].name);
	free(f->file);
	free(f->iface);
	pk_buf_done(&f->in);
	pk_buf_done(&f->head);
	pk_buf_done(&f->out);
	pk_buf_done(&f->stats);
	free(f);
}

const struct pk_record_sum *pk_record_files_sum(const struct pk_record_files *f)
{
	return &f->sum;
}

const char *pk_record_files_name(const struct pk_record_files *f)
{
	return f->files ? f->file[f->files - 1].name : f->wish.path;
}

const char *pk_record_files_at(const struct pk_record_files *f, size_t i)
{
	return i < f->files ? f->file[i].name : NULL;
}
