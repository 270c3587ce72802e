/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs for terminals of 8, 16 and 256 colours, attributes for those of none; letters for ASCII. */
#include "top_paint.h"

#include "base/cleanup.h"

#include <string.h>

static const struct {
	short basic, fine; /* of 8 colours, of 256 */
	attr_t attr;       /* beside the colour */
	attr_t mono;
} looks[PK_COLORS] = {
	[PK_COLOR_PLAIN] = { -1, -1, A_NORMAL, A_NORMAL },
	[PK_COLOR_TITLE] = { COLOR_CYAN, 45, A_BOLD, A_BOLD },
	[PK_COLOR_OUT] = { COLOR_MAGENTA, 176, A_NORMAL, A_NORMAL },
	[PK_COLOR_IN] = { COLOR_GREEN, 114, A_NORMAL, A_NORMAL },
	[PK_COLOR_BAD] = { COLOR_RED, 203, A_BOLD, A_REVERSE },
	[PK_COLOR_WARN] = { COLOR_YELLOW, 221, A_BOLD, A_UNDERLINE },
	[PK_COLOR_NEW] = { COLOR_CYAN, 51, A_BOLD, A_BOLD },
	[PK_COLOR_FAINT] = { -1, 245, A_DIM, A_DIM },
	[PK_COLOR_NAME] = { -1, -1, A_BOLD, A_BOLD },
	[PK_COLOR_LOCAL] = { COLOR_CYAN, 109, A_NORMAL, A_NORMAL },
};

void pk_paint_init(struct pk_top *t)
{
	if (!t->color || !has_colors()) {
		t->color = false;
		return;
	}
	start_color();
	use_default_colors();
	for (int i = 1; i < PK_COLORS; i++)
		init_pair((short)i, COLORS >= 256 ? looks[i].fine : looks[i].basic, -1);
}

attr_t pk_paint(const struct pk_top *t, enum pk_top_color color)
{
	/* 256 colours have a grey of their own: dim would be darker still */
	attr_t attr = color == PK_COLOR_FAINT && COLORS >= 256 ? A_NORMAL : looks[color].attr;

	if (!t->color)
		return looks[color].mono;
	return (attr_t)COLOR_PAIR(color) | attr;
}

attr_t pk_paint_mark(const struct pk_top *t, enum pk_top_mark mark)
{
	static const enum pk_top_color color[PK_MARKS] = {
		[PK_MARK_BLOCKED] = PK_COLOR_BAD, [PK_MARK_OBSERVED] = PK_COLOR_WARN,
		[PK_MARK_ODD] = PK_COLOR_WARN,    [PK_MARK_UNANSWERED] = PK_COLOR_WARN,
		[PK_MARK_ENDED] = PK_COLOR_FAINT, [PK_MARK_NEW] = PK_COLOR_NEW,
	};

	return pk_paint(t, color[mark]);
}

static enum pk_top_color way_color(json_t *row)
{
	const char *dir = pk_json_text(row, "direction");

	return !strcmp(dir, "out")  ? PK_COLOR_OUT
	       : !strcmp(dir, "in") ? PK_COLOR_IN
				    : PK_COLOR_LOCAL;
}

attr_t pk_paint_cell(const struct pk_top *t, enum pk_top_role role, json_t *row)
{
	switch (role) {
	case PK_ROLE_NAME:
		return pk_paint(t, PK_COLOR_NAME);
	case PK_ROLE_WAY:
		return pk_paint(t, way_color(row));
	case PK_ROLE_OUT:
		return pk_paint(t, PK_COLOR_OUT);
	case PK_ROLE_IN:
		return pk_paint(t, PK_COLOR_IN);
	case PK_ROLE_FAINT:
		return pk_paint(t, PK_COLOR_FAINT);
	default:
		return A_NORMAL;
	}
}

/* What the terminal has no letter for: a cut is "~", anything else "?". */
static void to_ascii(struct pk_buf *out, const char *s)
{
	while (*s) {
		if (!((unsigned char)*s & 0x80)) {
			pk_buf_char(out, *s++);
			continue;
		}
		pk_buf_char(out, !strncmp(s, "…", 3) ? '~' : '?');
		for (s++; ((unsigned char)*s & 0xc0) == 0x80;)
			s++;
	}
}

int pk_put(const struct pk_top *t, int y, int x, int end, const char *s, attr_t attr)
{
	_cleanup_(pk_buf_done) struct pk_buf ascii = {};
	size_t n;

	if (x >= end || y < 0 || y >= LINES)
		return x;
	if (!t->utf8) {
		to_ascii(&ascii, s);
		s = ascii.data ? ascii.data : "";
	}
	n = pk_text_prefix(s, (unsigned)(end - x));
	attrset(attr);
	mvaddnstr(y, x, s, (int)n);
	attrset(A_NORMAL);
	return x + (int)pk_text_width(s);
}

int pk_put_fmt(const struct pk_top *t, int y, int x, attr_t attr, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return pk_put(t, y, x, COLS, text, attr);
}
