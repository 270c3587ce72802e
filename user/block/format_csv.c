/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables with fields split by commas, semicolons or tabs, quoted or not. The column is the one that
 * was asked for; else the only one that holds addresses. A table with several of them is refused
 * rather than guessed at: begin and end of a range would otherwise become two single addresses.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "block/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COLUMNS_MAX 256
#define PROBED      64 /* rows looked at to find the column */

struct row {
	struct pk_piece field[COLUMNS_MAX]; /* quotes off; doubled ones are still two */
	size_t n;
};

struct csv {
	struct pk_reader *r;
	struct pk_piece rest;
	struct row header, row;
	char split;
	size_t column;
	bool has_header;
};

/* One field and the mark behind it; false: a quote that doesn't end in this line. */
static bool take_field(struct csv *c, struct pk_piece *rest, struct pk_piece *ret)
{
	struct pk_piece f = *rest;
	const char *end;

	while (f.p < f.end && *f.p == ' ')
		f.p++;
	if (f.p < f.end && *f.p == '"') {
		for (end = ++f.p; end < rest->end; end++) {
			if (*end != '"')
				continue;
			if (end + 1 < rest->end && end[1] == '"')
				end++;
			else
				break;
		}
		if (end >= rest->end)
			return false;
		f.end = end++;
		end = memchr(end, c->split, (size_t)(rest->end - end));
	} else {
		end = memchr(f.p, c->split, pk_piece_len(f));
		f.end = end ? end : rest->end;
	}
	rest->p = end ? end + 1 : rest->end + 1; /* beyond the end: there was no mark */
	*ret = pk_piece_trim(f);
	return true;
}

/* Rows end where lines do: an address has no line end in it, and a lost quote costs one row. */
static const char *split_row(struct csv *c, struct pk_piece line, struct row *row)
{
	for (row->n = 0; line.p <= line.end; row->n++) {
		if (row->n == COLUMNS_MAX)
			return "more than 256 fields";
		if (!take_field(c, &line, &row->field[row->n]))
			return "a quote is not closed on its line";
	}
	return NULL;
}

static bool is_address(struct pk_piece f)
{
	struct pk_span span;
	const char *why;

	return pk_span_scan(f.p, f.end, &span, &why) == f.end && f.p < f.end;
}

static bool has_address(const struct row *row)
{
	for (size_t i = 0; i < row->n; i++)
		if (is_address(row->field[i]))
			return true;
	return false;
}

static char find_split(struct pk_piece line)
{
	static const char marks[] = "\t;,";
	char best = ',';
	size_t most = 0;

	for (const char *m = marks; *m; m++) {
		size_t n = 0;

		for (const char *p = line.p; p < line.end; p++)
			n += *p == *m;
		if (n >= most && n) {
			most = n;
			best = *m;
		}
	}
	return best;
}

static bool is_name_of(struct pk_piece field, const char *name)
{
	return pk_piece_len(field) == strlen(name) && strncasecmp(field.p, name, strlen(name)) == 0;
}

static void list_columns(const struct csv *c, struct pk_buf *out)
{
	const struct row *row = c->has_header ? &c->header : &c->row;

	for (size_t i = 0; i < row->n && out->len < 400; i++) {
		pk_buf_fmt(out, "%s%zu", i ? ", " : "", i + 1);
		if (!c->has_header)
			continue;
		pk_buf_char(out, ' ');
		pk_escape_text(out, row->field[i].p, pk_piece_len(row->field[i]));
	}
}

static void no_column(struct csv *c, const char *what)
{
	_cleanup_(pk_buf_done) struct pk_buf have = { 0 };

	list_columns(c, &have);
	pk_reader_refuse(c->r, pk_piece_of(c->r->opts->column ? c->r->opts->column : ""),
			 "%s; the columns are: %s", what, have.data ? have.data : "none");
}

/* The column that was asked for, by number or by name. */
static void find_asked(struct csv *c, const char *column)
{
	const struct row *row = c->has_header ? &c->header : &c->row;
	uint64_t n;

	if (pk_piece_number(pk_piece_of(column), COLUMNS_MAX, &n) == 0) {
		if (!n || n > row->n)
			no_column(c, "no column with this number");
		else
			c->column = n - 1;
		return;
	}
	for (size_t i = 0; i < c->header.n && c->has_header; i++) {
		if (is_name_of(c->header.field[i], column)) {
			c->column = i;
			return;
		}
	}
	no_column(c, c->has_header ? "no column with this name"
				   : "the table has no header: expected the column's number");
}

/* The one column that holds addresses in most of the first rows. */
static void find_column(struct csv *c)
{
	size_t hits[COLUMNS_MAX] = { 0 }, rows = 0, found = 0;
	struct pk_piece rest = c->rest;
	struct row row = c->row;

	for (;;) {
		const char *nl;

		for (size_t i = 0; i < row.n; i++)
			hits[i] += is_address(row.field[i]);
		if (++rows == PROBED || rest.p >= rest.end)
			break;
		nl = memchr(rest.p, '\n', pk_piece_len(rest));
		if (split_row(c, (struct pk_piece){ rest.p, nl ? nl : rest.end }, &row))
			row.n = 0;
		rest.p = nl ? nl + 1 : rest.end;
	}
	for (size_t i = 0; i < COLUMNS_MAX; i++) {
		if (hits[i] * 2 < rows || !hits[i])
			continue;
		found++;
		c->column = i;
	}
	if (found == 0)
		no_column(c, "no column holds addresses in most rows: say which one by its name");
	else if (found > 1)
		no_column(c, "several columns hold addresses: say which one by its name");
}

static void take_row(struct csv *c, struct pk_piece line)
{
	const char *why = split_row(c, line, &c->row);

	if (why)
		pk_reader_bad(c->r, line, "%s", why);
	else if (c->column >= c->row.n)
		pk_reader_bad(c->r, line, "%zu fields, and the column is number %zu", c->row.n,
			      c->column + 1);
	else
		pk_reader_take(c->r, c->row.field[c->column], PK_WANT_ADDR | PK_WANT_NAME, NULL);
}

/*
 * The first row that is no comment. Is it the header? A header has no address. Some feeds write
 * theirs as the last comment before the first row: it is taken when it has as many fields.
 */
static bool take_header(struct csv *c, struct pk_piece line, struct pk_piece comment)
{
	const char *column = c->r->opts->column, *why;
	bool asks_name;
	uint64_t n;

	c->split = find_split(line);
	why = split_row(c, line, &c->row);
	if (why) {
		pk_reader_refuse(c->r, line, "%s", why);
		return true;
	}
	asks_name = column && pk_piece_number(pk_piece_of(column), COLUMNS_MAX, &n) < 0;
	if (!has_address(&c->row)) {
		for (size_t i = 0; i < c->row.n && asks_name; i++)
			c->has_header |= is_name_of(c->row.field[i], column);
		c->has_header |= !asks_name || !comment.p;
	}
	if (c->has_header) {
		c->header = c->row;
		return true;
	}
	while (comment.p < comment.end && (*comment.p == '#' || *comment.p == ' '))
		comment.p++;
	c->has_header = comment.p < comment.end && !split_row(c, comment, &c->header) &&
			c->header.n == c->row.n;
	return false;
}

static void find(struct csv *c, struct pk_piece line)
{
	const char *column = c->r->opts->column;

	if (split_row(c, line, &c->row))
		c->row.n = 0;
	if (column)
		find_asked(c, column);
	else
		find_column(c);
}

static void read_rows(struct csv *c)
{
	struct pk_piece line, comment = { 0 };
	bool has_first = false, is_found = false;

	while (!c->r->fatal && pk_reader_line(c->r, &c->rest, &line)) {
		if (!pk_piece_len(pk_piece_trim(line)))
			continue;
		if (*line.p == '#') {
			comment = line;
			continue;
		}
		if (!has_first) {
			has_first = true;
			if (take_header(c, line, comment))
				continue;
		}
		if (!is_found && !c->r->fatal) {
			is_found = true;
			find(c, line);
		}
		if (!c->r->fatal)
			take_row(c, line);
	}
	/* A header alone: the column that was asked for must be there all the same. */
	if (has_first && !is_found && !c->r->fatal && c->r->opts->column)
		find_asked(c, c->r->opts->column);
}

void pk_list_read_csv(struct pk_reader *r, struct pk_piece bytes)
{
	_cleanup_free_ struct csv *c = calloc(1, sizeof(*c));

	if (!c) {
		r->error = -ENOMEM;
		return;
	}
	c->r = r;
	c->rest = bytes;
	read_rows(c);
}
