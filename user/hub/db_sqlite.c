/* SPDX-License-Identifier: Apache-2.0 */
/* The hub's database in a file of SQLite. */
#include "hub/backend.h"

#include "base/cleanup.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* sqlite.sql as it was when this was built; a path below the top of the tree. */
__asm__(".pushsection .rodata\n"
	"pk_hub_sqlite_sql: .incbin \"user/hub/sqlite.sql\"\n"
	".byte 0\n"
	".popsection");
extern const char pk_hub_sqlite_sql[] __attribute__((visibility("hidden")));

struct lite {
	sqlite3 *sql;
	sqlite3_stmt *stmt[PK_HUB_STMTS];
};

static const struct pk_hub_migration migrations[] = {
	{ 1, "BEGIN IMMEDIATE;"
	     "ALTER TABLE finding ADD COLUMN said INTEGER NOT NULL DEFAULT 1;"
	     "CREATE INDEX finding_unsaid ON finding(number) WHERE said = 0;"
	     "PRAGMA user_version = 2;"
	     "COMMIT;" },
};

static struct lite *of(struct pk_hub_db *db)
{
	return db->conn;
}

static int number_of(int rc)
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

static int said(struct pk_hub_db *db, int rc)
{
	int r = number_of(rc);

	if (r < 0)
		snprintf(db->why, sizeof(db->why), "%s", sqlite3_errmsg(of(db)->sql));
	return r;
}

static bool takes(const char *where)
{
	return where[0] == '/' || strcmp(where, ":memory:") == 0;
}

static void lite_close(struct pk_hub_db *db)
{
	struct lite *l = of(db);

	if (!l)
		return;
	for (int i = 0; i < PK_HUB_STMTS; i++)
		(void)sqlite3_finalize(l->stmt[i]);
	(void)sqlite3_close(l->sql);
	free(l);
	db->conn = NULL;
}

static int lite_exec(struct pk_hub_db *db, const char *sql)
{
	return said(db, sqlite3_exec(of(db)->sql, sql, NULL, NULL, NULL));
}

static int lite_number(struct pk_hub_db *db, const char *sql, int64_t *ret_n)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(of(db)->sql, sql, -1, &s, NULL);
	int r;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	r = said(db, rc);
	if (r >= 0)
		*ret_n = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	(void)sqlite3_finalize(s);
	return r;
}

/* What PostgreSQL calls so and SQLite calls max and min. */
static void pick(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	bool greatest = sqlite3_user_data(ctx) != NULL;
	int64_t a = sqlite3_value_int64(v[0]), b = sqlite3_value_int64(v[1]);

	(void)n;
	sqlite3_result_int64(ctx, (a > b) == greatest ? a : b);
}

static int add_functions(sqlite3 *sql)
{
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
	static char yes;
	int rc = sqlite3_create_function(sql, "greatest", 2, flags, &yes, pick, NULL, NULL);

	return rc != SQLITE_OK
		       ? rc
		       : sqlite3_create_function(sql, "least", 2, flags, NULL, pick, NULL, NULL);
}

/* Commits are synced: what was acknowledged to the stream survives a loss of power. */
static int set_up(struct pk_hub_db *db, bool read_only)
{
	struct lite *l = of(db);
	int r = said(db, add_functions(l->sql));

	(void)sqlite3_busy_timeout(l->sql, read_only ? 1000 : 5000);
	if (r < 0)
		return r;
	return lite_exec(db, read_only ? "PRAGMA query_only = ON"
				       : "PRAGMA synchronous = FULL;"
					 "PRAGMA cache_size = -8192;" /* KiB */
					 "PRAGMA journal_size_limit = 16777216;"
					 "PRAGMA trusted_schema = OFF");
}

static int lite_connect(struct pk_hub_db *db, const char *where, bool read_only)
{
	struct lite *l;
	char why[PK_HUB_WHY_MAX];
	int r;

	if (read_only && access(where, R_OK) < 0) {
		r = errno == ENOENT ? -ENODATA : -errno;
		snprintf(db->why, sizeof(db->why), "%s: %s", where,
			 r == -ENODATA ? "there is no database" : strerror(-r));
		return r;
	}
	db->conn = l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	r = said(db, sqlite3_open_v2(where, &l->sql,
				     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
					     (read_only ? 0 : SQLITE_OPEN_CREATE),
				     NULL));
	if (r >= 0)
		r = set_up(db, read_only);
	if (r < 0) {
		snprintf(why, sizeof(why), "%s", db->why);
		snprintf(db->why, sizeof(db->why), "%.120s: %.120s", where, why);
	}
	return r;
}

static int lite_version(struct pk_hub_db *db, int64_t *ret_version)
{
	return lite_number(db, "PRAGMA user_version", ret_version);
}

static int lite_next(struct pk_hub_db *db, enum pk_hub_stmt stmt)
{
	int rc = sqlite3_step(of(db)->stmt[stmt]);
	int r;

	if (rc == SQLITE_ROW)
		return 1;
	r = said(db, rc);
	(void)sqlite3_reset(of(db)->stmt[stmt]); /* says the same again */
	return r;
}

static int prepare(struct pk_hub_db *db, enum pk_hub_stmt stmt, const char *sql)
{
	struct lite *l = of(db);

	if (l->stmt[stmt])
		return 0;
	return said(db, sqlite3_prepare_v3(l->sql, sql, -1, SQLITE_PREPARE_PERSISTENT,
					   &l->stmt[stmt], NULL));
}

static int lite_step(struct pk_hub_db *db, enum pk_hub_stmt stmt, const struct pk_hub_query *q,
		     const union pk_hub_arg *args)
{
	int r = prepare(db, stmt, q->sql);
	sqlite3_stmt *s = of(db)->stmt[stmt];

	if (r < 0)
		return r;
	(void)sqlite3_reset(s); /* what the last one said was looked at then */
	for (int i = 0; q->args[i]; i++) {
		char name[16];
		int at;

		snprintf(name, sizeof(name), "$%d", i + 1);
		at = sqlite3_bind_parameter_index(s, name);
		if (q->args[i] == 'i')
			(void)sqlite3_bind_int64(s, at, args[i].i);
		else
			(void)sqlite3_bind_text(s, at, args[i].s, -1, SQLITE_TRANSIENT);
	}
	return lite_next(db, stmt);
}

static void lite_reset(struct pk_hub_db *db, enum pk_hub_stmt stmt)
{
	(void)sqlite3_reset(of(db)->stmt[stmt]);
}

static const char *lite_text(struct pk_hub_db *db, enum pk_hub_stmt stmt, int column)
{
	const char *s = (const char *)sqlite3_column_text(of(db)->stmt[stmt], column);

	return s ? s : "";
}

static int64_t lite_integer(struct pk_hub_db *db, enum pk_hub_stmt stmt, int column)
{
	return sqlite3_column_int64(of(db)->stmt[stmt], column);
}

static int64_t lite_changed(struct pk_hub_db *db, enum pk_hub_stmt stmt)
{
	(void)stmt; /* the last one */
	return sqlite3_changes(of(db)->sql);
}

const struct pk_hub_backend pk_hub_sqlite = {
	.name = "sqlite",
	.takes = takes,
	.shape = pk_hub_sqlite_sql,
	.migrations = migrations,
	.migrations_n = PK_ARRAY_SIZE(migrations),
	.begin = "BEGIN IMMEDIATE",
	.bytes = "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count,"
		 " pragma_freelist_count, pragma_page_size",
	.connect = lite_connect,
	.close = lite_close,
	.version = lite_version,
	.exec = lite_exec,
	.number = lite_number,
	.step = lite_step,
	.next = lite_next,
	.reset = lite_reset,
	.text = lite_text,
	.integer = lite_integer,
	.changed = lite_changed,
};
