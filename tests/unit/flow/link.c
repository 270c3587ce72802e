/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces come, change and go, in several namespaces. */
#include "flow/link.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_links(void **state)
{
	struct pk_links *l = pk_links_new(40);
	struct pk_link k = { 0 };
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		k.netns = 1 + i % 3;
		k.ifindex = 100 - i;
		snprintf(k.name, sizeof(k.name), "e%u", 100 - i);
		assert_int_equal(pk_links_set(l, &k), 0);
	}
	k.netns = 9;
	assert_int_equal(pk_links_set(l, &k), -ENOSPC);
	assert_int_equal(pk_links_refused(l), 1);
	for (unsigned i = 0; i < 40; i++) {
		const struct pk_link *f = pk_links_find(l, 1 + i % 3, 100 - i);

		assert_non_null(f);
		assert_int_equal(f->ifindex, 100 - i);
		assert_null(pk_links_find(l, 1 + (i + 1) % 3, 100 - i));
	}
	k = *pk_links_find(l, 1, 100);
	strcpy(k.name, "renamed");
	assert_int_equal(pk_links_set(l, &k), 0);
	assert_string_equal(pk_links_find(l, 1, 100)->name, "renamed");
	assert_int_equal(pk_links_of(l, 2)->netns, 2);
	assert_null(pk_links_of(l, 4));
	pk_links_remove(l, 1, 100);
	pk_links_remove(l, 1, 100);
	assert_null(pk_links_find(l, 1, 100));
	while (pk_links_at(l, n))
		n++;
	assert_int_equal(n, 39);
	pk_links_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_links) };

	return cmocka_run_group_tests_name("flow/link", tests, NULL, NULL);
}
