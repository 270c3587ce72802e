/* SPDX-License-Identifier: Apache-2.0 */
/* Who loads: a stranger, insmod of a file, modprobe by hand; the kernel's own and boot are silent.
 */
#include "host.h"

static void load(uint32_t pid, uint32_t parent, const char *path, const char *line)
{
	host_exec(pid, parent, path, line);
	host_act(pid, PK_ACT_MODULE, 0, 0, 0, 0);
}

static void test_told(void **state)
{
	(void)state;
	host_begin("kernel_module");
	load(10, 1, "/home/u/loader", "loader");
	host_found(1, "T1547.006", PK_HIGH);
	load(11, 1, "/usr/bin/kmod", "insmod /tmp/rootkit.ko");
	host_found(2, "T1547.006", PK_HIGH);
	load(12, 1, "/usr/bin/kmod", "modprobe dummy");
	host_found(3, "T1547.006", PK_LOW);
	host_end();
}

static void test_benign(void **state)
{
	struct pk_process *kernel;

	(void)state;
	host_begin("kernel_module");
	host_fork(2, 9);
	kernel = pk_process_by_pid(&seen.world.enrich->processes, 9);
	kernel->flags |= PK_TASK_KTHREAD;
	load(10, 9, "/usr/bin/kmod", "/sbin/modprobe -q -- net-pf-17");
	load(11, 1, "/usr/lib/systemd/systemd-modules-load", "systemd-modules-load");
	host_exec(12, 1, "/usr/bin/dpkg", "dpkg --configure");
	load(13, 12, "/usr/bin/kmod", "modprobe fuse");
	host_set("detect.kernel_module_allow", "vendor");
	load(14, 1, "/opt/vendor", "vendor");
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
