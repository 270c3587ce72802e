/* SPDX-License-Identifier: Apache-2.0 */
/* Root by an odd set-id file, by a capability, by nothing; and by sudo, su, root itself. */
#include "host.h"

static void user_exec(uint32_t pid, uint32_t parent, const char *path)
{
	with.uid = 1000;
	host_exec(pid, parent, path, path);
}

static void setid_exec(uint32_t pid, uint32_t parent, const char *path)
{
	with.uid = 1000;
	with.flags = PK_EXEC_SETID;
	with.mode = 0104755;
	host_exec(pid, parent, path, path);
}

static void begin(void)
{
	host_begin("privilege");
	host_exec(1, 0, "/usr/lib/systemd/systemd", "init");
	user_exec(50, 1, "/bin/bash");
}

static void test_set_id(void **state)
{
	(void)state;
	begin();
	setid_exec(60, 50, "/usr/local/bin/rootme");
	host_found(1, "T1548.001", PK_HIGH);
	setid_exec(61, 50, "/tmp/sudo");
	host_found(2, "T1548.001", PK_HIGH);
	host_end();
}

static void test_capability(void **state)
{
	(void)state;
	begin();
	user_exec(60, 50, "/usr/bin/python3");
	host_act(60, PK_ACT_UID_ZERO, UINT64_MAX, 0, 0, 0);
	host_found(1, "T1548.001", PK_HIGH);
	host_end();
}

/* The parent is an ordinary user's, the child is root, and nothing in between explains it. */
static void test_nowhere(void **state)
{
	(void)state;
	begin();
	user_exec(60, 50, "/home/u/exploit");
	host_fork(60, 61);
	host_exec(61, 60, "/bin/sh", "sh");
	host_found(1, "T1068", PK_CRITICAL);
	host_end();
}

static void test_benign(void **state)
{
	(void)state;
	begin();
	/* sudo, itself and what it starts, in the same process and in a child */
	setid_exec(60, 50, "/usr/bin/sudo");
	host_act(60, PK_ACT_UID_ZERO, 1000, 0, 0, 0);
	host_exec(60, 50, "/usr/bin/id", "id");
	setid_exec(61, 50, "/usr/bin/sudo");
	host_fork(61, 62);
	host_exec(62, 61, "/usr/bin/id", "id");
	/* root's own children, a user's own, and root that becomes a user */
	host_exec(63, 1, "/usr/sbin/cron", "cron");
	host_act(63, PK_ACT_UID_ZERO, UINT64_MAX, 0, 0, 0);
	user_exec(64, 63, "/bin/sh");
	host_set("detect.privilege_allow", "vendor");
	setid_exec(65, 50, "/opt/vendor");
	assert_int_equal(seen.n, 0);
	host_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_id),
		cmocka_unit_test(test_capability),
		cmocka_unit_test(test_nowhere),
		cmocka_unit_test(test_benign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
