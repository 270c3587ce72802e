/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/delta.h"

#include "place.h"

#include <errno.h>

#define LINES 200000

/* A list of addresses; every nth line is another one. */
static void list_of(struct pk_buf *out, unsigned other)
{
	for (unsigned i = 0; i < LINES; i++) {
		unsigned a = (i * 2654435761u) ^ (other && i % other == 0 ? 0x5a5a5a5a : 0);

		pk_buf_fmt(out, "%u.%u.%u.%u\n", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
	}
}

static void changes_of_a_large_list_are_small(void **state)
{
	struct pk_buf base = { 0 }, next = { 0 };
	void *delta, *out = NULL;
	size_t len;

	(void)state;
	list_of(&base, 0);
	list_of(&next, 1000); /* 200 of them */
	assert_int_equal(pk_delta_make(base.data, base.len, next.data, next.len, &delta, &len), 0);
	print_message("# 200 of 200,000 lines changed: %zu bytes for a list of %zu\n", len,
		      next.len);
	assert_true(len < 16384);
	assert_int_equal(pk_delta_apply(base.data, base.len, delta, len, next.len, &out), 0);
	assert_memory_equal(out, next.data, next.len);
	free(out);
	/* of another size, from another base, cut short: none of it */
	assert_int_equal(pk_delta_apply(base.data, base.len, delta, len, next.len - 1, &out),
			 -EBADMSG);
	assert_int_equal(pk_delta_apply(base.data, base.len, delta, len, next.len + 1, &out),
			 -EBADMSG);
	assert_int_equal(pk_delta_apply(base.data, base.len, delta, len - 1, next.len, &out),
			 -EBADMSG);
	if (pk_delta_apply(base.data + 7, base.len - 7, delta, len, next.len, &out) == 0) {
		assert_memory_not_equal(out, next.data, next.len); /* the digest finds it */
		free(out);
	}
	free(delta);
	pk_buf_done(&base);
	pk_buf_done(&next);
}

static void from_and_to_nothing(void **state)
{
	void *delta, *out;
	size_t len;

	(void)state;
	assert_int_equal(pk_delta_make("", 0, "abc", 3, &delta, &len), 0);
	assert_int_equal(pk_delta_apply("", 0, delta, len, 3, &out), 0);
	assert_memory_equal(out, "abc", 3);
	free(delta);
	free(out);
	assert_int_equal(pk_delta_make("abc", 3, "", 0, &delta, &len), 0);
	assert_int_equal(pk_delta_apply("abc", 3, delta, len, 0, &out), 0);
	free(delta);
	free(out);
	assert_int_equal(pk_delta_apply("abc", 3, "nonsense", 8, 3, &out), -EBADMSG);
	assert_int_equal(pk_delta_apply("abc", 3, "", 0, 3, &out), -EBADMSG);
	assert_int_equal(pk_delta_apply("abc", 3, "", 0, 1ull << 40, &out), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_of_a_large_list_are_small),
		cmocka_unit_test(from_and_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
