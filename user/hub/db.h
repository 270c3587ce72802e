/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub's database: its shape and its statements. Times are ms since the epoch. What SQLite says
 * becomes -errno: -ENOSPC no room, -EBADMSG broken, -EPROTO of a newer Picket, -EBUSY, -EIO.
 */
#pragma once

#include <sqlite3.h>
#include <stdint.h>

#define PK_HUB_DB_VERSION 1

enum pk_hub_stmt {
	PK_HUB_BEGIN,
	PK_HUB_COMMIT,
	PK_HUB_ROLLBACK,
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
	PK_HUB_OLD_SEEN,
	PK_HUB_OLD_ALERTS,
	PK_HUB_OLD_OWN,
	PK_HUB_OLD_STEPS,
	PK_HUB_OLD_FINDINGS,
	PK_HUB_OLD_HOSTS,
	PK_HUB_OLDEST,
	PK_HUB_STMTS
};

struct pk_hub_db {
	sqlite3 *sql;
	sqlite3_stmt *stmt[PK_HUB_STMTS];
	int64_t begun_ms; /* when it was made */
};

/* Made if there is none; ":memory:" is one of nobody else. now_ms: of a new one. */
int pk_hub_db_open(const char *path, int64_t now_ms, struct pk_hub_db *ret_db);
/* Removes what a host has beyond its quota, by one of PK_HUB_*_CUT, and counts it. */
int pk_hub_db_cut(struct pk_hub_db *db, enum pk_hub_stmt cut, int64_t host, uint64_t quota);
/* For reading. -ENODATA: there is none. */
int pk_hub_db_open_read(const char *path, sqlite3 **ret_sql);
void pk_hub_db_close(struct pk_hub_db *db);

int pk_hub_db_error(int rc);

/*
 * Binds by format and steps once: 'i' int64_t, 's' text (NULL is NULL). 1: there is a row, to be
 * read until pk_hub_db_reset(); 0: there is none; -errno.
 */
int pk_hub_db_step(struct pk_hub_db *db, enum pk_hub_stmt stmt, const char *format, ...);
/* One more row of it. */
int pk_hub_db_next(struct pk_hub_db *db, enum pk_hub_stmt stmt);
void pk_hub_db_reset(struct pk_hub_db *db, enum pk_hub_stmt stmt);
/* Column of the row, "" for NULL. */
const char *pk_hub_db_text(struct pk_hub_db *db, enum pk_hub_stmt stmt, int column);
int64_t pk_hub_db_int(struct pk_hub_db *db, enum pk_hub_stmt stmt, int column);

/* Bytes in use, without free pages. */
uint64_t pk_hub_db_bytes(struct pk_hub_db *db);
