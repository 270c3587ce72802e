/* SPDX-License-Identifier: Apache-2.0 */
#include "base/escape.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

typedef void (*escape_fn)(struct pk_buf *out, const char *s, size_t len);

static void expect(escape_fn fn, const char *in, size_t len, const char *out)
{
	struct pk_buf b = { 0 };

	fn(&b, in, len);
	assert_int_equal(b.error, 0);
	assert_string_equal(b.data ? b.data : "", out);
	pk_buf_done(&b);
}

static void test_every_byte(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		char in = i, text[16];

		snprintf(text, sizeof(text), i >= 0x20 && i < 0x7f ? "%c" : "\\x%02X", i);
		if (i == '\n' || i == '\r' || i == '\t' || i == 0x1b)
			snprintf(text, sizeof(text), "\\%c",
				 i == '\n'   ? 'n'
				 : i == '\r' ? 'r'
				 : i == '\t' ? 't'
					     : 'e');
		if (i == '\\')
			strcpy(text, "\\\\");
		expect(pk_escape_text, &in, 1, text);
	}
}

static void test_unsafe_code_points(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xe6\x97\xa5\xf0\x9f\x90\x9f", "\xe6\x97\xa5\xf0\x9f\x90\x9f" },
		{ "a\xe2\x80\xae"
		  "b",
		  "a\\u{202E}b" },
		{ "\xe2\x80\x8b", "\\u{200B}" },
		{ "\xe2\x81\xa6\xe2\x81\xa9", "\\u{2066}\\u{2069}" },
		{ "\xe2\x80\xa8", "\\u{2028}" },
		{ "\xef\xbb\xbf", "\\u{FEFF}" },
		{ "\xd8\x9c", "\\u{061C}" },
		{ "\xc2\x9b"
		  "31m",
		  "\\u{009B}31m" },
		{ "\xf3\xa0\x81\x81", "\\u{E0041}" },
		{ "\xef\xbf\xbf", "\\u{FFFF}" },
		{ "\x1b]0;x\x07", "\\e]0;x\\x07" },
		/* not UTF-8: overlong, surrogate, beyond the end, cut, lone continuation */
		{ "\xc0\xaf", "\\xC0\\xAF" },
		{ "\xe0\x80\x8a", "\\xE0\\x80\\x8A" },
		{ "\xed\xa0\x80", "\\xED\\xA0\\x80" },
		{ "\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80" },
		{ "\xe2\x80", "\\xE2\\x80" },
		{ "\xe2(\x80", "\\xE2(\\x80" },
		{ "\xf0\x9f\x90", "\\xF0\\x9F\\x90" },
		{ "C:\\x41", "C:\\\\x41" },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(t); i++)
		expect(pk_escape_text, t[i].in, strlen(t[i].in), t[i].out);
}

/* Turns pk_escape_text() back, to show that nothing is lost or ambiguous. */
static size_t unescape(const char *s, char *out)
{
	char *o = out;

	while (*s) {
		unsigned v;

		if (*s != '\\') {
			*o++ = *s++;
			continue;
		}
		s++;
		if (*s == 'x') {
			assert_int_equal(sscanf(s, "x%02X", &v), 1);
			*o++ = v;
			s += 3;
		} else if (*s == 'u') {
			assert_int_equal(sscanf(s, "u{%X}", &v), 1);
			if (v < 0x800) {
				*o++ = 0xc0 | v >> 6;
			} else if (v < 0x10000) {
				*o++ = 0xe0 | v >> 12;
				*o++ = 0x80 | (v >> 6 & 0x3f);
			} else {
				*o++ = 0xf0 | v >> 18;
				*o++ = 0x80 | (v >> 12 & 0x3f);
				*o++ = 0x80 | (v >> 6 & 0x3f);
			}
			*o++ = 0x80 | (v & 0x3f);
			s = strchr(s, '}') + 1;
		} else {
			*o++ = *s == 'n'   ? '\n'
			       : *s == 'r' ? '\r'
			       : *s == 't' ? '\t'
			       : *s == 'e' ? 0x1b
					   : *s;
			s++;
		}
	}
	return o - out;
}

static void test_turns_back(void **state)
{
	uint32_t x = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char in[40], back[40];
		struct pk_buf b = { 0 };
		size_t len;

		x = x * 1664525 + 1013904223;
		len = x >> 24 & 31;
		for (size_t i = 0; i < len; i++) {
			static const uint8_t often[] = { 0xe2, 0x80, 0xae, '\\',
							 0xf3, 0xa0, 'u',  '{' };

			x = x * 1664525 + 1013904223;
			in[i] = x & 0x10000 ? often[x >> 20 & 7] : x >> 24;
		}
		pk_escape_text(&b, in, len);
		assert_int_equal(unescape(b.data ? b.data : "", back), len);
		assert_memory_equal(back, in, len);
		pk_buf_done(&b);
	}
}

static void test_json_every_byte_loads(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		char in = i, text[8];
		struct pk_buf b = { 0 };
		json_t *v;

		pk_buf_char(&b, '"');
		pk_escape_json(&b, &in, 1);
		pk_buf_char(&b, '"');
		for (size_t k = 0; k < b.len; k++)
			assert_true((uint8_t)b.data[k] >= 0x20 && (uint8_t)b.data[k] < 0x7f);
		v = json_loadb(b.data, b.len, JSON_DECODE_ANY, NULL);
		assert_non_null(v);
		snprintf(text, sizeof(text), i && i < 0x80 ? "%c" : "\\x%02X", i);
		assert_string_equal(json_string_value(v), i == '\\' ? "\\\\" : text);
		json_decref(v);
		pk_buf_done(&b);
	}
}

static void test_json_code_points(void **state)
{
	(void)state;
	expect(pk_escape_json, "\xe2\x80\xae", 3, "\\u202E");
	expect(pk_escape_json, "\xf3\xa0\x81\x81", 4, "\\uDB40\\uDC41");
	expect(pk_escape_json, "\xc3\xbc\"", 3, "\xc3\xbc\\\"");
	expect(pk_escape_json, "a\x7f", 2, "a\\u007F");
}

/* Through a parser and back: what went in comes out, but for a NUL. */
static void test_json_turns_back(void **state)
{
	static const char *const texts[] = {
		"",         "plain",    "\\",    "\\\\x41",      "\\x",  "\\x4",  "a\xff\x80z",
		"\xc3\xbc", "\x01\x1f", "C:\\x", "\xe2\x80\xae", "\\\\", "\\xzz",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		_cleanup_(pk_buf_done) struct pk_buf b = {};
		json_t *j;
		char *s;

		pk_buf_str(&b, "[\"");
		pk_escape_json(&b, texts[i], strlen(texts[i]));
		pk_buf_str(&b, "\"]");
		j = json_loads(b.data, 0, NULL);
		assert_non_null(j);
		s = strdup(json_string_value(json_array_get(j, 0)));
		pk_unescape_json(s);
		assert_string_equal(s, texts[i]);
		free(s);
		json_decref(j);
	}
}

static void test_csv(void **state)
{
	(void)state;
	expect(pk_escape_csv, "", 0, "");
	expect(pk_escape_csv, "plain", 5, "plain");
	expect(pk_escape_csv, "a,b", 3, "\"a,b\"");
	expect(pk_escape_csv, "a\"b", 3, "\"a\"\"b\"");
	expect(pk_escape_csv, "a\nb", 3, "a\\nb");
	expect(pk_escape_csv, "=1+1", 4, "'=1+1");
	expect(pk_escape_csv, "@x,y", 4, "\"'@x,y\"");
	expect(pk_escape_csv, "-", 1, "'-");
	expect(pk_escape_csv, "\0=", 2, "\\x00=");
	expect(pk_escape_csv, " x", 2, "\" x\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_unsafe_code_points),
		cmocka_unit_test(test_turns_back),
		cmocka_unit_test(test_json_every_byte_loads),
		cmocka_unit_test(test_json_code_points),
		cmocka_unit_test(test_json_turns_back),
		cmocka_unit_test(test_csv),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
