/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/label.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static unsigned rare(const char *s)
{
	return pk_label_rare_percent(s, strlen(s));
}

static void test_labels(void **state)
{
	static const char *const people[] = { "wikipedia",         "stackoverflow", "cloudfront",
					      "googleapis",        "microsoft",     "deutschebank",
					      "my-long-shop-name", "akamaiedge" };
	static const char *const programs[] = { "xkqwzlvbnmfghjd", "q7w2k5zx3v6j", "f94201fdf54b",
						"kjsdhfkjh", "nqzvbtrwpl" };

	(void)state;
	for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++)
		if (rare(people[i]) >= PK_LABEL_RANDOM)
			fail_msg("%s: %u", people[i], rare(people[i]));
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (rare(programs[i]) < PK_LABEL_RANDOM)
			fail_msg("%s: %u", programs[i], rare(programs[i]));
	assert_int_equal(rare("xq"), 0); /* too short to tell */
	assert_int_equal(rare("......."), 0);
	assert_in_range(rare("\xff\x80zzzqx"), 0, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
