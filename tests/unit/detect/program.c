/* SPDX-License-Identifier: Apache-2.0 */
/* Names with versions, what a shell was told to do, words of a command line, and who is whose. */
#include "detect/program.h"

#include "host.h"

static void test_names(void **state)
{
	(void)state;
	assert_true(pk_program_of("python3.11") & PK_PROG_SCRIPT);
	assert_true(pk_program_of("php-fpm8.2") & PK_PROG_SERVER);
	assert_true(pk_program_of("apache2") & PK_PROG_SERVER);
	assert_true(pk_program_of("nc.traditional") & PK_PROG_RELAY);
	assert_true(pk_program_of("sh") & PK_PROG_SHELL);
	assert_int_equal(pk_program_of("ssh"), 0);
	assert_int_equal(pk_program_of(""), 0);
	assert_int_equal(pk_program_of("42"), 0);
	assert_int_equal(pk_program_of("sh bash"), 0);
	assert_int_equal(pk_program_of("a-name-that-is-far-too-long-to-be-in-the-table"), 0);
}

static void test_reads_stdin(void **state)
{
	static const struct {
		const char *path, *line;
		bool reads;
	} cases[] = {
		{ "/bin/sh", "sh", true },
		{ "/bin/sh", "sh -i", true },
		{ "/bin/bash", "bash -s arg", true },
		{ "/bin/bash", "-bash", true },
		{ "/bin/bash", "bash --rcfile /x -i", true },
		{ "/bin/bash", "bash -o pipefail", true },
		{ "/usr/bin/busybox", "busybox sh", true },
		{ "/usr/bin/python3", "python3 -", true },
		{ "/bin/sh", "sh -c id", false },
		{ "/bin/sh", "sh -ec id", false },
		{ "/bin/sh", "sh script", false },
		{ "/bin/bash", "bash -o pipefail script", false },
		{ "/usr/bin/python3", "python3 -m http.server", false },
		{ "/usr/bin/perl", "perl -e 1", false },
		{ "/usr/bin/cat", "cat", false },
	};

	(void)state;
	host_begin("fileless");
	for (uint32_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		host_exec(10 + i, 1, cases[i].path, cases[i].line);
		if (pk_program_reads_stdin(pk_process_by_pid(&seen.world.enrich->processes,
							     10 + i)) != cases[i].reads)
			fail_msg("%s", cases[i].line);
	}
	host_end();
}

static void test_words(void **state)
{
	static const char *const words[] = { "id", "/etc/passwd", NULL };

	(void)state;
	assert_true(pk_program_line_has("sh -c id", words));
	assert_true(pk_program_line_has("sh -c x;id|y", words));
	assert_true(pk_program_line_has("cat </etc/passwd", words));
	assert_false(pk_program_line_has("sh -c grid", words));
	assert_false(pk_program_line_has("identify /etc/passwd.txt", words));
	assert_false(pk_program_line_has("", words));
}

static void test_places(void **state)
{
	const struct pk_processes *t;

	(void)state;
	host_begin("fileless");
	t = &seen.world.enrich->processes;
	host_exec(10, 1, "/usr/sbin/sshd", "sshd");
	host_exec(11, 1, "/tmp/sshd", "sshd");
	with.mode = 0100777;
	host_exec(12, 1, "/usr/sbin/sshd", "sshd");
	assert_true(pk_program_is_known(pk_process_by_pid(t, 10), PK_PROG_LOGIN));
	assert_false(pk_program_is_known(pk_process_by_pid(t, 11), PK_PROG_LOGIN));
	assert_false(pk_program_is_known(pk_process_by_pid(t, 12), PK_PROG_LOGIN));
	host_end();
}

static void test_ancestors(void **state)
{
	const struct pk_enrich *e;
	const struct pk_process *sub;

	(void)state;
	host_begin("fileless");
	e = seen.world.enrich;
	host_exec(10, 1, "/usr/bin/apt-get", "apt-get");
	host_exec(11, 10, "/bin/sh", "sh -c x");
	host_fork(11, 12);
	host_fork(12, 13);
	sub = pk_process_by_pid(&e->processes, 13);
	assert_int_equal(pk_program_root(e, sub)->id.tgid, 11);
	assert_true(pk_program_is_below(e, sub, 3, PK_PROG_PACKAGE));
	assert_false(pk_program_is_below(e, sub, 2, PK_PROG_PACKAGE));
	host_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),     cmocka_unit_test(test_reads_stdin),
		cmocka_unit_test(test_words),     cmocka_unit_test(test_places),
		cmocka_unit_test(test_ancestors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
