/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub's database on a server of PostgreSQL, by libpq: hosts, TLS, password files and services
 * are its own (postgresql.org, "Database Connection Control Functions"). A server that does not
 * answer is left after a while, and is connected to anew by whoever opens the database again.
 */
#include "hub/backend.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_NS 120000000000ull /* a statement; the network is judged sooner, see defaults */
#define INT8      20              /* oid of bigint */
#define ROW_INDEX "2.5"           /* a row with its index entries, to itself; measured */
#define SAMPLE(t)                                                                                  \
	"(SELECT coalesce(avg(pg_column_size(s.*)), 0) FROM (SELECT * FROM " t " LIMIT 500) s)"
#define ROWS_OF(t) "(SELECT count(*) FROM " t ") * " SAMPLE(t)

/* postgres.sql as it was when this was built; a path below the top of the tree. */
__asm__(".pushsection .rodata\n"
	"pk_hub_postgres_sql: .incbin \"user/hub/postgres.sql\"\n"
	".byte 0\n"
	".popsection");
extern const char pk_hub_postgres_sql[] __attribute__((visibility("hidden")));

struct server {
	PGconn *conn;
	PGresult *result[PK_HUB_STMTS];
	int row[PK_HUB_STMTS];
	bool prepared[PK_HUB_STMTS];
};

/* What is not as the connection string says: it comes after these and wins. */
static const char *const defaults[][2] = {
	{ "fallback_application_name", "picket hub" },
	{ "connect_timeout", "10" },
	{ "keepalives_idle", "15" },
	{ "keepalives_interval", "5" },
	{ "keepalives_count", "3" },
	{ "tcp_user_timeout", "30000" },
	{ "client_encoding", "UTF8" },
};

/* A hub whose host is gone must not keep others out, and what is acknowledged is on the disk. */
static const char session[] =
	"SET search_path = picket_hub, pg_temp; SET lock_timeout = '20s';"
	"SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = warning;"
	"SELECT set_config('synchronous_commit', 'on', false)"
	" WHERE current_setting('synchronous_commit') = 'off'";

static const struct {
	const char *state; /* SQLSTATE, or its class of two letters */
	int r;
} states[] = {
	{ "57P", -ENOTCONN }, { "08", -ENOTCONN }, { "53100", -ENOSPC },   { "53200", -ENOMEM },
	{ "53", -EBUSY },     { "40", -EBUSY },    { "55P03", -EBUSY },    { "42501", -EACCES },
	{ "28", -EACCES },    { "25006", -EROFS }, { "25P03", -ENOTCONN }, { "3D", -ENOENT },
	{ "58", -EIO },       { "XX", -EBADMSG },  { "22", -EBADMSG },     { "23", -EBADMSG },
	{ "42", -EBADMSG },   { "3F", -EBADMSG },
};

static struct server *of(struct pk_hub_db *db)
{
	return db->conn;
}

/* The first line of what libpq says: the others say where in the statement. */
static void say(struct pk_hub_db *db, const char *words)
{
	snprintf(db->why, sizeof(db->why), "PostgreSQL: %.*s", (int)strcspn(words, "\n"), words);
}

static int number_of(const char *state)
{
	for (size_t i = 0; state && i < PK_ARRAY_SIZE(states); i++)
		if (strncmp(state, states[i].state, strlen(states[i].state)) == 0)
			return states[i].r;
	return -EIO;
}

/* After this the connection is of no more use. */
static int lose(struct pk_hub_db *db, int r)
{
	db->lost = true;
	return r;
}

static int judge(struct pk_hub_db *db, const PGresult *res)
{
	ExecStatusType s = PQresultStatus(res);
	int r;

	if (s == PGRES_TUPLES_OK || s == PGRES_COMMAND_OK || s == PGRES_EMPTY_QUERY)
		return 0;
	say(db, res ? PQresultErrorMessage(res) : PQerrorMessage(of(db)->conn));
	if (PQstatus(of(db)->conn) != CONNECTION_OK)
		return lose(db, -ENOTCONN);
	r = number_of(PQresultErrorField(res, PG_DIAG_SQLSTATE));
	/* one that became a standby takes nothing: another one may do */
	return r == -ENOTCONN || r == -EROFS ? lose(db, r) : r;
}

/* Until an answer can be read without waiting. */
static int wait_for(struct pk_hub_db *db)
{
	PGconn *conn = of(db)->conn;
	uint64_t until = pk_clock_boot_ns() + ANSWER_NS;

	while (PQisBusy(conn)) {
		struct pollfd p = { .fd = PQsocket(conn), .events = POLLIN };

		if (pk_clock_boot_ns() > until) {
			say(db, "no answer");
			return lose(db, -ENOTCONN);
		}
		if (poll(&p, 1, 1000) > 0 && !PQconsumeInput(conn))
			break; /* says why with the result */
	}
	return 0;
}

/* The result of what was sent, which is the caller's; of several statements the first that failed,
 * or the last. */
static int receive(struct pk_hub_db *db, int sent, PGresult **ret_result)
{
	PGresult *res = NULL, *next = NULL;
	int r = 0;

	if (!sent) {
		say(db, PQerrorMessage(of(db)->conn));
		return PQstatus(of(db)->conn) != CONNECTION_OK ? lose(db, -ENOTCONN) : -EIO;
	}
	for (;;) {
		int waited = wait_for(db);

		if (waited < 0) {
			PQclear(res);
			return waited;
		}
		next = PQgetResult(of(db)->conn);
		if (!next)
			break;
		if (r < 0) {
			PQclear(next);
			continue;
		}
		PQclear(res);
		res = next;
		r = judge(db, res);
	}
	if (!res)
		r = judge(db, NULL);
	if (r < 0) {
		PQclear(res);
		return r;
	}
	*ret_result = res;
	return 0;
}

static int server_exec(struct pk_hub_db *db, const char *sql)
{
	PGresult *res = NULL;
	int r = receive(db, PQsendQuery(of(db)->conn, sql), &res);

	PQclear(res);
	return r;
}

static int64_t integer_at(const PGresult *res, int row, int column)
{
	return strtoll(PQgetvalue(res, row, column), NULL, 10);
}

static int server_number(struct pk_hub_db *db, const char *sql, int64_t *ret_n)
{
	PGresult *res = NULL;
	int r = receive(db, PQsendQuery(of(db)->conn, sql), &res);

	if (r < 0)
		return r;
	*ret_n = PQntuples(res) ? integer_at(res, 0, 0) : 0;
	PQclear(res);
	return 0;
}

static bool takes(const char *where)
{
	return strncmp(where, "postgresql://", 13) == 0 || strncmp(where, "postgres://", 11) == 0 ||
	       (where[0] != '/' && strchr(where, '='));
}

/*
 * A password in a configuration or on a command line is one that others read. What libpq says of a
 * string that it does not understand may repeat parts of it, so that is not told.
 */
static int check(struct pk_hub_db *db, const char *where)
{
	PQconninfoOption *o = PQconninfoParse(where, NULL);
	bool secret = false;

	if (!o) {
		say(db, "hub.db is no connection string; as "
			"postgresql://HOST/DATABASE?sslmode=verify-full");
		return -EINVAL;
	}
	for (PQconninfoOption *p = o; p->keyword; p++)
		secret |= p->val && *p->val &&
			  (strcmp(p->keyword, "password") == 0 ||
			   strcmp(p->keyword, "sslpassword") == 0);
	PQconninfoFree(o);
	if (!secret)
		return 0;
	say(db, "hub.db holds a password, which others can read: name a file (passfile=...) or set "
		"PGPASSWORD");
	return -EKEYREJECTED;
}

static void hush(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

static int server_connect(struct pk_hub_db *db, const char *where, bool read_only)
{
	const char *keys[PK_ARRAY_SIZE(defaults) + 2] = { NULL };
	const char *values[PK_ARRAY_SIZE(defaults) + 2] = { NULL };
	size_t n = 0;
	int r = check(db, where);

	if (r < 0)
		return r;
	db->conn = calloc(1, sizeof(struct server));
	if (!db->conn)
		return -ENOMEM;
	for (; n < PK_ARRAY_SIZE(defaults); n++) {
		keys[n] = defaults[n][0];
		values[n] = defaults[n][1];
	}
	keys[n] = "dbname"; /* expanded */
	values[n] = where;
	of(db)->conn = PQconnectdbParams(keys, values, 1);
	if (PQstatus(of(db)->conn) != CONNECTION_OK) {
		say(db, PQerrorMessage(of(db)->conn));
		return lose(db, -ENOTCONN);
	}
	(void)PQsetNoticeProcessor(of(db)->conn, hush, NULL);
	r = server_exec(db, session);
	if (r >= 0 && read_only)
		r = server_exec(db, "SET default_transaction_read_only = on");
	return r;
}

static void server_close(struct pk_hub_db *db)
{
	struct server *s = of(db);

	if (!s)
		return;
	for (int i = 0; i < PK_HUB_STMTS; i++)
		PQclear(s->result[i]);
	PQfinish(s->conn);
	free(s);
	db->conn = NULL;
}

static int server_version(struct pk_hub_db *db, int64_t *ret_version)
{
	int64_t is_there = 0;
	int r = server_number(db, "SELECT count(*) FROM pg_namespace WHERE nspname = 'picket_hub'",
			      &is_there);

	if (r < 0 || !is_there) {
		*ret_version = 0;
		return r;
	}
	return server_number(db, "SELECT value FROM meta WHERE key = 'version'", ret_version);
}

static void server_reset(struct pk_hub_db *db, enum pk_hub_stmt stmt)
{
	PQclear(of(db)->result[stmt]);
	of(db)->result[stmt] = NULL;
}

static int prepare(struct pk_hub_db *db, enum pk_hub_stmt stmt, const struct pk_hub_query *q)
{
	Oid types[PK_HUB_ARGS_MAX] = { 0 }; /* of texts the server's choice: text or json */
	PGresult *res = NULL;
	char name[16];
	int n = 0, r;

	if (of(db)->prepared[stmt])
		return 0;
	for (; q->args[n]; n++)
		types[n] = q->args[n] == 'i' ? INT8 : 0;
	snprintf(name, sizeof(name), "q%d", (int)stmt);
	r = receive(db, PQsendPrepare(of(db)->conn, name, q->sql, n, types), &res);
	PQclear(res);
	of(db)->prepared[stmt] = r >= 0;
	return r;
}

static int row_or_end(struct pk_hub_db *db, enum pk_hub_stmt stmt)
{
	if (of(db)->row[stmt] < PQntuples(of(db)->result[stmt]))
		return 1;
	return 0; /* the result stays for who asks how many rows changed */
}

static int server_step(struct pk_hub_db *db, enum pk_hub_stmt stmt, const struct pk_hub_query *q,
		       const union pk_hub_arg *args)
{
	char number[PK_HUB_ARGS_MAX][24], name[16];
	const char *values[PK_HUB_ARGS_MAX];
	int n = 0, r;

	server_reset(db, stmt);
	r = prepare(db, stmt, q);
	if (r < 0)
		return r;
	for (; q->args[n]; n++) {
		if (q->args[n] == 'i')
			snprintf(number[n], sizeof(number[n]), "%lld", (long long)args[n].i);
		values[n] = q->args[n] == 'i' ? number[n] : args[n].s;
	}
	snprintf(name, sizeof(name), "q%d", (int)stmt);
	r = receive(db, PQsendQueryPrepared(of(db)->conn, name, n, values, NULL, NULL, 0),
		    &of(db)->result[stmt]);
	of(db)->row[stmt] = 0;
	return r < 0 ? r : row_or_end(db, stmt);
}

static int server_next(struct pk_hub_db *db, enum pk_hub_stmt stmt)
{
	of(db)->row[stmt]++;
	return row_or_end(db, stmt);
}

static const char *server_text(struct pk_hub_db *db, enum pk_hub_stmt stmt, int column)
{
	return PQgetvalue(of(db)->result[stmt], of(db)->row[stmt], column);
}

static int64_t server_integer(struct pk_hub_db *db, enum pk_hub_stmt stmt, int column)
{
	return integer_at(of(db)->result[stmt], of(db)->row[stmt], column);
}

static int64_t server_changed(struct pk_hub_db *db, enum pk_hub_stmt stmt)
{
	return strtoll(PQcmdTuples(of(db)->result[stmt]), NULL, 10);
}

const struct pk_hub_backend pk_hub_postgres = {
	.name = "postgresql",
	.takes = takes,
	.shape = pk_hub_postgres_sql,
	/* two hubs wait for each other */
	.begin = "BEGIN; SELECT value FROM meta WHERE key = 'version' FOR UPDATE",
	/* Files do not shrink when rows go: their room is used again. So rows are counted. */
	.bytes = "SELECT ((sum(alerts) * " SAMPLE("alert") " + sum(vals) * " SAMPLE(
		"seen") " + sum(owns) * " SAMPLE("own") ") * " ROW_INDEX
							" + " ROWS_OF("finding") " + " ROWS_OF(
								"step") ")::bigint FROM host",
	.connect = server_connect,
	.close = server_close,
	.version = server_version,
	.exec = server_exec,
	.number = server_number,
	.step = server_step,
	.next = server_next,
	.reset = server_reset,
	.text = server_text,
	.integer = server_integer,
	.changed = server_changed,
};
