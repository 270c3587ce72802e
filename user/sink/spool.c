/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments: files named by the number of their first record, each with its space allocated when it
 * is made. When a segment is full and everything was read, it is begun again in place, so a disk
 * that somebody fills does not keep alerts from receivers that listen. Old bytes behind the end do
 * not matter: a record counts only with the number that follows.
 */
#include "sink/spool.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <zlib.h>

#define SEGMENTS      64
#define SEGMENT_MIN   (2 * PK_SPOOL_RECORD_MAX)
#define READ_BYTES    (1u << 20)
#define SUFFIX        ".spool"
#define CURSOR_DIGITS 20

struct head {
	uint32_t len; /* of what follows: uid and text with their NULs */
	uint32_t crc; /* of the head with 0 here, and what follows */
	uint64_t number, time_ns;
	uint32_t uid_len, severity;
};

struct segment {
	uint64_t first;
	uint64_t bytes; /* written */
};

struct pk_spool_reader {
	struct pk_spool *spool;
	uint64_t next; /* number */
	uint64_t dropped;
	int cursor_fd, fd;
	uint64_t first, offset; /* segment that fd is of, and the place of next in it */
	uint64_t *ends;         /* offsets behind the records that were read last */
	size_t ends_n, ends_cap;
	char *buf;
};

struct pk_spool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	int dir_fd, fd; /* of the newest segment */
	uint64_t segment_bytes;
	struct segment seg[SEGMENTS + 1];
	size_t segs, segs_max;
	uint64_t end; /* number of the next record */
	struct pk_spool_reader *reader[PK_SPOOL_READERS];
	bool woken;
};

static void segment_name(uint64_t first, char out[32])
{
	snprintf(out, 32, "%016" PRIx64 SUFFIX, first);
}

static uint32_t crc_of(const struct head *h, const char *uid, const char *json, size_t json_len)
{
	struct head clean = *h;
	uLong crc;

	clean.crc = 0;
	crc = crc32(0, (const Bytef *)&clean, sizeof(clean));
	crc = crc32(crc, (const Bytef *)uid, h->uid_len);
	return (uint32_t)crc32(crc, (const Bytef *)json, (uInt)json_len);
}

/* The record at p if it is whole and has this number; false: the segment ends here. */
static bool take_record(const char *p, size_t left, uint64_t number, struct pk_sink_record *ret,
			size_t *ret_size)
{
	struct head h;
	const char *uid = p + sizeof(h);

	if (left < sizeof(h))
		return false;
	memcpy(&h, p, sizeof(h));
	if (h.number != number || h.len > PK_SPOOL_RECORD_MAX || left - sizeof(h) < h.len ||
	    h.uid_len < 1 || h.uid_len >= h.len || uid[h.uid_len - 1] || uid[h.len - 1] ||
	    crc_of(&h, uid, uid + h.uid_len, h.len - h.uid_len) != h.crc)
		return false;
	*ret = (struct pk_sink_record){ .number = h.number,
					.time_ns = h.time_ns,
					.severity = (uint8_t)h.severity,
					.uid = uid,
					.json = uid + h.uid_len,
					.len = h.len - h.uid_len - 1 };
	*ret_size = sizeof(h) + h.len;
	return true;
}

/* Walks a segment from offset on; how far it is whole, and how many records that are. */
static int scan(int fd, uint64_t number, uint64_t *offset, uint64_t *ret_records)
{
	_cleanup_free_ char *buf = malloc(READ_BYTES);
	struct pk_sink_record rec;
	size_t size, at;
	ssize_t n;

	*ret_records = 0;
	if (!buf)
		return -ENOMEM;
	for (;;) {
		n = pread(fd, buf, READ_BYTES, (off_t)*offset);
		if (n < 0)
			return -errno;
		for (at = 0; take_record(buf + at, (size_t)n - at, number, &rec, &size);
		     at += size) {
			number++;
			++*ret_records;
		}
		*offset += at;
		if (!at)
			return 0;
	}
}

static int by_first(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static int find_segments(struct pk_spool *s)
{
	int fd = openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	char *end;

	if (!d) {
		pk_closep(&fd);
		return -errno;
	}
	while ((e = readdir(d)) && s->segs < SEGMENTS) {
		uint64_t first = strtoull(e->d_name, &end, 16);

		if (end == e->d_name + 16 && strcmp(end, SUFFIX) == 0)
			s->seg[s->segs++].first = first;
	}
	closedir(d);
	qsort(s->seg, s->segs, sizeof(s->seg[0]), by_first);
	return 0;
}

static int open_segment(const struct pk_spool *s, uint64_t first, int flags)
{
	char name[32];
	int fd;

	segment_name(first, name);
	fd = openat(s->dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

static void remove_oldest(struct pk_spool *s)
{
	char name[32];

	segment_name(s->seg[0].first, name);
	(void)unlinkat(s->dir_fd, name, 0); /* a file that stays is found again at the next start */
	memmove(s->seg, s->seg + 1, --s->segs * sizeof(s->seg[0]));
}

/* Is every record dealt with? */
static bool all_read(const struct pk_spool *s)
{
	for (size_t i = 0; i < PK_SPOOL_READERS; i++)
		if (s->reader[i] && s->reader[i]->next < s->end)
			return false;
	return true;
}

static int begin_again(struct pk_spool *s)
{
	struct segment *g = &s->seg[s->segs - 1];
	char from[32], to[32];

	segment_name(g->first, from);
	segment_name(s->end, to);
	if (renameat(s->dir_fd, from, s->dir_fd, to) < 0)
		return -errno;
	*g = (struct segment){ .first = s->end };
	return 0;
}

static int add_segment(struct pk_spool *s)
{
	char name[32];
	int fd;

	while (s->segs >= s->segs_max) /* as large as it may be */
		remove_oldest(s);
	fd = open_segment(s, s->end, O_RDWR | O_CREAT);
	if (fd < 0)
		return fd;
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)s->segment_bytes) < 0 &&
	    errno != EOPNOTSUPP && s->segs) { /* the first one has to be, for what fits */
		int r = -errno;

		segment_name(s->end, name);
		(void)unlinkat(s->dir_fd, name, 0);
		close(fd);
		return r;
	}
	pk_closep(&s->fd);
	s->fd = fd;
	s->seg[s->segs++] = (struct segment){ .first = s->end };
	return 0;
}

/* The newest segment goes on where it is whole; those before are taken as they are. */
static int open_newest(struct pk_spool *s)
{
	struct segment *g;
	uint64_t records;
	int r;

	s->end = 1;
	if (!s->segs)
		return add_segment(s);
	for (size_t i = 0; i + 1 < s->segs; i++)
		s->seg[i].bytes = s->segment_bytes;
	g = &s->seg[s->segs - 1];
	s->fd = open_segment(s, g->first, O_RDWR);
	if (s->fd < 0)
		return s->fd;
	r = scan(s->fd, g->first, &g->bytes, &records);
	s->end = g->first + records;
	return r;
}

int pk_spool_open(int dir_fd, uint64_t bytes_max, struct pk_spool **ret_spool)
{
	struct pk_spool *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	int r;

	if (!s)
		return -ENOMEM;
	s->dir_fd = dir_fd;
	s->fd = -1;
	s->segment_bytes = bytes_max / SEGMENTS;
	if (s->segment_bytes < SEGMENT_MIN)
		s->segment_bytes = SEGMENT_MIN;
	s->segs_max = bytes_max / s->segment_bytes;
	if (s->segs_max < 2)
		s->segs_max = 2;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->more, &attr);
	pthread_condattr_destroy(&attr);
	r = find_segments(s);
	if (!r)
		r = open_newest(s);
	if (r < 0) {
		pk_spool_close(s);
		return r;
	}
	*ret_spool = s;
	return 0;
}

void pk_spool_close(struct pk_spool *s)
{
	if (!s)
		return;
	pk_closep(&s->fd);
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* Room for so many bytes in the newest segment, with the lock. */
static int make_room(struct pk_spool *s, size_t bytes)
{
	struct segment *g = &s->seg[s->segs - 1];

	if (g->bytes + bytes <= s->segment_bytes || !g->bytes)
		return 0;
	if (all_read(s)) {
		while (s->segs > 1)
			remove_oldest(s);
		return begin_again(s);
	}
	return add_segment(s);
}

int pk_spool_append(struct pk_spool *s, const struct pk_sink_record *rec)
{
	struct head h = { .number = 0, .time_ns = rec->time_ns, .severity = rec->severity };
	struct iovec part[3] = { { &h, sizeof(h) } };
	struct segment *g;
	size_t size;
	ssize_t n;
	int r;

	h.uid_len = (uint32_t)strlen(rec->uid) + 1;
	size = sizeof(h) + h.uid_len + rec->len + 1;
	if (size > PK_SPOOL_RECORD_MAX)
		return -EMSGSIZE;
	h.len = (uint32_t)(size - sizeof(h));
	part[1] = (struct iovec){ (void *)rec->uid, h.uid_len };
	part[2] = (struct iovec){ (void *)rec->json, rec->len + 1 };
	pthread_mutex_lock(&s->lock);
	r = make_room(s, size);
	h.number = s->end;
	h.crc = crc_of(&h, rec->uid, rec->json, rec->len + 1);
	g = &s->seg[s->segs - 1];
	if (!r) {
		n = pwritev(s->fd, part, 3, (off_t)g->bytes);
		r = n == (ssize_t)size ? 0 : n < 0 ? -errno : -ENOSPC;
	}
	if (!r) {
		g->bytes += size;
		s->end++;
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

int pk_spool_sync(struct pk_spool *s)
{
	int r = fdatasync(s->fd) < 0 ? -errno : 0;

	pthread_mutex_lock(&s->lock);
	pthread_cond_broadcast(&s->more);
	pthread_mutex_unlock(&s->lock);
	return r;
}

uint64_t pk_spool_bytes(struct pk_spool *s)
{
	uint64_t n = 0;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->segs; i++)
		n += s->seg[i].bytes;
	pthread_mutex_unlock(&s->lock);
	return n;
}

void pk_spool_wake(struct pk_spool *s)
{
	pthread_mutex_lock(&s->lock);
	s->woken = true;
	pthread_cond_broadcast(&s->more);
	pthread_mutex_unlock(&s->lock);
}

static int open_cursor(struct pk_spool_reader *r, const char *name)
{
	char file[64], text[CURSOR_DIGITS + 2] = "";

	snprintf(file, sizeof(file), "%s.cursor", name);
	r->cursor_fd =
		openat(r->spool->dir_fd, file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->cursor_fd < 0)
		return -errno;
	r->next = r->spool->end;
	if (pread(r->cursor_fd, text, CURSOR_DIGITS, 0) == CURSOR_DIGITS) {
		uint64_t n = strtoull(text, NULL, 10);

		r->next = n && n < r->spool->end ? n : r->spool->end;
	}
	return 0;
}

static void save_cursor(struct pk_spool_reader *r)
{
	char text[CURSOR_DIGITS + 2];

	snprintf(text, sizeof(text), "%020" PRIu64 "\n", r->next);
	(void)!pwrite(r->cursor_fd, text, CURSOR_DIGITS + 1, 0); /* else some are sent twice */
}

int pk_spool_reader_open(struct pk_spool *s, const char *name, struct pk_spool_reader **ret_reader)
{
	struct pk_spool_reader *r = calloc(1, sizeof(*r));
	size_t i = 0;
	int e;

	while (i < PK_SPOOL_READERS && s->reader[i])
		i++;
	if (!r || i == PK_SPOOL_READERS) {
		free(r);
		return -ENOMEM;
	}
	r->spool = s;
	r->fd = r->cursor_fd = -1;
	r->buf = malloc(READ_BYTES);
	e = r->buf ? open_cursor(r, name) : -ENOMEM;
	if (e < 0) {
		pk_spool_reader_close(r);
		return e;
	}
	save_cursor(r);
	pthread_mutex_lock(&s->lock);
	s->reader[i] = r;
	pthread_mutex_unlock(&s->lock);
	*ret_reader = r;
	return 0;
}

void pk_spool_reader_close(struct pk_spool_reader *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->spool->lock);
	for (size_t i = 0; i < PK_SPOOL_READERS; i++)
		if (r->spool->reader[i] == r)
			r->spool->reader[i] = NULL;
	pthread_mutex_unlock(&r->spool->lock);
	pk_closep(&r->fd);
	pk_closep(&r->cursor_fd);
	free(r->ends);
	free(r->buf);
	free(r);
}

/* The segment that holds the next record, with the lock; NULL: it is not written yet. */
static const struct segment *segment_of(struct pk_spool_reader *r)
{
	const struct pk_spool *s = r->spool;
	size_t i = s->segs;

	if (r->next < s->seg[0].first) {
		r->dropped += s->seg[0].first - r->next;
		r->next = s->seg[0].first;
	}
	if (r->next >= s->end)
		return NULL;
	while (i && s->seg[i - 1].first > r->next)
		i--;
	return i ? &s->seg[i - 1] : NULL;
}

static void wait_more(struct pk_spool_reader *r, unsigned ms)
{
	struct pk_spool *s = r->spool;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	while (r->next >= s->end && !s->woken)
		if (pthread_cond_timedwait(&s->more, &s->lock, &until))
			break;
}

/* The open segment is the one that is wanted, and offset the place of the next record in it. */
static int go_to(struct pk_spool_reader *r, uint64_t first)
{
	struct pk_sink_record rec;
	size_t size = 0;
	ssize_t n;

	if (r->fd >= 0 && r->first == first)
		return 0;
	pk_closep(&r->fd);
	r->fd = open_segment(r->spool, first, O_RDONLY);
	if (r->fd < 0)
		return r->fd;
	r->first = first;
	r->offset = 0;
	for (uint64_t number = first; number < r->next; number++) {
		n = pread(r->fd, r->buf, PK_SPOOL_RECORD_MAX + sizeof(struct head),
			  (off_t)r->offset);
		if (n < 0 || !take_record(r->buf, (size_t)n, number, &rec, &size))
			return n < 0 ? -errno : -EBADMSG;
		r->offset += size;
	}
	return 0;
}

static int note_end(struct pk_spool_reader *r, uint64_t offset)
{
	if (r->ends_n == r->ends_cap) {
		size_t cap = r->ends_cap ? 2 * r->ends_cap : 64;
		uint64_t *ends = realloc(r->ends, cap * sizeof(*ends));

		if (!ends)
			return -ENOMEM;
		r->ends = ends;
		r->ends_cap = cap;
	}
	r->ends[r->ends_n++] = offset;
	return 0;
}

/* Records of a segment up to its end (records before limit); 0: none is whole. */
static int read_records(struct pk_spool_reader *r, struct pk_sink_record *rec, size_t max,
			uint64_t limit)
{
	ssize_t n = pread(r->fd, r->buf, READ_BYTES, (off_t)r->offset);
	size_t at = 0, size;

	if (n < 0)
		return -errno;
	r->ends_n = 0;
	for (size_t i = 0; i < max && r->next + i < limit; i++) {
		if (!take_record(r->buf + at, (size_t)n - at, r->next + i, &rec[i], &size))
			break;
		at += size;
		if (note_end(r, r->offset + at) < 0)
			break;
	}
	return (int)r->ends_n;
}

/* What can not be read is passed over: to the next segment, or to the end of this one. */
static void skip_damaged(struct pk_spool_reader *r, uint64_t limit, uint64_t offset)
{
	pthread_mutex_lock(&r->spool->lock);
	r->dropped += limit - r->next;
	r->next = limit;
	pthread_mutex_unlock(&r->spool->lock);
	r->offset = offset;
	save_cursor(r);
}

int pk_spool_read(struct pk_spool_reader *r, struct pk_sink_record *rec, size_t max,
		  unsigned wait_ms)
{
	struct pk_spool *s = r->spool;
	const struct segment *g;
	uint64_t first = 0, limit = 0, bytes = 0;
	int n;

	r->ends_n = 0;
	pthread_mutex_lock(&s->lock);
	if (wait_ms)
		wait_more(r, wait_ms);
	g = segment_of(r);
	if (g) {
		first = g->first;
		bytes = g->bytes;
		limit = g == &s->seg[s->segs - 1] ? s->end : g[1].first;
	}
	pthread_mutex_unlock(&s->lock);
	if (!g)
		return 0;
	n = go_to(r, first);
	if (n == 0)
		n = read_records(r, rec, max, limit);
	if (n == 0 || n == -EBADMSG || n == -ENOENT) {
		skip_damaged(r, limit, bytes);
		return 0;
	}
	return n;
}

void pk_spool_done(struct pk_spool_reader *r, size_t n)
{
	struct pk_spool *s = r->spool;
	uint64_t least;

	if (!n || n > r->ends_n)
		return;
	r->offset = r->ends[n - 1];
	r->ends_n = 0;
	pthread_mutex_lock(&s->lock);
	r->next += n;
	least = s->end;
	for (size_t i = 0; i < PK_SPOOL_READERS; i++)
		if (s->reader[i] && s->reader[i]->next < least)
			least = s->reader[i]->next;
	while (s->segs > 1 && s->seg[1].first <= least)
		remove_oldest(s);
	pthread_mutex_unlock(&s->lock);
	save_cursor(r);
}

uint64_t pk_spool_waiting(struct pk_spool_reader *r)
{
	uint64_t n;

	pthread_mutex_lock(&r->spool->lock);
	n = r->spool->end - r->next;
	pthread_mutex_unlock(&r->spool->lock);
	return n;
}

uint64_t pk_spool_dropped(struct pk_spool_reader *r)
{
	uint64_t n;

	pthread_mutex_lock(&r->spool->lock);
	n = r->dropped;
	pthread_mutex_unlock(&r->spool->lock);
	return n;
}
