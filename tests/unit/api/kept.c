/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person is told to be done is on the disk by then. Where the disk does not take it, he is
 * told that, and the act stays marked until it is there.
 */
#include "attack.h"
#include "places.h"
#include "served.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

static void feed_kept(struct pk_pipeline *p)
{
	struct pk_places places = PK_PLACES_NONE;
	char dir[sizeof(agent.dir) + 8];

	snprintf(dir, sizeof(dir), "%s/store", agent.dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	places.store = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(places.store >= 0);
	assert_int_equal(pk_pipeline_keep(p, &places), 0);
	feed_exec(p, 4000001, PK_EXEC_MEMFD);
	pk_pipeline_tick(p, pk_clock_boot_ns());
}

static sqlite3 *open_db(void)
{
	char path[sizeof(agent.dir) + 24];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/store/store.db", agent.dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
	return db;
}

static int count(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s;
	int n;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	n = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return n;
}

static void test_kept(void **state)
{
	json_t *j = ask("POST", "/v1/incidents/1/note", "{\"text\":\"seen by me\"}", 200);
	sqlite3 *db = open_db();

	(void)state;
	assert_int_equal(count(db, "SELECT count(*) FROM object WHERE kind = 3 AND json LIKE "
				   "'%seen by me%'"),
			 1);
	/* its state too: the incident itself was written with it */
	assert_int_equal(count(db, "SELECT count(*) FROM object WHERE kind = 2 AND json LIKE "
				   "'%seen by me%'"),
			 1);
	assert_true(json_is_true(at(j, "unmapped.picket.kept")));
	assert_null(at(j, "unmapped.picket.acts.0.kept"));
	json_decref(j);
	sqlite3_close(db);
}

static void test_not_kept(void **state)
{
	sqlite3 *db = open_db();
	json_t *j;
	int ms = 0;

	(void)state;
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	j = ask("POST", "/v1/incidents/1/note", "{\"text\":\"waits\"}", 200);
	assert_true(json_is_false(at(j, "unmapped.picket.kept")));
	assert_null(at(j, "unmapped.picket.acts.0.kept"));
	assert_true(json_is_false(at(j, "unmapped.picket.acts.1.kept")));
	json_decref(j);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	do {
		usleep(10000);
		j = ask("GET", "/v1/incidents/1", "", 200);
		ms = json_is_true(at(j, "unmapped.picket.kept")) ? -1 : ms + 10;
		json_decref(j);
	} while (ms >= 0 && ms < 20000);
	assert_int_equal(ms, -1);
	assert_int_equal(count(db, "SELECT count(*) FROM object WHERE kind = 3 AND json LIKE "
				   "'%waits%'"),
			 1);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_not_kept),
	};

	feed_more = feed_kept;
	return cmocka_run_group_tests(tests, setup, teardown);
}
