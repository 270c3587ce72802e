/* SPDX-License-Identifier: Apache-2.0 */
/* Whose an alert is, what comes twice, what is bounded, and what is there after a restart. */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "fleet.h"

static int64_t refused(struct fleet *f, const char *host, enum pk_hub_refusal why)
{
	char query[256];

	snprintf(query, sizeof(query),
		 "SELECT coalesce(sum(n), 0) FROM refused LEFT JOIN host ON host.id = refused.host"
		 " WHERE coalesce(name, '') = '%s' AND why = %d",
		 host, why);
	return fleet_count(f, query);
}

/* The host is who the subject names, whatever the record says. */
static void test_subjects(void **state)
{
	static const char *const bad[] = { "picket.other.web1.alerts",
					   "picket.default.web1.events",
					   "picket.default.we b.alerts",
					   "picket.default.%FF.alerts",
					   "x",
					   "" };
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(fleet_raw(&f, bad[i], "{}", T0), PK_HUB_BAD_SUBJECT);
	assert_int_equal(refused(&f, "", PK_HUB_BAD_SUBJECT), 6);
	assert_int_equal(fleet_raw(&f, "picket.default.web1%2Eexample.alerts",
				   "{\"device\":{\"hostname\":\"other\"}}", T0),
			 PK_HUB_NOT_OCSF);
	assert_int_equal(refused(&f, "web1.example", PK_HUB_NOT_OCSF), 1);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM host WHERE name = 'other'"), 0);
	fleet_done(&f);
}

static void test_twice(void **state)
{
	struct sent s = { .host = "a",
			  .hour = 1,
			  .src = "192.0.2.1",
			  .dst = "10.0.0.1",
			  .remote = "192.0.2.1",
			  .uid = "u",
			  .sequence = 1 };
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	assert_int_equal(fleet_send(&f, s), PK_HUB_TAKEN);
	assert_int_equal(fleet_send(&f, s), PK_HUB_AGAIN);
	s.sequence = 3; /* it grew */
	assert_int_equal(fleet_send(&f, s), PK_HUB_TAKEN);
	s.sequence = 2; /* an old one, late */
	assert_int_equal(fleet_send(&f, s), PK_HUB_AGAIN);
	s.host = "b"; /* another host may have the same uid */
	assert_int_equal(fleet_send(&f, s), PK_HUB_TAKEN);
	assert_int_equal(fleet_count(&f, "SELECT sum(n) FROM seen"), 3);
	assert_int_equal(refused(&f, "a", PK_HUB_AGAIN), 2);
	fleet_done(&f);
}

static void test_too_many_hosts(void **state)
{
	static const char *const keys[] = { "hub.hosts_max", "2", NULL };
	struct fleet f;

	(void)state;
	fleet_make(&f, keys);
	attacked(&f, "a", 1, "192.0.2.1", "10.0.0.1");
	attacked(&f, "b", 1, "192.0.2.1", "10.0.0.2");
	assert_int_equal(fleet_send(&f, (struct sent){ .host = "c" }), PK_HUB_TOO_MANY_HOSTS);
	assert_int_equal(refused(&f, "", PK_HUB_TOO_MANY_HOSTS), 1);
	attacked(&f, "a", 2, "192.0.2.1", "10.0.0.1");
	fleet_done(&f);
}

/* One that sends whatever it can pushes out nothing but its own. */
static void test_flood(void **state)
{
	static const char *const keys[] = { "hub.host_values", "16", "hub.host_alerts", "16",
					    NULL };
	struct fleet f;
	char src[32], own[32];

	(void)state;
	fleet_make(&f, keys);
	attacked(&f, "a", 1, "203.0.113.9", "10.0.0.1");
	attacked(&f, "b", 1, "203.0.113.9", "10.0.0.2");
	for (int i = 0; i < 1000; i++) {
		snprintf(src, sizeof(src), "198.51.%d.%d", i / 250, i % 250);
		snprintf(own, sizeof(own), "198.52.%d.%d", i / 250, i % 250);
		attacked(&f, "mad", 2 + i / 1000.0, src, own);
	}
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM seen"), 2 + 16);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM alert"), 2 + 16);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM own"), 2 + 64);
	assert_int_equal(fleet_count(&f, "SELECT evicted FROM host WHERE name = 'mad'"),
			 2 * (1000 - 16) + 1000 - 64);
	assert_int_equal(fleet_count(&f, "SELECT sum(evicted) FROM host WHERE name <> 'mad'"), 0);
	attacked(&f, "c", 4, "203.0.113.9", "10.0.0.3");
	assert_int_equal(f.lines, 1);
	fleet_done(&f);
}

/* A clock that is ahead counts as now. */
static void test_clock(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	assert_int_equal(
		fleet_raw(&f, "picket.default.a.alerts",
			  "{\"metadata\":{\"uid\":\"u\"},\"class_uid\":2004,\"severity_id\":4,"
			  "\"time\":4000000000000,\"message\":\"m\",\"finding_info\":"
			  "{\"analytic\":{\"uid\":\"r\"}}}",
			  T0 + 5),
		PK_HUB_TAKEN);
	assert_int_equal(fleet_count(&f, "SELECT time FROM alert"), T0 + 5);
	fleet_done(&f);
}

static void test_rollback(void **state)
{
	enum pk_hub_refusal why;
	struct fleet f;

	(void)state;
	fleet_make(&f, NULL);
	attacked(&f, "a", 1, "203.0.113.9", "10.0.0.1");
	attacked(&f, "b", 1, "203.0.113.9", "10.0.0.2");
	assert_int_equal(pk_hub_begin(f.hub), 0);
	assert_int_equal(
		pk_hub_take(
			f.hub, "picket.default.c.alerts",
			"{\"metadata\":{\"uid\":\"u\"},\"class_uid\":2004,\"severity_id\":4,"
			"\"time\":1700003600000,\"message\":\"m\",\"finding_info\":{\"analytic\":"
			"{\"uid\":\"r\"}},\"evidences\":[{\"src_endpoint\":{\"ip\":"
			"\"203.0.113.9\"},\"dst_endpoint\":{\"ip\":\"10.0.0.3\"}}],"
			"\"unmapped\":{\"picket\":{\"remote\":\"203.0.113.9\"}}}",
			400, T0 + HOUR_MS, &why),
		0);
	pk_hub_rollback(f.hub);
	assert_int_equal(f.lines, 0);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM finding"), 0);
	attacked(&f, "c", 1, "203.0.113.9", "10.0.0.3"); /* it comes again */
	assert_int_equal(f.lines, 1);
	fleet_done(&f);
}

static void test_age(void **state)
{
	static const char *const keys[] = { "hub.retain_days", "10", NULL };
	struct fleet f;

	(void)state;
	fleet_make(&f, keys);
	attacked(&f, "a", 1, "203.0.113.9", "10.0.0.1");
	attacked(&f, "b", 100, "203.0.113.9", "10.0.0.2");
	(void)fleet_raw(&f, "picket.default.a.alerts", "x", T0);
	assert_int_equal(pk_hub_trim(f.hub, T0 + 242 * HOUR_MS), 0);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM host"), 1);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM refused"), 0);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM seen"), 1);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM alert"), 1);
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM own"), 1);
	fleet_done(&f);
}

/* The oldest go until it fits, and memory does not grow with it. */
static void test_size(void **state)
{
	static const char *const keys[] = {
		"hub.size_max", "4M", "hub.host_values", "100000", "hub.host_alerts", "100000", NULL
	};
	char path[] = "/tmp/picket-hub-XXXXXX", file[64], src[32], host[16];
	struct fleet f;
	uint64_t bytes = 0;
	size_t before;

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(file, sizeof(file), "%s/hub.db", path);
	fleet_make_at(&f, file, keys);
	before = mallinfo2().uordblks;
	assert_int_equal(pk_hub_begin(f.hub), 0);
	assert_int_equal(pk_hub_commit(f.hub), 0);
	fleet_exec(&f, "PRAGMA synchronous = OFF");
	for (int i = 0; i < 30000; i++) {
		snprintf(src, sizeof(src), "198.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
		snprintf(host, sizeof(host), "h%d", i % 50);
		attacked(&f, host, 1 + i / 1000.0, src, "127.0.0.1");
	}
	assert_int_equal(pk_hub_db_bytes(&f.hub->db, &bytes), 0);
	assert_true(bytes > 4u << 20);
	assert_int_equal(pk_hub_trim(f.hub, T0 + 31 * HOUR_MS), 0);
	assert_int_equal(pk_hub_db_bytes(&f.hub->db, &bytes), 0);
	assert_true(bytes <= 4u << 20);
	assert_true(fleet_count(&f, "SELECT min(last) FROM seen") > T0 + 2 * HOUR_MS);
	assert_true(fleet_count(&f, "SELECT count(*) FROM seen") > 1000);
	/* 8 MiB of pages, and the statements */
	print_message("heap grew by %zu KiB\n", (mallinfo2().uordblks - before) >> 10);
	assert_true(mallinfo2().uordblks - before < 10u << 20);
	fleet_done(&f);
	for (int i = 0; i < 3; i++) {
		snprintf(file, sizeof(file), "%s/hub.db%s", path,
			 i ? i == 1 ? "-wal" : "-shm" : "");
		(void)unlink(file);
	}
	assert_int_equal(rmdir(path), 0);
}

static void test_restart(void **state)
{
	char path[] = "/tmp/picket-hub-XXXXXX", file[256];
	const bool server = fleet_where[0] != ':';
	struct fleet f;

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(file, sizeof(file), "%s%s", server ? fleet_where : path, server ? "" : "/hub.db");
	for (int i = 0; i < 3; i++) {
		char host[8], own[16];

		snprintf(host, sizeof(host), "h%d", i);
		snprintf(own, sizeof(own), "10.0.0.%d", i);
		fleet_make_at(&f, file, NULL);
		attacked(&f, host, 1 + i, "203.0.113.9", own);
		assert_int_equal(f.lines, i == 2);
		assert_int_equal(f.hub->begun_ms, T0);
		pk_hub_close(f.hub);
		f.hub = NULL;
		fleet_done(&f);
	}
	/* it ended between commit and print */
	fleet_make_at(&f, file, NULL);
	assert_int_equal(f.lines, 0);
	fleet_exec(&f, "UPDATE finding SET said = 0");
	pk_hub_close(f.hub);
	assert_int_equal(pk_hub_open(&(struct pk_hub_opts){ .conf = f.conf,
							    .where = file,
							    .found = on_found,
							    .arg = &f },
				     &f.hub),
			 0);
	assert_int_equal(pk_hub_ready(f.hub), 0);
	assert_int_equal(f.lines, 1);
	assert_true(was_told(&f, "203.0.113.9"));
	assert_int_equal(fleet_count(&f, "SELECT count(*) FROM finding WHERE said = 0"), 0);
	/* of another version: left as it is */
	fleet_exec(&f, server ? "UPDATE meta SET value = 99 WHERE key = 'version'"
			      : "PRAGMA user_version = 99");
	pk_hub_close(f.hub);
	assert_int_equal(
		pk_hub_open(&(struct pk_hub_opts){ .conf = f.conf, .where = file }, &f.hub), 0);
	assert_int_equal(pk_hub_ready(f.hub), -EPROTO);
	assert_non_null(strstr(pk_hub_why(f.hub), "version 99"));
	fleet_done(&f);
	assert_true(server || unlink(file) == 0);
	assert_int_equal(rmdir(path), 0);
	if (server) {
		struct pk_hub_db db = { 0 };

		assert_int_equal(pk_hub_postgres.connect(&db, file, false), 0);
		assert_int_equal(pk_hub_postgres.exec(&db, "DROP SCHEMA picket_hub CASCADE"), 0);
		pk_hub_postgres.close(&db);
	}
}

static void test_no_such_database(void **state)
{
	static const struct {
		const char *where;
		int r;
	} bad[] = { { "relative.db", -EINVAL },
		    { "/nowhere/hub.db", -ENOENT },
		    { "host=/nowhere dbname=x", -ENOTCONN },
		    { "postgresql://u:hunter2@/x", -EKEYREJECTED },
		    { "host=/nowhere password=hunter2", -EKEYREJECTED },
		    { "host=/nowhere pass word=hunter2", -EINVAL },
		    { "host=/nowhere sslpassword=hunter2", -EKEYREJECTED } };
	struct pk_conf *conf = pk_conf_new();
	struct pk_hub *hub;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(
			pk_hub_open(&(struct pk_hub_opts){ .conf = conf, .where = bad[i].where },
				    &hub),
			0);
		assert_int_equal(pk_hub_ready(hub), bad[i].r);
		assert_true(*pk_hub_why(hub));
		assert_null(strstr(pk_hub_why(hub), "hunter2"));
		pk_hub_close(hub);
	}
	pk_conf_free(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_too_many_hosts),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_rollback),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_restart),
	};
	const struct CMUnitTest once[] = { cmocka_unit_test(test_size),
					   cmocka_unit_test(test_no_such_database) };

	return cmocka_run_group_tests(once, NULL, NULL) + fleet_main(tests);
}
