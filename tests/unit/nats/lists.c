/* SPDX-License-Identifier: Apache-2.0 */
#include "nats/lists.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void a_head_is_read_as_it_was_written(void **state)
{
	struct pk_nats_head h = { .size = 1234567 }, got;
	char text[PK_NATS_HEAD], key[PK_NATS_KEY];

	(void)state;
	for (size_t i = 0; i < sizeof(h.sha256); i++)
		h.sha256[i] = (uint8_t)i;
	pk_nats_head_write(&h, text);
	assert_string_equal(text, "picket-list 1 " HEX " 1234567");
	assert_int_equal(pk_nats_head_read(text, strlen(text), &got), 0);
	assert_memory_equal(got.sha256, h.sha256, sizeof(h.sha256));
	assert_true(got.size == h.size);
	assert_int_equal(pk_nats_parts(&got), 10);
	pk_nats_part_key("drop.v4", &h, 2, key);
	assert_string_equal(key, "drop.v4=" HEX "=2");
}

static void what_is_no_head_is_refused(void **state)
{
	static const char *const bad[] = { "",
					   "picket-list 1 ",
					   "picket-list 1 " HEX,
					   "picket-list 1 " HEX " ",
					   "picket-list 1 " HEX " 0",
					   "picket-list 1 " HEX " 01",
					   "picket-list 1 " HEX " -1",
					   "picket-list 1 " HEX " 5x",
					   "picket-list 1 " HEX " 5 ",
					   "picket-list 1 " HEX " 2147483649",
					   "picket-list 1 " HEX " 99999999999999999999999999999",
					   "picket-list 2 " HEX " 5",
					   "picket-list 1 x" HEX " 5",
					   "picket-list 1 " HEX "0 5" };
	struct pk_nats_head h = { .size = 7 };
	char long_one[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pk_nats_head_read(bad[i], strlen(bad[i]), &h), -EBADMSG);
	assert_int_equal(pk_nats_head_read("picket-list 1 " HEX " 5\0", 82, &h), -EBADMSG);
	memset(long_one, '1', sizeof(long_one));
	memcpy(long_one, "picket-list 1 " HEX " ", 79);
	assert_int_equal(pk_nats_head_read(long_one, sizeof(long_one), &h), -EBADMSG);
	assert_true(h.size == 7);
	assert_int_equal(pk_nats_head_read("picket-list 1 " HEX " 2147483648", 89, &h), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_read_as_it_was_written),
		cmocka_unit_test(what_is_no_head_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
