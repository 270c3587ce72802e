/* SPDX-License-Identifier: Apache-2.0 */
/* The oldest goes; one that holds on keeps who comes often; memory has its bound. */
#include "detect/memo.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct pk_memo_key key(uint64_t n)
{
	return (struct pk_memo_key){ .scope = n };
}

static uint64_t *take(struct pk_memo *k, uint64_t n)
{
	struct pk_memo_key id = key(n);
	bool is_new;

	return pk_memo_take(k, &id, &is_new);
}

static void memo_freep(struct pk_memo **k)
{
	pk_memo_free(*k);
}

static void test_oldest_goes(void **state)
{
	_cleanup_(memo_freep) struct pk_memo *k = pk_memo_new(64, sizeof(uint64_t), false);
	struct pk_memo_key one = key(1), two = key(2);
	struct pk_memory c = { 0 };
	uint64_t *v;

	(void)state;
	for (uint64_t i = 1; i <= 64; i++)
		*take(k, i) = i;
	assert_int_equal(*take(k, 1), 1); /* touched: 2 is the oldest now */
	assert_int_equal(*take(k, 65), 0);
	assert_null(pk_memo_find(k, &two));
	v = pk_memo_find(k, &one);
	assert_non_null(v);
	assert_memory_equal(pk_memo_key_of(v), &one, sizeof(one));
	pk_memo_drop(k, v);
	assert_null(pk_memo_find(k, &one));
	assert_non_null(take(k, 66));
	pk_memo_memory(k, &c);
	assert_int_equal(pk_memo_used(k), 64);
	assert_int_equal(c.evicted, 1);
	assert_int_equal(c.refused, 0);
}

static void test_order(void **state)
{
	_cleanup_(memo_freep) struct pk_memo *k = pk_memo_new(64, sizeof(uint64_t), false);
	uint64_t sum = 0, *v = NULL;

	(void)state;
	for (uint64_t i = 1; i <= 10; i++)
		*take(k, i) = i;
	for (uint64_t i = 10; i > 0; i--)
		(void)take(k, i);
	for (uint64_t n = 10; (v = pk_memo_next(k, v)); n--, sum++)
		assert_int_equal(*v, n);
	assert_int_equal(sum, 10);
}

/* One key that comes every 10,000 others is kept, however many others there are. */
static void test_holds_on(void **state)
{
	_cleanup_(memo_freep) struct pk_memo *k = pk_memo_new(256, sizeof(uint64_t), true);
	_cleanup_(memo_freep) struct pk_memo *forgets = pk_memo_new(256, sizeof(uint64_t), false);
	struct pk_memo_key rare = key(1);
	struct pk_memory c = { 0 };
	uint64_t *v;

	(void)state;
	for (uint64_t i = 0; i < 1000000; i++) {
		(void)take(k, 1000 + i); /* NULL: refused */
		(void)take(forgets, 1000 + i);
		if (i % 10000)
			continue;
		(void)take(forgets, 1);
		v = take(k, 1);
		if (v)
			++*v;
	}
	v = pk_memo_find(k, &rare);
	assert_non_null(v);
	assert_in_range(*v, 70, 100);
	assert_null(pk_memo_find(forgets, &rare));
	pk_memo_memory(k, &c);
	assert_int_equal(pk_memo_used(k), 256);
	assert_true(c.refused > 100000);
	assert_in_range(c.bytes, 1, pk_memo_bytes_max(256, sizeof(uint64_t), true));
}

static void test_ages(void **state)
{
	_cleanup_(memo_freep) struct pk_memo *k = pk_memo_new(64, 0, true);
	struct pk_memo_key old = key(1);

	(void)state;
	for (int i = 0; i < 100; i++)
		(void)take(k, 1);
	for (uint64_t i = 1; i <= 21; i++)
		pk_memo_age(k, i, 2);
	for (uint64_t i = 0; i < 1000; i++)
		for (int n = 0; n < 3; n++)
			(void)take(k, 1000 + i);
	assert_null(pk_memo_find(k, &old));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oldest_goes),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_holds_on),
		cmocka_unit_test(test_ages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
