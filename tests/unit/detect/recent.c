/* SPDX-License-Identifier: Apache-2.0 */
/* Found, used, evicted in order; a million keys never take more than was promised. */
#include "detect/recent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t evicted(const struct pk_recent *t)
{
	struct pk_memory m = { 0 };

	pk_recent_memory(t, &m);
	return m.evicted;
}

static void test_order(void **state)
{
	struct pk_recent *t = pk_recent_new(3, sizeof(uint64_t), sizeof(uint32_t));
	uint64_t key;
	uint32_t *v;
	bool is_new;

	(void)state;
	assert_null(pk_recent_oldest(t));
	for (key = 1; key <= 3; key++) {
		v = pk_recent_take(t, &key, &is_new);
		assert_true(is_new);
		assert_int_equal(*v, 0);
		*v = (uint32_t)key * 10;
	}
	key = 1;
	v = pk_recent_find(t, &key); /* used: 2 is the oldest now */
	assert_int_equal(*v, 10);
	key = 4;
	(void)pk_recent_take(t, &key, &is_new);
	assert_int_equal(evicted(t), 1);
	key = 2;
	assert_null(pk_recent_find(t, &key));
	v = pk_recent_oldest(t);
	assert_int_equal(*v, 30);
	assert_int_equal(*(const uint64_t *)pk_recent_key(t, v), 3);
	v = pk_recent_next(t, v);
	assert_int_equal(*(const uint64_t *)pk_recent_key(t, v), 1);
	pk_recent_drop(t, v);
	key = 1;
	assert_null(pk_recent_find(t, &key));
	assert_int_equal(pk_recent_used(t), 2);
	(void)pk_recent_take(t, &key, &is_new);
	assert_true(is_new);
	assert_int_equal(evicted(t), 1);
	pk_recent_free(t);
}

/* What was retired goes first, in its order, unless it is used again. */
static void test_retired(void **state)
{
	static const uint64_t goes[] = { 4, 2, 1, 5, 3 };
	struct pk_recent *t = pk_recent_new(5, sizeof(uint64_t), 0);
	uint64_t key;
	bool is_new;

	(void)state;
	for (key = 1; key <= 5; key++)
		(void)pk_recent_take(t, &key, &is_new);
	for (size_t i = 0; i < 3; i++) {
		key = (uint64_t[]){ 4, 3, 2 }[i];
		pk_recent_retire(t, pk_recent_find(t, &key));
	}
	key = 3;
	assert_non_null(pk_recent_find(t, &key)); /* in use again, the last of all */
	for (size_t i = 0; i < 5; i++) {
		key = *(const uint64_t *)pk_recent_key(t, pk_recent_oldest(t));
		assert_int_equal(key, goes[i]);
		key = 100 + i;
		(void)pk_recent_take(t, &key, &is_new);
	}
	pk_recent_free(t);
}

static void test_bound(void **state)
{
	struct pk_recent *t = pk_recent_new(1000, 21, 100);
	unsigned char key[21] = { 0 }, *v;
	struct pk_memory m = { 0 };
	bool is_new;

	(void)state;
	srand(1);
	for (int i = 0; i < 1000000; i++) {
		int r = rand() % 5000;

		memcpy(key + 7, &r, sizeof(r));
		v = pk_recent_take(t, key, &is_new);
		if (is_new)
			memset(v, r & 0xff, 100);
		assert_int_equal(v[99], r & 0xff);
		if (r % 7 == 0)
			pk_recent_drop(t, v);
		assert_true(pk_recent_used(t) <= 1000);
	}
	pk_recent_memory(t, &m);
	assert_true(m.bytes <= pk_recent_bytes_max(1000, 21, 100));
	pk_recent_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_retired),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
