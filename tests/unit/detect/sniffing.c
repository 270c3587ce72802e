/* SPDX-License-Identifier: Apache-2.0 */
/* Packet and raw sockets of strangers, of tools (low), of services and ping (silent). */
#include "host.h"

static void test_told(void **state)
{
	(void)state;
	host_begin("sniffing");
	host_exec(10, 1, "/usr/bin/python3", "python3 sniff.py");
	host_act(10, PK_ACT_PACKET_SOCKET, 0, SOCK_RAW, 768, 0);
	host_found(1, "T1040", PK_MEDIUM);
	host_exec(11, 1, "/home/u/raw", "raw");
	host_act(11, PK_ACT_RAW_SOCKET, AF_INET, SOCK_RAW, IPPROTO_TCP, 0);
	host_found(2, "T1040", PK_MEDIUM);
	host_exec(12, 1, "/usr/bin/tcpdump", "tcpdump");
	host_act(12, PK_ACT_PACKET_SOCKET, 0, SOCK_RAW, 768, 0);
	host_found(3, "T1040", PK_LOW);
	host_exec(13, 1, "/tmp/tcpdump", "tcpdump");
	host_act(13, PK_ACT_PACKET_SOCKET, 0, SOCK_RAW, 768, 0);
	host_found(4, "T1040", PK_MEDIUM);
	host_end();
}

static void test_benign(void **state)
{
	(void)state;
	host_begin("sniffing");
	host_exec(10, 1, "/usr/sbin/dhclient", "dhclient");
	host_act(10, PK_ACT_PACKET_SOCKET, 0, SOCK_RAW, 768, 0);
	host_exec(11, 1, "/home/u/myping", "myping");
	host_act(11, PK_ACT_RAW_SOCKET, AF_INET, SOCK_RAW, IPPROTO_ICMP, 0);
	host_set("detect.sniffing_allow", "ids");
	host_exec(12, 1, "/opt/ids", "ids");
	host_act(12, PK_ACT_XDP_SOCKET, 0, 0, 0, 0);
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
