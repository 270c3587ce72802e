/* SPDX-License-Identifier: Apache-2.0 */
/* The address of credentials asked by a stranger; by an agent, at another port or address nothing.
 */
#include "host.h"

static void test_strangers(void **state)
{
	(void)state;
	host_begin("metadata_access");
	host_exec(10, 1, "/usr/bin/curl", "curl http://169.254.169.254/");
	host_sock(10, PK_SOCK_CONNECT, 5, 0, "169.254.169.254", 80);
	host_found(1, "T1552.005", PK_MEDIUM);
	assert_true(seen.finding[0].has_remote);
	host_exec(11, 1, "/tmp/cloud-init", "cloud-init");
	host_sock(11, PK_SOCK_CONNECT, 6, 0, "fd00:ec2::254", 80);
	host_found(2, "T1552.005", PK_MEDIUM);
	host_end();
}

static void test_benign(void **state)
{
	(void)state;
	host_begin("metadata_access");
	host_set("detect.metadata_access_allow", "/srv/backup");
	host_exec(10, 1, "/usr/bin/python3", "/usr/bin/python3 /usr/bin/cloud-init init");
	host_sock(10, PK_SOCK_CONNECT, 5, 0, "169.254.169.254", 80);
	host_exec(11, 1, "/usr/bin/amazon-ssm-agent", "amazon-ssm-agent");
	host_sock(11, PK_SOCK_CONNECT, 6, 0, "169.254.169.254", 80);
	host_exec(12, 1, "/srv/backup", "backup");
	host_sock(12, PK_SOCK_CONNECT, 7, 0, "169.254.169.254", 80);
	host_exec(13, 1, "/usr/bin/dig", "dig");
	host_sock(13, PK_SOCK_CONNECT, 8, 0, "169.254.169.254", 53);
	host_sock(13, PK_SOCK_CONNECT, 9, 0, "169.254.169.253", 80);
	assert_int_equal(seen.n, 0);
	host_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_benign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
