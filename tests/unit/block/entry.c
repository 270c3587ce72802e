/* SPDX-License-Identifier: Apache-2.0 */
#include "block/entry.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_texts(void **state)
{
	struct pk_block_texts t = { 0 };
	uint32_t at[2000];
	char s[16];

	(void)state;
	assert_int_equal(pk_block_text(&t, "", 0), 0);
	assert_string_equal(pk_block_text_at(&t, 0), "");
	for (int i = 0; i < 2000; i++) {
		int64_t r = pk_block_text(&t, s, (size_t)snprintf(s, sizeof(s), "text %d", i));

		assert_true(r > 0);
		at[i] = (uint32_t)r;
	}
	for (int i = 0; i < 2000; i++) {
		size_t len = (size_t)snprintf(s, sizeof(s), "text %d", i);

		assert_int_equal(pk_block_text(&t, s, len), at[i]);
		assert_string_equal(pk_block_text_at(&t, at[i]), s);
	}
	assert_int_equal(t.n, 2000);
	/* One text begins like another; a NUL ends it; an offset beyond the end is no text. */
	assert_int_not_equal(pk_block_text(&t, "text 1", 5), at[1]);
	assert_int_equal(pk_block_text(&t, "text 1\0more", 11), at[1]);
	assert_string_equal(pk_block_text_at(&t, (uint32_t)t.len), "");
	pk_block_texts_done(&t);
}

static struct pk_block_entry entry(uint8_t v4, uint8_t last, uint8_t bits)
{
	struct pk_block_entry e = { .v4 = v4, .bits = bits, .dir = PK_BLK_IN | PK_BLK_OUT };

	if (v4)
		e.prefix[10] = e.prefix[11] = 0xff;
	e.prefix[15] = last;
	return e;
}

static void test_order(void **state)
{
	/* Each one comes before the next. */
	struct pk_block_entry v[] = {
		entry(1, 0, 96),  entry(1, 0, 120), entry(1, 0, 128), entry(1, 1, 128),
		entry(1, 1, 128), entry(1, 1, 128), entry(1, 2, 128), entry(0, 0, 0),
		entry(0, 0, 128), entry(0, 1, 128), entry(0, 1, 128),
	};

	(void)state;
	v[4].proto = 6;
	v[5].proto = 6;
	v[5].port_hi = 80;
	v[10].iface = 7;
	for (size_t i = 0; i < PK_ARRAY_SIZE(v); i++) {
		for (size_t k = 0; k < PK_ARRAY_SIZE(v); k++) {
			int r = pk_block_entry_compare(&v[i], &v[k]);

			assert_int_equal((r > 0) - (r < 0), (i > k) - (i < k));
		}
	}
	v[0].reason = 3;
	v[0].expires_ms = 5;
	assert_int_equal(pk_block_entry_compare(
				 &v[0], &(struct pk_block_entry){ .prefix = { [10] = 0xff, 0xff },
								  .bits = 96,
								  .v4 = 1,
								  .dir = 3 }),
			 0);
}

static void test_has_cond(void **state)
{
	struct pk_block_entry e = entry(1, 1, 128), f = e;

	(void)state;
	assert_false(pk_block_entry_has_cond(&e));
	e.reason = 9;
	e.id = 9;
	assert_false(pk_block_entry_has_cond(&e));
	f.dir = PK_BLK_IN;
	assert_true(pk_block_entry_has_cond(&f));
	f = e;
	f.expires_ms = 1;
	assert_true(pk_block_entry_has_cond(&f));
	f = e;
	f.port_hi = 1;
	assert_true(pk_block_entry_has_cond(&f));
	f = e;
	f.iface = 1;
	assert_true(pk_block_entry_has_cond(&f));
	f = e;
	f.proto = 1;
	assert_true(pk_block_entry_has_cond(&f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_has_cond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
