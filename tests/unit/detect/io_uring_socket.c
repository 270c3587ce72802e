/* SPDX-License-Identifier: Apache-2.0 */
/* The first use by a file is told, the second not; other acts of io_uring are nothing. */
#include "host.h"

static void use(uint32_t pid, uint64_t ino, const char *path)
{
	with.ino = ino;
	host_exec(pid, 1, path, path);
	host_act(pid, PK_ACT_IO_URING_SOCKET, 26, 0, 0, 0);
}

static void test_first(void **state)
{
	(void)state;
	host_begin("io_uring_socket");
	use(10, 5, "/usr/bin/server");
	host_found(1, "T1106", PK_LOW);
	use(11, 5, "/usr/bin/server");
	assert_int_equal(seen.n, 1);
	use(12, 6, "/home/u/curing");
	host_found(2, "T1106", PK_MEDIUM);
	with.ino = 7;
	host_exec(13, 1, "/usr/bin/disk", "disk");
	host_act(13, PK_ACT_IO_URING, 0, 8, 0, 0);
	assert_int_equal(seen.n, 2);
	host_end();
}

static void test_bound(void **state)
{
	struct pk_detector_use u = { 0 };

	(void)state;
	host_begin("io_uring_socket");
	for (uint32_t i = 0; i < 5000; i++)
		use(100 + i, 1000 + i, "/usr/bin/x");
	for (size_t i = 0; i < pk_detectors_n; i++)
		if (strcmp(pk_detectors[i]->name, "io_uring_socket") == 0)
			pk_detect_use(seen.detect, i, &u);
	assert_int_equal(u.found, 5000);
	assert_true(u.bytes > 0 && u.bytes <= u.bytes_max);
	host_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
