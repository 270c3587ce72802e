/* SPDX-License-Identifier: Apache-2.0 */
/* One attack is one incident; strangers are not; two that turn out to be one are merged. */
#include "world.h"

static void sshd_and_two_sessions(void)
{
	process(1, 0, "systemd/bin/", 0);
	process(10, 1, "sshd/sbin/usr/", 0);
	process(11, 10, "sshd/sbin/usr/", 0);
	process(12, 11, "bash/bin/", 0);
	process(13, 12, "curl/bin/", 0);
	process(14, 12, "nc/bin/", 0);
	process(21, 10, "sshd/sbin/usr/", 0);
	process(22, 21, "bash/bin/", 0);
}

static struct pk_incident *say_about(const char *rule, const char *technique,
				     enum pk_severity severity, uint32_t pid, const char *ip)
{
	struct pk_finding f = finding(rule, technique, severity);

	if (pid)
		about(&f, pid);
	if (ip)
		with(&f, ip);
	return say(&f);
}

static void test_ancestry(void **state)
{
	struct pk_incident *a, *b;

	(void)state;
	world_begin(16);
	sshd_and_two_sessions();
	a = say_about("fetch", "T1105", PK_HIGH, 13, NULL);
	assert_non_null(a);
	assert_ptr_equal(say_about("shell", "T1059.004", PK_HIGH, 14, NULL), a);
	assert_int_equal(a->alerts, 2);
	/* the other session hangs on the same server, which says nothing */
	b = say_about("shell", "T1059.004", PK_HIGH, 22, NULL);
	assert_ptr_not_equal(a, b);
	/* and the server itself belongs to neither */
	assert_ptr_not_equal(say_about("odd", "T1190", PK_MEDIUM, 10, NULL), a);
	world_end();
}

static void test_remote_joins_and_small_ones_wait(void **state)
{
	struct pk_incidents_count n;
	struct pk_incident *a;

	(void)state;
	world_begin(16);
	sshd_and_two_sessions();
	assert_null(say_about("scan", "T1046", PK_LOW, 0, "198.51.100.7"));
	assert_null(say_about("scan", "T1046", PK_LOW, 0, "198.51.100.8"));
	a = say_about("guess", "T1110.001", PK_MEDIUM, 0, "198.51.100.7");
	assert_non_null(a);
	assert_int_equal(a->alerts, 2); /* with the scan of before, not with the other one */
	assert_string_equal(a->alert[0].rule, "scan");
	assert_int_equal(a->severity, PK_MEDIUM);
	assert_ptr_equal(say_about("in", "T1078", PK_MEDIUM, 12, "198.51.100.7"), a);
	assert_int_equal(a->severity, PK_HIGH); /* three tactics: raised */
	assert_ptr_equal(say_about("beacon", "T1071", PK_LOW, 14, "203.0.113.9"), a);
	assert_int_equal(a->remotes, 2);
	pk_incidents_counts(w.incidents, &n);
	assert_int_equal(n.loose, 1);
	assert_int_equal(n.begun, 1);
	world_end();
}

static void test_merge(void **state)
{
	struct pk_incident *a, *b;
	struct pk_incidents_count n;
	struct pk_finding f;

	(void)state;
	world_begin(16);
	sshd_and_two_sessions();
	a = say_about("guess", "T1110", PK_MEDIUM, 0, "198.51.100.7");
	b = say_about("shell", "T1059.004", PK_HIGH, 14, "203.0.113.9");
	assert_ptr_not_equal(a, b);
	/* a forged packet must not tie two together */
	f = finding("flood", "T1499", PK_MEDIUM);
	with(&f, "198.51.100.7");
	f.spoofable = true;
	assert_ptr_equal(say(&f), a);
	assert_int_equal(b->state, PK_INCIDENT_NEW);
	/* a session from the guesser does */
	assert_ptr_equal(say_about("in", "T1078", PK_MEDIUM, 12, "198.51.100.7"), a);
	assert_int_equal(b->state, PK_INCIDENT_DUPLICATE);
	assert_int_equal(b->merged_into, a->number);
	assert_int_equal(a->alerts, 4);
	assert_int_equal(a->suspect.tgid, 14);
	for (size_t k = 1; k < a->alerts; k++)
		assert_true(a->alert[k].first_ms >= a->alert[k - 1].first_ms);
	assert_ptr_equal(say_about("beacon", "T1071", PK_LOW, 14, NULL), a);
	pk_incidents_counts(w.incidents, &n);
	assert_int_equal(n.merged, 1);
	assert_int_equal(n.open, 1);
	world_end();
}

static void test_other_links(void **state)
{
	struct pk_incident *a;
	struct pk_finding f;

	(void)state;
	world_begin(16);
	process(1, 0, "systemd/bin/", 0);
	process(30, 1, "one/bin/", 5);
	process(31, 1, "two/bin/", 5);
	process(32, 1, "x/tmp/", 0);
	process(33, 1, "x/tmp/", 0);
	process(34, 1, "cat/bin/", 0);
	process(35, 1, "cat/bin/", 0);
	a = say_about("a", "T1059", PK_HIGH, 30, NULL);
	assert_ptr_equal(say_about("b", "T1059", PK_HIGH, 31, NULL), a); /* login session */
	a = say_about("a", "T1059", PK_HIGH, 32, NULL);
	assert_ptr_equal(say_about("b", "T1059", PK_HIGH, 33, NULL), a); /* file */
	a = say_about("a", "T1059", PK_HIGH, 34, NULL);
	assert_ptr_not_equal(say_about("b", "T1059", PK_HIGH, 35, NULL), a); /* the system's */
	f = finding("hash", "T1105", PK_HIGH);
	pk_finding_field(&f, "sha256", "%s", "00ff");
	a = say(&f);
	f = finding("hash2", "T1105", PK_HIGH);
	pk_finding_field(&f, "sha256", "%s", "00ff");
	assert_ptr_equal(say(&f), a);
	world_end();
}

static void test_nobody_is_no_link(void **state)
{
	static const char *const nobody[] = { "127.0.0.1",   "::1",     "::",
					      "224.0.0.251", "ff02::1", "0.0.0.0" };

	(void)state;
	world_begin(16);
	for (size_t i = 0; i < PK_ARRAY_SIZE(nobody); i++) {
		struct pk_incident *a = say_about("a", "T1046", PK_MEDIUM, 0, nobody[i]);

		assert_ptr_not_equal(say_about("b", "T1046", PK_MEDIUM, 0, nobody[i]), a);
	}
	world_end();
}

static void test_resolver_is_no_link(void **state)
{
	struct pk_incident *a = NULL;

	(void)state;
	world_begin(16);
	for (int i = 0; i < 2; i++) {
		struct pk_finding f = finding("tunnel", "T1071.004", PK_MEDIUM);
		struct pk_flow_key k = { .proto = 17 };

		assert_int_equal(pk_ip_parse("10.0.0.2", k.addr[0]), 0);
		assert_int_equal(pk_ip_parse("10.0.0.53", k.addr[1]), 0);
		k.port[1] = htons(53);
		pk_finding_flow(&f, &k, 7, 0, 1);
		assert_ptr_not_equal(say(&f), a);
		a = pk_incidents_next(w.incidents, a);
	}
	world_end();
}

static void test_window_and_closing(void **state)
{
	struct pk_incident_by by = { "alice", "done", 5 };
	struct pk_incident *a, *b;

	(void)state;
	world_begin(16);
	a = say_about("a", "T1046", PK_MEDIUM, 0, "198.51.100.7");
	w.now_ns += 3500 * SEC;
	assert_ptr_equal(say_about("a", "T1046", PK_MEDIUM, 0, "198.51.100.7"), a);
	w.now_ns += 3700 * SEC;
	b = say_about("a", "T1046", PK_MEDIUM, 0, "198.51.100.7");
	assert_ptr_not_equal(a, b);
	assert_int_equal(pk_incident_move(b, PK_INCIDENT_CLOSED, &by), 0);
	assert_ptr_not_equal(say_about("a", "T1046", PK_MEDIUM, 0, "198.51.100.7"), b);
	world_end();
}

static void test_counted_up(void **state)
{
	struct pk_finding f;
	struct pk_incident *a;

	(void)state;
	world_begin(16);
	f = finding("scan", "T1046", PK_MEDIUM);
	a = say(&f);
	f.severity = PK_HIGH;
	assert_ptr_equal(say(&f), a);
	assert_int_equal(a->alerts, 1);
	assert_int_equal(a->alert[0].count, 2);
	assert_int_equal(a->severity, PK_HIGH);
	world_end();
}

static void test_bounds(void **state)
{
	struct pk_incident_by by = { "alice", "done", 5 };
	struct pk_incidents_count n;
	struct pk_incident *first;
	char ip[32];

	(void)state;
	world_begin(16);
	first = say_about("a", "T1046", PK_MEDIUM, 0, "198.51.100.1");
	for (int i = 2; i <= 16; i++) {
		snprintf(ip, sizeof(ip), "198.51.100.%d", i);
		assert_non_null(say_about("a", "T1046", PK_MEDIUM, 0, ip));
	}
	/* closed ones go first, however new */
	assert_int_equal(
		pk_incident_move(pk_incidents_find(w.incidents, 9), PK_INCIDENT_CLOSED, &by), 0);
	assert_non_null(say_about("a", "T1046", PK_MEDIUM, 0, "198.51.100.17"));
	assert_null(pk_incidents_find(w.incidents, 9));
	assert_ptr_equal(pk_incidents_find(w.incidents, 1), first);
	/* then the one not seen longest of which nothing is in force, whatever its state */
	strcpy(pk_incident_note(first, &by, PK_DEED_MITIGATION, "suspend pid 7")->undo, "resume");
	assert_int_equal(pk_incident_move(first, PK_INCIDENT_CLOSED, &by), 0);
	assert_non_null(say_about("a", "T1046", PK_MEDIUM, 0, "198.51.100.19"));
	assert_null(pk_incidents_find(w.incidents, 2));
	assert_ptr_equal(pk_incidents_find(w.incidents, 1), first);
	first->act[0].undo[0] = '\0';
	assert_non_null(say_about("a", "T1046", PK_MEDIUM, 0, "198.51.100.18"));
	assert_null(pk_incidents_find(w.incidents, 1));
	for (int i = 0; i < 500; i++) {
		snprintf(ip, sizeof(ip), "10.%d.%d.1", i / 250, i % 250);
		assert_non_null(say_about("b", "T1046", PK_MEDIUM, 0, ip));
		snprintf(ip, sizeof(ip), "10.9.%d.%d", i / 250, i % 250);
		assert_ptr_equal(say_about("c", "T1046", PK_LOW, 0, ip), NULL);
	}
	pk_incidents_counts(w.incidents, &n);
	assert_int_equal(n.used, 16);
	assert_int_equal(n.loose, 128);
	assert_true(n.evicted >= 500);
	world_end();
}

static void test_many_alerts_of_one(void **state)
{
	struct pk_incident *a = NULL;

	(void)state;
	world_begin(16);
	for (int i = 0; i < PK_INCIDENT_ALERTS + 50; i++)
		a = say_about("a", "T1046", PK_MEDIUM, 0, "198.51.100.7");
	assert_int_equal(a->alerts, PK_INCIDENT_ALERTS);
	assert_int_equal(a->alerts_lost, 50);
	world_end();
}

/* Forged ones can't keep the place of who is sure, and what has no room is counted. */
static void test_many_remotes_of_one(void **state)
{
	struct pk_incident *a = NULL;
	struct pk_finding f;
	unsigned revision;
	char ip[32];

	(void)state;
	world_begin(16);
	sshd_and_two_sessions();
	for (int i = 0; i < PK_INCIDENT_REMOTES + 4; i++) {
		snprintf(ip, sizeof(ip), "198.51.100.%d", i + 1);
		f = finding("a", "T1059", PK_HIGH);
		about(&f, 12);
		with(&f, ip);
		f.spoofable = true;
		a = say(&f);
		assert_non_null(a);
	}
	assert_int_equal(a->remotes, PK_INCIDENT_REMOTES);
	assert_int_equal(a->remotes_lost, 4);
	revision = a->remotes_revision;
	assert_int_equal(revision, PK_INCIDENT_REMOTES);
	for (int i = 0; i < PK_INCIDENT_REMOTES + 3; i++) {
		snprintf(ip, sizeof(ip), "203.0.113.%d", i + 1);
		assert_ptr_equal(say_about("a", "T1059", PK_HIGH, 12, ip), a);
	}
	assert_int_equal(a->remotes, PK_INCIDENT_REMOTES);
	for (size_t k = 0; k < a->remotes; k++)
		assert_false(a->remote[k].spoofable);
	assert_int_equal(a->remotes_lost, 4 + PK_INCIDENT_REMOTES + 3);
	assert_int_equal(a->remotes_revision, revision + PK_INCIDENT_REMOTES);
	world_end();
}

/* Whatever else they share: a person says that two came to be in the same way. */
static void test_same_cause(void **state)
{
	const struct pk_incident_by by = { "alice", "review", 1 };
	struct pk_incident *a, *b;
	struct pk_finding f = finding("shell", "T1059", PK_HIGH);
	int64_t at;

	(void)state;
	world_begin(16);
	with(&f, "198.51.100.7");
	a = say(&f);
	f = finding("shell", "T1059", PK_HIGH);
	with(&f, "198.51.100.8");
	b = say(&f);
	assert_ptr_not_equal(a, b);
	assert_null(pk_incidents_same_cause(w.incidents, a));
	assert_int_equal(pk_incident_assess(a, PK_ASSESS_ROOT_CAUSE, "key", &by), 0);
	assert_null(pk_incidents_same_cause(w.incidents, a));
	assert_int_equal(pk_incident_assess(b, PK_ASSESS_ROOT_CAUSE, "keys", &by), 0);
	assert_null(pk_incidents_same_cause(w.incidents, b));
	assert_int_equal(pk_incident_assess(b, PK_ASSESS_ROOT_CAUSE, "key", &by), 0);
	assert_ptr_equal(pk_incidents_same_cause(w.incidents, b), a);
	at = a->at_ms[PK_CLOCK_DETECTED];
	a->at_ms[PK_CLOCK_DETECTED] = at - 184ll * 86400 * 1000;
	assert_null(pk_incidents_same_cause(w.incidents, b));
	a->at_ms[PK_CLOCK_DETECTED] = at - 182ll * 86400 * 1000;
	assert_ptr_equal(pk_incidents_same_cause(w.incidents, b), a);
	assert_int_equal(pk_incident_move(a, PK_INCIDENT_DISMISSED, &by), 0);
	assert_null(pk_incidents_same_cause(w.incidents, b)); /* it was none */
	world_end();
}

static void test_attack_after_containment(void **state)
{
	struct pk_incident_by by = { "picket", NULL, 0 };
	struct pk_incident *a;

	(void)state;
	world_begin(16);
	a = say_about("a", "T1059", PK_HIGH, 0, "198.51.100.7");
	by.now_ms = pk_clock_wall_ms(w.now_ns);
	assert_int_equal(pk_incident_move(a, PK_INCIDENT_CONTAINED, &by), 0);
	/* a detector that needs longer tells of what was before */
	assert_ptr_equal(say_about("b", "T1071", PK_HIGH, 0, "198.51.100.7"), a);
	assert_int_equal(a->state, PK_INCIDENT_CONTAINED);
	w.now_ns += 10 * SEC;
	assert_ptr_equal(say_about("c", "T1041", PK_HIGH, 0, "198.51.100.7"), a);
	assert_int_equal(a->state, PK_INCIDENT_DECLARED);
	assert_int_equal(a->at_ms[PK_CLOCK_CONTAINED], 0);
	world_end();
}

static void test_told(void **state)
{
	struct pk_incident *a;

	(void)state;
	world_begin(16);
	a = say_about("a", "T1059", PK_HIGH, 0, "198.51.100.7");
	assert_ptr_equal(pk_incidents_untold(w.incidents, w.now_ns), a);
	pk_incidents_told(a, w.now_ns);
	assert_null(pk_incidents_untold(w.incidents, w.now_ns));
	(void)say_about("b", "T1059", PK_HIGH, 0, "198.51.100.7");
	assert_null(pk_incidents_untold(w.incidents, a->told_ns + SEC / 2));
	assert_ptr_equal(pk_incidents_untold(w.incidents, a->told_ns + SEC), a);
	world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ancestry),
		cmocka_unit_test(test_remote_joins_and_small_ones_wait),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_other_links),
		cmocka_unit_test(test_nobody_is_no_link),
		cmocka_unit_test(test_resolver_is_no_link),
		cmocka_unit_test(test_window_and_closing),
		cmocka_unit_test(test_counted_up),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_many_alerts_of_one),
		cmocka_unit_test(test_many_remotes_of_one),
		cmocka_unit_test(test_same_cause),
		cmocka_unit_test(test_attack_after_containment),
		cmocka_unit_test(test_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
