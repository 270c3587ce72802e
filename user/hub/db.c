/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements, the table of backends and the version. The SQL is what SQLite and PostgreSQL have
 * in common. What the rows mean is for those who write them.
 */
#include "hub/db.h"

#include "base/cleanup.h"
#include "hub/backend.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static const struct pk_hub_backend *const backends[] = { &pk_hub_sqlite, &pk_hub_postgres };

/* Of a host with more rows than its quota the oldest go; those of the same age go together. */
#define CUT(table, age, column)                                                                    \
	{                                                                                          \
		"DELETE FROM " table " WHERE host = $1 AND " age " <= (SELECT " age " FROM " table \
		" WHERE host = $1 AND (SELECT " column                                             \
		" FROM host WHERE id = $1) > $2 ORDER BY " age                                     \
		" LIMIT 1 OFFSET greatest(0, (SELECT " column                                      \
		" FROM host WHERE id = $1) - $2 - 1))",                                            \
			"ii"                                                                       \
	}
#define OLD(table)                                                                                 \
	{                                                                                          \
		"DELETE FROM " table " WHERE last < $1", "i"                                       \
	}

static const struct pk_hub_query queries[PK_HUB_STMTS] = {
	[PK_HUB_BEGUN] = { "SELECT value FROM meta WHERE key = 'begun'", "" },
	[PK_HUB_BEGUN_PUT] = { "INSERT INTO meta VALUES('begun', $1) ON CONFLICT(key) DO NOTHING",
			       "i" },
	[PK_HUB_HOST_FIND] = { "SELECT id FROM host WHERE name = $1", "s" },
	[PK_HUB_HOST_COUNT] = { "SELECT count(*) FROM host", "" },
	[PK_HUB_HOST_ADD] = { "INSERT INTO host(name, first, last) VALUES($1, $2, $2) RETURNING id",
			      "si" },
	[PK_HUB_HOST_TOUCH] = { "UPDATE host SET last = greatest(last, $2), records = records + 1,"
				" lost = lost + $3 WHERE id = $1",
				"iii" },
	[PK_HUB_HOST_EVICTED] = { "UPDATE host SET evicted = evicted + $2 WHERE id = $1", "ii" },
	[PK_HUB_REFUSE] = { "INSERT INTO refused VALUES($1, $2, 1)"
			    " ON CONFLICT(host, why) DO UPDATE SET n = refused.n + 1",
			    "ii" },
	/* no row: it was taken before, in this or a later version */
	[PK_HUB_ALERT_PUT] = { "INSERT INTO alert VALUES($1, $2, $3, $4, $5, $6)"
			       " ON CONFLICT(host, uid) DO UPDATE SET seq = excluded.seq,"
			       " time = least(alert.time, excluded.time)"
			       " WHERE excluded.seq > alert.seq RETURNING 1",
			       "isiisi" },
	[PK_HUB_ALERT_CUT] = CUT("alert", "time", "alerts"),
	[PK_HUB_SEEN_FIND] = { "SELECT last, firm FROM seen"
			       " WHERE kind = $1 AND value = $2 AND host = $3",
			       "isi" },
	[PK_HUB_SEEN_PUT] = { "INSERT INTO seen VALUES($1, $2, $3, $4, $4, 1, $5, $6)"
			      " ON CONFLICT(kind, value, host) DO UPDATE SET"
			      " first = least(seen.first, excluded.first),"
			      " last = greatest(seen.last, excluded.last), n = seen.n + 1,"
			      " firm = greatest(seen.firm, excluded.firm), uid = excluded.uid",
			      "isiiis" },
	[PK_HUB_SEEN_CUT] = CUT("seen", "last", "vals"),
	[PK_HUB_SEEN_SUM] = { "SELECT count(*) FILTER (WHERE last >= $3 AND first <= $4),"
			      " count(*) FILTER (WHERE last >= $3 AND first <= $4 AND firm <> 0),"
			      " min(first) FROM seen WHERE kind = $1 AND value = $2",
			      "isii" },
	[PK_HUB_SEEN_HOSTS] = { "SELECT host.name, seen.first, seen.last, seen.n, seen.uid"
				" FROM seen JOIN host ON host.id = seen.host WHERE kind = $1"
				" AND value = $2 AND seen.last >= $3 AND seen.first <= $4"
				" ORDER BY seen.first, host.id LIMIT $5",
				"isiii" },
	[PK_HUB_OWN_FIND] = { "SELECT host FROM own WHERE address = $1", "s" },
	/* who has it keeps it as long as he is heard of */
	[PK_HUB_OWN_PUT] = { "INSERT INTO own VALUES($1, $2, $3) ON CONFLICT(address) DO UPDATE SET"
			     " host = excluded.host, last = greatest(own.last, excluded.last)"
			     " WHERE own.host = excluded.host OR own.last < $4 RETURNING 1",
			     "siii" },
	[PK_HUB_OWN_CUT] = CUT("own", "last", "owns"),
	/* an alert of the host that is not its own attack on another one */
	[PK_HUB_EARLIER] = { "SELECT uid FROM alert WHERE host = $1 AND time >= $2 AND time < $3"
			     " AND NOT (outbound <> 0 AND EXISTS(SELECT 1 FROM own"
			     " WHERE address = alert.remote)) ORDER BY time DESC LIMIT 1",
			     "iii" },
	[PK_HUB_STEP_PUT] = { "INSERT INTO step VALUES($1, $2, $3, $3, $4) ON CONFLICT(src, dst)"
			      " DO UPDATE SET last = greatest(step.last, excluded.last)",
			      "iiis" },
	[PK_HUB_STEP_BEFORE] = { "SELECT src FROM step WHERE dst = $1 AND first < $3"
				 " AND last >= $2 ORDER BY first LIMIT 1",
				 "iii" },
	[PK_HUB_STEP_AFTER] = { "SELECT step.dst, a.name, b.name, step.first, step.uid FROM step"
				" JOIN host a ON a.id = src JOIN host b ON b.id = dst"
				" WHERE src = $1 AND step.last >= $2"
				" ORDER BY step.first, dst LIMIT $3",
				"iii" },
	[PK_HUB_FINDING_FIND] = { "SELECT number, told, time FROM finding WHERE key = $1"
				  " AND last >= $2 ORDER BY number DESC LIMIT 1",
				  "si" },
	[PK_HUB_FINDING_PUT] = { "INSERT INTO finding(key, told, time, last, json)"
				 " VALUES($1, 0, $2, $2, '{}') RETURNING number",
				 "si" },
	[PK_HUB_FINDING_SET] = { "UPDATE finding SET told = $2, last = $3, json = $4,"
				 " said = CASE WHEN told = $2 THEN said ELSE 0 END"
				 " WHERE number = $1",
				 "iiis" },
	[PK_HUB_UNSAID] = { "SELECT json FROM finding WHERE said = 0 ORDER BY number", "" },
	[PK_HUB_SAID] = { "UPDATE finding SET said = 1 WHERE said = 0", "" },
	[PK_HUB_OLD_SEEN] = OLD("seen"),
	[PK_HUB_OLD_ALERTS] = { "DELETE FROM alert WHERE time < $1", "i" },
	[PK_HUB_OLD_OWN] = OLD("own"),
	[PK_HUB_OLD_STEPS] = OLD("step"),
	[PK_HUB_OLD_FINDINGS] = OLD("finding"),
	[PK_HUB_OLD_HOSTS] = { "DELETE FROM host WHERE last < $1 AND NOT EXISTS"
			       " (SELECT 1 FROM seen WHERE seen.host = host.id) AND NOT EXISTS"
			       " (SELECT 1 FROM alert WHERE alert.host = host.id)",
			       "i" },
	[PK_HUB_OLDEST] = { "SELECT max(last) FROM"
			    " (SELECT last FROM seen ORDER BY last LIMIT $1) AS oldest",
			    "i" },
	[PK_HUB_SHOW_FROM] = { "SELECT min(number) FROM (SELECT number FROM finding"
			       " ORDER BY number DESC LIMIT $1) AS newest",
			       "i" },
	[PK_HUB_SHOW_PAGE] = { "SELECT number, json FROM finding WHERE number >= $1"
			       " ORDER BY number LIMIT $2",
			       "ii" },
	[PK_HUB_SHOW_ONE] = { "SELECT json FROM finding WHERE number = $1", "i" },
	[PK_HUB_SHOW_HOSTS] = { "SELECT 0, '' AS name, 0, 0, 0, 0, 0 WHERE EXISTS"
				" (SELECT 1 FROM refused WHERE host = 0) UNION ALL"
				" SELECT id, name, first, last, records, lost, evicted FROM host"
				" ORDER BY name",
				"" },
	[PK_HUB_SHOW_REFUSED] = { "SELECT why, n FROM refused WHERE host = $1 ORDER BY why", "i" },
};

static int say(struct pk_hub_db *db, int r, const char *words)
{
	snprintf(db->why, sizeof(db->why), "%s", words);
	return r;
}

/* Step by step to the version of this program, or why not. */
static int migrate(struct pk_hub_db *db, int64_t version)
{
	const struct pk_hub_backend *b = db->backend;
	int r = 0;

	while (r >= 0 && version < PK_HUB_DB_VERSION) {
		size_t i = 0;

		while (i < b->migrations_n && b->migrations[i].from != version)
			i++;
		if (i == b->migrations_n)
			break;
		r = b->exec(db, b->migrations[i].sql);
		version++;
	}
	if (r < 0 || version == PK_HUB_DB_VERSION)
		return r;
	snprintf(db->why, sizeof(db->why),
		 "the database is of version %" PRId64
		 ", this Picket's is %d: use a newer Picket, or "
		 "another database",
		 version, PK_HUB_DB_VERSION);
	return -EPROTO;
}

static int make_ready(struct pk_hub_db *db)
{
	int64_t version = 0;
	int r = db->backend->version(db, &version);

	if (r < 0)
		return r;
	return version ? migrate(db, version) : db->backend->exec(db, db->backend->shape);
}

static int may_read(struct pk_hub_db *db)
{
	int64_t version = 0;
	int r = db->backend->version(db, &version);

	if (r < 0 || version == PK_HUB_DB_VERSION)
		return r;
	if (!version)
		return say(db, -ENODATA, "the hub has made nothing there yet");
	return version < PK_HUB_DB_VERSION
		       ? say(db, -EPROTO,
			     "an older Picket made the database; `picket hub run` brings it up to "
			     "date")
		       : say(db, -EPROTO, "a newer Picket made the database: use that one");
}

static int open_as(const char *where, bool read_only, struct pk_hub_db *ret_db)
{
	struct pk_hub_db db = { 0 };
	int r;

	for (size_t i = 0; i < PK_ARRAY_SIZE(backends) && !db.backend; i++)
		if (backends[i]->takes(where))
			db.backend = backends[i];
	if (!db.backend)
		return say(ret_db, -EINVAL,
			   "hub.db is neither an absolute path nor a connection string of "
			   "PostgreSQL (postgresql://HOST/DATABASE)");
	r = db.backend->connect(&db, where, read_only);
	if (r >= 0)
		r = read_only ? may_read(&db) : make_ready(&db);
	if (r < 0)
		db.backend->close(&db);
	if (r < 0)
		return say(ret_db, r, db.why);
	*ret_db = db;
	return 0;
}

int pk_hub_db_open(const char *where, struct pk_hub_db *ret_db)
{
	return open_as(where, false, ret_db);
}

int pk_hub_db_open_read(const char *where, struct pk_hub_db *ret_db)
{
	return open_as(where, true, ret_db);
}

void pk_hub_db_close(struct pk_hub_db *db)
{
	if (db->backend)
		db->backend->close(db);
	*db = (struct pk_hub_db){ 0 };
}

int pk_hub_db_begin(struct pk_hub_db *db)
{
	return db->backend->exec(db, db->backend->begin);
}

int pk_hub_db_commit(struct pk_hub_db *db)
{
	return db->backend->exec(db, "COMMIT");
}

void pk_hub_db_rollback(struct pk_hub_db *db)
{
	char why[PK_HUB_WHY_MAX];

	if (db->lost)
		return;
	snprintf(why, sizeof(why), "%s", db->why);
	(void)db->backend->exec(db, "ROLLBACK"); /* it may have been already */
	(void)say(db, 0, why);                   /* of the failure before it */
}

int pk_hub_db_step(struct pk_hub_db *db, enum pk_hub_stmt stmt, ...)
{
	const struct pk_hub_query *q = &queries[stmt];
	union pk_hub_arg args[PK_HUB_ARGS_MAX];
	va_list ap;

	va_start(ap, stmt);
	for (size_t i = 0; q->args[i]; i++) {
		assert(i < PK_HUB_ARGS_MAX);
		if (q->args[i] == 'i')
			args[i].i = va_arg(ap, int64_t);
		else
			args[i].s = va_arg(ap, const char *);
	}
	va_end(ap);
	return db->backend->step(db, stmt, q, args);
}

int pk_hub_db_next(struct pk_hub_db *db, enum pk_hub_stmt stmt)
{
	return db->backend->next(db, stmt);
}

void pk_hub_db_reset(struct pk_hub_db *db, enum pk_hub_stmt stmt)
{
	db->backend->reset(db, stmt);
}

const char *pk_hub_db_text(struct pk_hub_db *db, enum pk_hub_stmt stmt, int column)
{
	return db->backend->text(db, stmt, column);
}

int64_t pk_hub_db_int(struct pk_hub_db *db, enum pk_hub_stmt stmt, int column)
{
	return db->backend->integer(db, stmt, column);
}

int pk_hub_db_cut(struct pk_hub_db *db, enum pk_hub_stmt cut, int64_t host, uint64_t quota)
{
	int r = pk_hub_db_step(db, cut, host, (int64_t)quota);
	int64_t n = r < 0 ? 0 : db->backend->changed(db, cut);

	return n ? pk_hub_db_step(db, PK_HUB_HOST_EVICTED, host, n) : r;
}

int pk_hub_db_bytes(struct pk_hub_db *db, uint64_t *ret_bytes)
{
	int64_t n = 0;
	int r = db->backend->number(db, db->backend->bytes, &n);

	if (r >= 0)
		*ret_bytes = n > 0 ? (uint64_t)n : 0;
	return r;
}

const char *pk_hub_db_kind(const struct pk_hub_db *db)
{
	return db->backend->name;
}
