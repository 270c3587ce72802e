/* SPDX-License-Identifier: Apache-2.0 */
/* Each fault gives its own code and says where; a chain that was pruned or goes on gives none. */
#include "store/verify.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "store/checkpoint.h"
#include "store/retain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "make.h"

static struct pk_verify v;

static void check(const struct place *p)
{
	char db[160], checkpoints[160], key[160];

	assert_int_equal(pk_verify_run(place_file(p, PK_STORE_FILE, db),
				       place_file(p, PK_STORE_CHECKPOINTS, checkpoints),
				       place_file(p, PK_STORE_PUB, key), &v),
			 0);
	for (uint64_t i = 0; i < v.faults_n && i < 3; i++)
		print_message("# %s at %llu: %s\n", pk_verify_code_name(v.fault[i].code),
			      (unsigned long long)v.fault[i].sequence, v.fault[i].text);
}

static void make_store(struct place *p)
{
	struct pk_store *s;
	uint64_t t = 0;

	place_make(p);
	s = store_open(p);
	for (unsigned n = 1; n <= 30; n++)
		t = put_alert(s, n, 1);
	for (unsigned n = 1; n <= 10; n++)
		t = put_alert(s, n, 2);
	assert_true(store_wait(s, t));
	pk_store_free(s);
}

static void sql(const struct place *p, const char *text)
{
	char file[160];
	sqlite3 *db;

	assert_int_equal(sqlite3_open(place_file(p, PK_STORE_FILE, file), &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void test_ok(void **state)
{
	struct pk_store *s;
	struct place p;

	(void)state;
	make_store(&p);
	check(&p);
	assert_int_equal(v.code, PK_VERIFY_OK);
	assert_int_equal(v.records, 41);
	assert_int_equal(v.anchored_n, 41);
	s = store_open(&p); /* and it goes on where it ended, beside a reader */
	assert_true(store_wait(s, put_alert(s, 99, 1)));
	check(&p);
	assert_int_equal(v.code, PK_VERIFY_OK);
	assert_int_equal(v.last, 42);
	pk_store_free(s);
	place_done(&p);
}

/* Each of these on a database of its own. */
static const struct {
	const char *how;
	enum pk_verdict_code code;
	uint64_t sequence;
} faults[] = {
	{ "UPDATE object SET json = replace(json, '20', '21') WHERE uid = 'a-20'",
	  PK_VERIFY_ALTERED, 21 },
	{ "UPDATE chain SET record = replace(record, 'create', 'update') WHERE seq = 9",
	  PK_VERIFY_ALTERED, 9 },
	{ "UPDATE chain SET hash = zeroblob(32) WHERE seq = 9", PK_VERIFY_ALTERED, 9 },
	{ "UPDATE object SET uid = 'other' WHERE uid = 'a-20'", PK_VERIFY_GAP, 21 },
	{ "UPDATE object SET seq = 2, json = '{\"n\":1,\"v\":1}' WHERE uid = 'a-1'",
	  PK_VERIFY_ALTERED, 32 },
	{ "DELETE FROM chain WHERE seq = 20", PK_VERIFY_GAP, 20 },
	{ "DELETE FROM chain WHERE seq < 5; DELETE FROM object WHERE seq < 5", PK_VERIFY_GAP, 1 },
	{ "DELETE FROM object WHERE uid = 'a-20'", PK_VERIFY_GAP, 21 },
	{ "DELETE FROM chain WHERE seq > 38; DELETE FROM object WHERE seq > 38",
	  PK_VERIFY_TRUNCATED, 38 },
	{ "DELETE FROM chain; DELETE FROM object", PK_VERIFY_TRUNCATED, 0 },
	{ "UPDATE meta SET value = 'x' WHERE key = 'chain_uid'", PK_VERIFY_ALTERED, 1 },
	{ "INSERT INTO meta VALUES('base', 'x')", PK_VERIFY_ALTERED, 0 },
};

static bool says(enum pk_verdict_code code, uint64_t sequence)
{
	for (uint64_t i = 0; i < v.faults_n && i < PK_VERIFY_FAULTS; i++)
		if (v.fault[i].code == code && v.fault[i].sequence == sequence)
			return true;
	return false;
}

static void test_faults(void **state)
{
	struct place p;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(faults); i++) {
		make_store(&p);
		sql(&p, faults[i].how);
		check(&p);
		if (v.code != faults[i].code)
			fail_msg("%s: %s", faults[i].how, pk_verify_code_name(v.code));
		if (!says(faults[i].code, faults[i].sequence))
			fail_msg("%s: not where it is", faults[i].how);
		place_done(&p);
	}
}

/* Writes the whole chain anew around another text of one alert, as root could. */
static void stamp_again(const struct place *p)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	struct pk_writer w = { 0 };
	char uid[33];
	struct pk_db db;

	assert_int_equal(pk_db_open(p->fd, &db), 0);
	memcpy(uid, db.chain.uid, sizeof(uid));
	assert_int_equal(
		sqlite3_exec(db.sql, "DELETE FROM chain; DELETE FROM object", NULL, NULL, NULL),
		SQLITE_OK);
	w.db = &db;
	memcpy(w.chain.uid, uid, sizeof(uid));
	for (unsigned n = 0; n < 60; n++) {
		char name[16];
		struct pk_store_row row = {
			.kind = PK_STORE_ALERT, .uid = name, .json = "{}", .len = 2
		};

		snprintf(name, sizeof(name), "f-%u", n);
		assert_int_equal(pk_write_row(&w, &row), 0);
	}
	pk_buf_done(&w.text);
	pk_db_close(&db);
}

static void test_fork(void **state)
{
	char file[160];
	struct place p;

	(void)state;
	make_store(&p);
	stamp_again(&p);
	check(&p);
	assert_int_equal(v.code, PK_VERIFY_FORK);
	place_done(&p);

	make_store(&p); /* another database in its place */
	assert_int_equal(unlink(place_file(&p, PK_STORE_FILE, file)), 0);
	{
		struct place other;
		char command[400];

		make_store(&other);
		snprintf(command, sizeof(command), "cp %s/store.db %s/store.db", other.path,
			 p.path);
		assert_int_equal(system(command), 0);
		place_done(&other);
	}
	check(&p);
	assert_int_equal(v.code, PK_VERIFY_FORK);
	place_done(&p);
}

static void test_anchor(void **state)
{
	char file[160], command[200];
	struct place p;

	(void)state;
	make_store(&p);
	snprintf(command, sizeof(command), "sed -i s/.n.:41/\\\"n\\\":40/ %s",
		 place_file(&p, PK_STORE_CHECKPOINTS, file));
	assert_int_equal(system(command), 0); /* a line that somebody changed */
	check(&p);
	assert_int_equal(v.code, PK_VERIFY_ALTERED);
	assert_int_equal(truncate(file, 100), 0); /* one that was cut */
	check(&p);
	assert_int_equal(v.code, PK_VERIFY_NO_ANCHOR);
	assert_int_equal(v.checkpoints_unreadable, 1);
	assert_int_equal(unlink(file), 0);
	check(&p);
	assert_int_equal(v.code, PK_VERIFY_NO_ANCHOR);
	place_done(&p);

	make_store(&p); /* no key to check with */
	assert_int_equal(unlink(place_file(&p, PK_STORE_PUB, file)), 0);
	check(&p);
	assert_int_equal(v.code, PK_VERIFY_NO_ANCHOR);
	place_done(&p);
}

/* A crash in the middle of a checkpoint's line does not spoil the next. */
static void test_torn(void **state)
{
	char file[160];
	struct pk_store *s;
	struct place p;

	(void)state;
	make_store(&p);
	assert_int_equal(truncate(place_file(&p, PK_STORE_CHECKPOINTS, file), 100), 0);
	s = store_open(&p);
	assert_true(store_wait(s, put_alert(s, 99, 1)));
	pk_store_free(s);
	check(&p);
	assert_int_equal(v.code, PK_VERIFY_OK);
	assert_int_equal(v.anchored_n, 42);
	assert_int_equal(v.checkpoints_unreadable, 1);
	place_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ok),   cmocka_unit_test(test_faults),
		cmocka_unit_test(test_fork), cmocka_unit_test(test_anchor),
		cmocka_unit_test(test_torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
