/* SPDX-License-Identifier: Apache-2.0 */
/* Community ids against the values published with the specification (its baseline captures). */
#include "flow/community.h"

#include "base/cleanup.h"
#include "base/ip.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	int proto;
	const char *src;
	int sport;
	const char *dst;
	int dport;
	const char *id;
} known[] = {
	{ 6, "128.232.110.120", 34855, "66.35.250.204", 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=" },
	{ 6, "66.35.250.204", 80, "128.232.110.120", 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=" },
	{ 17, "192.168.1.52", 54585, "8.8.8.8", 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=" },
	{ 1, "192.168.0.89", 8, "192.168.0.1", 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=" },
	{ 1, "192.168.0.1", 0, "192.168.0.89", 8, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=" },
	{ 0x0806, "192.168.0.89", 0, "192.168.0.1", 0, "" },
};

static void test_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(known); i++) {
		struct pk_flow f = { .key.proto = known[i].proto };
		uint8_t a[16], b[16];
		char id[PK_COMMUNITY_LEN];
		int low;

		assert_int_equal(pk_ip_parse(known[i].src, a), 0);
		assert_int_equal(pk_ip_parse(known[i].dst, b), 0);
		low = memcmp(a, b, 16) > 0; /* the source is this end of the key */
		memcpy(f.key.addr[low], a, 16);
		memcpy(f.key.addr[!low], b, 16);
		if (known[i].proto == 1) { /* type in place of the source port, code 0 */
			f.dir[low].tcp_next = PK_ICMP_KNOWN | known[i].sport << 8;
		} else {
			f.key.port[low] = htons(known[i].sport);
			f.key.port[!low] = htons(known[i].dport);
		}
		f.meta.initiator = low;
		pk_community_id(&f, id);
		assert_string_equal(id, known[i].id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_known) };

	return cmocka_run_group_tests_name("flow/community", tests, NULL, NULL);
}
