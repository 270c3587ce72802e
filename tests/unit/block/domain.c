/* SPDX-License-Identifier: Apache-2.0 */
#include "block/domain.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_normalise(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: refused */
	} v[] = {
		{ "evil.example", "evil.example" },
		{ "EVIL.Example.", "evil.example" },
		{ "*.evil.example", "evil.example" },
		{ ".evil.example", "evil.example" },
		{ "_dmarc.evil.example", "_dmarc.evil.example" },
		{ "b\xc3\xbc"
		  "cher.example",
		  "xn--bcher-kva.example" },
		{ "B\xc3\x9c"
		  "CHER.Example",
		  "xn--bcher-kva.example" },
		{ "fa\xc3\x9f.example", "xn--fa-hia.example" }, /* not transitional */
		/* full stops of other scripts are dots */
		{ "evil\xe3\x80\x82"
		  "example",
		  "evil.example" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
		{ "com", "com" },
		{ "", NULL },
		{ ".", NULL },
		{ "a..b", NULL },
		{ "-a.example", NULL },
		{ "a-.example", NULL },
		{ "a b.example", NULL },
		{ "a/b.example", NULL },
		{ "192.0.2.1", NULL },
		{ "\xff\xfe.example", NULL },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
		  NULL },
	};
	char text[PK_DOMAIN_MAX], longest[300];
	const char *why;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(v); i++) {
		int r = pk_domain_normalise(v[i].in, strlen(v[i].in), text, &why);

		if (!v[i].out) {
			assert_true(r < 0);
			assert_non_null(why);
			continue;
		}
		assert_int_equal(r, strlen(v[i].out));
		assert_string_equal(text, v[i].out);
	}
	assert_true(pk_domain_normalise("a\0b.example", 11, text, &why) < 0);
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? '.' : 'a';
	longest[252] = 'b';
	assert_int_equal(pk_domain_normalise(longest, 253, text, &why),
			 -EINVAL); /* a label of one letter at the end */
	longest[251] = 'b';
	assert_int_equal(pk_domain_normalise(longest, 253, text, &why), 253);
	longest[253] = 'b';
	assert_int_equal(pk_domain_normalise(longest, 254, text, &why), -EINVAL);
}

static void test_wide(void **state)
{
	(void)state;
	assert_non_null(pk_domain_wide("com"));
	assert_non_null(pk_domain_wide("local"));
	assert_non_null(pk_domain_wide("co.uk"));
	assert_non_null(pk_domain_wide("github.io"));
	assert_non_null(pk_domain_wide("ck"));
	assert_null(pk_domain_wide("evil.example"));
	assert_null(pk_domain_wide("example.co.uk"));
	assert_null(pk_domain_wide("someone.github.io"));
	assert_null(pk_domain_wide("www.ck")); /* an exception of the list */
}

static void test_suffixes(void **state)
{
	struct pk_domain_suffix v[PK_DOMAIN_LABELS];
	char most[254];
	const char *name = "www.evil.example";

	(void)state;
	assert_int_equal(pk_domain_suffixes(name, strlen(name), v), 3);
	assert_int_equal(v[0].at, 0);
	assert_int_equal(v[1].at, 4);
	assert_int_equal(v[2].at, 9);
	assert_int_equal(v[2].len, 7);
	for (int i = 0; i < 3; i++)
		assert_int_equal(v[i].hash, pk_domain_hash(name + v[i].at, v[i].len));
	assert_int_equal(pk_domain_suffixes("", 0, v), 0);
	for (size_t i = 0; i < sizeof(most); i++)
		most[i] = i % 2 ? '.' : 'a';
	assert_int_equal(pk_domain_suffixes(most, 253, v), 127);
	assert_int_equal(v[126].at, 252);
	assert_int_equal(pk_domain_suffixes(most, 254, v), 0);
}

static void test_below(void **state)
{
	(void)state;
	assert_true(pk_domain_is_below("evil.example", "evil.example"));
	assert_true(pk_domain_is_below("www.evil.example", "evil.example"));
	assert_false(pk_domain_is_below("notevil.example", "evil.example"));
	assert_false(pk_domain_is_below("example", "evil.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normalise),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_suffixes),
		cmocka_unit_test(test_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
