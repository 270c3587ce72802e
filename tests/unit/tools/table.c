/* SPDX-License-Identifier: Apache-2.0 */
/* Cells keep their width whatever the text; hostile text never passes raw. */
#include "../../../tools/table.h"

#include "base/cleanup.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void cell_is(const char *text, unsigned width, bool right, const char *want)
{
	_cleanup_(pk_buf_done) struct pk_buf b = {};

	pk_table_cell(&b, text, width, right);
	assert_string_equal(b.data, want);
	assert_int_equal(pk_text_width(b.data), width);
}

static void cells_pad_and_cut(void **state)
{
	(void)state;
	cell_is("abc", 5, false, "abc  ");
	cell_is("abc", 5, true, "  abc");
	cell_is("abcde", 5, false, "abcde");
	cell_is("abcdefghij", 7, false, "abcd…ij");
	cell_is("abcdef", 1, false, "…");
	cell_is("Ünïcödé", 7, false, "Ünïcödé");
}

static void every_cut_has_its_width(void **state)
{
	const char *text = "漢字かな交じり文 and some Ünïcode 🦀 text";

	(void)state;
	for (unsigned w = 1; w < 60; w++) {
		_cleanup_(pk_buf_done) struct pk_buf b = {};

		pk_table_cell(&b, text, w, false);
		assert_int_equal(pk_text_width(b.data), w);
	}
}

static void human_is(double n, const char *want)
{
	_cleanup_(pk_buf_done) struct pk_buf b = {};

	pk_human_bytes(&b, n);
	assert_string_equal(b.data, want);
}

static void numbers_are_short(void **state)
{
	(void)state;
	human_is(0, "0");
	human_is(999, "999");
	human_is(1024, "1.0K");
	human_is(1536 * 1024.0, "1.5M");
	human_is(123456789, "118M");
	human_is(1e18, "888P");
	human_is(-5, "0");
}

static void v_name(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_add(out, json_string_value(json_object_get(r, "name")),
		   json_string_length(json_object_get(r, "name")));
}

/* Whatever a process calls itself, no control byte reaches the terminal in any format. */
static void hostile_names_stay_harmless(void **state)
{
	static const struct pk_column col[] = { { "NAME", 4, false, true, v_name } };
	json_t *r = json_pack("{s:s}", "name", "\x1b[2J\r\n\xe2\x80\xae=cmd|\xc2\x9b");

	(void)state;
	for (int f = PK_FORMAT_TABLE; f <= PK_FORMAT_CSV; f++) {
		_cleanup_(pk_buf_done) struct pk_buf b = {};
		struct pk_table t;

		pk_table_init(&t, col, 1, (enum pk_format)f);
		pk_table_row(&t, &b, r);
		assert_int_equal(b.error, 0);
		assert_null(strchr(b.data, 0x1b));
		assert_null(strchr(b.data, '\r'));
		assert_null(strstr(b.data, "\xe2\x80\xae"));
		assert_null(strstr(b.data, "\xc2\x9b"));
		assert_non_null(strstr(b.data, "cmd|"));
	}
	json_decref(r);
}

static void paths_find_members(void **state)
{
	json_t *o = json_pack("{s:{s:{s:i}}, s:s}", "a", "b", "c", 7, "t", "x");

	(void)state;
	assert_true(pk_json_num(o, "a.b.c") == 7);
	assert_true(pk_json_num(o, "a.x.c") == 0);
	assert_string_equal(pk_json_text(o, "t"), "x");
	assert_string_equal(pk_json_text(o, "a"), "");
	assert_null(pk_json_at(NULL, "a"));
	json_decref(o);
}

static void v_text(struct pk_buf *out, json_t *record, bool human)
{
	(void)human;
	pk_buf_str(out, json_string_value(json_object_get(record, "text")));
}

/* Text with escapes of its own is shown as it is, as long as nothing hides in it. */
static void escaped_text_stays(void **state)
{
	static const struct pk_column col[] = { { "TEXT", 8, false, true, v_text } };
	static const struct {
		const char *text;
		uint32_t escaped;
		const char *want;
	} rows[] = {
		{ "a\\032b", 1, "a\\032b\n" },
		{ "a\\032b", 0, "a\\\\032b\n" },
		{ "a\\032\x1b[2J", 1, "a\\\\032\\e[2J\n" },
		{ "a\xc3\xa4\\", 1, "a\xc3\xa4\\\\\n" },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		struct pk_table t = {
			.col = col, .n = 1, .headed = true, .escaped = rows[i].escaped
		};
		_cleanup_(pk_buf_done) struct pk_buf b = {};
		json_t *record = json_pack("{ss}", "text", rows[i].text);

		pk_table_row(&t, &b, record);
		assert_string_equal(b.data, rows[i].want);
		json_decref(record);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escaped_text_stays),          cmocka_unit_test(cells_pad_and_cut),
		cmocka_unit_test(every_cut_has_its_width),     cmocka_unit_test(numbers_are_short),
		cmocka_unit_test(hostile_names_stay_harmless), cmocka_unit_test(paths_find_members),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
