/* SPDX-License-Identifier: Apache-2.0 */
/* resolv.conf(5) as it is written in the field. */
#include "probe/resolv.h"

#include "base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void servers_are(const char *text, const char *const want[])
{
	struct pk_resolv r = {};
	char ip[PK_IP_TEXT];
	size_t n = 0;

	pk_resolv_parse(&r, text, strlen(text));
	for (; want[n]; n++) {
		assert_true(n < r.n);
		assert_string_equal(pk_ip_format(r.addr[n], ip), want[n]);
	}
	assert_int_equal(r.n, n);
}

static void nameservers_are_found(void **state)
{
	(void)state;
	servers_are(
		"# comment\nnameserver 10.0.0.1\n  nameserver\t2001:db8::1\nsearch example.org\n"
		"nameserver fe80::1%eth0\noptions edns0",
		(const char *const[]){ "10.0.0.1", "2001:db8::1", "fe80::1", NULL });
}

static void the_rest_is_skipped(void **state)
{
	char many[4096] = "";

	(void)state;
	servers_are("", (const char *const[]){ NULL });
	servers_are(
		"nameserver\nnameserver not.an.address\n#nameserver 1.1.1.1\nnameserver 300.1.1.1",
		(const char *const[]){ NULL });
	servers_are("nameserver 9.9.9.9", (const char *const[]){ "9.9.9.9", NULL });
	for (int i = 0; i < 100; i++)
		strcat(many, "nameserver 10.0.0.1\n");
	struct pk_resolv r = {};

	pk_resolv_parse(&r, many, strlen(many));
	assert_int_equal(r.n, PK_RESOLVERS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nameservers_are_found),
		cmocka_unit_test(the_rest_is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
