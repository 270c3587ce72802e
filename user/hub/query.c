/* SPDX-License-Identifier: Apache-2.0 */
/* Reads beside the hub, with a connection of its own that can not write. */
#include "hub/query.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "hub/db.h"
#include "hub/record.h"

#include <errno.h>

static void close_sql(sqlite3 **sql)
{
	(void)sqlite3_close(*sql);
}

static void finalize(sqlite3_stmt **s)
{
	(void)sqlite3_finalize(*s);
}

/* One number is bound; the rows' first column is JSON. Returns how many there were. */
static int rows(const char *path, const char *query, int64_t number, pk_hub_row_fn *row, void *arg)
{
	_cleanup_(close_sql) sqlite3 *sql = NULL;
	_cleanup_(finalize) sqlite3_stmt *s = NULL;
	int n = 0, rc, r = pk_hub_db_open_read(path, &sql);

	if (r < 0)
		return r;
	rc = sqlite3_prepare_v2(sql, query, -1, &s, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(s, 1, number);
	if (rc != SQLITE_OK)
		return pk_hub_db_error(rc);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		row(arg, (const char *)sqlite3_column_text(s, 0));
		n++;
	}
	r = pk_hub_db_error(rc);
	return r < 0 ? r : n;
}

int pk_hub_findings(const char *path, int64_t n, pk_hub_row_fn *row, void *arg)
{
	int r = rows(path,
		     "SELECT json FROM (SELECT number, json FROM finding"
		     " ORDER BY number DESC LIMIT ?) ORDER BY number",
		     n, row, arg);

	return r < 0 ? r : 0;
}

int pk_hub_finding(const char *path, int64_t number, pk_hub_row_fn *row, void *arg)
{
	int r = rows(path, "SELECT json FROM finding WHERE number = ?", number, row, arg);

	return r < 0 ? r : r ? 0 : -ENOENT;
}

/* The refusals of a host, by cause. */
static int write_refused(sqlite3 *sql, int64_t host, struct pk_json *j)
{
	_cleanup_(finalize) sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(sql, "SELECT why, n FROM refused WHERE host = ? ORDER BY why",
				    -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(s, 1, host);
	if (rc != SQLITE_OK)
		return pk_hub_db_error(rc);
	pk_json_obj(j, "refused");
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		const char *why = pk_hub_refusal_name((unsigned)sqlite3_column_int(s, 0));

		if (why)
			pk_json_i64(j, why, sqlite3_column_int64(s, 1));
	}
	pk_json_end(j);
	return pk_hub_db_error(rc);
}

static int write_host(sqlite3 *sql, sqlite3_stmt *s, struct pk_buf *out)
{
	struct pk_json j;
	int r;

	pk_buf_reset(out);
	pk_json_init(&j, out);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "host", (const char *)sqlite3_column_text(s, 1));
	pk_json_i64(&j, "first_seen_time", sqlite3_column_int64(s, 2));
	pk_json_i64(&j, "last_seen_time", sqlite3_column_int64(s, 3));
	pk_json_i64(&j, "alerts", sqlite3_column_int64(s, 4));
	pk_json_i64(&j, "values_lost", sqlite3_column_int64(s, 5));
	pk_json_i64(&j, "evicted", sqlite3_column_int64(s, 6));
	r = write_refused(sql, sqlite3_column_int64(s, 0), &j);
	pk_json_end(&j);
	pk_buf_char(out, '\0');
	return r < 0 ? r : out->error;
}

int pk_hub_hosts(const char *path, pk_hub_row_fn *row, void *arg)
{
	_cleanup_(pk_buf_done) struct pk_buf out = { 0 };
	_cleanup_(close_sql) sqlite3 *sql = NULL;
	_cleanup_(finalize) sqlite3_stmt *s = NULL;
	int rc, r = pk_hub_db_open_read(path, &sql);

	if (r < 0)
		return r;
	rc = sqlite3_prepare_v2(
		sql,
		"SELECT 0, '', 0, 0, 0, 0, 0 WHERE EXISTS"
		" (SELECT 1 FROM refused WHERE host = 0) UNION ALL"
		" SELECT * FROM (SELECT id, name, first, last, records, lost, evicted"
		" FROM host ORDER BY name)",
		-1, &s, NULL);
	if (rc != SQLITE_OK)
		return pk_hub_db_error(rc);
	while (!r && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		r = write_host(sql, s, &out);
		if (!r)
			row(arg, out.data);
	}
	return r ? r : pk_hub_db_error(rc);
}
