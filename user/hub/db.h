/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub's database: its statements, and the version of its shape. It is a file of SQLite, or on a
 * server of PostgreSQL. Times are ms since the epoch. What it says becomes -errno, in words in
 * db->why: -ENOTCONN it is away, -ENOSPC no room, -EBADMSG broken or not as it should be, -EPROTO
 * of another Picket, -EBUSY, -EACCES, -EROFS, -EINVAL no database is named so, -EKEYREJECTED a
 * password where others see it, -EIO.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PK_HUB_DB_VERSION 2
#define PK_HUB_WHY_MAX    256

enum pk_hub_stmt {
	PK_HUB_BEGUN,
	PK_HUB_BEGUN_PUT,
	PK_HUB_HOST_FIND,
	PK_HUB_HOST_COUNT,
	PK_HUB_HOST_ADD,
	PK_HUB_HOST_TOUCH,
	PK_HUB_HOST_EVICTED,
	PK_HUB_REFUSE,
	PK_HUB_ALERT_PUT,
	PK_HUB_ALERT_CUT,
	PK_HUB_SEEN_FIND,
	PK_HUB_SEEN_PUT,
	PK_HUB_SEEN_CUT,
	PK_HUB_SEEN_SUM,
	PK_HUB_SEEN_HOSTS,
	PK_HUB_OWN_FIND,
	PK_HUB_OWN_PUT,
	PK_HUB_OWN_CUT,
	PK_HUB_EARLIER,
	PK_HUB_STEP_PUT,
	PK_HUB_STEP_BEFORE,
	PK_HUB_STEP_AFTER,
	PK_HUB_FINDING_FIND,
	PK_HUB_FINDING_PUT,
	PK_HUB_FINDING_SET,
	PK_HUB_UNSAID,
	PK_HUB_SAID,
	PK_HUB_OLD_SEEN,
	PK_HUB_OLD_ALERTS,
	PK_HUB_OLD_OWN,
	PK_HUB_OLD_STEPS,
	PK_HUB_OLD_FINDINGS,
	PK_HUB_OLD_HOSTS,
	PK_HUB_OLDEST,
	PK_HUB_SHOW_FROM,
	PK_HUB_SHOW_PAGE,
	PK_HUB_SHOW_ONE,
	PK_HUB_SHOW_HOSTS,
	PK_HUB_SHOW_REFUSED,
	PK_HUB_STMTS
};

struct pk_hub_backend;

struct pk_hub_db {
	const struct pk_hub_backend *backend; /* NULL: closed */
	void *conn;                           /* the backend's */
	bool lost;                            /* of no more use: close it */
	char why[PK_HUB_WHY_MAX];
};

/*
 * where: an absolute path, ":memory:" (one of nobody else), or a connection string of libpq
 * ("postgresql://...", "host=... dbname=..."), without a password. Made or brought up to this
 * version. On failure only ret_db->why counts.
 */
int pk_hub_db_open(const char *where, struct pk_hub_db *ret_db);
/* For reading. -ENODATA: there is none. */
int pk_hub_db_open_read(const char *where, struct pk_hub_db *ret_db);
void pk_hub_db_close(struct pk_hub_db *db);

int pk_hub_db_begin(struct pk_hub_db *db);
int pk_hub_db_commit(struct pk_hub_db *db);
void pk_hub_db_rollback(struct pk_hub_db *db); /* there may be none */

/*
 * Binds by the statement's own types (int64_t, const char *) and steps once. 1: there is a row, to
 * be read until pk_hub_db_reset(); 0: there is none; -errno.
 */
int pk_hub_db_step(struct pk_hub_db *db, enum pk_hub_stmt stmt, ...);
/* One more row of it. */
int pk_hub_db_next(struct pk_hub_db *db, enum pk_hub_stmt stmt);
void pk_hub_db_reset(struct pk_hub_db *db, enum pk_hub_stmt stmt);
/* Column of the row; "" and 0 for NULL. */
const char *pk_hub_db_text(struct pk_hub_db *db, enum pk_hub_stmt stmt, int column);
int64_t pk_hub_db_int(struct pk_hub_db *db, enum pk_hub_stmt stmt, int column);

/* Removes what a host has beyond its quota, by one of PK_HUB_*_CUT, and counts it. */
int pk_hub_db_cut(struct pk_hub_db *db, enum pk_hub_stmt cut, int64_t host, uint64_t quota);

/* Bytes in use; of PostgreSQL about, by what rows and their index entries take. */
int pk_hub_db_bytes(struct pk_hub_db *db, uint64_t *ret_bytes);
/* "sqlite", "postgresql". */
const char *pk_hub_db_kind(const struct pk_hub_db *db);
