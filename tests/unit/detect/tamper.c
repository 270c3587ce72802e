/* SPDX-License-Identifier: Apache-2.0 */
/* Signals to the sensor, its files, its hooks, BPF of others; and the daily work beside them. */
#include "host.h"

#include <linux/bpf.h>
#include <signal.h>
#include <unistd.h>

static void begin(void)
{
	host_begin("tamper");
	host_exec(1, 0, "/usr/lib/systemd/systemd", "init");
	with.ino = 77;
	host_exec((uint32_t)getpid(), 1, "/usr/sbin/picketd", "picketd");
	host_exec(50, 1, "/bin/bash", "bash");
	host_exec(51, 1, "/usr/bin/sleep", "sleep 9");
}

static void notice(const char *text)
{
	struct pk_see s = { .kind = PK_SEE_NOTICE, .now_ns = host.now_ns, .notice = text };

	pk_detect_see(seen.detect, &s);
}

static void test_signals(void **state)
{
	(void)state;
	begin();
	host_act(50, PK_ACT_KILL, SIGSTOP, 0, 0, (uint32_t)getpid());
	host_found(1, "T1685", PK_HIGH);
	host_act(50, PK_ACT_KILL, SIGTERM, 0, 0, (uint32_t)getpid());
	host_found(2, "T1685", PK_MEDIUM);
	host_act(50, PK_ACT_KILL, SIGKILL, 0, 0, 51);
	host_act(1, PK_ACT_KILL, SIGTERM, 0, 0, (uint32_t)getpid());
	assert_int_equal(seen.n, 2);
	host_end();
}

static void test_files(void **state)
{
	(void)state;
	begin();
	host_exec(60, 50, "/bin/rm", "rm -rf /sys/fs/bpf/picket");
	host_found(1, "T1685", PK_HIGH);
	host_exec(61, 50, "/usr/bin/sed", "sed -i s/a/b/ /etc/picket/picket.yaml");
	host_found(2, "T1685", PK_MEDIUM);
	host_exec(62, 50, "/usr/bin/systemctl", "systemctl stop picket");
	host_found(3, "T1685", PK_MEDIUM);
	host_exec(63, 50, "/usr/bin/pkill", "pkill -9 picketd");
	host_found(4, "T1685", PK_HIGH);
	/* reading, others' files and services, and an upgrade */
	host_exec(64, 50, "/bin/cat", "cat /etc/picket/picket.yaml");
	host_exec(65, 50, "/bin/rm", "rm -rf /tmp/x");
	host_exec(66, 50, "/usr/bin/systemctl", "systemctl status picket");
	host_exec(67, 50, "/usr/bin/systemctl", "systemctl stop cron");
	host_exec(68, 50, "/usr/bin/sed", "sed s/-id/b/ /etc/picket/picket.yaml");
	host_exec(69, 50, "/usr/bin/sed", "sed -n -e /interfaces/p /etc/picket/picket.yaml");
	host_exec(70, 1, "/usr/bin/dpkg", "dpkg -i picket.deb");
	host_exec(71, 70, "/bin/rm", "rm -f /etc/picket/picket.yaml.dpkg-new");
	assert_int_equal(seen.n, 4);
	host_exec(72, 50, "/usr/bin/sed", "sed -Ei.bak s/a/b/ /etc/picket/picket.yaml");
	host_found(5, "T1685", PK_MEDIUM);
	host_end();
}

static void test_hooks(void **state)
{
	(void)state;
	begin();
	notice("hook pk_sys_exit was removed by somebody; attached again");
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].severity, PK_HIGH);
	notice("configuration read again");
	host_exec(60, 50, "/home/u/x", "x");
	host_act(60, PK_ACT_BPF, BPF_LINK_DETACH, 0, 0, 0);
	host_found(2, "T1685", PK_LOW);
	host_exec(61, 50, "/usr/sbin/bpftool", "bpftool map");
	host_act(61, PK_ACT_BPF, BPF_MAP_GET_FD_BY_ID, 0, 0, 0);
	host_found(3, "T1685", PK_LOW);
	host_act(1, PK_ACT_BPF, BPF_PROG_DETACH, 0, 0, 0);
	host_act((uint32_t)getpid(), PK_ACT_BPF, BPF_LINK_UPDATE, 0, 0, 0);
	assert_int_equal(seen.n, 3);
	host_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_hooks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
