/* SPDX-License-Identifier: Apache-2.0 */
/* Rows into the database, inside of a transaction that the caller begins and ends. */
#pragma once

#include "store/db.h"
#include "store/store.h"

#include "base/buf.h"

struct pk_writer {
	struct pk_db *db;
	struct pk_chain chain; /* as it will be when the transaction is committed */
	struct pk_buf text;    /* of the record being written, kept for its memory */
	uint64_t time_ms, boot_ms;
};

int pk_write_row(struct pk_writer *w, const struct pk_store_row *row);
int pk_write_flow(struct pk_writer *w, const struct pk_store_flow *flow);
int pk_write_meta(struct pk_writer *w, const char *key, const char *value);
/* The first record of a new database: why there is one, and which file was kept (NULL: none). */
int pk_write_begin(struct pk_writer *w, const char *reason, const char *kept);
