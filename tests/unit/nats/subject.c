/* SPDX-License-Identifier: Apache-2.0 */
/* Names of all kinds become one part of a subject, and only what we write is read back. */
#include "nats/subject.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void round_trip(const char *tenant, const char *host, const char *want)
{
	char subject[PK_NATS_SUBJECT_MAX], t[PK_NATS_TOKEN_MAX], h[PK_NATS_TOKEN_MAX];

	assert_int_equal(pk_nats_subject(tenant, host, "alerts", subject), 0);
	assert_string_equal(subject, want);
	assert_int_equal(pk_nats_subject_read(subject, "alerts", t, h), 0);
	assert_string_equal(t, tenant);
	assert_string_equal(h, host);
}

static void test_there_and_back(void **state)
{
	(void)state;
	round_trip("default", "web1", "picket.default.web1.alerts");
	round_trip("a-b_C9", "web1.example.org", "picket.a-b_C9.web1%2Eexample%2Eorg.alerts");
	round_trip("*", ">", "picket.%2A.%3E.alerts");
	round_trip("a b\t", "%2E$\x01", "picket.a%20b%09.%252E%24%01.alerts");
	round_trip("\xc3\xbc", "\xff", "picket.%C3%BC.%FF.alerts");
}

static void test_length(void **state)
{
	char text[PK_NATS_TOKEN_MAX + 1], subject[PK_NATS_SUBJECT_MAX], small[4] = "abc";

	(void)state;
	memset(text, '.', sizeof(text));
	text[PK_NATS_TOKEN_MAX - 1] = '\0';
	assert_int_equal(pk_nats_subject("t", text, "alerts", subject), 0);
	assert_int_equal(strlen(subject), strlen("picket.t..alerts") + 3 * strlen(text));
	text[PK_NATS_TOKEN_MAX - 1] = '.';
	text[PK_NATS_TOKEN_MAX] = '\0';
	assert_int_equal(pk_nats_subject("t", text, "alerts", subject), -ENAMETOOLONG);
	assert_int_equal(pk_nats_subject("", "h", "alerts", subject), -EINVAL);
	assert_int_equal(pk_nats_subject("t", "", "alerts", subject), -EINVAL);
	assert_int_equal(pk_nats_token("..", small, sizeof(small)), -ENAMETOOLONG);
	assert_string_equal(small, "abc");
}

static void test_refused(void **state)
{
	static const char *const bad[] = { "",
					   "picket",
					   "picket.",
					   "picket.t",
					   "picket.t.h",
					   "picket.t.h.",
					   "picket.t.h.lists",
					   "picket.t.h.alerts.x",
					   "picket.t..alerts",
					   "picket..h.alerts",
					   "Picket.t.h.alerts",
					   "picket.t.h h.alerts",
					   "picket.t.%.alerts",
					   "picket.t.%2.alerts",
					   "picket.t.%2e.alerts",
					   "picket.t.%61.alerts", /* an a: two ways to write it */
					   "picket.t.%00.alerts",
					   "picket.t.%GG.alerts" };
	char t[PK_NATS_TOKEN_MAX], h[PK_NATS_TOKEN_MAX], text[1200];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(pk_nats_subject_read(bad[i], "alerts", t, h), -EINVAL);
	memset(text, 'a', sizeof(text));
	memcpy(text, "picket.t.", 9);
	strcpy(text + 9 + PK_NATS_TOKEN_MAX, ".alerts");
	assert_int_equal(pk_nats_subject_read(text, "alerts", t, h), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
