/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes an object and its record of the chain together, so that neither is ever there without the
 * other. Transactions are store.c's.
 */
#include "store/write.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "store/row.h"

#include <errno.h>

/* Is there one of this name already? */
static int find(struct pk_writer *w, const struct pk_store_row *row, bool *ret_known)
{
	sqlite3_stmt *s = w->db->stmt[PK_DB_FIND];
	int rc;

	(void)sqlite3_bind_int(s, 1, row->kind);
	pk_db_bind_text(s, 2, row->uid);
	rc = sqlite3_step(s);
	*ret_known = rc == SQLITE_ROW;
	(void)sqlite3_reset(s);
	return pk_db_error(rc);
}

static int put_object(struct pk_writer *w, const struct pk_store_row *row)
{
	sqlite3_stmt *s = w->db->stmt[PK_DB_PUT];

	(void)sqlite3_bind_int(s, 1, row->kind);
	pk_db_bind_text(s, 2, row->uid);
	(void)sqlite3_bind_int64(s, 3, (int64_t)row->time_ns);
	pk_db_bind_text(s, 4, row->incident_uid);
	(void)sqlite3_bind_int(s, 5, row->severity);
	pk_db_bind_text(s, 6, row->technique);
	if (row->remote)
		(void)sqlite3_bind_blob(s, 7, row->remote, 16, SQLITE_STATIC);
	else
		(void)sqlite3_bind_null(s, 7);
	(void)sqlite3_bind_int64(s, 8, row->pid);
	(void)sqlite3_bind_int64(s, 9, (int64_t)(w->chain.seq + 1));
	(void)sqlite3_bind_text(s, 10, row->json, (int)row->len, SQLITE_STATIC);
	return pk_db_run(w->db, PK_DB_PUT);
}

static int put_record(struct pk_writer *w, const struct pk_store_row *row, bool known)
{
	struct pk_chain_entry e = { .time_ms = w->time_ms,
				    .boot_ms = w->boot_ms,
				    .actor = row->actor ? row->actor : "picketd",
				    .act = row->act ? row->act
					   : known  ? "update"
						    : "create",
				    .type = pk_row_kind_name[row->kind],
				    .uid = row->uid };
	sqlite3_stmt *s = w->db->stmt[PK_DB_CHAIN];
	uint8_t hash[PK_HASH_SIZE];
	int r;

	pk_hash(row->json, row->len, e.object);
	pk_buf_reset(&w->text);
	pk_chain_write(&w->chain, &e, &w->text);
	if (w->text.error)
		return w->text.error;
	pk_hash(w->text.data, w->text.len, hash);
	(void)sqlite3_bind_int64(s, 1, (int64_t)(w->chain.seq + 1));
	(void)sqlite3_bind_int64(s, 2, (int64_t)w->time_ms);
	(void)sqlite3_bind_blob(s, 3, hash, sizeof(hash), SQLITE_STATIC);
	(void)sqlite3_bind_text(s, 4, w->text.data, (int)w->text.len, SQLITE_STATIC);
	r = pk_db_run(w->db, PK_DB_CHAIN);
	if (!r)
		pk_chain_advance(&w->chain, hash);
	return r;
}

int pk_write_row(struct pk_writer *w, const struct pk_store_row *row)
{
	bool known;
	int r = find(w, row, &known);

	if (!r)
		r = put_object(w, row);
	return r ? r : put_record(w, row, known);
}

int pk_write_flow(struct pk_writer *w, const struct pk_store_flow *f)
{
	const int64_t n[] = { (int64_t)f->start_ns,
			      (int64_t)f->end_ns,
			      f->proto,
			      (int64_t)f->bytes[0],
			      (int64_t)f->bytes[1],
			      (int64_t)f->packets[0],
			      (int64_t)f->packets[1],
			      f->pid,
			      f->uid };
	static const int at[] = { 1, 2, 3, 8, 9, 10, 11, 12, 13 };
	sqlite3_stmt *s = w->db->stmt[PK_DB_FLOW];

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		(void)sqlite3_bind_int64(s, at[i], n[i]);
	for (int d = 0; d < 2; d++) {
		(void)sqlite3_bind_blob(s, 4 + 2 * d, f->addr[d], 16, SQLITE_STATIC);
		(void)sqlite3_bind_int(s, 5 + 2 * d, f->port[d]);
	}
	pk_db_bind_text(s, 14, f->exe);
	pk_db_bind_text(s, 15, f->name);
	if (f->own < PK_STORE_NO_END)
		(void)sqlite3_bind_int(s, 16, f->own);
	else
		(void)sqlite3_bind_null(s, 16);
	return pk_db_run(w->db, PK_DB_FLOW);
}

int pk_write_meta(struct pk_writer *w, const char *key, const char *value)
{
	sqlite3_stmt *s = w->db->stmt[PK_DB_META_SET];

	pk_db_bind_text(s, 1, key);
	pk_db_bind_text(s, 2, value);
	return pk_db_run(w->db, PK_DB_META_SET);
}

int pk_write_begin(struct pk_writer *w, const char *reason, const char *kept)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	struct pk_store_row row = { .kind = PK_STORE_ACT,
				    .time_ns = w->time_ms * 1000000,
				    .act = "begin" };
	char uid[48];
	struct pk_json j;
	int r;

	r = pk_chain_uid(w->chain.uid);
	if (!r)
		r = pk_write_meta(w, "chain_uid", w->chain.uid);
	if (r < 0)
		return r;
	pk_json_init(&j, &text);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "kept", kept);
	pk_json_str(&j, "reason", reason);
	pk_json_end(&j);
	if (text.error)
		return text.error;
	snprintf(uid, sizeof(uid), "store-%s", w->chain.uid);
	row.uid = uid;
	row.json = text.data;
	row.len = text.len;
	return pk_write_row(w, &row);
}
