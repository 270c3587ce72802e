/* SPDX-License-Identifier: Apache-2.0 */
/* A file that an earlier Picket made, and one that is no database. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "fleet.h"

static char dir[64], file[128];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/picket-hub-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(file, sizeof(file), "%s/hub.db", dir);
	return 0;
}

static int remove_dir(void **state)
{
	char name[160];

	(void)state;
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", file, i ? i == 1 ? "-wal" : "-shm" : "");
		(void)unlink(name);
	}
	return rmdir(dir);
}

/* Version 1 had no column `said`. Its findings are not said again. */
static void test_migrated(void **state)
{
	struct pk_hub_db db = { 0 };
	struct fleet f;

	(void)state;
	fleet_make_at(&f, file, NULL);
	attacked(&f, "a", 1, "203.0.113.9", "10.0.0.1");
	attacked(&f, "b", 1, "203.0.113.9", "10.0.0.2");
	attacked(&f, "c", 1, "203.0.113.9", "10.0.0.3");
	fleet_exec(&f, "DROP INDEX finding_unsaid; ALTER TABLE finding DROP COLUMN said;"
		       "PRAGMA user_version = 1");
	fleet_done(&f);
	assert_int_equal(pk_hub_db_open_read(file, &db), -EPROTO);
	assert_non_null(strstr(db.why, "older"));
	fleet_make_at(&f, file, NULL);
	assert_int_equal(fleet_count(&f, "PRAGMA user_version"), PK_HUB_DB_VERSION);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM finding WHERE said = 1"), 1);
	assert_int_equal(f.lines, 0);
	attacked(&f, "d", 1, "203.0.113.9", "10.0.0.4");
	attacked(&f, "e", 1, "203.0.113.9", "10.0.0.5");
	attacked(&f, "f", 1, "203.0.113.9", "10.0.0.6");
	assert_int_equal(f.lines, 1); /* twice as large */
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM finding WHERE said = 1"), 1);
	fleet_done(&f);
}

static void test_no_database(void **state)
{
	struct pk_hub_db db = { 0 };
	FILE *out = fopen(file, "we");

	(void)state;
	assert_non_null(out);
	for (int i = 0; i < 1000; i++)
		fprintf(out, "this is no database\n");
	fclose(out);
	assert_int_equal(pk_hub_db_open(file, &db), -EBADMSG);
	assert_non_null(strstr(db.why, "not a database"));
	assert_int_equal(pk_hub_db_open_read(dir, &db), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_migrated, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_no_database, make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
