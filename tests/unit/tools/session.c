/* SPDX-License-Identifier: Apache-2.0 */
/* The peer of the SSH session is found in values and environments of any form, or is none. */
#include "../../../tools/session.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static void values(void **state)
{
	static const struct {
		const char *value, *want;
	} cases[] = { { "192.0.2.1 5000 10.0.0.2 22", "192.0.2.1" },
		      { "192.0.2.1", "192.0.2.1" },
		      { "2001:db8::1 5000 2001:db8::2 22", "2001:db8::1" },
		      { "fe80::1%eth0 5000 fe80::2%eth0 22", "fe80::1" },
		      { "UNKNOWN 65535 UNKNOWN 65535", NULL },
		      { "", NULL },
		      { NULL, NULL },
		      { " 192.0.2.1", NULL },
		      { "192.0.2.1\r\nEvil: 1", NULL } };
	char got[PK_SESSION_MAX];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		assert_int_equal(pk_session_parse(cases[i].value, got), cases[i].want != NULL);
		if (cases[i].want)
			assert_string_equal(got, cases[i].want);
	}
}

static void environments(void **state)
{
	static const char good[] = "A=1\0SSH_CONNECTION=192.0.2.9 1 10.0.0.1 22\0B=2";
	static const char client[] = "SSH_CLIENT=2001:db8::9 1 22";
	static const char none[] = "A=1\0XSSH_CLIENT=192.0.2.1 1 22\0SSH_TTY=/dev/pts/0";
	char got[PK_SESSION_MAX];

	(void)state;
	assert_true(pk_session_find(good, sizeof(good), got));
	assert_string_equal(got, "192.0.2.9");
	assert_true(pk_session_find(client, sizeof(client), got));
	assert_string_equal(got, "2001:db8::9");
	assert_false(pk_session_find(none, sizeof(none), got));
	/* cut off within the value: nothing is read behind the end */
	assert_false(pk_session_find(good, 22, got));
	assert_false(pk_session_find(NULL, 0, got));
}

/* As below sudo: the own environment has nothing, that of a process above has. */
static void a_process_above(void **state)
{
	int status;

	(void)state;
	fflush(NULL);
	if (fork() == 0) {
		char self[512];
		ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

		if (n <= 0)
			_exit(2);
		self[n] = '\0';
		setenv("SSH_CONNECTION", "192.0.2.77 1 10.0.0.1 22", 1);
		/* a shell that keeps its environment, and below it one that lost it */
		execl("/bin/sh", "sh", "-c",
		      "env -u SSH_CONNECTION -u SSH_CLIENT -u PICKET_SESSION \"$0\" print; exit $?",
		      self, NULL);
		_exit(2);
	}
	assert_true(wait(&status) > 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_variable_wins(void **state)
{
	char got[PK_SESSION_MAX];

	(void)state;
	setenv("PICKET_SESSION", "192.0.2.5", 1);
	setenv("SSH_CONNECTION", "192.0.2.6 1 10.0.0.1 22", 1);
	assert_true(pk_session_address(got));
	assert_string_equal(got, "192.0.2.5");
	unsetenv("PICKET_SESSION");
	assert_true(pk_session_address(got));
	assert_string_equal(got, "192.0.2.6");
	unsetenv("SSH_CONNECTION");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(environments),
		cmocka_unit_test(a_process_above),
		cmocka_unit_test(the_variable_wins),
	};

	if (argc == 2 && strcmp(argv[1], "print") == 0) {
		char got[PK_SESSION_MAX];

		return !pk_session_address(got) || strcmp(got, "192.0.2.77") != 0;
	}
	return cmocka_run_group_tests_name("tools/session", tests, NULL, NULL);
}
