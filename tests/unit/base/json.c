/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <errno.h>
#include <float.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_document(void **state)
{
	struct pk_buf b = { 0 };
	struct pk_json j;

	(void)state;
	pk_json_init(&j, &b);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "s", "a\"b\\\n\xff");
	pk_json_str(&j, "absent", NULL);
	pk_json_u64(&j, "u", UINT64_MAX);
	pk_json_i64(&j, "i", INT64_MIN);
	pk_json_u64(&j, "zero", 0);
	pk_json_arr(&j, "empty");
	pk_json_end(&j);
	pk_json_arr(&j, "list");
	for (int i = 0; i < 3; i++) {
		pk_json_obj(&j, NULL);
		pk_json_bool(&j, "odd", i & 1);
		pk_json_end(&j);
	}
	pk_json_null(&j, NULL);
	pk_json_end(&j);
	pk_json_dbl(&j, "d", 0.25);
	pk_json_dbl(&j, "nan", NAN);
	pk_json_strn(&j, "k\"ey", "ab", 1);
	pk_json_end(&j);
	assert_int_equal(b.error, 0);
	assert_string_equal(b.data,
			    "{\"s\":\"a\\\"b\\\\\\\\\\u000A\\\\xFF\",\"u\":18446744073709551615,"
			    "\"i\":-9223372036854775808,\"zero\":0,\"empty\":[],\"list\":["
			    "{\"odd\":false},{\"odd\":true},{\"odd\":false},null],"
			    "\"d\":0.25,\"nan\":null,\"k\\\"ey\":\"a\"}");
	pk_buf_done(&b);
}

/* Any text in any place: jansson, which is strict, must load the document and give it back. */
static void test_any_text_loads(void **state)
{
	uint32_t x = 7;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct pk_buf b = { 0 };
		struct pk_json j;
		char text[32];
		json_t *root;

		for (size_t i = 0; i < sizeof(text); i++) {
			x = x * 1664525 + 1013904223;
			text[i] = x & 0x8000 ? x >> 24 : 0xe0 | x >> 28;
		}
		pk_json_init(&j, &b);
		pk_json_obj(&j, NULL);
		pk_json_strn(&j, "text", text, sizeof(text));
		pk_json_i64(&j, "after", -1);
		pk_json_end(&j);
		root = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(root);
		assert_true(json_is_string(json_object_get(root, "text")));
		assert_int_equal(json_integer_value(json_object_get(root, "after")), -1);
		json_decref(root);
		pk_buf_done(&b);
	}
}

static void test_doubles_come_back(void **state)
{
	static const double t[] = { 0, 0.1, -1e-300, 1.0 / 3, DBL_MAX, -DBL_MIN, 1e15, 123456.789 };

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(t); i++) {
		struct pk_buf b = { 0 };
		struct pk_json j;

		pk_json_init(&j, &b);
		pk_json_dbl(&j, NULL, t[i]);
		assert_true(strtod(b.data, NULL) == t[i]);
		if (i == 1)
			assert_string_equal(b.data, "0.1");
		pk_buf_done(&b);
	}
}

static void test_depth(void **state)
{
	struct pk_buf b = { 0 };
	struct pk_json j;

	(void)state;
	pk_json_init(&j, &b);
	for (int i = 0; i < PK_JSON_DEPTH - 1; i++)
		pk_json_arr(&j, NULL);
	assert_int_equal(b.error, 0);
	pk_json_obj(&j, NULL);
	assert_int_equal(b.error, -EOVERFLOW);
	pk_buf_reset(&b);
	pk_json_init(&j, &b);
	pk_json_end(&j);
	assert_int_equal(b.error, -EOVERFLOW);
	pk_buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_any_text_loads),
		cmocka_unit_test(test_doubles_come_back),
		cmocka_unit_test(test_depth),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
