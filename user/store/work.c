/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writing thread: opens the database, puts what is queued into one transaction after another,
 * signs checkpoints, removes what is old. Rows leave the queue only when they are committed, so a
 * full disk costs nothing before the queue is full too; then it is counted where it is put.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/queue.h"
#include "store/row.h"
#include "store/store_own.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define SECOND_NS        1000000000ull
#define BATCH_ROWS       4096
#define TURN_MS          250 /* flows wait this long for others; all else wakes the thread */
#define RETRY_NS         SECOND_NS
#define RETAIN_NS        (60 * SECOND_NS)
#define RETAIN_STEPS     16
#define CHECKPOINT_EVERY 1000 /* records */
#define END_NS           (3 * SECOND_NS)

static void note_time(struct pk_store *s)
{
	uint64_t boot_ns = pk_clock_boot_ns();

	s->writer.boot_ms = boot_ns / 1000000;
	s->writer.time_ms = (uint64_t)pk_clock_wall_ms(boot_ns);
}

static void tell_trouble(struct pk_store *s, const char *what, int r)
{
	char text[128];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(-r));
	pk_store_trouble(s, text);
}

static int commit(struct pk_store *s, int r)
{
	if (!r)
		r = pk_db_run(&s->db, PK_DB_COMMIT);
	if (!r)
		s->db.chain = s->writer.chain;
	else
		(void)pk_db_run(&s->db, PK_DB_ROLLBACK); /* it may have ended by itself */
	atomic_store_explicit(&s->count[PK_SC_CHAIN], s->db.chain.seq, memory_order_relaxed);
	return r;
}

static int begin(struct pk_store *s)
{
	note_time(s);
	s->writer.chain = s->db.chain;
	return pk_db_run(&s->db, PK_DB_BEGIN);
}

/* Was there a chain before? Then there are checkpoints of it. */
static bool has_checkpoints(const struct pk_store *s)
{
	struct stat st;

	if (s->opts.checkpoints_fd >= 0)
		return fstat(s->opts.checkpoints_fd, &st) == 0 && st.st_size > 0;
	return fstatat(s->opts.dir_fd, PK_STORE_CHECKPOINTS, &st, 0) == 0 && st.st_size > 0;
}

/* A database without a chain gets its first record, which says why it is new. */
static int begin_chain(struct pk_store *s)
{
	const char *why = s->was_broken        ? "the one before was broken"
			  : has_checkpoints(s) ? "the one before is gone"
					       : "first start";
	int r = begin(s);

	if (!r)
		r = pk_write_begin(&s->writer, why, s->was_broken ? s->kept : NULL);
	r = commit(s, r);
	if (!r)
		s->was_broken = false;
	return r;
}

static int open_store(struct pk_store *s)
{
	int r;

	if (!s->key.pkey) {
		r = pk_checkpoint_key(s->opts.dir_fd, &s->key);
		if (r < 0) {
			tell_trouble(s, "the key of the chain", r);
			return r;
		}
	}
	r = pk_db_open(s->opts.dir_fd, &s->db);
	if (!r && s->db.is_new)
		r = begin_chain(s);
	if (r < 0) {
		pk_db_close(&s->db);
		tell_trouble(s, "opening the database", r);
		return r;
	}
	s->open = true;
	atomic_store_explicit(&s->count[PK_SC_CHAIN], s->db.chain.seq, memory_order_relaxed);
	atomic_fetch_add(&s->generation, 1);
	s->signed_n = 0; /* the first checkpoint comes soon: nothing says what there was before */
	pk_store_trouble(s, NULL);
	return 0;
}

/* Broken, or not for us to read: kept for whoever can, and a new one is begun. */
static void set_aside(struct pk_store *s)
{
	char kept[sizeof(s->kept)];
	int r;

	pk_db_close(&s->db);
	s->open = false;
	note_time(s);
	r = pk_db_set_aside(s->opts.dir_fd, s->writer.time_ms, kept, sizeof(kept));
	if (r < 0)
		return tell_trouble(s, "keeping the broken database aside", r);
	pthread_mutex_lock(&s->lock);
	memcpy(s->kept, kept, sizeof(kept));
	pthread_mutex_unlock(&s->lock);
	pk_store_add(s, PK_SC_BROKEN, 1);
	s->was_broken = true;
	s->tried_ns = 0; /* at once */
}

/* The database after something failed: wait, or do without it. */
static void take_failure(struct pk_store *s, int r)
{
	pk_store_add(s, PK_SC_FAILED, 1);
	if (r == -EBADMSG || r == -EPROTO)
		return set_aside(s);
	tell_trouble(s, "writing", r);
	if (r != -ENOSPC && r != -EBUSY) { /* the file or its directory: look again */
		pk_db_close(&s->db);
		s->open = false;
	}
}

static int write_one(struct pk_store *s, const struct pk_row_taken *t, uint64_t n[2])
{
	bool flow = t->row.kind == PK_STORE_FLOW;
	int r = flow ? pk_write_flow(&s->writer, &t->flow) : pk_write_row(&s->writer, &t->row);

	n[flow] += !r;
	return r;
}

/* What is queued, or as much as one transaction takes. */
static int write_batch(struct pk_store *s)
{
	uint64_t at = pk_queue_tail(s->queue), n[2] = { 0 }, one = 1;
	struct pk_row_taken t;
	const void *rec;
	size_t len;
	int r, i;

	r = begin(s);
	for (i = 0; !r && i < BATCH_ROWS && (rec = pk_queue_next(s->queue, &at, &len)); i++) {
		pk_row_take(rec, len, &t);
		r = write_one(s, &t, n);
	}
	r = commit(s, r);
	if (r < 0)
		return r;
	s->more = i == BATCH_ROWS;
	pk_queue_drop(s->queue, at);
	pk_store_add(s, PK_SC_ROWS, n[0]);
	pk_store_add(s, PK_SC_FLOWS, n[1]);
	atomic_fetch_add(&s->done, n[0] + n[1]);
	(void)!write(s->event_fd, &one, sizeof(one)); /* a full counter has woken them already */
	return 0;
}

/* A line that a crash cut short may not spoil the next one. */
static int end_line(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char last;

	if (end <= 0 || pread(fd, &last, 1, end - 1) != 1 || last == '\n')
		return 0;
	return write(fd, "\n", 1) == 1 ? 0 : -errno;
}

static int append_line(int fd, struct pk_buf *line)
{
	ssize_t n;
	int r = end_line(fd);

	if (r < 0)
		return r;
	pk_buf_char(line, '\n');
	if (line->error)
		return line->error;
	n = write(fd, line->data, line->len);
	if (n != (ssize_t)line->len)
		return n < 0 ? -errno : -ENOSPC;
	return fdatasync(fd) < 0 && errno != EINVAL ? -errno : 0; /* a pipe has nothing to sync */
}

static int write_checkpoint(struct pk_store *s)
{
	_cleanup_(pk_buf_done) struct pk_buf line = { 0 };
	_cleanup_close_ int own = -1;
	int fd = s->opts.checkpoints_fd, r;

	note_time(s);
	r = pk_checkpoint_sign(&s->key, &s->db.chain, s->writer.time_ms, &line);
	if (r < 0)
		return r;
	if (fd < 0) {
		fd = own = openat(s->opts.dir_fd, PK_STORE_CHECKPOINTS,
				  O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
		if (fd < 0)
			return -errno;
	}
	return append_line(fd, &line);
}

/* Only what is committed is ever signed: a checkpoint is never ahead of the database. */
static void checkpoint(struct pk_store *s, bool now)
{
	uint64_t at = pk_clock_boot_ns();
	bool due = now || !s->signed_n || at - s->signed_ns >= s->opts.checkpoint_ns ||
		   s->db.chain.seq - s->signed_n >= CHECKPOINT_EVERY;

	if (!s->open || !due || s->db.chain.seq == s->signed_n)
		return;
	if (write_checkpoint(s) < 0) {
		pk_store_add(s, PK_SC_CHECKPOINTS_FAILED, 1);
		s->signed_ns = at; /* not again at once */
		if (s->signed_n)
			return;
	} else {
		pk_store_add(s, PK_SC_CHECKPOINTS, 1);
	}
	s->signed_n = s->db.chain.seq;
	s->signed_ns = at;
}

static void note_bytes(struct pk_store *s)
{
	uint64_t at = pk_clock_boot_ns();

	if (at - s->measured_ns < SECOND_NS)
		return;
	s->measured_ns = at;
	atomic_store_explicit(&s->count[PK_SC_BYTES], pk_db_bytes(&s->db), memory_order_relaxed);
}

static void retain(struct pk_store *s)
{
	struct pk_retain before = s->retain;
	uint64_t at = pk_clock_boot_ns();
	int r = 1;

	if (!s->open || (s->retained_ns && at - s->retained_ns < RETAIN_NS))
		return;
	s->retained_ns = at;
	for (int i = 0; r > 0 && i < RETAIN_STEPS; i++) {
		note_time(s);
		r = pk_retain_step(&s->retain, &s->writer, &s->key);
	}
	pk_store_add(s, PK_SC_PRUNED_ROWS, s->retain.rows - before.rows);
	pk_store_add(s, PK_SC_PRUNED_FLOWS, s->retain.flows - before.flows);
	if (r > 0)
		s->retained_ns = at - RETAIN_NS + SECOND_NS; /* more of it in a second */
	if (r < 0)
		take_failure(s, r);
}

/* May it be tried now? After a failure only once a second. */
static bool may_try(struct pk_store *s)
{
	uint64_t at = pk_clock_boot_ns();

	if (s->tried_ns && at - s->tried_ns < RETRY_NS)
		return false;
	s->tried_ns = at;
	return true;
}

/* Somebody removed or replaced the file: what we write would go nowhere. */
static bool has_moved(struct pk_store *s)
{
	int moved = 0;

	return sqlite3_file_control(s->db.sql, "main", SQLITE_FCNTL_HAS_MOVED, &moved) ==
		       SQLITE_OK &&
	       moved;
}

static void turn(struct pk_store *s)
{
	int r = 0;

	if (s->open && has_moved(s)) {
		pk_db_close(&s->db);
		s->open = false;
	}
	if (!s->open) {
		if (!may_try(s))
			return;
		r = open_store(s);
	} else if (s->trouble[0] && !may_try(s)) {
		return;
	}
	s->more = false;
	if (!r && pk_queue_used(s->queue))
		r = write_batch(s);
	if (r < 0)
		return take_failure(s, r);
	if (s->trouble[0])
		pk_store_trouble(s, NULL);
	note_bytes(s);
	checkpoint(s, false);
	retain(s);
}

static void count_left(struct pk_store *s)
{
	uint64_t at = pk_queue_tail(s->queue), n = 0;
	size_t len;

	while (pk_queue_next(s->queue, &at, &len))
		n++;
	pk_store_add(s, PK_SC_END, n);
}

void *pk_store_work(void *store)
{
	struct pk_store *s = store;
	uint64_t end;

	pthread_setname_np(pthread_self(), "picket-store");
	while (!atomic_load(&s->stop)) {
		turn(s);
		if (!s->open || s->trouble[0] || !s->more)
			pk_queue_wait(s->queue, false, TURN_MS);
	}
	end = pk_clock_boot_ns() + END_NS;
	while (pk_queue_used(s->queue) && pk_clock_boot_ns() < end && !s->trouble[0])
		turn(s);
	checkpoint(s, true);
	count_left(s);
	pk_db_close(&s->db);
	pk_key_done(&s->key);
	return NULL;
}
