/* SPDX-License-Identifier: Apache-2.0 */
/* A stranger taken over, a debugger told lower, and children, which are nobody else's business. */
#include "host.h"

#include <sys/ptrace.h>

static void test_told(void **state)
{
	(void)state;
	host_begin("ptrace_inject");
	host_exec(10, 1, "/home/u/inject", "inject 20");
	host_exec(20, 1, "/usr/sbin/nginx", "nginx");
	host_act(10, PK_ACT_PTRACE, PTRACE_ATTACH, 0, 0, 20);
	host_found(1, "T1055.008", PK_HIGH);
	host_act(10, PK_ACT_VM_WRITE, 20, 0, 0, 20);
	host_found(2, "T1055", PK_HIGH);
	host_exec(11, 1, "/usr/bin/gdb", "gdb -p 20");
	host_act(11, PK_ACT_PTRACE, PTRACE_ATTACH, 0, 0, 20);
	host_found(3, "T1055.008", PK_LOW);
	host_end();
}

static void test_benign(void **state)
{
	(void)state;
	host_begin("ptrace_inject");
	host_exec(10, 1, "/usr/bin/strace", "strace true");
	host_fork(10, 11);
	host_act(10, PK_ACT_PTRACE, PTRACE_SEIZE, 0, 0, 11);
	host_exec(11, 10, "/bin/true", "true");
	host_act(10, PK_ACT_PTRACE, PTRACE_POKEDATA, 0, 0, 11);
	host_act(10, PK_ACT_VM_WRITE, 10, 0, 0, 10);
	/* a leak checker: a fork of the program takes over its parent */
	host_exec(13, 1, "/home/u/test", "test");
	host_fork(13, 14);
	host_act(14, PK_ACT_PTRACE, PTRACE_ATTACH, 0, 0, 13);
	host_set("detect.ptrace_inject_allow", "wineserver");
	host_exec(12, 1, "/opt/wineserver", "wineserver");
	host_act(12, PK_ACT_PTRACE, PTRACE_ATTACH, 0, 0, 11);
	assert_int_equal(seen.n, 0);
	host_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_benign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
