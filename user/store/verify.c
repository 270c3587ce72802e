/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the chain from its beginning (or the signed place where it was pruned) to its end, hashes
 * every record and the object it is about again, and compares with the checkpoints. Those are read
 * first: what is committed meanwhile only makes the chain longer.
 */
#include "store/verify.h"

#include "base/cleanup.h"
#include "base/hex.h"
#include "store/checkpoint.h"
#include "store/db.h"
#include "store/row.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>

/* What can be wrong; the first that is found in this order gives the code of the whole. */
enum what { ALTERED, GAP, FORK, TRUNCATED, OBJECT_GONE, NO_ANCHOR, NOTHING };

static const enum pk_verdict_code code_of[] = {
	[ALTERED] = PK_VERIFY_ALTERED,     [GAP] = PK_VERIFY_GAP,         [FORK] = PK_VERIFY_FORK,
	[TRUNCATED] = PK_VERIFY_TRUNCATED, [OBJECT_GONE] = PK_VERIFY_GAP, /* after TRUNCATED: its
									     later version may have
									     gone there */
	[NO_ANCHOR] = PK_VERIFY_NO_ANCHOR, [NOTHING] = PK_VERIFY_OK,
};

struct anchors {
	struct pk_checkpoint *v;
	size_t n, cap;
};

struct walk {
	struct pk_verify *out;
	enum what worst;
	sqlite3 *sql;
	sqlite3_stmt *object;
	struct pk_key key; /* pkey NULL: none */
	struct anchors anchors;
	size_t next;                /* of them */
	struct pk_checkpoint other; /* newest one of another chain */
	struct pk_chain at;         /* the record before */
};

/* A record as it was written. */
struct record {
	const char *chain_uid, *prev, *type, *uid, *object;
	json_int_t sequence;
};

static void json_freep(json_t **j)
{
	json_decref(*j);
}

const char *pk_verify_code_name(enum pk_verdict_code code)
{
	switch (code) {
	case PK_VERIFY_ALTERED:
		return "altered";
	case PK_VERIFY_GAP:
		return "gap";
	case PK_VERIFY_TRUNCATED:
		return "truncated";
	case PK_VERIFY_FORK:
		return "fork";
	case PK_VERIFY_NO_ANCHOR:
		return "no anchor";
	default:
		return "ok";
	}
}

__attribute__((format(printf, 4, 5))) static void fault(struct walk *w, enum what what,
							uint64_t sequence, const char *fmt, ...)
{
	struct pk_verify *v = w->out;
	struct pk_verify_fault *f;
	va_list ap;

	if (what < w->worst)
		w->worst = what;
	if (v->faults_n++ >= PK_VERIFY_FAULTS)
		return;
	f = &v->fault[v->faults_n - 1];
	f->code = code_of[what];
	f->sequence = sequence;
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap); /* cut when long */
	va_end(ap);
}

static int add_anchor(struct anchors *a, const struct pk_checkpoint *p)
{
	if (a->n == a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 64;
		struct pk_checkpoint *v = realloc(a->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		a->v = v;
		a->cap = cap;
	}
	a->v[a->n++] = *p;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct pk_checkpoint *x = a, *y = b;

	return x->n < y->n ? -1 : x->n > y->n;
}

/* Leaves those of this chain, sorted, and remembers the newest of the others. */
static void sort_anchors(struct walk *w)
{
	struct anchors *a = &w->anchors;
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		if (strcmp(a->v[i].chain_uid, w->out->chain_uid) == 0) {
			a->v[n++] = a->v[i];
			continue;
		}
		w->out->checkpoints_other++;
		if (a->v[i].time_ms >= w->other.time_ms)
			w->other = a->v[i];
	}
	w->out->checkpoints = a->n = n;
	if (n)
		qsort(a->v, n, sizeof(a->v[0]), by_number);
}

static int read_anchors(struct walk *w, const char *file)
{
	_cleanup_fclose_ FILE *f = fopen(file, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0, number = 0;
	struct pk_checkpoint p;
	ssize_t n;
	int r = 0;

	if (!f)
		return errno == ENOENT ? 0 : -errno;
	while (!r && (n = getline(&line, &size, f)) > 0) {
		number++;
		switch (pk_checkpoint_read(&w->key, line, (size_t)n, &p)) {
		case 0:
			r = add_anchor(&w->anchors, &p);
			break;
		case -ENOKEY:
			w->out->checkpoints_other++;
			break;
		case -EBADMSG:
			fault(w, ALTERED, p.n, "line %zu of the checkpoints has a wrong signature",
			      number);
			break;
		default:
			w->out->checkpoints_unreadable += line[0] != '\n';
		}
	}
	return r;
}

/* The chain's name, and where it begins if its beginning was pruned. */
static int read_meta(struct walk *w)
{
	sqlite3_stmt *s = NULL;
	struct pk_checkpoint base;
	const char *uid, *text;
	int rc, r;

	rc = sqlite3_prepare_v2(w->sql,
				"SELECT (SELECT value FROM meta WHERE key = 'chain_uid'),"
				" (SELECT value FROM meta WHERE key = 'base')",
				-1, &s, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	uid = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
	text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 1) : NULL;
	snprintf(w->out->chain_uid, sizeof(w->out->chain_uid), "%s", uid ? uid : "");
	if (rc == SQLITE_ROW && !uid)
		fault(w, ALTERED, 0, "the database does not say which chain it holds");
	if (text) {
		r = pk_checkpoint_read(&w->key, text, strlen(text), &base);
		if (r == -EINVAL || r == -EBADMSG || strcmp(base.chain_uid, w->out->chain_uid) != 0)
			fault(w, ALTERED, 0,
			      "the place where the chain was pruned is not signed by the agent");
		if (r != -EINVAL) {
			w->at.seq = w->out->base = base.n;
			memcpy(w->at.head, base.head, sizeof(base.head));
		}
	}
	(void)sqlite3_finalize(s);
	return pk_db_error(rc);
}

/* The object that a record is about: as it was, or in a later version that has its own record. */
static void check_object(struct walk *w, const struct record *rec)
{
	uint64_t seq = (uint64_t)rec->sequence, now;
	uint8_t want[PK_HASH_SIZE], is[PK_HASH_SIZE];
	int k = PK_STORE_KINDS - 1;

	while (k && strcmp(pk_row_kind_name[k], rec->type) != 0)
		k--;
	(void)sqlite3_bind_int(w->object, 1, k);
	pk_db_bind_text(w->object, 2, rec->uid);
	if (sqlite3_step(w->object) != SQLITE_ROW) {
		fault(w, OBJECT_GONE, seq, "%s %s, recorded as %" PRIu64 ", is not there any more",
		      rec->type, rec->uid, seq);
	} else {
		now = (uint64_t)sqlite3_column_int64(w->object, 0);
		w->out->objects++;
		if (now < seq)
			fault(w, ALTERED, seq, "%s %s is older than its record %" PRIu64, rec->type,
			      rec->uid, seq);
		pk_hash(sqlite3_column_text(w->object, 1),
			(size_t)sqlite3_column_bytes(w->object, 1), is);
		if (now == seq && (pk_hex_parse(rec->object, want, PK_HASH_SIZE) < 0 ||
				   memcmp(is, want, sizeof(is)) != 0))
			fault(w, ALTERED, seq, "%s %s is not what record %" PRIu64 " says it was",
			      rec->type, rec->uid, seq);
	}
	(void)sqlite3_reset(w->object);
}

static void check_text(struct walk *w, uint64_t seq, const char *text, size_t len)
{
	_cleanup_(json_freep) json_t *j = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	uint8_t prev[PK_HASH_SIZE];
	struct record rec;

	if (json_unpack(j, "{s:s, s:s, s:I, s:s, s:s, s:{s:s}}", "chain_uid", &rec.chain_uid,
			"prev_event", &rec.prev, "sequence", &rec.sequence, "type", &rec.type,
			"uid", &rec.uid, "fingerprint", "value", &rec.object) < 0)
		return fault(w, ALTERED, seq, "record %" PRIu64 " can not be read", seq);
	if ((uint64_t)rec.sequence != seq || strcmp(rec.chain_uid, w->out->chain_uid) != 0)
		fault(w, ALTERED, seq, "record %" PRIu64 " says it is %lld of chain %.32s", seq,
		      (long long)rec.sequence, rec.chain_uid);
	if (seq == w->at.seq + 1 && (pk_hex_parse(rec.prev, prev, PK_HASH_SIZE) < 0 ||
				     memcmp(prev, w->at.head, sizeof(prev)) != 0))
		fault(w, ALTERED, seq, "record %" PRIu64 " does not follow from the one before it",
		      seq);
	rec.sequence = (json_int_t)seq;
	check_object(w, &rec);
}

/* Checkpoints come in the order of their records, and so do we. */
static void check_anchors(struct walk *w, uint64_t seq, const uint8_t hash[PK_HASH_SIZE])
{
	struct pk_verify *v = w->out;
	bool told = false;

	for (; w->next < w->anchors.n && w->anchors.v[w->next].n <= seq; w->next++) {
		const struct pk_checkpoint *p = &w->anchors.v[w->next];

		if (p->n != seq)
			continue; /* of a record that was pruned, or is missing */
		if (memcmp(p->head, hash, PK_HASH_SIZE) == 0) {
			v->anchored_n = seq;
			v->anchored_ms = p->time_ms;
		} else if (!told) {
			told = true;
			fault(w, FORK, seq,
			      "record %" PRIu64 " is not the one that was signed: the chain was "
			      "written anew",
			      seq);
		}
	}
}

static void check_record(struct walk *w, sqlite3_stmt *s)
{
	uint64_t seq = (uint64_t)sqlite3_column_int64(s, 0), before = w->at.seq;
	const char *text = (const char *)sqlite3_column_text(s, 2);
	size_t len = (size_t)sqlite3_column_bytes(s, 2);
	uint8_t hash[PK_HASH_SIZE];

	if (seq > before + 2)
		fault(w, GAP, before + 1, "records %" PRIu64 " to %" PRIu64 " are missing",
		      before + 1, seq - 1);
	else if (seq == before + 2)
		fault(w, GAP, before + 1, "record %" PRIu64 " is missing", before + 1);
	pk_hash(text ? text : "", len, hash);
	if (sqlite3_column_bytes(s, 1) != PK_HASH_SIZE ||
	    memcmp(sqlite3_column_blob(s, 1), hash, sizeof(hash)) != 0)
		fault(w, ALTERED, seq, "record %" PRIu64 " was changed", seq);
	check_text(w, seq, text ? text : "", len);
	check_anchors(w, seq, hash);
	w->at.seq = seq;
	memcpy(w->at.head, hash, sizeof(hash));
	if (!w->out->records++)
		w->out->first = seq;
	w->out->last = seq;
}

static int walk_chain(struct walk *w)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(w->sql, "SELECT seq, hash, record FROM chain ORDER BY seq", -1,
				    &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(w->sql,
					"SELECT seq, json FROM object WHERE kind = ? AND uid = ?",
					-1, &w->object, NULL);
	if (w->at.seq)
		check_anchors(w, w->at.seq, w->at.head);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(s);
		if (rc == SQLITE_ROW)
			check_record(w, s);
	}
	(void)sqlite3_finalize(s);
	(void)sqlite3_finalize(w->object);
	return pk_db_error(rc);
}

/* Objects without their record: the chain was cut and they were left, or somebody put them there.
 */
static int check_strays(struct walk *w)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(w->sql,
				    "SELECT seq, uid FROM object AS o WHERE NOT EXISTS"
				    " (SELECT 1 FROM chain WHERE chain.seq = o.seq)",
				    -1, &s, NULL);

	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		uint64_t seq;

		rc = sqlite3_step(s);
		if (rc != SQLITE_ROW)
			break;
		seq = (uint64_t)sqlite3_column_int64(s, 0);
		if (seq > w->at.seq)
			fault(w, TRUNCATED, seq,
			      "record %" PRIu64 " of %s is beyond the end of the chain", seq,
			      sqlite3_column_text(s, 1));
		else if (seq <= w->out->base)
			fault(w, ALTERED, seq, "%s has no record of its own",
			      sqlite3_column_text(s, 1));
	}
	(void)sqlite3_finalize(s);
	return pk_db_error(rc);
}

/* What the checkpoints say of the whole. */
static void check_end(struct walk *w)
{
	const struct anchors *a = &w->anchors;
	const struct pk_checkpoint *newest = a->n ? &a->v[a->n - 1] : NULL;

	if (newest && newest->n > w->at.seq)
		fault(w, TRUNCATED, w->at.seq,
		      "the chain ends at record %" PRIu64 ", but %" PRIu64 " were signed for",
		      w->at.seq, newest->n);
	else if (!newest && w->other.n)
		fault(w, FORK, 0,
		      "all checkpoints are of another chain, %s with %" PRIu64 " records: this one "
		      "was put in its place",
		      w->other.chain_uid, w->other.n);
	else if (!newest)
		fault(w, NO_ANCHOR, 0,
		      "no signed checkpoint of this chain: it may have been written anew");
}

static int open_db(struct pk_verify *v, const char *file, sqlite3 **ret_sql)
{
	int rc = sqlite3_open_v2(file, ret_sql, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK) {
		(void)sqlite3_busy_timeout(*ret_sql, 5000);
		rc = sqlite3_exec(*ret_sql, "BEGIN; SELECT 1 FROM chain LIMIT 1", NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK)
		return 0;
	snprintf(v->error, sizeof(v->error), "%s: %s", file,
		 *ret_sql ? sqlite3_errmsg(*ret_sql) : sqlite3_errstr(rc));
	return pk_db_error(rc);
}

static int run(struct walk *w, const char *db, const char *checkpoints)
{
	int r = w->key.pkey ? read_anchors(w, checkpoints) : 0;

	if (r < 0) {
		snprintf(w->out->error, sizeof(w->out->error), "%s: %s", checkpoints, strerror(-r));
		return r;
	}
	r = open_db(w->out, db, &w->sql);
	if (r < 0)
		return r;
	r = read_meta(w);
	sort_anchors(w);
	if (!r)
		r = walk_chain(w);
	if (!r)
		r = check_strays(w);
	if (r < 0) {
		snprintf(w->out->error, sizeof(w->out->error), "%s: %s", db,
			 sqlite3_errmsg(w->sql));
		return r;
	}
	check_end(w);
	w->out->code = code_of[w->worst];
	return 0;
}

int pk_verify_run(const char *db, const char *checkpoints, const char *key,
		  struct pk_verify *ret_result)
{
	struct walk w = { .out = ret_result, .worst = NOTHING };
	int r = 0;

	*ret_result = (struct pk_verify){ 0 };
	if (key && *key)
		r = pk_key_load(key, &w.key);
	if (r < 0 && r != -ENOENT) {
		snprintf(ret_result->error, sizeof(ret_result->error), "%s: %s", key,
			 r == -EINVAL ? "is not an Ed25519 key" : strerror(-r));
		return r;
	}
	r = run(&w, db, checkpoints);
	(void)sqlite3_close(w.sql);
	pk_key_done(&w.key);
	free(w.anchors.v);
	return r;
}
