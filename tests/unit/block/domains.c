/* SPDX-License-Identifier: Apache-2.0 */
#include "block/domains.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MANY 200000u

static struct pk_block_name *find(const struct pk_domains *s, const struct pk_block_texts *t,
				  const char *name)
{
	return pk_domains_find(s, t, name, strlen(name), pk_domain_hash(name, strlen(name)));
}

static void add(struct pk_domains *s, struct pk_block_texts *t, const char *name, uint32_t id)
{
	struct pk_block_name n = { .id = id, .hash = pk_domain_hash(name, strlen(name)) };
	int64_t at = pk_block_text(t, name, strlen(name));

	assert_true(at > 0);
	n.text = (uint32_t)at;
	assert_int_equal(pk_domains_add(s, &n), 0);
}

static void test_many(void **state)
{
	struct pk_block_texts t = { 0 };
	struct pk_domains s = { 0 };
	char name[64];
	size_t at = 0, n = 0;

	(void)state;
	assert_null(find(&s, &t, "evil.example"));
	for (uint32_t i = 1; i <= MANY; i++) {
		(void)snprintf(name, sizeof(name), "n%u.evil%u.example", i, i % 97);
		add(&s, &t, name, i);
	}
	for (uint32_t i = 1; i <= MANY; i += 7) {
		(void)snprintf(name, sizeof(name), "n%u.evil%u.example", i, i % 97);
		assert_int_equal(find(&s, &t, name)->id, i);
		(void)snprintf(name, sizeof(name), "m%u.evil%u.example", i, i % 97);
		assert_null(find(&s, &t, name));
	}
	printf("# %u names: %.1f MiB and %.1f MiB of texts\n", MANY,
	       (double)pk_domains_bytes(&s) / 1048576,
	       (double)(t.cap + t.slots * sizeof(*t.index)) / 1048576);
	assert_true(pk_domains_bytes(&s) <= MANY * 64ull);
	for (uint32_t i = 1; i <= MANY; i++)
		if (i % 10) {
			(void)snprintf(name, sizeof(name), "n%u.evil%u.example", i, i % 97);
			pk_domains_remove(&s, find(&s, &t, name));
			assert_null(find(&s, &t, name));
			(void)pk_domains_compact(&s);
		}
	assert_int_equal(s.live, MANY / 10);
	assert_true(s.n <= 2 * s.live + 1024);
	while (pk_domains_next(&s, &at))
		n++;
	assert_int_equal(n, MANY / 10);
	assert_non_null(find(&s, &t, "n10.evil10.example"));
	pk_domains_done(&s);
	pk_block_texts_done(&t);
}

static void test_counts(void **state)
{
	struct pk_block_texts t = { 0 };
	struct pk_domains s = { 0 };
	struct pk_block_name *n;

	(void)state;
	add(&s, &t, "evil.example", 1);
	n = find(&s, &t, "evil.example");
	pk_domains_set(&s, n, PK_BLOCK_REFUSE, 5);
	assert_int_equal(s.refusing, 1);
	assert_int_equal(s.expiring, 1);
	pk_domains_set(&s, n, PK_BLOCK_SNI_ONLY, 0);
	assert_int_equal(s.refusing, 0);
	assert_int_equal(s.expiring, 0);
	assert_true(s.refuses);
	pk_domains_remove(&s, n);
	assert_int_equal(s.live, 0);
	pk_domains_done(&s);
	pk_block_texts_done(&t);
}

static void test_hits(void **state)
{
	struct pk_name_hit_table t = { 0 };

	(void)state;
	assert_null(pk_name_hits_of(&t, 1, false));
	assert_null(pk_name_hits_of(&t, 0, true));
	for (uint32_t i = 1; i < 1000; i++)
		pk_name_hits_of(&t, i * 64, true)->answers = i;
	for (uint32_t i = 1; i < 1000; i++)
		assert_int_equal(pk_name_hits_of(&t, i * 64, false)->answers, i);
	assert_null(pk_name_hits_of(&t, 1, false));
	assert_int_equal(t.n, 999);
	pk_name_hits_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_hits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
