/* SPDX-License-Identifier: Apache-2.0 */
/* Where a program lies decides; builds below /tmp and packages are told low, the rest not at all.
 */
#include "host.h"

static void test_places(void **state)
{
	static const struct {
		const char *path;
		uint32_t mode;
		int severity; /* 0: not told */
	} cases[] = {
		{ "/tmp/x", 0, PK_MEDIUM },
		{ "/dev/shm/x", 0, PK_MEDIUM },
		{ "/var/tmp/.x/y", 0, PK_MEDIUM },
		{ "/root/.../sh", 0, PK_MEDIUM },
		{ "/usr/bin/x", 0100777, PK_MEDIUM },
		{ "/tmp/build/x", 0, PK_LOW },
		{ "/usr/bin/x", 0, 0 },
		{ "/home/u/.cargo/bin/x", 0, 0 },
		{ "/tmpfs/x", 0, 0 },
		{ "/tmp/ci/x", 0, 0 },
	};

	(void)state;
	host_begin("world_writable");
	host_set("detect.world_writable_allow", "/tmp/ci/");
	for (uint32_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		size_t before = seen.n;

		with.mode = cases[i].mode;
		host_exec(10 + i, 1, cases[i].path, "x");
		if (cases[i].severity)
			host_found(before + 1, "T1036.005", (enum pk_severity)cases[i].severity);
		else
			assert_int_equal(seen.n, before);
	}
	host_end();
}

static void test_package(void **state)
{
	(void)state;
	host_begin("world_writable");
	host_exec(10, 1, "/usr/bin/apt-get", "apt-get install x");
	host_exec(11, 10, "/tmp/x.config", "x.config");
	host_found(1, "T1036.005", PK_LOW);
	with.flags = PK_EXEC_MEMFD;
	with.mode = 0100777;
	host_exec(13, 1, "/memfd:x", "x");
	with.snapshot = true;
	host_exec(12, 1, "/tmp/y", "y");
	assert_int_equal(seen.n, 1);
	host_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_package),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
