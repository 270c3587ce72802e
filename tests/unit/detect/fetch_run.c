/* SPDX-License-Identifier: Apache-2.0 */
/* A download that is run: by its name, as a new file, through a pipe; and downloads that are not.
 */
#include "base/clock.h"
#include "hidden.h"
#include "host.h"

static void begin(void)
{
	host_begin("fetch_run");
	host_exec(50, 1, "/bin/bash", "bash");
}

static void test_named(void **state)
{
	(void)state;
	begin();
	host_exec(60, 50, "/usr/bin/curl", "curl -sO http://h/a/atomic.sh?x=1");
	host_exec(61, 50, "/bin/chmod", "chmod +x atomic.sh");
	assert_int_equal(seen.n, 0);
	host_exec(62, 50, "/home/u/atomic.sh", "./atomic.sh");
	host_found(1, "T1105", PK_MEDIUM);
	host_exec(63, 50, "/bin/sh", "sh -x ./atomic.sh");
	assert_int_equal(seen.n, 2);
	host_end();
}

/* What the system has of that name is what was downloaded if it is newer. */
static void test_named_system(void **state)
{
	(void)state;
	begin();
	host_exec(60, 50, "/usr/bin/curl", "curl -so /usr/local/bin/tool http://h/tool");
	with.ctime_s = (uint64_t)pk_clock_wall_ms(host.now_ns) / 1000 + 1;
	host_exec(61, 50, "/usr/local/bin/tool", "tool");
	host_found(1, "T1105", PK_MEDIUM);
	host_end();
}

static void test_piped(void **state)
{
	(void)state;
	for (int order = 0; order < 2; order++) {
		begin();
		if (order)
			host_exec(60, 50, "/usr/bin/wget", "wget -qO- http://h/x");
		with.stdio = "ptt";
		host_exec(61, 50, "/bin/sh", "sh");
		if (!order)
			host_exec(60, 50, "/usr/bin/wget", "wget -qO- http://h/x");
		host_found(1, "T1105", PK_MEDIUM);
		host_end();
	}
}

/* Written by a script; the file has no name that we know, but it is new. */
static void test_new_file(void **state)
{
	(void)state;
	begin();
	host_exec(60, 50, "/usr/bin/python3", "python3 get.py");
	host_sock(60, PK_SOCK_ESTABLISHED, 7, 40000, "203.0.113.9", 80);
	with.ctime_s = (uint64_t)pk_clock_wall_ms(host.now_ns) / 1000 + 1;
	host_exec(61, 50, "/home/u/x", "./x");
	host_found(1, "T1105", PK_LOW);
	host_end();
}

static void test_benign(void **state)
{
	(void)state;
	begin();
	/* fetched and read, something else run, an old file run */
	host_exec(60, 50, "/usr/bin/curl", "curl http://h/status.json");
	host_exec(61, 50, "/usr/bin/jq", "jq .");
	with.ctime_s = 1;
	host_exec(62, 50, "/home/u/tool", "tool");
	/* a script with a connection, and a command that it has among its words */
	host_exec(65, 50, "/usr/bin/python3", "python3 -c uname");
	host_sock(65, PK_SOCK_ESTABLISHED, 7, 40000, "203.0.113.9", 80);
	host_exec(66, 50, "/usr/bin/uname", "uname");
	/* the name only as a word of a command */
	host_exec(63, 50, "/bin/sh", "sh -c ls status.json");
	/* a package manager downloads and runs scripts */
	host_exec(70, 1, "/usr/bin/apt-get", "apt-get upgrade");
	host_exec(71, 70, "/usr/lib/apt/methods/http", "http");
	host_exec(72, 70, "/usr/bin/dpkg", "dpkg");
	with.ctime_s = UINT32_MAX;
	host_exec(73, 72, "/var/lib/dpkg/info/x.postinst", "x.postinst configure");
	/* a program that the download itself runs, by its name, and one that was there before */
	host_exec(67, 50, "/usr/bin/rsync", "rsync -a -e ssh h:a/ a");
	with.ctime_s = 1;
	host_exec(68, 67, "/usr/bin/ssh", "ssh h rsync --server --sender . a/");
	with.ctime_s = 1;
	host_exec(69, 50, "/usr/bin/ssh", "ssh h uptime");
	/* much later, and from another shell */
	host_wait(3600);
	host_exec(64, 50, "/home/u/status.json", "status.json");
	host_exec(80, 1, "/bin/bash", "bash");
	host_exec(81, 80, "/usr/bin/curl", "curl -O http://h/late");
	host_exec(82, 50, "/home/u/late", "late");
	assert_int_equal(seen.n, 0);
	host_end();
}

/* Shells that fetch something and end. */
static void many_downloads(uint64_t now_ns)
{
	static uint32_t pid = 1000;

	host.now_ns = now_ns;
	for (unsigned i = 0; i < 200; i++, pid += 2) {
		host_exec(pid, 1, "/bin/bash", "bash");
		host_exec(pid + 1, pid, "/usr/bin/curl", "curl -sO http://h/page.html");
		host_exit(pid + 1);
		host_exit(pid);
	}
}

/* Each minute a download, and half a minute later what it fetched is run. */
static void fetch_then_run(uint64_t now_ns, unsigned second)
{
	char name[32], line[64];

	(void)now_ns;
	snprintf(name, sizeof(name), "/home/u/tool-%u", second / 60);
	snprintf(line, sizeof(line), "curl -sO http://h/tool-%u", second / 60);
	if (second == 1)
		host_exec(50, 1, "/bin/bash", "bash");
	if (second % 60 == 10)
		host_exec(60, 50, "/usr/bin/curl", line);
	if (second % 60 == 40)
		host_exec(61, 50, name, name);
}

static void test_hidden_in_flood(void **state)
{
	(void)state;
	host_begin("fetch_run");
	hidden_run("fetch_run", many_downloads, fetch_then_run);
	assert_int_equal(seen.n, 10);
	host_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named),  cmocka_unit_test(test_named_system),
		cmocka_unit_test(test_piped),  cmocka_unit_test(test_new_file),
		cmocka_unit_test(test_benign), cmocka_unit_test(test_hidden_in_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
