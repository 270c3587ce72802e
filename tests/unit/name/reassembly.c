/* SPDX-License-Identifier: Apache-2.0 */
/* Segments in any order, size and overlap become the bytes that were sent, or nothing. */
#include "name/reassembly.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t sent[PK_REASSEMBLY_BYTES + 5000];

static struct pk_reassembled add(struct pk_reassembly *r, uint32_t base, size_t from, size_t len)
{
	struct pk_reassembled got;

	(void)pk_reassembly_add(r, 7, 1, base + (uint32_t)from, sent + from, len, &got);
	return got;
}

static void test_orders(void **state)
{
	static const uint32_t bases[] = { 0, 1, 0x7fffff00, 0xffffff80 };

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		struct pk_reassembly *r = pk_reassembly_new(4);
		struct pk_reassembled got = { 0 };
		uint32_t base = bases[round % 4];
		size_t total = 1 + (size_t)rand() % 6000, piece = 1 + total / 7, n = 0;
		size_t at[8];

		for (size_t from = 0; from < total; from += piece)
			at[n++] = from;
		for (size_t i = n - 1; i > 0; i--) { /* any order, the first one last at times */
			size_t k = (size_t)rand() % (i + 1), x = at[i];

			at[i] = at[k];
			at[k] = x;
		}
		for (size_t i = 0; i < n; i++) {
			size_t len = at[i] + piece > total ? total - at[i] : piece;
			size_t more = round % 3 ? 0 : (size_t)rand() % (total - at[i] - len + 1);

			got = add(r, base, at[i], len + more);
			if (rand() % 3 == 0)
				got = add(r, base, at[i], len); /* again */
		}
		assert_int_equal(got.len, total);
		assert_int_equal(got.beyond, 0);
		assert_memory_equal(got.data, sent, total);
		pk_reassembly_free(r);
	}
}

static void test_first_byte_alone(void **state)
{
	struct pk_reassembly *r = pk_reassembly_new(4);
	struct pk_reassembled got = add(r, 100, 0, 1);

	(void)state;
	assert_int_equal(got.len, 1);
	got = add(r, 100, 300, 50);
	assert_int_equal(got.len, 1);
	assert_int_equal(got.beyond, 50);
	got = add(r, 100, 1, 299);
	assert_int_equal(got.len, 350);
	assert_memory_equal(got.data, sent, 350);
	for (size_t i = 350; i < 400; i++)
		got = add(r, 100, i, 1);
	assert_int_equal(got.len, 400);
	pk_reassembly_free(r);
}

static void test_disagree(void **state)
{
	struct pk_reassembly *r = pk_reassembly_new(4);
	struct pk_reassembly_count n;
	struct pk_reassembled got;
	uint8_t lie[100];

	(void)state;
	memset(lie, 'L', sizeof(lie));
	(void)add(r, 0, 10, 20);
	assert_int_equal(pk_reassembly_add(r, 7, 1, 0, lie, 40, &got), 0);
	assert_int_equal(got.len, 40);
	assert_memory_equal(got.data, lie, 10);
	assert_memory_equal(got.data + 10, sent + 10, 20); /* what came first stays */
	assert_memory_equal(got.data + 30, lie, 10);
	pk_reassembly_counts(r, &n);
	assert_int_equal(n.differ, 1);
	pk_reassembly_free(r);
}

static void test_out_of_reach(void **state)
{
	struct pk_reassembly *r = pk_reassembly_new(4);
	struct pk_reassembly_count n;
	struct pk_reassembled got;
	uint8_t lie[10] = { 0 };

	(void)state;
	(void)add(r, 1000000, 0, 100);
	assert_int_equal(pk_reassembly_add(r, 7, 1, 2000000, lie, 10, &got), -ERANGE);
	assert_int_equal(pk_reassembly_add(r, 7, 1, 900000, lie, 10, &got), -ERANGE);
	assert_int_equal(got.len, 100); /* still there */
	for (unsigned i = 0; i < PK_REASSEMBLY_HOLES + 3; i++)
		got = add(r, 1000000, 200 + 20 * i, 10); /* too many apart */
	assert_int_equal(got.beyond, 10 * (PK_REASSEMBLY_HOLES - 1));
	pk_reassembly_counts(r, &n);
	assert_int_equal(n.refused, 2 + 4);
	got = add(r, 1000000, 0, sizeof(sent)); /* fills all there is room for */
	assert_int_equal(got.len, PK_REASSEMBLY_BYTES);
	assert_true(got.full);
	assert_memory_equal(got.data, sent, PK_REASSEMBLY_BYTES);
	pk_reassembly_free(r);
}

static void test_skip(void **state)
{
	struct pk_reassembly *r = pk_reassembly_new(4);
	struct pk_reassembled got;

	(void)state;
	(void)add(r, 50, 0, 100);
	(void)add(r, 50, 150, 50);
	pk_reassembly_skip(r, 7, 1, 60);
	got = add(r, 50, 20, 50); /* read already, and a little */
	assert_int_equal(got.len, 40);
	assert_memory_equal(got.data, sent + 60, 40);
	got = add(r, 50, 0, 10);
	assert_int_equal(got.len, 40);
	got = add(r, 50, 100, 50);
	assert_int_equal(got.len, 140);
	assert_memory_equal(got.data, sent + 60, 140);
	pk_reassembly_skip(r, 7, 1, 141); /* more than there is: nothing */
	pk_reassembly_skip(r, 7, 1, 140);
	got = add(r, 50, 200, 30);
	assert_int_equal(got.len, 30);
	assert_memory_equal(got.data, sent + 200, 30);
	pk_reassembly_free(r);
}

static void test_bound(void **state)
{
	struct pk_reassembly *r = pk_reassembly_new(16);
	struct pk_reassembly_count n;
	struct pk_reassembled got;

	(void)state;
	for (uint64_t flow = 1; flow <= 100; flow++) {
		(void)pk_reassembly_add(r, flow, 0, 0, sent, 10, &got);
		(void)pk_reassembly_add(r, 1, 0, 0, sent, 10, &got); /* touched: stays */
	}
	pk_reassembly_counts(r, &n);
	assert_int_equal(n.used, 16);
	assert_int_equal(n.evicted, 100 - 16);
	assert_true(pk_reassembly_has(r, 1, 0));
	assert_false(pk_reassembly_has(r, 1, 1));
	assert_false(pk_reassembly_has(r, 2, 0));
	for (uint64_t flow = 1; flow <= 100; flow++)
		pk_reassembly_drop(r, flow, 0);
	pk_reassembly_counts(r, &n);
	assert_int_equal(n.used, 0);
	pk_reassembly_skip(r, 1, 0, 1); /* none: nothing */
	pk_reassembly_free(r);
	pk_reassembly_free(NULL);
}

/* Random segments of two streams against a plain model of what must be there. */
static void test_random(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		struct pk_reassembly *r = pk_reassembly_new(2);
		bool have[2000] = { false };

		for (unsigned i = 0; i < 60; i++) {
			size_t from = (size_t)rand() % 1900, len = 1 + (size_t)rand() % 100,
			       run = 0;
			struct pk_reassembled got;

			if (!i)
				from = 0;
			if (pk_reassembly_add(r, 9, 0, 5 + (uint32_t)from, sent + from, len,
					      &got) == 0)
				memset(have + from, true, len);
			while (have[run])
				run++;
			assert_int_equal(got.len, run);
			assert_memory_equal(got.data, sent, run);
		}
		pk_reassembly_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),   cmocka_unit_test(test_first_byte_alone),
		cmocka_unit_test(test_disagree), cmocka_unit_test(test_out_of_reach),
		cmocka_unit_test(test_skip),     cmocka_unit_test(test_bound),
		cmocka_unit_test(test_random),
	};

	srand(1);
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)rand();
	return cmocka_run_group_tests_name("name/reassembly", tests, NULL, NULL);
}
