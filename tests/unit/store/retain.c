/* SPDX-License-Identifier: Apache-2.0 */
/* What is too old goes, what is newer stays, and the chain that is left still verifies. */
#include "store/retain.h"

#include "store/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "make.h"

#define DAY_MS 86400000ull

static void put(struct pk_writer *w, unsigned n, unsigned v)
{
	char uid[16], json[64];
	struct pk_store_row row = { .kind = PK_STORE_ALERT, .uid = uid, .json = json };

	snprintf(uid, sizeof(uid), "a-%u", n);
	row.len = (size_t)snprintf(json, sizeof(json), "{\"v\":%u}", v);
	assert_int_equal(pk_write_row(w, &row), 0);
}

/* A record a day for 100 days, alert 3 anew on the last; a flow a day. */
static void fill(struct pk_writer *w)
{
	struct pk_store_flow f = { 0 };

	assert_int_equal(pk_db_run(w->db, PK_DB_BEGIN), 0);
	w->time_ms = DAY_MS;
	assert_int_equal(pk_write_begin(w, "test", NULL), 0);
	for (unsigned n = 2; n <= 100; n++) {
		w->time_ms = n * DAY_MS;
		f.end_ns = w->time_ms * 1000000;
		put(w, n, 1);
		assert_int_equal(pk_write_flow(w, &f), 0);
	}
	put(w, 3, 2);
	assert_int_equal(pk_db_run(w->db, PK_DB_COMMIT), 0);
	w->db->chain = w->chain;
}

static int64_t number(struct pk_db *db, const char *query)
{
	sqlite3_stmt *s;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(db->sql, query, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

static void verify(const struct place *p, enum pk_verdict_code code, uint64_t base)
{
	static struct pk_verify v;
	char db[160], checkpoints[160], key[160];

	assert_int_equal(pk_verify_run(place_file(p, PK_STORE_FILE, db),
				       place_file(p, PK_STORE_CHECKPOINTS, checkpoints),
				       place_file(p, PK_STORE_PUB, key), &v),
			 0);
	for (uint64_t i = 0; i < v.faults_n && i < 3; i++)
		print_message("# %s\n", v.fault[i].text);
	assert_int_equal(v.code, code);
	assert_int_equal(v.base, base);
}

static void test_age(void **state)
{
	struct pk_retain t = { .retain_ns = 30 * DAY_MS * 1000000 };
	struct pk_writer w = { 0 };
	struct pk_key key;
	struct pk_db db;
	struct place p;

	(void)state;
	place_make(&p);
	assert_int_equal(pk_checkpoint_key(p.fd, &key), 0);
	assert_int_equal(pk_db_open(p.fd, &db), 0);
	w.db = &db;
	fill(&w);
	verify(&p, PK_VERIFY_NO_ANCHOR, 0);
	while (pk_retain_step(&t, &w, &key) > 0)
		;
	assert_int_equal(t.rows, 69);
	assert_int_equal(t.flows, 68);
	assert_int_equal(number(&db, "SELECT min(seq) FROM chain"), 70);
	/* the newer version of a-3 stays; what was done is itself in the chain */
	assert_int_equal(number(&db, "SELECT count(*) FROM object WHERE uid = 'a-3'"), 1);
	assert_int_equal(number(&db, "SELECT count(*) FROM object WHERE uid LIKE 'prune-%69'"), 1);
	assert_int_equal(number(&db, "SELECT count(*) FROM flow"), 31);
	assert_int_equal(pk_retain_step(&t, &w, &key), 0);
	verify(&p, PK_VERIFY_NO_ANCHOR, 69); /* nothing but the missing checkpoints */

	/* a beginning that nobody signed for is a fault */
	assert_int_equal(sqlite3_exec(db.sql,
				      "DELETE FROM chain WHERE seq < 80;"
				      "DELETE FROM object WHERE seq < 80",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	verify(&p, PK_VERIFY_GAP, 69);
	pk_buf_done(&w.text);
	pk_db_close(&db);
	pk_key_done(&key);
	place_done(&p);
}

/* By size: flows first, then the oldest records, until it fits; the end of the chain stays. */
static void test_size(void **state)
{
	struct pk_retain t = { .bytes_max = 20000 };
	struct pk_writer w = { 0 };
	struct pk_key key;
	struct pk_db db;
	struct place p;
	int steps = 0;

	(void)state;
	place_make(&p);
	assert_int_equal(pk_checkpoint_key(p.fd, &key), 0);
	assert_int_equal(pk_db_open(p.fd, &db), 0);
	w.db = &db;
	fill(&w);
	assert_true(pk_db_bytes(&db) > t.bytes_max);
	while (pk_retain_step(&t, &w, &key) > 0)
		assert_true(++steps < 20);
	assert_int_equal(number(&db, "SELECT count(*) FROM flow"), 0);
	assert_true(number(&db, "SELECT count(*) FROM chain") >= 16);
	assert_true(t.rows > 0);
	verify(&p, PK_VERIFY_NO_ANCHOR, t.rows);
	pk_buf_done(&w.text);
	pk_db_close(&db);
	pk_key_done(&key);
	place_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
