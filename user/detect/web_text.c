/* SPDX-License-Identifier: Apache-2.0 */
/* Each step rewrites a part in place, never to more than it was. It knows nothing of attacks. */
#include "detect/web_text.h"

#include <stdbool.h>
#include <string.h>

#define LOOKUPS_DEEP 16 /* ${ within ${; deeper ones stay as they are */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int byte_at(const char *s)
{
	int high = digit(s[0]), low = digit(s[1]);

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* What begins at s is one byte: %41, %u0041, \u0041. Its length; 0: it is none. */
static size_t encoded(const char *s, size_t len, char *ret)
{
	bool wide = len >= 6 && (s[1] | 0x20) == 'u' && s[2] == '0' && s[3] == '0';
	int b = -1;

	if (wide)
		b = byte_at(s + 4);
	else if (len >= 3 && s[0] == '%')
		b = byte_at(s + 1);
	if (b < 0)
		return 0;
	*ret = (char)b;
	return wide ? 6 : 3;
}

static size_t decode(char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		size_t used = s[i] == '%' || s[i] == '\\' ? encoded(s + i, len - i, &s[n]) : 0;

		if (!used) {
			s[n] = s[i];
			used = 1;
		}
		n++;
		i += used;
	}
	return n;
}

/* '/' and '.' in two bytes of UTF-8, which no honest writer makes (RFC 3629 3). */
static size_t overlong(const char *s, size_t len, char *ret)
{
	if (len < 2 || (uint8_t)s[0] != 0xc0 || ((uint8_t)s[1] & 0xc0) != 0x80)
		return 0;
	*ret = (char)((uint8_t)s[1] & 0x3f);
	return 2;
}

static size_t sql_comment(const char *s, size_t len)
{
	const char *end;

	if (len < 4 || s[0] != '/' || s[1] != '*')
		return 0;
	end = memmem(s + 2, len - 2, "*/", 2);
	return end ? (size_t)(end - s) + 2 : 0;
}

static char fold_char(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c | 0x20);
	if (c == '\\')
		return '/';
	return c == '\t' || c == '\v' || c == '\f' || c == '\0' ? ' ' : c;
}

/* Of what begins at s one letter; returns how many it took. */
static size_t take(const char *s, size_t len, char *ret)
{
	size_t comment = sql_comment(s, len), two = overlong(s, len, ret);

	if (comment)
		*ret = ' ';
	else if (!two)
		*ret = *s;
	*ret = fold_char(*ret);
	return comment + two + (!comment && !two);
}

/* Letters small; one blank, one slash where there are more; no "/./"; a comment is a blank. */
static size_t fold(char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		char c = s[i];

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '?')) { /* most are */
			s[n++] = c;
			i++;
			continue;
		}
		i += take(s + i, len - i, &c);
		if (c == '\r' || ((c == ' ' || c == '/') && n && s[n - 1] == c))
			continue;
		if (c == '/' && n >= 2 && s[n - 1] == '.' && s[n - 2] == '/')
			n--; /* "/./": the first slash stays */
		else
			s[n++] = c;
	}
	return n;
}

/* What is behind the '${' at from says: its letters behind ":-", or those of lower: and upper:. One
 * that is the attack itself stays. */
static size_t value_of(char *s, size_t from, size_t to)
{
	size_t at = from + 2, skip = 0;
	const char *other = memmem(s + at, to - at, ":-", 2);

	if (to - at > 5 && !memcmp(s + at, "jndi:", 5))
		skip = 0;
	else if (other)
		skip = (size_t)(other - (s + at)) + 2;
	else if (to - at > 6 && (!memcmp(s + at, "lower:", 6) || !memcmp(s + at, "upper:", 6)))
		skip = 6;
	if (!skip) {
		s[to] = '}';
		return to + 1;
	}
	memmove(s + from, s + at + skip, to - at - skip);
	return to - skip - 2;
}

static size_t resolve(char *s, size_t len)
{
	size_t open[LOOKUPS_DEEP], deep = 0, n = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '}' && deep) {
			n = value_of(s, open[--deep], n);
			continue;
		}
		if (s[i] == '$' && i + 1 < len && s[i + 1] == '{' && deep < LOOKUPS_DEEP)
			open[deep++] = n;
		s[n++] = s[i];
		if (deep && n - 1 == open[deep - 1])
			s[n++] = s[++i]; /* the brace */
	}
	return n;
}

static size_t rewrite(char *s, size_t len, bool form)
{
	for (size_t i = 0; form && i < len; i++)
		if (s[i] == '+')
			s[i] = ' ';
	for (int twice = 0; twice < 2; twice++)
		if (memchr(s, '%', len) || memmem(s, len, "\\u", 2))
			len = decode(s, len);
	len = fold(s, len);
	return memmem(s, len, "${", 2) ? resolve(s, len) : len;
}

void pk_web_text_make(struct pk_web_text *t, const struct pk_slice part[PK_WEB_PARTS])
{
	t->len = 0;
	for (unsigned p = 0; p < PK_WEB_PARTS; p++) {
		size_t room = PK_WEB_TEXT_MAX - t->len, len = part[p].len;

		len = len < room ? len : room;
		if (len) {
			memcpy(t->s + t->len, part[p].s, len);
			t->len += rewrite(t->s + t->len, len, p != PK_WEB_FIELDS);
		}
		t->end[p] = t->len;
		if (p + 1 < PK_WEB_PARTS && t->len < PK_WEB_TEXT_MAX)
			t->s[t->len++] = '\n';
	}
	memset(t->s + t->len, 0, PK_WEB_TEXT_PAD);
}

enum pk_web_part pk_web_text_part(const struct pk_web_text *t, size_t at)
{
	unsigned p = 0;

	while (p + 1 < PK_WEB_PARTS && at >= t->end[p])
		p++;
	return p;
}
