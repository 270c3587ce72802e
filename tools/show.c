/* SPDX-License-Identifier: Apache-2.0 */
/* Wraps, escapes and names times. It knows no records. */
#include "show.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "table.h"

#include <string.h>
#include <time.h>

#define COLUMNS 78

void pk_show_text(struct pk_buf *out, const char *s)
{
	pk_escape_text(out, s, strlen(s));
}

void pk_show_wrapped(struct pk_buf *out, unsigned indent, const char *s)
{
	_cleanup_(pk_buf_done) struct pk_buf safe = {};
	unsigned column = 0;
	char *at, *word;

	pk_show_text(&safe, s);
	at = safe.data;
	while (at && (word = strsep(&at, " "))) {
		unsigned width = pk_text_width(word);

		if (!width)
			continue;
		if (column && column + 1 + width > COLUMNS - indent) {
			pk_buf_char(out, '\n');
			column = 0;
		}
		if (!column)
			pk_buf_fmt(out, "%*s", (int)indent, "");
		pk_buf_fmt(out, "%s%s", column ? " " : "", word);
		column += width + (column > 0);
	}
	pk_buf_char(out, '\n');
}

void pk_show_clock(struct pk_buf *out, json_int_t ms)
{
	time_t s = (time_t)(ms / 1000), now = time(NULL);
	struct tm tm, today;
	char text[32] = "";

	if (!localtime_r(&s, &tm) || !localtime_r(&now, &today))
		return;
	(void)strftime(text, sizeof(text),
		       tm.tm_yday == today.tm_yday && tm.tm_year == today.tm_year ? "%H:%M:%S"
										  : "%F %H:%M:%S",
		       &tm);
	pk_buf_str(out, text);
}

void pk_show_line(struct pk_buf *out, const char *name, const char *value)
{
	if (!*value)
		return;
	pk_buf_fmt(out, "  %-10s ", name);
	pk_show_text(out, value);
	pk_buf_char(out, '\n');
}
