/* SPDX-License-Identifier: Apache-2.0 */
/* Text and colours on the screen: what a colour means is said here and in the help, nowhere else.
 */
#pragma once

#include "top.h"

#include <curses.h>

enum pk_top_color {
	PK_COLOR_PLAIN,
	PK_COLOR_TITLE,
	PK_COLOR_OUT,  /* leaves this host */
	PK_COLOR_IN,   /* comes in */
	PK_COLOR_BAD,  /* blocked, lost, not covered */
	PK_COLOR_WARN, /* odd, unanswered, would be blocked */
	PK_COLOR_NEW,
	PK_COLOR_FAINT, /* over, or less important */
	PK_COLOR_NAME,
	PK_COLOR_LOCAL, /* stays on this host, or passes through it */
	PK_COLORS
};

void pk_paint_init(struct pk_top *t);
/* Without colours what is bad, odd or new stands out by bold, reverse, underline. */
attr_t pk_paint(const struct pk_top *t, enum pk_top_color color);
attr_t pk_paint_mark(const struct pk_top *t, enum pk_top_mark mark);
attr_t pk_paint_cell(const struct pk_top *t, enum pk_top_role role, json_t *row);

/* Text cut to the columns up to `end`; returns the column after it. */
int pk_put(const struct pk_top *t, int y, int x, int end, const char *s, attr_t attr);
int pk_put_fmt(const struct pk_top *t, int y, int x, attr_t attr, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
