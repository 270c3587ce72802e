/* SPDX-License-Identifier: Apache-2.0 */
/* What a suppression is about: each condition with a hit and near misses; what may not be one. */
#include "mute/mute.h"

#include "base/ip.h"
#include "flow/filter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct pk_mute of(const char *rule)
{
	struct pk_mute m = { .state = PK_MUTE_ACTIVE, .owner = "alice", .reason = "known" };

	assert_int_equal(pk_mute_add_rule(&m, rule), 0);
	return m;
}

static void want(struct pk_mute *m, enum pk_mute_field f, const char *text)
{
	const char *why;

	if (pk_mute_want(m, f, text, &why) < 0)
		fail_msg("%s %s: %s", pk_mute_field_name(f), text, why);
}

/* A finding of beacon by /usr/bin/curl, started by bash, to 192.0.2.7. */
static struct pk_finding finding(void)
{
	struct pk_finding f = { .rule = "beacon", .has_remote = true };

	pk_finding_proc(&f, &(struct pk_proc_id){ .tgid = 10, .start_ns = 1 });
	pk_finding_proc(&f, &(struct pk_proc_id){ .tgid = 9, .start_ns = 1 });
	assert_int_equal(pk_ip_parse("192.0.2.7", f.remote), 0);
	return f;
}

static const struct pk_filter_subject curl = {
	.procs = 2,
	.proc = { { .pid = 10,
		    .uid = 1000,
		    .name = "curl",
		    .exe = "/usr/bin/curl",
		    .cmd = "curl -s https://a.example.org",
		    .user = "alice",
		    .container = "web",
		    .container_id = "0123456789abcdef" },
		  { .pid = 9, .uid = 0, .name = "bash", .exe = "/bin/bash", .cmd = "-bash" } },
	.name = { "a.example.org" },
};

static void test_conditions(void **state)
{
	static const struct {
		enum pk_mute_field f;
		const char *text;
		bool fits;
	} cases[] = {
		{ PK_MUTE_PROCESS, "curl", true },
		{ PK_MUTE_PROCESS, "cur?", true },
		{ PK_MUTE_PROCESS, "url", false },
		{ PK_MUTE_PROCESS, "bash", false }, /* who started it is not who did it */
		{ PK_MUTE_EXE, "/usr/bin/curl", true },
		{ PK_MUTE_EXE, "/usr/bin/*", true },
		{ PK_MUTE_EXE, "/usr/bin/cur", false },
		{ PK_MUTE_EXE, "/bin/bash", false },
		{ PK_MUTE_CMD, "*example.org", true },
		{ PK_MUTE_CMD, "curl", false },
		{ PK_MUTE_USER, "alice", true },
		{ PK_MUTE_USER, "1000", true },
		{ PK_MUTE_USER, "ali", false },
		{ PK_MUTE_USER, "0", false },
		{ PK_MUTE_CONTAINER, "web", true },
		{ PK_MUTE_CONTAINER, "012345", true },
		{ PK_MUTE_CONTAINER, "01234", false },
		{ PK_MUTE_REMOTE, "192.0.2.7", true },
		{ PK_MUTE_REMOTE, "192.0.2.0/24", true },
		{ PK_MUTE_REMOTE, "192.0.2.8", false },
		{ PK_MUTE_REMOTE, "192.0.3.0/24", false },
		{ PK_MUTE_NAME, "a.example.org", true },
		{ PK_MUTE_NAME, "Example.ORG", true },
		{ PK_MUTE_NAME, ".example.org", true },
		{ PK_MUTE_NAME, "ample.org", false }, /* a whole label, or none */
		{ PK_MUTE_NAME, "b.a.example.org", false },
	};
	struct pk_finding f = finding();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pk_mute m = of("beacon");

		want(&m, cases[i].f, cases[i].text);
		if (pk_mute_fits(&m, &f, &curl) != cases[i].fits)
			fail_msg("%s %s", pk_mute_field_name(cases[i].f), cases[i].text);
	}
}

static void test_all_must_hold(void **state)
{
	struct pk_mute m = of("dga");
	struct pk_finding f = finding();

	(void)state;
	want(&m, PK_MUTE_EXE, "/usr/bin/curl");
	assert_false(pk_mute_fits(&m, &f, &curl)); /* another rule */
	assert_int_equal(pk_mute_add_rule(&m, "beacon"), 0);
	assert_true(pk_mute_fits(&m, &f, &curl));
	want(&m, PK_MUTE_REMOTE, "198.51.100.0/24");
	assert_false(pk_mute_fits(&m, &f, &curl));
	want(&m, PK_MUTE_REMOTE, "192.0.2.0/24");
	m.state = PK_MUTE_EXPIRED;
	assert_false(pk_mute_fits(&m, &f, &curl));
}

/* Where nothing is known of the process, its conditions do not hold. */
static void test_unknown_is_not_muted(void **state)
{
	struct pk_mute m = of("beacon");
	struct pk_finding f = finding();
	struct pk_filter_subject s = curl;

	(void)state;
	want(&m, PK_MUTE_USER, "0");
	f.procs = 0;
	assert_false(pk_mute_fits(&m, &f, &curl));
	f = finding();
	s.proc[0] = s.proc[1]; /* the one it is about is gone from the tree, its parent is not */
	s.procs = 1;
	assert_false(pk_mute_fits(&m, &f, &s));
	f.has_remote = false;
	m = of("beacon");
	want(&m, PK_MUTE_REMOTE, "192.0.2.7");
	assert_false(pk_mute_fits(&m, &f, &curl));
	/* the name of the finding counts, not others that its flow goes by */
	f = finding();
	strcpy(f.name, "evil.example.net");
	m = of("beacon");
	want(&m, PK_MUTE_NAME, "example.org");
	assert_false(pk_mute_fits(&m, &f, &curl));
}

static void test_texts_that_are_none(void **state)
{
	static const struct {
		enum pk_mute_field f;
		const char *text;
	} cases[] = {
		{ PK_MUTE_EXE, "curl" },
		{ PK_MUTE_EXE, "/*" },
		{ PK_MUTE_EXE, "" },
		{ PK_MUTE_PROCESS, "*" },
		{ PK_MUTE_PROCESS, "?*?" },
		{ PK_MUTE_CMD, "**a" },
		{ PK_MUTE_REMOTE, "10" },
		{ PK_MUTE_REMOTE, "0.0.0.0/0" },
		{ PK_MUTE_REMOTE, "0.0.0.0/7" },
		{ PK_MUTE_REMOTE, "::/0" },
		{ PK_MUTE_REMOTE, "2001::/15" },
		{ PK_MUTE_REMOTE, "a.example.org" },
		{ PK_MUTE_NAME, "org" },
		{ PK_MUTE_NAME, ".org" },
		{ PK_MUTE_NAME, "*.example.org" },
		{ PK_MUTE_NAME, "example." },
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pk_mute m = of("beacon"), before = m;

		if (pk_mute_want(&m, cases[i].f, cases[i].text, &why) != -EINVAL)
			fail_msg("%s %s", pk_mute_field_name(cases[i].f), cases[i].text);
		assert_non_null(why);
		assert_memory_equal(m.want, before.want, sizeof(m.want));
	}
}

static void test_what_may_be(void **state)
{
	struct pk_mute m = of("beacon");
	const char *why;

	(void)state;
	assert_int_equal(pk_mute_check(&m, false, &why), -EINVAL); /* all of it */
	assert_int_equal(pk_mute_check(&m, true, &why), 0);
	want(&m, PK_MUTE_USER, "backup");
	assert_int_equal(pk_mute_check(&m, false, &why), 0);
	m.reason[0] = '\0';
	assert_int_equal(pk_mute_check(&m, false, &why), -EINVAL);
	m = of("beacon");
	want(&m, PK_MUTE_USER, "backup");
	m.owner[0] = '\0';
	assert_int_equal(pk_mute_check(&m, false, &why), -EINVAL);
}

/* What guards the sensor is narrowed by a whole path or not at all, whatever else is said. */
static void test_tamper(void **state)
{
	struct pk_mute m = of("beacon");
	const char *why;

	(void)state;
	assert_int_equal(pk_mute_add_rule(&m, "tamper"), 0);
	assert_int_equal(pk_mute_check(&m, true, &why), -EINVAL);
	assert_non_null(strstr(why, "tamper"));
	want(&m, PK_MUTE_PROCESS, "ansible");
	assert_int_equal(pk_mute_check(&m, true, &why), -EINVAL);
	want(&m, PK_MUTE_EXE, "/usr/bin/*");
	assert_int_equal(pk_mute_check(&m, true, &why), -EINVAL);
	want(&m, PK_MUTE_EXE, "/usr/bin/ansible");
	assert_int_equal(pk_mute_check(&m, false, &why), 0);
}

static void test_rules_are_bounded(void **state)
{
	char long_name[PK_MUTE_RULE + 1], name[16];
	struct pk_mute m = { 0 };

	(void)state;
	memset(long_name, 'a', PK_MUTE_RULE);
	long_name[PK_MUTE_RULE] = '\0';
	assert_int_equal(pk_mute_add_rule(&m, long_name), -EINVAL);
	assert_int_equal(pk_mute_add_rule(&m, ""), -EINVAL);
	for (int i = 0; i < PK_MUTE_RULES; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		assert_int_equal(pk_mute_add_rule(&m, name), 0);
		assert_int_equal(pk_mute_add_rule(&m, name), 0); /* once */
	}
	assert_int_equal(pk_mute_add_rule(&m, "one more"), -ENOSPC);
	assert_int_equal(m.rules, PK_MUTE_RULES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_all_must_hold),
		cmocka_unit_test(test_unknown_is_not_muted),
		cmocka_unit_test(test_texts_that_are_none),
		cmocka_unit_test(test_what_may_be),
		cmocka_unit_test(test_tamper),
		cmocka_unit_test(test_rules_are_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
