/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the decision what may be shown raw. It does not decide where text is cut or how wide it is
 * on a screen.
 */
#include "base/escape.h"

#include "base/buf.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Code points that change how their surroundings look, or that can't be seen. */
static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x61c || c == 0x180e ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '\\' && c != '"';
}

/* Length of the well-formed sequence at s (RFC 3629: no overlong forms, no surrogates), or 0. */
static size_t utf8_next(const uint8_t *s, size_t len, uint32_t *ret_c)
{
	uint8_t lo = 0x80, hi = 0xbf;
	uint32_t c;
	size_t n;

	if (s[0] < 0x80) {
		*ret_c = s[0];
		return 1;
	}
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n > len)
		return 0;
	if (s[0] == 0xe0)
		lo = 0xa0;
	else if (s[0] == 0xed)
		hi = 0x9f;
	else if (s[0] == 0xf0)
		lo = 0x90;
	else if (s[0] == 0xf4)
		hi = 0x8f;
	if (s[1] < lo || s[1] > hi)
		return 0;
	c = s[0] & (0xff >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	*ret_c = c;
	return n;
}

static void text_unsafe(struct pk_buf *out, uint32_t c)
{
	switch (c) {
	case '\n':
		return pk_buf_add(out, "\\n", 2);
	case '\r':
		return pk_buf_add(out, "\\r", 2);
	case '\t':
		return pk_buf_add(out, "\\t", 2);
	case 0x1b:
		return pk_buf_add(out, "\\e", 2);
	default:
		if (c < 0x80)
			pk_buf_fmt(out, "\\x%02X", c);
		else
			pk_buf_fmt(out, "\\u{%04X}", c);
	}
}

static void json_unsafe(struct pk_buf *out, uint32_t c)
{
	if (c == 0) /* valid JSON, but many readers refuse \u0000 */
		pk_buf_str(out, "\\\\x00");
	else if (c < 0x10000)
		pk_buf_fmt(out, "\\u%04X", c);
	else
		pk_buf_fmt(out, "\\u%04X\\u%04X", 0xd800 + ((c - 0x10000) >> 10),
			   0xdc00 + (c & 0x3ff));
}

struct style {
	const char *backslash, *quote; /* quote NULL: passes raw */
	const char *byte; /* stands before the two hex digits of a byte that is not UTF-8 */
	void (*unsafe)(struct pk_buf *out, uint32_t c);
};

static const struct style text_style = { "\\\\", NULL, "\\x", text_unsafe };
static const struct style json_style = { "\\\\\\\\", "\\\"", "\\\\x", json_unsafe };
static const struct style csv_style = { "\\\\", "\"\"", "\\x", text_unsafe };

static void escape(struct pk_buf *out, const char *str, size_t len, const struct style *st)
{
	const uint8_t *s = (const uint8_t *)str;
	size_t i = 0, raw = 0; /* raw: start of what is not yet copied */

	while (i < len) {
		uint32_t c = 0;
		size_t n;

		while (i < len && is_plain(s[i])) /* nearly all text, hence apart */
			i++;
		if (i == len)
			break;
		n = utf8_next(s + i, len - i, &c);

		if (n && c != '\\' && !(c == '"' && st->quote) && !is_unsafe(c)) {
			i += n;
			continue;
		}
		pk_buf_add(out, s + raw, i - raw);
		if (!n)
			pk_buf_fmt(out, "%s%02X", st->byte, s[i]);
		else if (c == '\\')
			pk_buf_str(out, st->backslash);
		else if (c == '"' && st->quote)
			pk_buf_str(out, st->quote);
		else
			st->unsafe(out, c);
		i += n ? n : 1;
		raw = i;
	}
	pk_buf_add(out, s + raw, len - raw);
}

void pk_escape_text(struct pk_buf *out, const char *s, size_t len)
{
	escape(out, s, len, &text_style);
}

void pk_escape_json(struct pk_buf *out, const char *s, size_t len)
{
	escape(out, s, len, &json_style);
}

void pk_escape_csv(struct pk_buf *out, const char *s, size_t len)
{
	bool formula = len && strchr("=+-@", s[0]) && s[0];
	bool quote = len && (memchr(s, ',', len) || memchr(s, '"', len) || memchr(s, ';', len) ||
			     s[0] == ' ' || s[len - 1] == ' ');

	if (quote)
		pk_buf_char(out, '"');
	if (formula)
		pk_buf_char(out, '\'');
	escape(out, s, len, &csv_style);
	if (quote)
		pk_buf_char(out, '"');
}

/* The byte that \xNN stands for; 0: it is not such an escape. */
static unsigned char escaped_byte(const char *s)
{
	const char hex[] = { s[2], s[2] ? s[3] : '\0', '\0' };

	return isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1])
		       ? (unsigned char)strtoul(hex, NULL, 16)
		       : 0;
}

void pk_unescape_json(char *s)
{
	char *to = s;

	for (; *s; to++) {
		bool hex = s[0] == '\\' && s[1] == 'x' && escaped_byte(s);

		*to = hex ? (char)escaped_byte(s) : *s;
		s += hex ? 4 : s[0] == '\\' && s[1] == '\\' ? 2 : 1;
	}
	*to = '\0';
}
