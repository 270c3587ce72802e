/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/flows.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t left[64];
static size_t lefts;

static void on_evict(void *arg, struct pk_capture_flow *f)
{
	assert_ptr_equal(arg, left);
	left[lefts++] = f->id;
}

static void test_oldest_leaves(void **state)
{
	struct pk_capture_flows *t = pk_capture_flows_new(4, on_evict, left);
	uint64_t evicted;

	(void)state;
	for (uint64_t id = 1; id <= 4; id++)
		pk_capture_flows_get(t, id)->slot = (uint32_t)id * 10;
	assert_int_equal(pk_capture_flows_get(t, 1)->slot, 10); /* the latest now */
	pk_capture_flows_get(t, 5)->comment = strdup("five");
	assert_int_equal(lefts, 1);
	assert_int_equal(left[0], 2);
	assert_null(pk_capture_flows_find(t, 2));
	assert_int_equal(pk_capture_flows_find(t, 3)->slot, 30);
	assert_int_equal(pk_capture_flows_get(t, 5)->slot, 0);
	pk_capture_flows_get(t, 6);
	pk_capture_flows_get(t, 7);
	assert_int_equal(left[1], 3);
	assert_int_equal(left[2], 4);
	assert_int_equal(pk_capture_flows_used(t, &evicted), 4);
	assert_int_equal(evicted, 3);
	pk_capture_flows_free(t);
}

/* Many ids through a small table: the order is that of use, and each is found as long as it is in
 * it. */
static void test_order(void **state)
{
	struct pk_capture_flows *t = pk_capture_flows_new(100, NULL, NULL);
	const struct pk_capture_flow *f = NULL;
	uint64_t id = 5000;
	size_t n = 0;

	(void)state;
	for (uint64_t i = 1; i <= 5000; i++) {
		pk_capture_flows_get(t, i)->start_ns = i;
		if (i > 50) /* used again: no change of the order among the rest */
			assert_int_equal(pk_capture_flows_find(t, i - 50)->start_ns, i - 50);
		if (i > 100)
			assert_null(pk_capture_flows_find(t, i - 100));
	}
	while ((f = pk_capture_flows_next(t, f))) {
		assert_int_equal(f->id, id--);
		n++;
	}
	assert_int_equal(n, 100);
	pk_capture_flows_free(t);
	pk_capture_flows_free(NULL);
	assert_null(pk_capture_flows_new(0, NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oldest_leaves),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
