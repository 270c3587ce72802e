/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a database has to do for the hub. The statements are db.c's, of the SQL that all of them
 * speak; this is the rest. Returns -errno as db.h says, with the reason in db->why.
 */
#pragma once

#include "hub/db.h"

#include <stddef.h>

#define PK_HUB_ARGS_MAX 8

union pk_hub_arg {
	int64_t i;
	const char *s; /* never NULL */
};

struct pk_hub_query {
	const char *sql;
	const char *args; /* one letter each: 'i' int64_t, 's' text */
};

/* From one version of the shape to the next. */
struct pk_hub_migration {
	int64_t from;
	const char *sql; /* in no transaction, of the whole step one */
};

struct pk_hub_backend {
	const char *name;
	bool (*takes)(const char *where); /* is it one of these? */
	const char *shape;                /* makes all that the last version has */
	const struct pk_hub_migration *migrations;
	size_t migrations_n;
	const char *begin; /* a transaction that no other hub is in */
	const char *bytes; /* asks for what is in use, without what is free to be used again */

	int (*connect)(struct pk_hub_db *db, const char *where, bool read_only);
	void (*close)(struct pk_hub_db *db);
	int (*version)(struct pk_hub_db *db, int64_t *ret_version); /* 0: there is nothing yet */
	int (*exec)(struct pk_hub_db *db, const char *sql);         /* no rows, or any */
	int (*number)(struct pk_hub_db *db, const char *sql, int64_t *ret_n);

	/* Steps once: 1 a row, which stays until reset; 0 none. Prepared at its first use. */
	int (*step)(struct pk_hub_db *db, enum pk_hub_stmt stmt, const struct pk_hub_query *q,
		    const union pk_hub_arg *args);
	int (*next)(struct pk_hub_db *db, enum pk_hub_stmt stmt);
	void (*reset)(struct pk_hub_db *db, enum pk_hub_stmt stmt);
	const char *(*text)(struct pk_hub_db *db, enum pk_hub_stmt stmt, int column);
	int64_t (*integer)(struct pk_hub_db *db, enum pk_hub_stmt stmt, int column);
	int64_t (*changed)(struct pk_hub_db *db, enum pk_hub_stmt stmt); /* rows, by it */
};

extern const struct pk_hub_backend pk_hub_sqlite, pk_hub_postgres;
