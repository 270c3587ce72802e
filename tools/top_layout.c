/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns for a screen: first what matters at its least width, then the widths that the chosen ones
 * would like, then what matters less, then whatever is left to those that can use it.
 */
#include "top_view.h"

#include <string.h>

#define RANKS 30

static unsigned wish(const struct pk_top_column *c)
{
	return c->want > c->c.width ? c->want : c->c.width;
}

/* What the columns of a rank need together: they are shown together or not at all. */
static unsigned need(const struct pk_top_view *v, unsigned rank)
{
	unsigned n = 0;

	for (size_t i = 0; i < v->n; i++)
		if (v->col[i].rank == rank)
			n += v->col[i].c.width + 1;
	return n;
}

/* Shows columns of these ranks, best first, as long as they fit; returns what is left. */
static unsigned show(const struct pk_top_view *v, unsigned from, unsigned to, unsigned left,
		     unsigned ret[PK_TOP_COLUMNS_MAX])
{
	for (unsigned rank = from; rank < to; rank++) {
		unsigned n = need(v, rank);

		if (n > left)
			continue;
		for (size_t i = 0; i < v->n; i++)
			if (v->col[i].rank == rank)
				ret[i] = v->col[i].c.width;
		left -= n;
	}
	return left;
}

/* The last column needs no blank behind it, so one more than the screen has may be used. */
void pk_top_layout(const struct pk_top_view *v, unsigned cols, unsigned ret[PK_TOP_COLUMNS_MAX])
{
	unsigned left = cols + 1;
	bool grew = true;

	for (size_t i = 0; i < v->n; i++)
		ret[i] = 0;
	left = show(v, 0, PK_TOP_RANK, left, ret);
	for (unsigned rank = 0; rank < PK_TOP_RANK; rank++)
		for (size_t i = 0; i < v->n; i++)
			if (v->col[i].rank == rank && ret[i])
				while (left && ret[i] < wish(&v->col[i])) {
					ret[i]++;
					left--;
				}
	left = show(v, PK_TOP_RANK, RANKS, left, ret);
	while (left && grew) {
		grew = false;
		for (size_t i = 0; i < v->n && left; i++)
			if (ret[i] && v->col[i].c.wide && ret[i] < v->col[i].max) {
				ret[i]++;
				left--;
				grew = true;
			}
	}
}

/* Columns that a line of text begins with, for what goes on below it: those of its label. */
static unsigned indent_of(const char *line, size_t len, unsigned cols)
{
	size_t n = strspn(line, " ");

	if (n != 2 || len < PK_TOP_LABEL || line[PK_TOP_LABEL - 1] != ' ')
		n += 2;
	else
		n = PK_TOP_LABEL;
	return n < cols / 2 ? (unsigned)n : 0;
}

/* The last blank in a part that is cut there; the whole part when there is none. */
static size_t cut(const char *s, size_t part)
{
	size_t at = part;

	while (at && s[at] != ' ')
		at--;
	return at ? at : part;
}

void pk_top_wrap(struct pk_buf *out, const char *text, unsigned cols)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		unsigned indent = indent_of(text, len, cols), room = cols;
		const char *end = text + len;

		for (;;) {
			size_t part = pk_text_prefix(text, room);

			if (part >= (size_t)(end - text)) {
				pk_buf_add(out, text, (size_t)(end - text));
				break;
			}
			part = room == cols && cut(text, part) <= indent ? part : cut(text, part);
			part = part ? part : 1;
			pk_buf_add(out, text, part);
			pk_buf_fmt(out, "\n%*s", (int)indent, "");
			text += part;
			text += strspn(text, " ");
			room = cols - indent;
		}
		pk_buf_char(out, '\n');
		text = end + (*end == '\n');
	}
}
