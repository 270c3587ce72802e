/* SPDX-License-Identifier: Apache-2.0 */
/* A real process is stopped and goes on; the wrong start time, init, kernel threads and ourselves
 * are refused. */
#include "probe/suspend.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static uint64_t start_of(pid_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[32], line[1024], *at;
	unsigned long long ticks = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f || !fgets(line, sizeof(line), f))
		return 0;
	at = strrchr(line, ')') + 2;
	for (int field = 3; field < 22; field++)
		at = strchr(at, ' ') + 1;
	ticks = strtoull(at, NULL, 10);
	return ticks * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK)) + 12345;
}

static void test_all(void **state)
{
	struct pk_suspend s = { 0 };
	struct pk_msg_signal m = { .stop = 1 };
	pid_t pid = fork();
	int status;

	(void)state;
	if (!pid)
		for (;;)
			pause();
	m.tgid = (uint32_t)pid;
	m.start_ns = start_of(pid) + 5000000000ull;
	assert_int_equal(pk_suspend_apply(&s, &m, 1), -ESRCH); /* another one's number */
	m.start_ns = start_of(pid);
	assert_int_equal(pk_suspend_apply(&s, &m, 1), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	m.stop = 0;
	assert_int_equal(pk_suspend_apply(&s, &m, 1), 0);
	assert_int_equal(waitpid(pid, &status, WCONTINUED), pid);
	assert_true(WIFCONTINUED(status));
	s.pipeline = pid;
	m.stop = 1;
	assert_int_equal(pk_suspend_apply(&s, &m, 1), -EPERM);
	s.pipeline = 0;
	for (int i = 0; i < PK_SUSPENDS_A_MINUTE; i++)
		(void)pk_suspend_apply(&s, &m, 1);
	assert_int_equal(pk_suspend_apply(&s, &m, 1), -EAGAIN);
	assert_int_equal(pk_suspend_apply(&s, &m, 61000000000ull), 0);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_int_equal(pk_suspend_apply(&s, &m, 61000000000ull), -ESRCH);
}

static void test_never(void **state)
{
	struct pk_suspend s = { 0 };
	struct pk_msg_signal m = { .stop = 1, .tgid = 1, .start_ns = start_of(1) };

	(void)state;
	assert_int_equal(pk_suspend_apply(&s, &m, 1), -EPERM);
	m.tgid = 0;
	assert_int_equal(pk_suspend_apply(&s, &m, 1), -EPERM);
	m.tgid = UINT32_MAX;
	assert_int_equal(pk_suspend_apply(&s, &m, 1), -EPERM);
	m.tgid = (uint32_t)getpid();
	m.start_ns = start_of(getpid());
	assert_int_equal(pk_suspend_apply(&s, &m, 1), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all),
					    cmocka_unit_test(test_never) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
