/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, shape and statements. What the rows mean is for those who write them. */
#include "hub/db.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define STR_(x) #x
#define STR(x)  STR_(x)

/* Triggers keep how many rows a host has, so that nothing is read to know whether it has too many.
 */
static const char shape[] =
	"PRAGMA auto_vacuum = INCREMENTAL;"
	"PRAGMA journal_mode = WAL;"
	"BEGIN IMMEDIATE;"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE host(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, first "
	"INTEGER NOT "
	"NULL,"
	" last INTEGER NOT NULL, records INTEGER NOT NULL, lost INTEGER NOT NULL,"
	" alerts INTEGER NOT NULL DEFAULT 0, vals INTEGER NOT NULL DEFAULT 0,"
	" owns INTEGER NOT NULL DEFAULT 0, evicted INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE TABLE refused(host INTEGER NOT NULL, why INTEGER NOT NULL, n INTEGER NOT NULL,"
	" PRIMARY KEY(host, why)) STRICT, WITHOUT ROWID;"
	"CREATE TRIGGER host_gone AFTER DELETE ON host BEGIN"
	" DELETE FROM refused WHERE host = old.id; END;"
	"CREATE TABLE alert(host INTEGER NOT NULL, uid TEXT NOT NULL, seq INTEGER NOT NULL,"
	" time INTEGER NOT NULL, remote TEXT NOT NULL, outbound INTEGER NOT NULL,"
	" PRIMARY KEY(host, uid)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX alert_time ON alert(host, time);"
	"CREATE INDEX alert_age ON alert(time);"
	"CREATE TRIGGER alert_in AFTER INSERT ON alert BEGIN"
	" UPDATE host SET alerts = alerts + 1 WHERE id = new.host; END;"
	"CREATE TRIGGER alert_out AFTER DELETE ON alert BEGIN"
	" UPDATE host SET alerts = alerts - 1 WHERE id = old.host; END;"
	"CREATE TABLE seen(kind INTEGER NOT NULL, value TEXT NOT NULL, host INTEGER NOT NULL,"
	" first INTEGER NOT NULL, last INTEGER NOT NULL, n INTEGER NOT NULL,"
	" firm INTEGER NOT NULL, uid TEXT NOT NULL, PRIMARY KEY(kind, value, host))"
	" STRICT, WITHOUT ROWID;"
	"CREATE INDEX seen_host ON seen(host, last);"
	"CREATE INDEX seen_age ON seen(last);"
	"CREATE TRIGGER seen_in AFTER INSERT ON seen BEGIN"
	" UPDATE host SET vals = vals + 1 WHERE id = new.host; END;"
	"CREATE TRIGGER seen_out AFTER DELETE ON seen BEGIN"
	" UPDATE host SET vals = vals - 1 WHERE id = old.host; END;"
	"CREATE TABLE own(address TEXT PRIMARY KEY, host INTEGER NOT NULL, last INTEGER NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"CREATE INDEX own_host ON own(host, last);"
	"CREATE TRIGGER own_in AFTER INSERT ON own BEGIN"
	" UPDATE host SET owns = owns + 1 WHERE id = new.host; END;"
	"CREATE TRIGGER own_out AFTER DELETE ON own BEGIN"
	" UPDATE host SET owns = owns - 1 WHERE id = old.host; END;"
	"CREATE TRIGGER own_moved AFTER UPDATE OF host ON own WHEN old.host <> new.host BEGIN"
	" UPDATE host SET owns = owns - 1 WHERE id = old.host;"
	" UPDATE host SET owns = owns + 1 WHERE id = new.host; END;"
	"CREATE TABLE step(src INTEGER NOT NULL, dst INTEGER NOT NULL, first INTEGER NOT NULL,"
	" last INTEGER NOT NULL, uid TEXT NOT NULL, PRIMARY KEY(src, dst)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX step_dst ON step(dst, first);"
	"CREATE TABLE finding(number INTEGER PRIMARY KEY, key TEXT NOT NULL, told INTEGER NOT NULL,"
	" time INTEGER NOT NULL, last INTEGER NOT NULL, json TEXT NOT NULL) STRICT;"
	"CREATE INDEX finding_key ON finding(key, last);"
	"PRAGMA user_version = " STR(PK_HUB_DB_VERSION) ";"
							"COMMIT;";

/* Of a host with more rows than its quota the oldest go; those of the same age go together. */
#define CUT(table, age, column)                                                                    \
	"DELETE FROM " table " WHERE host = ?1 AND " age " <= (SELECT " age " FROM " table         \
	" WHERE host = ?1 AND (SELECT " column " FROM host WHERE id = ?1) > ?2 ORDER BY " age      \
	" LIMIT 1 OFFSET max(0, (SELECT " column " FROM host WHERE id = ?1) - ?2 - 1))"

static const char *const text[PK_HUB_STMTS] = {
	[PK_HUB_BEGIN] = "BEGIN IMMEDIATE",
	[PK_HUB_COMMIT] = "COMMIT",
	[PK_HUB_ROLLBACK] = "ROLLBACK",
	[PK_HUB_HOST_FIND] = "SELECT id FROM host WHERE name = ?",
	[PK_HUB_HOST_COUNT] = "SELECT count(*) FROM host",
	[PK_HUB_HOST_ADD] = "INSERT INTO host(name, first, last, records, lost)"
			    " VALUES(?1, ?2, ?2, 0, 0) RETURNING id",
	[PK_HUB_HOST_TOUCH] = "UPDATE host SET last = max(last, ?2), records = records + 1,"
			      " lost = lost + ?3 WHERE id = ?1",
	[PK_HUB_HOST_EVICTED] = "UPDATE host SET evicted = evicted + ?2 WHERE id = ?1",
	[PK_HUB_REFUSE] = "INSERT INTO refused VALUES(?, ?, 1)"
			  " ON CONFLICT(host, why) DO UPDATE SET n = n + 1",
	/* no row: it was taken before, in this or a later version */
	[PK_HUB_ALERT_PUT] = "INSERT INTO alert VALUES(?, ?, ?, ?, ?, ?)"
			     " ON CONFLICT(host, uid) DO UPDATE SET seq = excluded.seq,"
			     " time = min(time, excluded.time) WHERE excluded.seq > seq"
			     " RETURNING 1",
	[PK_HUB_ALERT_CUT] = CUT("alert", "time", "alerts"),
	[PK_HUB_SEEN_FIND] =
		"SELECT last, firm FROM seen WHERE kind = ? AND value = ? AND host = ?",
	[PK_HUB_SEEN_PUT] = "INSERT INTO seen VALUES(?1, ?2, ?3, ?4, ?4, 1, ?5, ?6)"
			    " ON CONFLICT(kind, value, host) DO UPDATE SET"
			    " first = min(first, excluded.first), last = max(last, excluded.last),"
			    " n = n + 1, firm = max(firm, excluded.firm), uid = excluded.uid",
	[PK_HUB_SEEN_CUT] = CUT("seen", "last", "vals"),
	[PK_HUB_SEEN_SUM] = "SELECT sum(last >= ?3 AND first <= ?4),"
			    " sum(last >= ?3 AND first <= ?4 AND firm), min(first)"
			    " FROM seen WHERE kind = ?1 AND value = ?2",
	[PK_HUB_SEEN_HOSTS] = "SELECT host.name, seen.first, seen.last, seen.n, seen.uid FROM seen"
			      " JOIN host ON host.id = seen.host WHERE kind = ?1 AND value = ?2"
			      " AND seen.last >= ?3 AND seen.first <= ?4"
			      " ORDER BY seen.first, host.id LIMIT ?5",
	[PK_HUB_OWN_FIND] = "SELECT own.host, host.name FROM own JOIN host ON host.id = own.host"
			    " WHERE address = ?",
	/* who has it keeps it as long as he is heard of */
	[PK_HUB_OWN_PUT] = "INSERT INTO own VALUES(?1, ?2, ?3) ON CONFLICT(address) DO UPDATE SET"
			   " host = excluded.host, last = max(last, excluded.last)"
			   " WHERE host = excluded.host OR last < ?4 RETURNING 1",
	[PK_HUB_OWN_CUT] = CUT("own", "last", "owns"),
	/* an alert of the host that is not its own attack on another one */
	[PK_HUB_EARLIER] = "SELECT uid FROM alert WHERE host = ?1 AND time >= ?2 AND time < ?3"
			   " AND NOT (outbound AND EXISTS(SELECT 1 FROM own"
			   " WHERE address = alert.remote)) ORDER BY time DESC LIMIT 1",
	[PK_HUB_STEP_PUT] = "INSERT INTO step VALUES(?1, ?2, ?3, ?3, ?4)"
			    " ON CONFLICT(src, dst) DO UPDATE SET last = max(last, excluded.last)",
	[PK_HUB_STEP_BEFORE] = "SELECT src FROM step WHERE dst = ?1 AND first < ?3 AND last >= ?2"
			       " ORDER BY first LIMIT 1",
	[PK_HUB_STEP_AFTER] = "SELECT step.dst, a.name, b.name, step.first, step.uid FROM step"
			      " JOIN host a ON a.id = src JOIN host b ON b.id = dst"
			      " WHERE src = ?1 AND step.last >= ?2"
			      " ORDER BY step.first, dst LIMIT ?3",
	[PK_HUB_FINDING_FIND] = "SELECT number, told, time FROM finding WHERE key = ?1"
				" AND last >= ?2 ORDER BY number DESC LIMIT 1",
	[PK_HUB_FINDING_PUT] = "INSERT INTO finding(key, told, time, last, json)"
			       " VALUES(?1, 0, ?2, ?2, '') RETURNING number",
	[PK_HUB_FINDING_SET] = "UPDATE finding SET told = ?2, last = ?3, json = ?4"
			       " WHERE number = ?1",
	[PK_HUB_OLD_SEEN] = "DELETE FROM seen WHERE last < ?",
	[PK_HUB_OLD_ALERTS] = "DELETE FROM alert WHERE time < ?",
	[PK_HUB_OLD_OWN] = "DELETE FROM own WHERE last < ?",
	[PK_HUB_OLD_STEPS] = "DELETE FROM step WHERE last < ?",
	[PK_HUB_OLD_FINDINGS] = "DELETE FROM finding WHERE last < ?",
	[PK_HUB_OLD_HOSTS] = "DELETE FROM host WHERE last < ?1 AND NOT EXISTS"
			     " (SELECT 1 FROM seen WHERE seen.host = host.id) AND NOT EXISTS"
			     " (SELECT 1 FROM alert WHERE alert.host = host.id)",
	[PK_HUB_OLDEST] = "SELECT max(last) FROM"
			  " (SELECT last FROM seen ORDER BY last LIMIT ?)",
};

int pk_hub_db_error(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR:
	case SQLITE_SCHEMA:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return -EBADMSG;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	default:
		return -EIO;
	}
}

static int one_number(sqlite3 *sql, const char *query, int64_t *ret_n)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(sql, query, -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	*ret_n = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	(void)sqlite3_finalize(s);
	return pk_hub_db_error(rc);
}

static int make(sqlite3 *sql, int64_t now_ms)
{
	char *begun = sqlite3_mprintf("INSERT INTO meta VALUES('begun', %lld)", (long long)now_ms);
	int rc = begun ? sqlite3_exec(sql, shape, NULL, NULL, NULL) : SQLITE_NOMEM;

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(sql, begun, NULL, NULL, NULL);
	sqlite3_free(begun);
	return pk_hub_db_error(rc);
}

static int prepare(struct pk_hub_db *db)
{
	for (int i = 0; i < PK_HUB_STMTS; i++) {
		int rc = sqlite3_prepare_v3(db->sql, text[i], -1, SQLITE_PREPARE_PERSISTENT,
					    &db->stmt[i], NULL);

		if (rc != SQLITE_OK)
			return pk_hub_db_error(rc);
	}
	return 0;
}

/* Commits are synced: what was acknowledged to the stream survives a loss of power. */
static int set_up(struct pk_hub_db *db, int64_t now_ms)
{
	int64_t version = 0;
	int r = one_number(db->sql, "PRAGMA user_version", &version);

	if (!r && version == 0)
		r = make(db->sql, now_ms);
	else if (!r && version != PK_HUB_DB_VERSION)
		r = -EPROTO;
	if (!r)
		r = pk_hub_db_error(sqlite3_exec(db->sql,
						 "PRAGMA synchronous = FULL;"
						 "PRAGMA cache_size = -8192;" /* KiB */
						 "PRAGMA journal_size_limit = 16777216;"
						 "PRAGMA trusted_schema = OFF",
						 NULL, NULL, NULL));
	if (!r)
		r = prepare(db);
	if (!r)
		r = one_number(db->sql, "SELECT value FROM meta WHERE key = 'begun'",
			       &db->begun_ms);
	return r;
}

int pk_hub_db_open(const char *path, int64_t now_ms, struct pk_hub_db *ret_db)
{
	struct pk_hub_db db = { 0 };
	int r = pk_hub_db_error(sqlite3_open_v2(
		path, &db.sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
		NULL));

	if (!r) {
		(void)sqlite3_busy_timeout(db.sql, 5000);
		r = set_up(&db, now_ms);
	}
	if (r < 0) {
		pk_hub_db_close(&db);
		return r;
	}
	*ret_db = db;
	return 0;
}

int pk_hub_db_open_read(const char *path, sqlite3 **ret_sql)
{
	int64_t version = 0;
	int r;

	if (access(path, R_OK) < 0)
		return errno == ENOENT ? -ENODATA : -errno;
	r = pk_hub_db_error(
		sqlite3_open_v2(path, ret_sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
	if (!r) {
		(void)sqlite3_busy_timeout(*ret_sql, 1000);
		r = one_number(*ret_sql, "PRAGMA user_version", &version);
	}
	if (!r && version == PK_HUB_DB_VERSION)
		return pk_hub_db_error(
			sqlite3_exec(*ret_sql, "PRAGMA query_only = ON", NULL, NULL, NULL));
	(void)sqlite3_close(*ret_sql);
	*ret_sql = NULL;
	return r ? r : version ? -EPROTO : -ENODATA;
}

void pk_hub_db_close(struct pk_hub_db *db)
{
	for (int i = 0; i < PK_HUB_STMTS; i++)
		(void)sqlite3_finalize(db->stmt[i]);
	(void)sqlite3_close(db->sql);
	*db = (struct pk_hub_db){ 0 };
}

int pk_hub_db_next(struct pk_hub_db *db, enum pk_hub_stmt stmt)
{
	int rc = sqlite3_step(db->stmt[stmt]);

	if (rc == SQLITE_ROW)
		return 1;
	(void)sqlite3_reset(db->stmt[stmt]); /* says the same again */
	return pk_hub_db_error(rc);
}

int pk_hub_db_step(struct pk_hub_db *db, enum pk_hub_stmt stmt, const char *format, ...)
{
	sqlite3_stmt *s = db->stmt[stmt];
	va_list ap;

	(void)sqlite3_reset(s); /* what the last one said was looked at then */
	va_start(ap, format);
	for (int i = 1; *format; i++, format++) {
		if (*format == 'i')
			(void)sqlite3_bind_int64(s, i, va_arg(ap, int64_t));
		else
			(void)sqlite3_bind_text(s, i, va_arg(ap, const char *), -1,
						SQLITE_TRANSIENT);
	}
	va_end(ap);
	return pk_hub_db_next(db, stmt);
}

int pk_hub_db_cut(struct pk_hub_db *db, enum pk_hub_stmt cut, int64_t host, uint64_t quota)
{
	int r = pk_hub_db_step(db, cut, "ii", host, (int64_t)quota);
	int n = sqlite3_changes(db->sql);

	return r < 0 || !n ? r : pk_hub_db_step(db, PK_HUB_HOST_EVICTED, "ii", host, (int64_t)n);
}

void pk_hub_db_reset(struct pk_hub_db *db, enum pk_hub_stmt stmt)
{
	(void)sqlite3_reset(db->stmt[stmt]);
}

const char *pk_hub_db_text(struct pk_hub_db *db, enum pk_hub_stmt stmt, int column)
{
	const char *s = (const char *)sqlite3_column_text(db->stmt[stmt], column);

	return s ? s : "";
}

int64_t pk_hub_db_int(struct pk_hub_db *db, enum pk_hub_stmt stmt, int column)
{
	return sqlite3_column_int64(db->stmt[stmt], column);
}

uint64_t pk_hub_db_bytes(struct pk_hub_db *db)
{
	int64_t pages = 0, unused = 0, size = 0;

	if (one_number(db->sql, "PRAGMA page_count", &pages) < 0 ||
	    one_number(db->sql, "PRAGMA freelist_count", &unused) < 0 ||
	    one_number(db->sql, "PRAGMA page_size", &size) < 0)
		return 0;
	return (uint64_t)((pages - unused) * size);
}
