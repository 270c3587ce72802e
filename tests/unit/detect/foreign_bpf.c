/* SPDX-License-Identifier: Apache-2.0 */
/* An unknown program that loads BPF; systemd, bpftool, an allowed one and ourselves do not count.
 */
#include "host.h"

#include <linux/bpf.h>
#include <unistd.h>

static void test_told(void **state)
{
	(void)state;
	host_begin("foreign_bpf");
	host_exec(10, 1, "/home/u/ebpfkit", "ebpfkit");
	host_act(10, PK_ACT_BPF, BPF_PROG_LOAD, 0, 0, 0);
	host_found(1, "T1014", PK_MEDIUM);
	host_exec(11, 1, "/tmp/bpftool", "bpftool");
	host_act(11, PK_ACT_BPF, BPF_LINK_CREATE, 0, 0, 0);
	host_found(2, "T1014", PK_MEDIUM);
	host_end();
}

static void test_benign(void **state)
{
	(void)state;
	host_begin("foreign_bpf");
	host_exec(10, 1, "/usr/lib/systemd/systemd", "systemd");
	host_act(10, PK_ACT_BPF, BPF_PROG_LOAD, 0, 0, 0);
	host_exec(11, 1, "/home/u/reader", "reader");
	host_act(11, PK_ACT_BPF, BPF_MAP_GET_FD_BY_ID, 0, 0, 0);
	host_set("detect.foreign_bpf_allow", "/opt/agent");
	host_exec(12, 1, "/opt/agent", "agent");
	host_act(12, PK_ACT_BPF, BPF_PROG_LOAD, 0, 0, 0);
	with.ino = 77;
	host_exec((uint32_t)getpid(), 1, "/home/u/picketd", "picketd");
	with.ino = 77;
	host_exec(13, 1, "/home/u/picketd", "picketd");
	host_act(13, PK_ACT_BPF, BPF_PROG_LOAD, 0, 0, 0);
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
