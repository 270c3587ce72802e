/* SPDX-License-Identifier: Apache-2.0 */
/* Notices about signed lists that have expired, and other notices beside them. */
#include "host.h"

static void notice(const char *text)
{
	struct pk_see s = { .kind = PK_SEE_NOTICE, .now_ns = host.now_ns, .notice = text };

	pk_detect_see(seen.detect, &s);
}

static void an_expired_list_is_told(void **state)
{
	(void)state;
	host_begin("stale_list");
	notice("signed list drop: the signature of version 7 has expired, it stays in force "
	       "(sign.expired)");
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].severity, PK_MEDIUM);
	assert_string_equal(seen.finding[0].technique[0], "T1685");
	assert_non_null(strstr(seen.finding[0].plain, "list drop is out of date"));
	notice("signed list web: no mirror had it for 86400 s, the last answered: unreachable");
	assert_int_equal(seen.n, 2);
	assert_non_null(strstr(seen.finding[1].plain, "list web is out of date"));
	notice("eth1 ingress: not covered");
	notice("signed list drop: something else");
	notice("the certificate has expired");
	assert_int_equal(seen.n, 2);
	host_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_expired_list_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
