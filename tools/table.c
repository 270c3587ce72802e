/* SPDX-License-Identifier: Apache-2.0 */
/* Widths are those of the terminal (wcwidth); values are escaped before they are measured. */
#include "table.h"

#include "base/cleanup.h"
#include "base/escape.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define ELLIPSIS "…"

int pk_format_parse(const char *s, enum pk_format *ret_format)
{
	static const char *const names[] = { "table", "json", "csv" };

	for (size_t i = 0; i < PK_ARRAY_SIZE(names); i++)
		if (!strcmp(s, names[i])) {
			*ret_format = (enum pk_format)i;
			return 0;
		}
	return -EINVAL;
}

void pk_table_init(struct pk_table *t, const struct pk_column *col, size_t n, enum pk_format format)
{
	struct winsize w;

	*t = (struct pk_table){ .col = col, .n = n, .format = format };
	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col)
		t->line = w.ws_col;
}

/* Bytes and columns of the character at s; a byte that is no character counts as one column. */
static size_t step(const char *s, unsigned *ret_width)
{
	wchar_t wc;
	mbstate_t st = {};
	size_t n = mbrtowc(&wc, s, MB_CUR_MAX, &st);
	int w;

	if (n == 0 || n > MB_CUR_MAX) {
		*ret_width = 1;
		return 1;
	}
	w = wcwidth(wc);
	*ret_width = w < 0 ? 1 : (unsigned)w;
	return n;
}

unsigned pk_text_width(const char *s)
{
	unsigned all = 0, w;

	while (*s) {
		s += step(s, &w);
		all += w;
	}
	return all;
}

size_t pk_text_prefix(const char *s, unsigned width)
{
	const char *p = s;
	unsigned used = 0, w;

	while (*p) {
		size_t n = step(p, &w);

		if (used + w > width)
			break;
		used += w;
		p += n;
	}
	return (size_t)(p - s);
}

static unsigned prefix_width(const char *s, unsigned width)
{
	const char *end = s + pk_text_prefix(s, width);
	unsigned used = 0, w;

	while (s < end) {
		s += step(s, &w);
		used += w;
	}
	return used;
}

static void pad(struct pk_buf *out, unsigned n)
{
	while (n--)
		pk_buf_char(out, ' ');
}

void pk_table_cell(struct pk_buf *out, const char *text, unsigned width, bool right)
{
	unsigned w = pk_text_width(text), head, tail;
	const char *end;

	if (w <= width) {
		pad(out, right ? width - w : 0);
		pk_buf_str(out, text);
		pad(out, right ? 0 : width - w);
		return;
	}
	if (!width)
		return;
	/* The beginning names the thing, the end tells it from its likes: the middle goes. */
	head = (width - 1) * 2 / 3;
	tail = width - 1 - head;
	pk_buf_add(out, text, pk_text_prefix(text, head));
	pk_buf_str(out, ELLIPSIS);
	end = text + pk_text_prefix(text, w - tail);
	while (pk_text_width(end) > tail)
		end += step(end, &w);
	pk_buf_str(out, end);
	/* A wide character that straddled a cut leaves a column free. */
	for (unsigned used = prefix_width(text, head) + 1 + pk_text_width(end); used < width;
	     used++)
		pk_buf_char(out, ' ');
}

static unsigned column_width(const struct pk_table *t, const struct pk_column *c)
{
	unsigned others = 0;

	if (!c->wide || !t->line)
		return c->width;
	for (size_t i = 0; i < t->n; i++)
		others += t->col[i].wide ? 0 : t->col[i].width + 1;
	return t->line > others + c->width ? t->line - others : c->width;
}

static void csv_name(struct pk_buf *out, const char *title)
{
	for (; *title; title++)
		pk_buf_char(out, *title == ' ' || *title == '/'
					 ? '_'
					 : (char)tolower((unsigned char)*title));
}

static void heading(const struct pk_table *t, struct pk_buf *out)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->format == PK_FORMAT_CSV) {
			if (i)
				pk_buf_char(out, ',');
			csv_name(out, t->col[i].title);
			continue;
		}
		if (i)
			pk_buf_char(out, ' ');
		if (t->col[i].wide && i == t->n - 1)
			pk_buf_str(out, t->col[i].title);
		else
			pk_table_cell(out, t->col[i].title, column_width(t, &t->col[i]),
				      t->col[i].right);
	}
	pk_buf_char(out, '\n');
}

static void json_line(struct pk_buf *out, json_t *record)
{
	_cleanup_free_ char *text = json_dumps(record, JSON_COMPACT | JSON_ENSURE_ASCII);

	pk_buf_str(out, text ? text : "{}");
	pk_buf_char(out, '\n');
}

static bool is_printable(const struct pk_buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if (b->data[i] < 0x20 || b->data[i] > 0x7e)
			return false;
	return true;
}

static void text_row(const struct pk_table *t, struct pk_buf *out, json_t *record)
{
	_cleanup_(pk_buf_done) struct pk_buf raw = {}, cell = {};

	for (size_t i = 0; i < t->n; i++) {
		const struct pk_column *c = &t->col[i];
		unsigned width = column_width(t, c);

		pk_buf_reset(&raw);
		pk_buf_reset(&cell);
		c->value(&raw, record, t->format == PK_FORMAT_TABLE);
		if (i)
			pk_buf_char(out, t->format == PK_FORMAT_CSV ? ',' : ' ');
		if (t->format == PK_FORMAT_CSV) {
			pk_escape_csv(out, raw.data ? raw.data : "", raw.len);
			continue;
		}
		if (t->escaped >> i & 1 && is_printable(&raw))
			pk_buf_add(&cell, raw.data, raw.len);
		else
			pk_escape_text(&cell, raw.data ? raw.data : "", raw.len);
		/* nobody to cut it for */
		if (!t->line && (c->wide || pk_text_width(cell.data ? cell.data : "") > width))
			pk_buf_str(out, cell.data ? cell.data : "");
		else
			pk_table_cell(out, cell.data ? cell.data : "", width, c->right);
	}
	while (t->format == PK_FORMAT_TABLE && out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = 0;
	pk_buf_char(out, '\n');
}

void pk_table_row(struct pk_table *t, struct pk_buf *out, json_t *record)
{
	if (t->format == PK_FORMAT_JSON) {
		json_line(out, record);
		return;
	}
	if (!t->headed)
		heading(t, out);
	t->headed = true;
	if (record)
		text_row(t, out, record);
}

json_t *pk_json_at(json_t *o, const char *path)
{
	char name[64];

	while (o && *path) {
		size_t n = strcspn(path, ".");

		if (n >= sizeof(name))
			return NULL;
		memcpy(name, path, n);
		name[n] = 0;
		o = json_object_get(o, name);
		path += n + (path[n] == '.');
	}
	return o;
}

const char *pk_json_text(json_t *o, const char *path)
{
	const char *s = json_string_value(pk_json_at(o, path));

	return s ? s : "";
}

double pk_json_num(json_t *o, const char *path)
{
	return json_number_value(pk_json_at(o, path));
}

void pk_human_bytes(struct pk_buf *out, double n)
{
	static const char unit[] = " KMGTPE";
	int u = 0;

	if (n < 0 || !isfinite(n))
		n = 0;
	while (n >= 999.5 && unit[u + 1]) {
		n /= 1024;
		u++;
	}
	if (!u)
		pk_buf_fmt(out, "%.0f", n);
	else
		pk_buf_fmt(out, n < 9.95 ? "%.1f%c" : "%.0f%c", n, unit[u]);
}

void pk_human_ms(struct pk_buf *out, double ms)
{
	double s = ms / 1000;

	if (s < 0)
		s = 0;
	if (s < 60)
		pk_buf_fmt(out, s < 10 ? "%.1fs" : "%.0fs", s);
	else if (s < 3600)
		pk_buf_fmt(out, "%.0fm%02.0fs", floor(s / 60), floor(fmod(s, 60)));
	else if (s < 86400)
		pk_buf_fmt(out, "%.0fh%02.0fm", floor(s / 3600), floor(fmod(s / 60, 60)));
	else
		pk_buf_fmt(out, "%.0fd%02.0fh", floor(s / 86400), floor(fmod(s / 3600, 24)));
}
