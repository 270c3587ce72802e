/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of texts: what is kept is whole and in order, whatever the sizes. */
#include "output/journal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The text of event s: its number, then a length that depends on it. */
static size_t make(uint64_t s, char out[300])
{
	size_t n = snprintf(out, 300, "%llu:", (unsigned long long)s);
	size_t more = s * 2654435761u % 200;

	memset(out + n, 'a' + s % 26, more);
	return n + more;
}

static void check_all(const struct pk_journal *j)
{
	struct pk_journal_item item;
	uint64_t last = 0, n = 0, used, max, evicted;
	char want[300];

	while (pk_journal_after(j, last, &item) == 0) {
		assert_true(last == 0 || item.sequence == last + 1);
		assert_int_equal(item.len, make(item.sequence, want));
		assert_memory_equal(item.json, want, item.len);
		last = item.sequence;
		n++;
	}
	pk_journal_counts(j, &used, &max, &evicted);
	assert_int_equal(n, used);
	assert_int_equal(used + evicted, pk_journal_next(j) - 1);
	assert_int_equal(last, pk_journal_next(j) - 1);
}

static void test_ring(void **state)
{
	static const size_t sizes[] = { 300, 1000, 4096, 100000 };
	char text[300];

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct pk_journal *j = pk_journal_new(sizes[k], 50);

		for (uint64_t s = 1; s < 3000; s++) {
			assert_int_equal(pk_journal_next(j), s);
			pk_journal_add(j, text, make(s, text));
			check_all(j);
		}
		pk_journal_free(j);
	}
}

static void test_edges(void **state)
{
	struct pk_journal *j = pk_journal_new(10, 5);
	struct pk_journal_item item;

	(void)state;
	assert_int_equal(pk_journal_after(j, 0, &item), -ENOENT);
	pk_journal_add(j, "0123456789", 10); /* exactly */
	assert_int_equal(pk_journal_after(j, 0, &item), 0);
	assert_int_equal(item.len, 10);
	pk_journal_add(j, "01234567890", 11); /* too large: numbered, not kept */
	assert_int_equal(pk_journal_after(j, 0, &item), -ENOENT);
	pk_journal_add(j, "ab", 2);
	assert_int_equal(pk_journal_after(j, 0, &item), 0);
	assert_int_equal(item.sequence, 3);
	assert_int_equal(pk_journal_after(j, UINT64_MAX, &item), -ENOENT);
	pk_journal_free(j);
	j = pk_journal_new(0, 0); /* keeps nothing */
	pk_journal_add(j, "x", 1);
	assert_int_equal(pk_journal_after(j, 0, &item), -ENOENT);
	assert_int_equal(pk_journal_next(j), 2);
	pk_journal_free(j);
}

static void test_begins_at(void **state)
{
	struct pk_journal *j = pk_journal_new(100, 4);
	struct pk_journal_item item;

	(void)state;
	pk_journal_begin_at(j, 500);
	pk_journal_begin_at(j, 7); /* never back */
	assert_int_equal(pk_journal_next(j), 500);
	assert_int_equal(pk_journal_after(j, 0, &item), -ENOENT);
	pk_journal_add(j, "a", 1);
	pk_journal_begin_at(j, 900); /* too late */
	pk_journal_add(j, "b", 1);
	assert_int_equal(pk_journal_after(j, 500, &item), 0);
	assert_int_equal(item.sequence, 501);
	pk_journal_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begins_at),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests_name("output/journal", tests, NULL, NULL);
}
