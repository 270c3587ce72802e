/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database file: opened or made by the directory's descriptor, its shape, its statements. What
 * SQLite says becomes -errno: -ENOSPC no room, -EBADMSG broken, -EPROTO of a newer Picket, -EBUSY,
 * -ETIME interrupted, -EIO the rest.
 */
#pragma once

#include "store/chain.h"

#include <sqlite3.h>
#include <stdbool.h>

#define PK_DB_VERSION 2

enum pk_db_stmt {
	PK_DB_BEGIN,
	PK_DB_COMMIT,
	PK_DB_ROLLBACK,
	PK_DB_FIND,     /* seq of an object */
	PK_DB_PUT,      /* an object */
	PK_DB_CHAIN,    /* a record */
	PK_DB_FLOW,     /* a flow */
	PK_DB_META_SET, /* key, value */
	PK_DB_OLD_SEQ,  /* last record before a time, of the first so many up to a number */
	PK_DB_CUT_CHAIN,
	PK_DB_CUT_OBJECTS,
	PK_DB_CUT_FLOWS,
	PK_DB_STMTS
};

struct pk_db {
	sqlite3 *sql;
	sqlite3_stmt *stmt[PK_DB_STMTS];
	struct pk_chain chain; /* as committed */
	bool is_new;           /* it has no chain yet: the writer begins one */
};

/* For writing; made if there is none. */
int pk_db_open(int dir_fd, struct pk_db *ret_db);
/* For reading: no statements are prepared. -ENODATA: there is none. */
int pk_db_open_read(int dir_fd, sqlite3 **ret_sql);
void pk_db_close(struct pk_db *db);

/* Renames the files to NAME.broken-TIME; ret_kept is the new name. The database is closed. */
int pk_db_set_aside(int dir_fd, uint64_t time_ms, char *ret_kept, size_t size);

int pk_db_error(int rc);
/* Steps a statement that returns no row, and resets it. */
int pk_db_run(struct pk_db *db, enum pk_db_stmt stmt);
/* Bytes in use, without free pages. */
uint64_t pk_db_bytes(struct pk_db *db);

void pk_db_bind_text(sqlite3_stmt *s, int at, const char *text); /* borrowed; NULL is NULL */
