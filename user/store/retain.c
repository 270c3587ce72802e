/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes what is too old or too much. The chain is cut at a record: that and all before it goes,
 * and so does each object whose latest record went. An object with a later version stays. The
 * place of the cut is signed into meta as "base", and the cut itself is an act in the chain.
 */
#include "store/retain.h"

#include "base/cleanup.h"
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define FLOWS_AT_ONCE   5000
#define RECORDS_AT_ONCE 2000
#define KEEP_RECORDS    16 /* of the chain whatever its age: its end is what the next one follows */
#define LEAST_RECORDS   16 /* to go for size: a cut is itself a record */

static int begin(struct pk_writer *w)
{
	w->chain = w->db->chain;
	return pk_db_run(w->db, PK_DB_BEGIN);
}

static int finish(struct pk_writer *w, int r)
{
	if (!r)
		r = pk_db_run(w->db, PK_DB_COMMIT);
	if (!r)
		w->db->chain = w->chain;
	else
		(void)pk_db_run(w->db, PK_DB_ROLLBACK); /* it may have ended by itself */
	return r;
}

/* Returns how many went, or -errno. */
static int cut_flows(struct pk_retain *t, struct pk_writer *w, uint64_t before_ns)
{
	sqlite3_stmt *s = w->db->stmt[PK_DB_CUT_FLOWS];
	int r = begin(w), n = 0;

	(void)sqlite3_bind_int64(s, 1, (int64_t)before_ns);
	(void)sqlite3_bind_int(s, 2, FLOWS_AT_ONCE);
	if (!r)
		r = pk_db_run(w->db, PK_DB_CUT_FLOWS);
	if (!r)
		n = sqlite3_changes(w->db->sql);
	r = finish(w, r);
	if (r < 0)
		return r;
	t->flows += (uint64_t)n;
	return n;
}

/* The last record to go, with its hash, as a chain that ends there; seq 0: none has to. */
static int find_cut(struct pk_writer *w, uint64_t before_ms, int64_t least,
		    struct pk_chain *ret_base)
{
	sqlite3_stmt *s = w->db->stmt[PK_DB_OLD_SEQ];
	int rc;

	*ret_base = (struct pk_chain){ 0 };
	(void)sqlite3_bind_int64(s, 1, (int64_t)before_ms);
	(void)sqlite3_bind_int(s, 2, RECORDS_AT_ONCE);
	(void)sqlite3_bind_int64(s, 3, (int64_t)w->db->chain.seq - KEEP_RECORDS);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW && sqlite3_column_bytes(s, 1) == PK_HASH_SIZE &&
	    sqlite3_column_int64(s, 0) - sqlite3_column_int64(s, 2) + 1 >= least) {
		memcpy(ret_base->uid, w->db->chain.uid, sizeof(ret_base->uid));
		ret_base->seq = (uint64_t)sqlite3_column_int64(s, 0);
		memcpy(ret_base->head, sqlite3_column_blob(s, 1), PK_HASH_SIZE);
	}
	(void)sqlite3_reset(s);
	return pk_db_error(rc);
}

static int write_act(struct pk_writer *w, const struct pk_chain *base)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	struct pk_store_row row = { .kind = PK_STORE_ACT,
				    .time_ns = w->time_ms * 1000000,
				    .act = "prune" };
	char uid[80];
	struct pk_json j;

	pk_json_init(&j, &text);
	pk_json_obj(&j, NULL);
	pk_json_u64(&j, "through", base->seq);
	pk_json_end(&j);
	if (text.error)
		return text.error;
	snprintf(uid, sizeof(uid), "prune-%s-%" PRIu64, base->uid, base->seq);
	row.uid = uid;
	row.json = text.data;
	row.len = text.len;
	return pk_write_row(w, &row);
}

static int cut_rows(struct pk_db *db, enum pk_db_stmt stmt, uint64_t seq)
{
	(void)sqlite3_bind_int64(db->stmt[stmt], 1, (int64_t)seq);
	return pk_db_run(db, stmt);
}

/* Returns how many records went, or -errno. */
static int cut_chain(struct pk_retain *t, struct pk_writer *w, const struct pk_key *key,
		     uint64_t before_ms, int64_t least)
{
	_cleanup_(pk_buf_done) struct pk_buf base = { 0 };
	struct pk_chain at;
	int r, n;

	r = find_cut(w, before_ms, least, &at);
	if (r < 0 || !at.seq)
		return r;
	r = pk_checkpoint_sign(key, &at, w->time_ms, &base);
	if (r < 0)
		return r;
	r = begin(w);
	if (!r)
		r = cut_rows(w->db, PK_DB_CUT_CHAIN, at.seq);
	n = sqlite3_changes(w->db->sql);
	if (!r)
		r = cut_rows(w->db, PK_DB_CUT_OBJECTS, at.seq);
	if (!r)
		r = pk_write_meta(w, "base", base.data);
	if (!r)
		r = write_act(w, &at);
	r = finish(w, r);
	if (r < 0)
		return r;
	t->rows += (uint64_t)n;
	return n;
}

int pk_retain_step(struct pk_retain *t, struct pk_writer *w, const struct pk_key *key)
{
	uint64_t now_ns = w->time_ms * 1000000;
	int r = 0;

	if (t->retain_ns && now_ns > t->retain_ns) {
		r = cut_flows(t, w, now_ns - t->retain_ns);
		if (r == 0)
			r = cut_chain(t, w, key, (now_ns - t->retain_ns) / 1000000, 1);
	}
	/* flows are many and say least: they go first, and only then records */
	if (r == 0 && t->bytes_max && pk_db_bytes(w->db) > t->bytes_max) {
		r = cut_flows(t, w, INT64_MAX);
		if (r == 0)
			r = cut_chain(t, w, key, INT64_MAX, LEAST_RECORDS);
	}
	if (r > 0)
		(void)sqlite3_exec(w->db->sql, "PRAGMA incremental_vacuum(2000)", NULL, NULL, NULL);
	return r < 0 ? r : r > 0;
}
