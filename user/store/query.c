/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what the other thread wrote, by a connection that can not write and that is opened again
 * when the database is another one. A progress handler ends what takes too long: the caller is the
 * loop that everything else waits for.
 */
#include "store/query.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "store/store_own.h"

#include <errno.h>
#include <string.h>

#define TIME_NS    200000000ull
#define STEPS      2000 /* instructions of SQLite between two looks at the clock */
#define LIMIT      1000
#define PARAMS_MAX 8

/* A statement as it is put together. */
struct ask {
	struct pk_buf text;
	struct {
		const char *s;
		const uint8_t *addr;
		int64_t n;
	} param[PARAMS_MAX];
	int params;
};

static int is_late(void *arg)
{
	const struct pk_store *s = arg;

	return pk_clock_boot_ns() > s->reader_until_ns;
}

void pk_store_close_reader(struct pk_store *s)
{
	(void)sqlite3_close(s->reader);
	s->reader = NULL;
}

static int open_reader(struct pk_store *s)
{
	unsigned now = atomic_load(&s->generation);
	int r;

	if (s->reader && s->reader_generation != now)
		pk_store_close_reader(s);
	if (!s->reader) {
		r = pk_db_open_read(s->opts.dir_fd, &s->reader);
		if (r < 0)
			return r;
		s->reader_generation = now;
		(void)sqlite3_busy_timeout(s->reader, 50);
		sqlite3_progress_handler(s->reader, STEPS, is_late, s);
	}
	s->reader_until_ns = pk_clock_boot_ns() + TIME_NS;
	return 0;
}

static void ask_n(struct ask *a, const char *text, int64_t n)
{
	pk_buf_str(&a->text, text);
	a->param[a->params++].n = n;
}

static void ask_text(struct ask *a, const char *text, const char *value)
{
	if (!value)
		return;
	pk_buf_str(&a->text, text);
	a->param[a->params++].s = value;
}

static void ask_addr(struct ask *a, const char *text, const uint8_t *value)
{
	if (!value)
		return;
	pk_buf_str(&a->text, text);
	a->param[a->params++].addr = value;
}

static int prepare(struct pk_store *s, struct ask *a, sqlite3_stmt **ret_stmt)
{
	int rc;

	if (a->text.error)
		return a->text.error;
	rc = sqlite3_prepare_v2(s->reader, a->text.data, (int)a->text.len, ret_stmt, NULL);
	for (int i = 0; rc == SQLITE_OK && i < a->params; i++) {
		if (a->param[i].s)
			rc = sqlite3_bind_text(*ret_stmt, i + 1, a->param[i].s, -1, SQLITE_STATIC);
		else if (a->param[i].addr)
			rc = sqlite3_bind_blob(*ret_stmt, i + 1, a->param[i].addr, 16,
					       SQLITE_STATIC);
		else
			rc = sqlite3_bind_int64(*ret_stmt, i + 1, a->param[i].n);
	}
	return pk_db_error(rc);
}

/* Steps through the answer with one of the two functions. */
static int answer(struct pk_store *s, struct ask *a, int (*row)(void *, sqlite3_stmt *), void *arg,
		  size_t *ret_rows)
{
	sqlite3_stmt *stmt = NULL;
	size_t n = 0;
	int r, rc;

	r = prepare(s, a, &stmt);
	while (r == 0) {
		rc = sqlite3_step(stmt);
		if (rc != SQLITE_ROW) {
			r = pk_db_error(rc);
			break;
		}
		n++;
		if (row(arg, stmt))
			break;
	}
	(void)sqlite3_finalize(stmt);
	if (r < 0 && r != -ETIME)
		pk_store_close_reader(s); /* look at it afresh the next time */
	*ret_rows = n;
	return r;
}

struct item_to {
	pk_store_item_fn fn;
	void *arg;
};

static int give_item(void *arg, sqlite3_stmt *stmt)
{
	const struct item_to *to = arg;
	struct pk_store_item i = { .id = (uint64_t)sqlite3_column_int64(stmt, 0),
				   .time_ns = (uint64_t)sqlite3_column_int64(stmt, 1),
				   .uid = (const char *)sqlite3_column_text(stmt, 2),
				   .json = (const char *)sqlite3_column_text(stmt, 3),
				   .change = (uint64_t)sqlite3_column_int64(stmt, 4) };

	i.len = (size_t)sqlite3_column_bytes(stmt, 3);
	return i.uid && i.json ? to->fn(to->arg, &i) : 0;
}

static int64_t bound(uint64_t ns)
{
	return ns && ns < INT64_MAX ? (int64_t)ns : INT64_MAX;
}

int pk_store_list(struct pk_store *s, const struct pk_store_query *q, pk_store_item_fn fn,
		  void *arg)
{
	struct item_to to = { fn, arg };
	struct ask a = { 0 };
	const char *by;
	size_t rows;
	int r;

	r = open_reader(s);
	if (r < 0)
		return r;
	ask_n(&a, "SELECT id, time, uid, json, seq FROM object WHERE kind = ?", q->kind);
	if (q->since_ns)
		ask_n(&a, " AND time >= ?", bound(q->since_ns));
	if (q->until_ns)
		ask_n(&a, " AND time < ?", bound(q->until_ns));
	if (q->severity_min)
		ask_n(&a, " AND severity >= ?", q->severity_min);
	ask_text(&a, " AND technique = ?", q->technique);
	ask_text(&a, " AND incident = ?", q->incident_uid);
	ask_addr(&a, " AND remote = ?", q->remote);
	by = q->by_change ? "seq" : "id";
	if (q->after) {
		pk_buf_fmt(&a.text, " AND %s", by);
		ask_n(&a, q->oldest_first ? " > ?" : " < ?", bound(q->after));
	}
	pk_buf_fmt(&a.text, " ORDER BY %s%s", by, q->oldest_first ? "" : " DESC");
	pk_buf_fmt(&a.text, " LIMIT %zu", q->limit ? q->limit : LIMIT);
	r = answer(s, &a, give_item, &to, &rows);
	pk_buf_done(&a.text);
	return r;
}

int pk_store_get(struct pk_store *s, enum pk_store_kind kind, const char *uid, pk_store_item_fn fn,
		 void *arg)
{
	struct item_to to = { fn, arg };
	struct ask a = { 0 };
	size_t rows;
	int r;

	r = open_reader(s);
	if (r < 0)
		return r;
	ask_n(&a, "SELECT id, time, uid, json, seq FROM object WHERE kind = ?", kind);
	ask_text(&a, " AND uid = ?", uid);
	r = answer(s, &a, give_item, &to, &rows);
	pk_buf_done(&a.text);
	return r ? r : rows ? 0 : -ENOENT;
}

struct flow_to {
	pk_store_flow_fn fn;
	void *arg;
};

static int give_flow(void *arg, sqlite3_stmt *stmt)
{
	const struct flow_to *to = arg;
	struct pk_store_flow f = { .start_ns = (uint64_t)sqlite3_column_int64(stmt, 0),
				   .end_ns = (uint64_t)sqlite3_column_int64(stmt, 1),
				   .proto = (uint8_t)sqlite3_column_int(stmt, 2),
				   .pid = (uint32_t)sqlite3_column_int64(stmt, 11),
				   .uid = (uint32_t)sqlite3_column_int64(stmt, 12),
				   .exe = (const char *)sqlite3_column_text(stmt, 13),
				   .name = (const char *)sqlite3_column_text(stmt, 14),
				   .id = (uint64_t)sqlite3_column_int64(stmt, 15),
				   .own = PK_STORE_NO_END };

	if (sqlite3_column_type(stmt, 16) == SQLITE_INTEGER)
		f.own = sqlite3_column_int(stmt, 16) & 1;
	for (int d = 0; d < 2; d++) {
		const void *addr = sqlite3_column_blob(stmt, 3 + 2 * d);

		if (sqlite3_column_bytes(stmt, 3 + 2 * d) != 16 || !addr)
			return 0; /* not a row of ours */
		memcpy(f.addr[d], addr, 16);
		f.port[d] = (uint16_t)sqlite3_column_int(stmt, 4 + 2 * d);
		f.bytes[d] = (uint64_t)sqlite3_column_int64(stmt, 7 + d);
		f.packets[d] = (uint64_t)sqlite3_column_int64(stmt, 9 + d);
	}
	return to->fn(to->arg, &f);
}

int pk_store_flows(struct pk_store *s, const struct pk_store_query *q, pk_store_flow_fn fn,
		   void *arg)
{
	struct flow_to to = { fn, arg };
	struct ask a = { 0 };
	size_t rows;
	int r;

	r = open_reader(s);
	if (r < 0)
		return r;
	ask_n(&a,
	      "SELECT start, end, proto, src, sport, dst, dport, bytes_out, bytes_in,"
	      " packets_out, packets_in, pid, uid, exe, name, id, own FROM flow WHERE end >= ?",
	      q->since_ns ? bound(q->since_ns) : 0);
	ask_n(&a, " AND end < ?", bound(q->until_ns));
	ask_addr(&a, " AND (src = ?", q->remote);
	ask_addr(&a, " OR dst = ?)", q->remote);
	if (q->after)
		ask_n(&a,
		      q->oldest_first ? " AND (end, id) > (SELECT end, id FROM flow WHERE id = ?)"
				      : " AND (end, id) < (SELECT end, id FROM flow WHERE id = ?)",
		      bound(q->after));
	pk_buf_str(&a.text, q->oldest_first ? " ORDER BY end, id" : " ORDER BY end DESC, id DESC");
	pk_buf_fmt(&a.text, " LIMIT %zu", q->limit ? q->limit : LIMIT);
	r = answer(s, &a, give_flow, &to, &rows);
	pk_buf_done(&a.text);
	return r;
}
