/* SPDX-License-Identifier: Apache-2.0 */
/* Texts are kept once, counted, bounded, and clean of NUL. */
#include "name/intern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_once(void **state)
{
	struct pk_intern *t = pk_intern_new(1 << 20);
	const char *a = pk_intern_text(t, "example.org", 11), *b, *c;
	struct pk_intern_count n;

	(void)state;
	b = pk_intern_text(t, "example.orgX", 11);
	assert_ptr_equal(a, b);
	assert_ptr_equal(a, pk_intern_again(a));
	assert_ptr_not_equal(a, c = pk_intern_text(t, "example.or", 10));
	pk_intern_counts(t, &n);
	assert_int_equal(n.texts, 2);
	for (int i = 0; i < 2; i++) {
		const char *one = a;

		pk_intern_put(t, &one);
		assert_null(one);
	}
	assert_string_equal(a, "example.org"); /* the third owner's */
	pk_intern_put(t, &a);
	pk_intern_put(t, &c);
	pk_intern_counts(t, &n);
	assert_int_equal(n.texts, 0);
	assert_int_equal(n.bytes, 0);
	pk_intern_put(t, &c); /* nothing */
	assert_null(pk_intern_again(NULL));
	pk_intern_free(t);
	pk_intern_free(NULL);
}

static void test_clean(void **state)
{
	struct pk_intern *t = pk_intern_new(1 << 20);
	char long_text[2 * PK_INTERN_MAX], nul[PK_INTERN_MAX];

	(void)state;
	assert_null(pk_intern_text(t, "", 0));
	assert_null(pk_intern_text(t, NULL, 3));
	assert_string_equal(pk_intern_text(t, "a\0b", 3), "a\\000b");
	assert_string_equal(pk_intern_name(t, "WwW.Example.ORG.", 16), "www.example.org");
	assert_string_equal(pk_intern_name(t, ".", 1), ".");
	memset(long_text, 'x', sizeof(long_text));
	assert_int_equal(strlen(pk_intern_text(t, long_text, sizeof(long_text))), PK_INTERN_MAX);
	memset(nul, 0, sizeof(nul));
	assert_int_equal(strlen(pk_intern_text(t, nul, sizeof(nul))), PK_INTERN_MAX);
	pk_intern_free(t);
}

static void test_bound(void **state)
{
	struct pk_intern *t = pk_intern_new(100000);
	static const char *text[100000];
	struct pk_intern_count n;
	size_t kept = 0;
	char s[32];

	(void)state;
	for (size_t i = 0; i < 100000; i++) {
		int len = snprintf(s, sizeof(s), "name-%zu", i);

		text[i] = pk_intern_text(t, s, (size_t)len);
		kept += text[i] != NULL;
	}
	pk_intern_counts(t, &n);
	assert_int_equal(n.texts, kept);
	assert_int_equal(n.refused, 100000 - kept);
	assert_true(kept > 1000 && n.bytes <= 100000);
	for (size_t i = 0; i < 100000; i++) {
		snprintf(s, sizeof(s), "name-%zu", i);
		if (text[i])
			assert_string_equal(text[i], s);
		pk_intern_put(t, &text[i]);
	}
	pk_intern_counts(t, &n);
	assert_int_equal(n.bytes, 0);
	assert_non_null(pk_intern_text(t, "again", 5));
	pk_intern_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_once),
					    cmocka_unit_test(test_clean),
					    cmocka_unit_test(test_bound) };

	return cmocka_run_group_tests_name("name/intern", tests, NULL, NULL);
}
