/* SPDX-License-Identifier: Apache-2.0 */
/* Facts come, stay with their flow, and leave: first those that no flow holds. */
#include "name/fact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_facts(void **state)
{
	struct pk_intern *t = pk_intern_new(1 << 20);
	struct pk_facts *f = pk_facts_new(100, t);
	struct pk_intern_count texts;
	struct pk_facts_count n;
	struct pk_fact *x;

	(void)state;
	assert_null(pk_facts_make(f, 0));
	assert_null(pk_facts_find(f, 0));
	for (uint64_t id = 1; id <= 100; id++) {
		char s[16];

		x = pk_facts_make(f, id);
		assert_int_equal(x->flow, id);
		pk_fact_set(f, &x->sni,
			    pk_intern_text(t, s, (size_t)snprintf(s, 16, "n%d", (int)id)));
		if (id <= 10)
			pk_facts_hold(f, x);
	}
	assert_ptr_equal(pk_facts_make(f, 11), pk_facts_find(f, 11)); /* touched */
	/* 89 make room: all that are not held, but for the one just touched */
	for (uint64_t id = 1001; id < 1090; id++)
		pk_facts_hold(f, pk_facts_make(f, id));
	for (uint64_t id = 1; id <= 11; id++) {
		x = pk_facts_find(f, id);
		assert_non_null(x);
		assert_int_equal(atoi(x->sni + 1), id);
	}
	assert_null(pk_facts_find(f, 12));
	assert_non_null(pk_facts_make(f, 2000)); /* 11 goes */
	assert_non_null(pk_facts_make(f, 2001)); /* 2000 goes */
	assert_null(pk_facts_find(f, 11));
	assert_null(pk_facts_find(f, 2000));
	pk_facts_hold(f, pk_facts_make(f, 2001));
	pk_facts_hold(f, pk_facts_make(f, 2001)); /* once is enough */
	assert_non_null(pk_facts_make(f, 2002));  /* all held: the oldest, 1 */
	assert_null(pk_facts_find(f, 1));
	assert_non_null(pk_facts_find(f, 2));
	pk_facts_counts(f, &n);
	assert_int_equal(n.used, 100);
	assert_int_equal(n.max, 100);
	assert_int_equal(n.evicted, 92);
	assert_int_equal(n.bytes, sizeof(struct pk_fact));
	for (uint64_t id = 1; id <= 3000; id++)
		pk_facts_forget(f, id);
	pk_facts_counts(f, &n);
	assert_int_equal(n.used, 0);
	pk_intern_counts(t, &texts);
	assert_int_equal(texts.texts, 0);
	pk_facts_free(f);
	pk_intern_free(t);
}

static void test_names(void **state)
{
	(void)state;
	assert_null(pk_conflict_name(PK_CONFLICT_NONE));
	assert_string_equal(pk_conflict_name(PK_CONFLICT_SNI_DNS), "sni_dns");
	assert_null(pk_conflict_name(99));
	assert_string_equal(pk_name_source_name(PK_NAME_DNS), "dns");
	assert_null(pk_name_source_name(PK_NAME_NONE));
	assert_null(pk_name_source_name(99));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_facts),
					    cmocka_unit_test(test_names) };

	return cmocka_run_group_tests_name("name/fact", tests, NULL, NULL);
}
