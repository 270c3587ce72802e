/* SPDX-License-Identifier: Apache-2.0 */
/* What only a server does: go away in the middle, come back, be shared, be of somebody else's
 * rules. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "fleet.h"

#define BATCHES 36
#define BATCH   20

static struct server server;

/* One alert of its own number, in a transaction that somebody else began. */
static int take(struct fleet *f, int number)
{
	enum pk_hub_refusal why;
	char json[1024];

	snprintf(json, sizeof(json),
		 "{\"metadata\":{\"uid\":\"u-%d\"},\"class_uid\":2004,\"severity_id\":3,"
		 "\"time\":%lld,\"message\":\"m\",\"finding_info\":{\"analytic\":{\"uid\":\"r\"}},"
		 "\"evidences\":[{\"src_endpoint\":{\"ip\":\"203.0.113.9\"},\"dst_endpoint\":"
		 "{\"ip\":\"10.0.0.%d\"}}],\"unmapped\":{\"picket\":{\"remote\":"
		 "\"203.0.113.9\"}}}",
		 number, T0 + number, 1 + number % 5);
	return pk_hub_take(f->hub,
			   (const char *[]){ "picket.default.a.alerts", "picket.default.b.alerts",
					     "picket.default.c.alerts", "picket.default.d.alerts",
					     "picket.default.e.alerts" }[number % 5],
			   json, strlen(json), T0 + number, &why);
}

static int take_batch(struct fleet *f, int batch)
{
	int r = pk_hub_ready(f->hub);

	if (r < 0)
		return r;
	r = pk_hub_begin(f->hub);
	for (int i = 0; r >= 0 && i < BATCH; i++)
		r = take(f, batch * BATCH + i);
	if (r < 0) {
		pk_hub_rollback(f->hub);
		return r;
	}
	return pk_hub_commit(f->hub);
}

static void test_killed_between_two(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make_at(&f, server.where, NULL);
	assert_int_equal(take_batch(&f, 0), 0);
	assert_int_equal(pk_hub_begin(f.hub), 0);
	assert_true(take(&f, BATCH) >= 0);
	server_kill(&server, SIGKILL);
	usleep(300000); /* its processes see that */
	assert_int_equal(take(&f, BATCH + 1), -ENOTCONN);
	pk_hub_rollback(f.hub);
	assert_int_equal(pk_hub_ready(f.hub), -ENOTCONN);
	assert_non_null(strstr(pk_hub_why(f.hub), "PostgreSQL: "));
	assert_null(strchr(pk_hub_why(f.hub), '\n'));
	assert_true(server_up(&server));
	assert_int_equal(take_batch(&f, 1), 0);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM alert"), 2 * BATCH);
	assert_int_equal(fleet_count(&f, "SELECT sum(n) FROM seen"), 2 * BATCH);
	fleet_exec(&f, "DROP SCHEMA picket_hub CASCADE");
	fleet_done(&f);
}

/* Somebody kills it when he likes; a batch is over when the hub said so, and comes again if not. */
static void test_killed_at_any_time(void **state)
{
	unsigned failures = 0, kills = 0;
	struct fleet f;

	(void)state;
	fleet_make_at(&f, server.where, NULL);
	for (int batch = 0; batch < BATCHES;) {
		bool kill_now = batch % 12 == 7 && kills <= (unsigned)batch / 12;
		pid_t killer = kill_now ? fork() : -1;

		if (!killer) {
			usleep(1000 * (unsigned)(batch % 5) * 3);
			kill(server.pid, SIGKILL);
			_exit(0);
		}
		kills += kill_now;
		if (take_batch(&f, batch) == 0)
			batch++;
		else
			failures++;
		if (!kill_now)
			continue;
		(void)server_wait(killer);
		(void)server_wait(server.pid);
		assert_true(server_up(&server));
	}
	print_message("%u kills, %u batches again\n", kills, failures);
	assert_int_equal(kills, 3);
	assert_int_equal(pk_hub_ready(f.hub), 0);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM alert"), BATCHES * BATCH);
	assert_int_equal(fleet_count(&f, "SELECT sum(n) FROM seen"), BATCHES * BATCH);
	assert_int_equal(fleet_count(&f, "SELECT sum(alerts) FROM host"), BATCHES * BATCH);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM finding"), 1);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM finding WHERE said = 0"), 0);
	assert_true(f.lines >= 1); /* of 3 hosts; what a kill kept from being marked comes again */
	fleet_exec(&f, "DROP SCHEMA picket_hub CASCADE");
	fleet_done(&f);
}

static void test_two_hubs(void **state)
{
	struct fleet a, b;

	(void)state;
	fleet_make_at(&a, server.where, NULL);
	fleet_make_at(&b, server.where, NULL);
	fleet_exec(&b, "SET lock_timeout = '200ms'");
	assert_int_equal(pk_hub_begin(a.hub), 0);
	assert_int_equal(pk_hub_begin(b.hub), -EBUSY);
	pk_hub_rollback(b.hub);
	assert_int_equal(pk_hub_commit(a.hub), 0);
	assert_int_equal(pk_hub_begin(b.hub), 0);
	assert_int_equal(pk_hub_commit(b.hub), 0);
	fleet_exec(&a, "DROP SCHEMA picket_hub CASCADE");
	fleet_done(&a);
	fleet_done(&b);
}

/* Rows go, files stay: it must not go on until nothing is left. */
static void test_size(void **state)
{
	static const char *const keys[] = { "hub.size_max", "4M", "hub.retain_days", "3650", NULL };
	uint64_t bytes = 0;
	int64_t real;
	struct fleet f;

	(void)state;
	fleet_make_at(&f, server.where, keys);
	attacked(&f, "a", 1, "192.0.2.1", "127.0.0.1");
	fleet_exec(&f, "INSERT INTO seen SELECT 0, 'name-' || i || '.example', 1, begun + i,"
		       " begun + i, 1, 1, 'a9c1-a-' || i FROM generate_series(1, 20000) i,"
		       " (SELECT value AS begun FROM meta WHERE key = 'begun') m");
	fleet_exec(&f, "INSERT INTO alert SELECT 1, 'a9c1-a-' || i, 1, begun + i,"
		       " '198.51.100.' || i, 0 FROM generate_series(1, 20000) i,"
		       " (SELECT value AS begun FROM meta WHERE key = 'begun') m");
	assert_int_equal(pk_hub_db_bytes(&f.hub->db, &bytes), 0);
	real = fleet_count(&f, "SELECT pg_total_relation_size('seen')"
			       " + pg_total_relation_size('alert')");
	print_message("%llu KiB by rows, files of %lld KiB\n", (unsigned long long)bytes >> 10,
		      (long long)real >> 10);
	assert_in_range(bytes, real * 7 / 10, real * 13 / 10);
	assert_int_equal(pk_hub_trim(f.hub, T0 + HOUR_MS), 0);
	assert_int_equal(pk_hub_db_bytes(&f.hub->db, &bytes), 0);
	assert_in_range(bytes, 1u << 20, 4u << 20);
	assert_true(fleet_count(&f, "SELECT min(last) FROM seen") > T0 + 5000);
	assert_int_equal(fleet_count(&f, "SELECT vals FROM host"),
			 fleet_count(&f, "SELECT count(*) FROM seen"));
	fleet_exec(&f, "DROP SCHEMA picket_hub CASCADE");
	fleet_done(&f);
}

/* What was acknowledged is on the disk, whatever the server's default; readers can not write. */
static void test_session(void **state)
{
	struct pk_hub_db db = { 0 };
	char where[300];
	struct fleet f;

	(void)state;
	snprintf(where, sizeof(where), "%s options='-c synchronous_commit=off'", server.where);
	fleet_make_at(&f, where, NULL);
	assert_int_equal(fleet_count(&f, "SELECT count(*) WHERE"
					 " current_setting('synchronous_commit') = 'on'"),
			 1);
	assert_string_equal(pk_hub_db_kind(&f.hub->db), "postgresql");
	assert_int_equal(pk_hub_db_open_read(server.where, &db), 0);
	assert_int_equal(db.backend->exec(&db, "DELETE FROM meta"), -EROFS);
	pk_hub_db_close(&db);
	/* the views for people */
	attacked(&f, "a", 1, "203.0.113.9", "10.0.0.1");
	attacked(&f, "b", 1, "203.0.113.9", "10.0.0.2");
	attacked(&f, "c", 1, "203.0.113.9", "10.0.0.3");
	assert_int_equal(fleet_count(&f, "SELECT hosts FROM findings WHERE what = 'hub_source'"
					 " AND value = '203.0.113.9' AND severity = 'Medium'"),
			 3);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM hosts WHERE alerts = 1"), 3);
	fleet_exec(&f, "DROP SCHEMA picket_hub CASCADE");
	fleet_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_between_two),
		cmocka_unit_test(test_killed_at_any_time),
		cmocka_unit_test(test_two_hubs),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_session),
	};
	int failed;

	if (!server_bin()) {
		printf("1..0 # SKIP no PostgreSQL server is installed\n");
		return 0;
	}
	if (!server_start(&server)) {
		printf("1..1\nnot ok 1 - PostgreSQL starts\n");
		server_stop(&server);
		return 1;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	server_stop(&server);
	return failed;
}
