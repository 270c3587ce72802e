/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and shape of the database. The file is reached by its directory's descriptor, as the path
 * to it may be closed to this process: SQLite is told to take the name as it is. Rows are written
 * by write.c, removed by retain.c, read by query.c.
 */
#include "store/db.h"

#include "base/cleanup.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define STR_(x) #x
#define STR(x)  STR_(x)

static const char shape[] =
	"PRAGMA auto_vacuum = INCREMENTAL;"
	"PRAGMA journal_mode = WAL;"
	"BEGIN IMMEDIATE;"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE object(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, uid TEXT NOT NULL,"
	" time INTEGER NOT NULL, incident TEXT, severity INTEGER NOT NULL, technique TEXT,"
	" remote BLOB, pid INTEGER NOT NULL, seq INTEGER NOT NULL, json TEXT NOT NULL) STRICT;"
	"CREATE UNIQUE INDEX object_uid ON object(kind, uid);"
	"CREATE INDEX object_time ON object(kind, time);"
	"CREATE INDEX object_seq ON object(seq);"
	"CREATE INDEX object_incident ON object(incident) WHERE incident IS NOT NULL;"
	"CREATE INDEX object_remote ON object(remote) WHERE remote IS NOT NULL;"
	"CREATE TABLE chain(seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, hash BLOB NOT NULL,"
	" record TEXT NOT NULL) STRICT;"
	"CREATE TABLE flow(id INTEGER PRIMARY KEY, start INTEGER NOT NULL, end INTEGER NOT NULL,"
	" proto INTEGER NOT NULL, src BLOB NOT NULL, sport INTEGER NOT NULL, dst BLOB NOT NULL,"
	" dport INTEGER NOT NULL, bytes_out INTEGER NOT NULL, bytes_in INTEGER NOT NULL,"
	" packets_out INTEGER NOT NULL, packets_in INTEGER NOT NULL, pid INTEGER NOT NULL,"
	" uid INTEGER NOT NULL, exe TEXT, name TEXT, own INTEGER) STRICT;"
	"CREATE INDEX flow_end ON flow(end);"
	"PRAGMA user_version = " STR(PK_DB_VERSION) ";"
						    "COMMIT;";

/* From version 1, which did not keep at which end of a flow its process is. */
static const char from_1[] = "BEGIN IMMEDIATE;"
			     "ALTER TABLE flow ADD COLUMN own INTEGER;"
			     "PRAGMA user_version = 2;"
			     "COMMIT;";
_Static_assert(PK_DB_VERSION == 2, "each version needs its step from the one before");

static const char *const text[PK_DB_STMTS] = {
	[PK_DB_BEGIN] = "BEGIN IMMEDIATE",
	[PK_DB_COMMIT] = "COMMIT",
	[PK_DB_ROLLBACK] = "ROLLBACK",
	[PK_DB_FIND] = "SELECT seq FROM object WHERE kind = ? AND uid = ?",
	[PK_DB_PUT] = "INSERT INTO object(kind, uid, time, incident, severity, technique, remote,"
		      " pid, seq, json) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		      " ON CONFLICT(kind, uid) DO UPDATE SET time = excluded.time,"
		      " incident = excluded.incident, severity = excluded.severity,"
		      " technique = excluded.technique, remote = excluded.remote,"
		      " pid = excluded.pid, seq = excluded.seq, json = excluded.json",
	[PK_DB_CHAIN] = "INSERT INTO chain(seq, time, hash, record) VALUES(?, ?, ?, ?)",
	[PK_DB_FLOW] = "INSERT INTO flow(start, end, proto, src, sport, dst, dport, bytes_out,"
		       " bytes_in, packets_out, packets_in, pid, uid, exe, name, own)"
		       " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[PK_DB_META_SET] = "INSERT INTO meta VALUES(?, ?)"
			   " ON CONFLICT(key) DO UPDATE SET value = excluded.value",
	[PK_DB_OLD_SEQ] = "SELECT seq, hash, (SELECT min(seq) FROM chain)"
			  " FROM (SELECT seq, time, hash FROM chain"
			  " WHERE seq <= ?3 ORDER BY seq LIMIT ?2)"
			  " WHERE time < ?1 ORDER BY seq DESC LIMIT 1",
	[PK_DB_CUT_CHAIN] = "DELETE FROM chain WHERE seq <= ?",
	[PK_DB_CUT_OBJECTS] = "DELETE FROM object WHERE seq <= ?",
	[PK_DB_CUT_FLOWS] = "DELETE FROM flow WHERE id IN"
			    " (SELECT id FROM flow WHERE end < ?1 ORDER BY end LIMIT ?2)",
};

/* The name is the whole path: it leads through a descriptor, where looking up parents may fail. */
static int take_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	return snprintf(out, (size_t)size, "%s", name) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

static sqlite3_vfs by_descriptor;

static void make_vfs(void)
{
	const sqlite3_vfs *unix_vfs = sqlite3_vfs_find(NULL);

	if (!unix_vfs)
		return;
	by_descriptor = *unix_vfs;
	by_descriptor.zName = "picket";
	by_descriptor.pNext = NULL;
	by_descriptor.xFullPathname = take_path;
	(void)sqlite3_vfs_register(&by_descriptor, 0); /* opening fails if it did */
}

static int open_file(int dir_fd, int flags, sqlite3 **ret_sql)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char path[64];
	int rc;

	pthread_once(&once, make_vfs);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/" PK_STORE_FILE, dir_fd);
	rc = sqlite3_open_v2(path, ret_sql, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
			     "picket");
	if (rc == SQLITE_OK) {
		(void)sqlite3_extended_result_codes(*ret_sql, 0);
		(void)sqlite3_busy_timeout(*ret_sql, 1000);
		return 0;
	}
	(void)sqlite3_close(*ret_sql);
	*ret_sql = NULL;
	return pk_db_error(rc);
}

int pk_db_error(int rc)
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
	case SQLITE_ERROR: /* a table is not as it should be: somebody changed the shape */
	case SQLITE_SCHEMA:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return -EBADMSG;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_INTERRUPT:
		return -ETIME;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
		return -EROFS;
	default:
		return -EIO;
	}
}

void pk_db_bind_text(sqlite3_stmt *s, int at, const char *value)
{
	if (value)
		(void)sqlite3_bind_text(s, at, value, -1, SQLITE_STATIC);
	else
		(void)sqlite3_bind_null(s, at);
}

int pk_db_run(struct pk_db *db, enum pk_db_stmt stmt)
{
	int rc = sqlite3_step(db->stmt[stmt]);

	(void)sqlite3_reset(db->stmt[stmt]); /* says the same again */
	return pk_db_error(rc);
}

static int one_number(sqlite3 *sql, const char *query, int64_t *ret_n)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(sql, query, -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	*ret_n = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	(void)sqlite3_finalize(s);
	return pk_db_error(rc);
}

uint64_t pk_db_bytes(struct pk_db *db)
{
	int64_t pages = 0, unused = 0, size = 0;

	if (one_number(db->sql, "PRAGMA page_count", &pages) < 0 ||
	    one_number(db->sql, "PRAGMA freelist_count", &unused) < 0 ||
	    one_number(db->sql, "PRAGMA page_size", &size) < 0)
		return 0;
	return (uint64_t)((pages - unused) * size);
}

static int read_chain(struct pk_db *db)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db->sql,
				    "SELECT (SELECT value FROM meta WHERE key = 'chain_uid'),"
				    " (SELECT max(seq) FROM chain),"
				    " (SELECT hash FROM chain ORDER BY seq DESC LIMIT 1)",
				    -1, &s, NULL);
	const char *uid = NULL;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		uid = (const char *)sqlite3_column_text(s, 0);
	if (uid && strlen(uid) == sizeof(db->chain.uid) - 1 &&
	    sqlite3_column_bytes(s, 2) == PK_HASH_SIZE) {
		strcpy(db->chain.uid, uid);
		db->chain.seq = (uint64_t)sqlite3_column_int64(s, 1);
		memcpy(db->chain.head, sqlite3_column_blob(s, 2), PK_HASH_SIZE);
	} else if (rc == SQLITE_ROW && (uid || sqlite3_column_type(s, 1) != SQLITE_NULL)) {
		rc = SQLITE_CORRUPT; /* half a chain */
	}
	(void)sqlite3_finalize(s);
	db->is_new = !db->chain.seq;
	return pk_db_error(rc);
}

static int prepare(struct pk_db *db)
{
	for (int i = 0; i < PK_DB_STMTS; i++) {
		int rc = sqlite3_prepare_v3(db->sql, text[i], -1, SQLITE_PREPARE_PERSISTENT,
					    &db->stmt[i], NULL);

		if (rc != SQLITE_OK)
			return pk_db_error(rc);
	}
	return 0;
}

/* Commits are synced: what was acknowledged survives a loss of power. */
static int set_up(struct pk_db *db)
{
	int64_t version = 0;
	int r = one_number(db->sql, "PRAGMA user_version", &version);

	if (!r && version == 0)
		r = pk_db_error(sqlite3_exec(db->sql, shape, NULL, NULL, NULL));
	else if (!r && version == 1)
		r = pk_db_error(sqlite3_exec(db->sql, from_1, NULL, NULL, NULL));
	else if (!r && version != PK_DB_VERSION)
		r = -EPROTO;
	if (!r)
		r = pk_db_error(sqlite3_exec(db->sql,
					     "PRAGMA synchronous = FULL;"
					     "PRAGMA journal_size_limit = 16777216;"
					     "PRAGMA trusted_schema = OFF",
					     NULL, NULL, NULL));
	if (!r)
		r = prepare(db);
	return r ? r : read_chain(db);
}

int pk_db_open(int dir_fd, struct pk_db *ret_db)
{
	struct pk_db db = { 0 };
	int r = open_file(dir_fd, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db.sql);

	if (!r)
		r = set_up(&db);
	if (r < 0) {
		pk_db_close(&db);
		return r;
	}
	*ret_db = db;
	return 0;
}

int pk_db_open_read(int dir_fd, sqlite3 **ret_sql)
{
	int64_t version = 0;
	int r;

	if (faccessat(dir_fd, PK_STORE_FILE, R_OK, 0) < 0)
		return errno == ENOENT ? -ENODATA : -errno;
	r = open_file(dir_fd, SQLITE_OPEN_READONLY, ret_sql);
	if (r < 0)
		return r;
	r = one_number(*ret_sql, "PRAGMA user_version", &version);
	if (!r && version == PK_DB_VERSION)
		return 0;
	(void)sqlite3_close(*ret_sql);
	*ret_sql = NULL;
	return r ? r : version > PK_DB_VERSION ? -EPROTO : -ENODATA; /* it is being made ready */
}

void pk_db_close(struct pk_db *db)
{
	for (int i = 0; i < PK_DB_STMTS; i++)
		(void)sqlite3_finalize(db->stmt[i]);
	(void)sqlite3_close(db->sql);
	*db = (struct pk_db){ 0 };
}

static int move_one(int dir_fd, const char *kept, const char *suffix)
{
	char from[64], to[128];

	snprintf(from, sizeof(from), PK_STORE_FILE "%s", suffix);
	snprintf(to, sizeof(to), "%s%s", kept, suffix);
	return renameat(dir_fd, from, dir_fd, to) < 0 ? -errno : 0;
}

int pk_db_set_aside(int dir_fd, uint64_t time_ms, char *ret_kept, size_t size)
{
	time_t s = (time_t)(time_ms / 1000);
	struct tm tm;
	char when[32];
	int r;

	if (!gmtime_r(&s, &tm) || !strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm))
		return -EINVAL;
	snprintf(ret_kept, size, PK_STORE_FILE ".broken-%s", when);
	if (faccessat(dir_fd, ret_kept, F_OK, 0) == 0) /* another one in this second */
		snprintf(ret_kept, size, PK_STORE_FILE ".broken-%s-%03u", when,
			 (unsigned)(time_ms % 1000));
	(void)unlinkat(dir_fd, PK_STORE_FILE "-shm", 0); /* an index, made anew from the log */
	r = move_one(dir_fd, ret_kept, "-wal");
	if (r < 0 && r != -ENOENT)
		return r;
	return move_one(dir_fd, ret_kept, "");
}
