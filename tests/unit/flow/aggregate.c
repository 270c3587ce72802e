/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of the kernel read again and again, removed and begun again: sums stay exact. */
#include "flow/aggregate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct pk_agg_key dst(unsigned n, unsigned proto)
{
	struct pk_agg_key k = { .proto = proto, .ifindex = 2 };

	memcpy(k.dst, &n, sizeof(n));
	return k;
}

static uint64_t total(const struct pk_agg_table *t)
{
	struct pk_agg sum;

	pk_agg_table_total(t, &sum);
	return sum.packets;
}

static void test_growth(void **state)
{
	struct pk_agg_table *t = pk_agg_table_new(64, 8);
	struct pk_agg_key k = dst(1, 6);
	struct pk_agg a = { 10, 1000, 5, 6 };

	(void)state;
	assert_int_equal(pk_agg_table_see(t, &k, &a), 0);
	assert_int_equal(pk_agg_table_see(t, &k, &a), 0); /* the same again: nothing new */
	assert_int_equal(total(t), 10);
	a = (struct pk_agg){ 15, 1500, 5, 9 };
	pk_agg_table_see(t, &k, &a);
	assert_int_equal(total(t), 15);
	a.packets = 16;
	a.bytes = 1600;
	assert_int_equal(pk_agg_table_forget(t, &k, &a), 0); /* removed with its last packet */
	assert_int_equal(total(t), 16);
	a = (struct pk_agg){ 3, 300, 20, 21 };
	pk_agg_table_see(t, &k, &a); /* begun again */
	assert_int_equal(total(t), 19);
	assert_int_equal(pk_agg_table_proto(t, 6)->bytes, 1900);
	assert_int_equal(pk_agg_table_proto(t, 6)->first_ns, 5);
	assert_int_equal(pk_agg_table_proto(t, 6)->last_ns, 21);
	pk_agg_table_free(t);
}

static void test_rest_and_top(void **state)
{
	struct pk_agg_table *t = pk_agg_table_new(64, 8);
	struct pk_agg_entry top[3];
	struct pk_agg a;

	(void)state;
	for (unsigned i = 1; i <= 20; i++) {
		struct pk_agg_key k = dst(i, 17);

		a = (struct pk_agg){ i * 7 % 23, 1, 1, 1 };
		pk_agg_table_see(t, &k, &a);
	}
	assert_int_equal(pk_agg_table_top(t, top, 3), 3);
	assert_int_equal(top[0].sum.packets, 22);
	assert_int_equal(top[1].sum.packets, 21);
	assert_int_equal(top[2].sum.packets, 20);
	a = (struct pk_agg){ 1000, 5, 1, 1 };
	pk_agg_table_see_rest(t, 17, &a);
	pk_agg_table_see_rest(t, 17, &a);
	assert_int_equal(pk_agg_table_proto(t, 17)->packets, total(t));
	a.packets = 1001;
	pk_agg_table_see_rest(t, 17, &a);
	assert_int_equal(pk_agg_table_top(t, top, 3), 3); /* rest has no destination */
	assert_int_equal(total(t), pk_agg_table_proto(t, 17)->packets);
	pk_agg_table_free(t);
}

static void test_full(void **state)
{
	struct pk_agg_table *t = pk_agg_table_new(0, 8); /* raised to twice the kernel's */
	struct pk_table_use_count use;
	struct pk_agg a = { 1, 1, 1, 1 };
	struct pk_agg_key k;

	(void)state;
	for (unsigned i = 1; i <= 16; i++) {
		k = dst(i, 6);
		assert_int_equal(pk_agg_table_may_forget(t), i <= 9);
		assert_int_equal(pk_agg_table_see(t, &k, &a), 0);
	}
	k = dst(17, 6);
	assert_int_equal(pk_agg_table_see(t, &k, &a), -ENOSPC);
	pk_agg_table_counts(t, &use);
	assert_int_equal(use.used, 16);
	assert_int_equal(use.refused, 1);
	assert_int_equal(total(t), 16);
	pk_agg_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_rest_and_top),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests_name("flow/aggregate", tests, NULL, NULL);
}
