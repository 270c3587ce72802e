/* SPDX-License-Identifier: Apache-2.0 */
#include "name/registered.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_registered(void **state)
{
	static const struct {
		const char *name, *registered;
	} cases[] = {
		{ "www.example.com", "example.com" },
		{ "example.com", "example.com" },
		{ "a.b.example.co.uk", "example.co.uk" },
		{ "x.somebody.github.io", "somebody.github.io" },
		{ "a.b.nobody-listed", "b.nobody-listed" },
		{ "co.uk", NULL },
		{ "com", NULL },
		{ ".", NULL },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		const char *r = pk_name_registered(cases[i].name);

		if (!cases[i].registered)
			assert_null(r);
		else
			assert_string_equal(r, cases[i].registered);
	}
}

static void test_private(void **state)
{
	(void)state;
	assert_true(pk_name_is_private("printer"));
	assert_true(pk_name_is_private("4.3.2.1.in-addr.arpa"));
	assert_true(pk_name_is_private("nas.fritz.home"));
	assert_true(pk_name_is_private("dc1.ad.corp"));
	assert_false(pk_name_is_private("www.example.com"));
	assert_false(pk_name_is_private("local.example.com"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registered),
		cmocka_unit_test(test_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
