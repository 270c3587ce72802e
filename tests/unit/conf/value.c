/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/conf.h"
#include "conf/schema.h"

#include <errno.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static const char *const colours[] = { "red", "green", NULL };

static const struct pk_conf_row duration = { .type = PK_CONF_DURATION,
					     .min = 1000000,
					     .max = 3600000000000 };
static const struct pk_conf_row size = { .type = PK_CONF_SIZE, .min = 1024, .max = 1 << 30 };
static const struct pk_conf_row percent = { .type = PK_CONF_PERCENT, .min = 1, .max = 100 };
static const struct pk_conf_row slots = { .type = PK_CONF_SLOTS, .min = 8, .max = 1 << 20 };
static const struct pk_conf_row count = { .type = PK_CONF_COUNT, .min = 0, .max = UINT64_MAX };
static const struct pk_conf_row colour = {
	.type = PK_CONF_CHOICE, .min = 3, .max = 4, .choices = colours
};

static void test_numbers(void **state)
{
	static const struct {
		const struct pk_conf_row *row;
		const char *in;
		int r;
		uint64_t v;
		const char *out;
	} t[] = {
		{ &duration, "500ms", 0, 500000000, "500ms" },
		{ &duration, "10s", 0, 10000000000, "10s" },
		{ &duration, "60s", 0, 60000000000, "1m" },
		{ &duration, "1h", 0, 3600000000000, "1h" },
		{ &duration, "2h", -ERANGE, 0, NULL },
		{ &duration, "0ms", -ERANGE, 0, NULL },
		{ &duration, "10", -EINVAL, 0, NULL },
		{ &duration, "10 s", -EINVAL, 0, NULL },
		{ &duration, "-1s", -EINVAL, 0, NULL },
		{ &duration, "s", -EINVAL, 0, NULL },
		{ &duration, "", -EINVAL, 0, NULL },
		{ &duration, "1.5s", -EINVAL, 0, NULL },
		{ &duration, "99999999999999999999s", -ERANGE, 0, NULL },
		{ &duration, "9999999999999999h", -ERANGE, 0, NULL },
		{ &size, "8M", 0, 8 << 20, "8M" },
		{ &size, "5M", 0, 8 << 20, "8M" },
		{ &size, "1536", 0, 2048, "2K" },
		{ &size, "2G", -ERANGE, 0, NULL },
		{ &size, "8m", -EINVAL, 0, NULL },
		{ &percent, "50", 0, 50, "50%" },
		{ &percent, "50%", 0, 50, "50%" },
		{ &percent, "0%", -ERANGE, 0, NULL },
		{ &percent, "101", -ERANGE, 0, NULL },
		{ &slots, "1000", 0, 1024, "1024" },
		{ &slots, "8", 0, 8, "8" },
		{ &count, "0", 0, 0, "0" },
		{ &count, "18446744073709551615", 0, UINT64_MAX, "18446744073709551615" },
		{ &count, "18446744073709551616", -ERANGE, 0, NULL },
		{ &count, "0x10", -EINVAL, 0, NULL },
		{ &colour, "green", 0, 4, "green" },
		{ &colour, "gree", -EINVAL, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(t); i++) {
		struct pk_buf b = { 0 };
		uint64_t v = 77;

		assert_int_equal(pk_conf_parse(t[i].row, t[i].in, &v), t[i].r);
		assert_int_equal(v, t[i].r ? 77 : t[i].v);
		if (t[i].out) {
			pk_conf_format(t[i].row, &v, &b);
			assert_string_equal(b.data, t[i].out);
		}
		pk_buf_done(&b);
	}
}

static void test_text(void **state)
{
	const struct pk_conf_row path = { .type = PK_CONF_PATH, .min = 0, .max = 8 };
	const struct pk_conf_row name = { .type = PK_CONF_NAME, .min = 1, .max = 8 };
	struct pk_buf b = { 0 };
	char *s = NULL;

	(void)state;
	assert_int_equal(pk_conf_parse(&path, "/a\"\\b", &s), 0);
	pk_conf_format(&path, &s, &b);
	assert_string_equal(b.data, "\"/a\\\"\\\\b\"");
	assert_int_equal(pk_conf_parse(&path, "rel", &s), -EINVAL);
	assert_int_equal(pk_conf_parse(&path, "/a\nb", &s), -EINVAL);
	assert_int_equal(pk_conf_parse(&path, "/too/long", &s), -ERANGE);
	assert_string_equal(s, "/a\"\\b");
	assert_int_equal(pk_conf_parse(&path, "", &s), 0);
	assert_int_equal(pk_conf_parse(&name, "", &s), -ERANGE);
	assert_string_equal(s, "");
	free(s);
	pk_buf_done(&b);
}

static void test_list(void **state)
{
	const struct pk_conf_row row = { .type = PK_CONF_LIST, .max = 2 };
	struct pk_conf_list list = { 0 };
	struct pk_buf b = { 0 };

	(void)state;
	assert_int_equal(pk_conf_list_add(&row, &list, ""), -EINVAL);
	assert_int_equal(pk_conf_list_add(&row, &list, "eth*"), 0);
	assert_int_equal(pk_conf_list_add(&row, &list, "lo"), 0);
	assert_int_equal(pk_conf_list_add(&row, &list, "x"), -E2BIG);
	pk_conf_format(&row, &list, &b);
	assert_string_equal(b.data, "[\"eth*\", \"lo\"]");
	pk_conf_list_done(&list);
	assert_int_equal(list.n, 0);
	pk_buf_done(&b);
}

static void test_nets(void **state)
{
	const struct pk_conf_row row = { .type = PK_CONF_LIST, .max = 4, .nets = true };
	struct pk_conf_list list = { 0 };

	(void)state;
	assert_int_equal(pk_conf_list_add(&row, &list, "10.0.0.0/8"), 0);
	assert_int_equal(pk_conf_list_add(&row, &list, "2001:db8::1"), 0);
	assert_int_equal(pk_conf_list_add(&row, &list, "10.0.0.0/33"), -EINVAL);
	assert_int_equal(pk_conf_list_add(&row, &list, "office"), -EINVAL);
	assert_int_equal(list.n, 2);
	pk_conf_list_done(&list);
}

static void test_bool(void **state)
{
	const struct pk_conf_row row = { .type = PK_CONF_BOOL };
	bool v = false;

	(void)state;
	assert_int_equal(pk_conf_parse(&row, "true", &v), 0);
	assert_true(v);
	assert_int_equal(pk_conf_parse(&row, "off", &v), -EINVAL);
	assert_true(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_text),
		cmocka_unit_test(test_list),    cmocka_unit_test(test_nets),
		cmocka_unit_test(test_bool),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
