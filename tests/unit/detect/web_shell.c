/* SPDX-License-Identifier: Apache-2.0 */
/* A shell below a server, by name or by what it accepts; below sshd, builds and clients nothing. */
#include "host.h"

static void test_by_name(void **state)
{
	(void)state;
	host_begin("web_shell");
	host_exec(10, 1, "/usr/sbin/php-fpm8.2", "php-fpm: pool www");
	host_exec(11, 10, "/bin/sh", "sh -c id;uname -a");
	host_found(1, "T1505.003", PK_HIGH);
	host_exec(12, 10, "/bin/sh", "sh -c convert a.png b.jpg");
	host_found(2, "T1505.003", PK_MEDIUM);
	host_set("detect.web_shell_allow", "php-fpm8.2");
	host_exec(13, 10, "/bin/sh", "sh -c id");
	assert_int_equal(seen.n, 2);
	host_end();
}

/* The worker forked from who listens; the shell below another shell. */
static void test_by_socket(void **state)
{
	(void)state;
	host_begin("web_shell");
	host_exec(10, 1, "/srv/app/server", "server");
	host_sock(10, PK_SOCK_LISTEN, 5, 8000, "0.0.0.0", 0);
	host_fork(10, 11);
	host_exec(12, 11, "/bin/sh", "sh -c wget http://x/y");
	host_found(1, "T1505.003", PK_MEDIUM);
	host_exec(13, 12, "/bin/bash", "bash -i");
	host_found(2, "T1505.003", PK_MEDIUM);
	host_exec(14, 11, "/bin/sh", "sh -c date");
	host_found(3, "T1505.003", PK_LOW);
	host_end();
}

static void test_benign(void **state)
{
	(void)state;
	host_begin("web_shell");
	host_exec(10, 1, "/usr/sbin/sshd", "sshd");
	host_sock(10, PK_SOCK_LISTEN, 5, 22, "0.0.0.0", 0);
	host_exec(11, 10, "/bin/bash", "-bash");
	host_exec(12, 1, "/usr/bin/make", "make");
	host_exec(13, 12, "/bin/sh", "sh -c id");
	host_exec(14, 1, "/usr/bin/client", "client");
	host_sock(14, PK_SOCK_ESTABLISHED, 6, 40000, "203.0.113.9", 80);
	host_exec(15, 14, "/bin/sh", "sh -c id");
	host_exec(16, 1, "/usr/sbin/nginx", "nginx");
	host_exec(17, 16, "/usr/sbin/nginx", "nginx -t");
	assert_int_equal(seen.n, 0);
	host_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_name),
		cmocka_unit_test(test_by_socket),
		cmocka_unit_test(test_benign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
