/* SPDX-License-Identifier: Apache-2.0 */
/* Draws the live view with ncurses. Everything shown was escaped before; here is only layout. */
#include "top.h"

#include "base/cleanup.h"
#include "base/escape.h"

#include <curses.h>
#include <math.h>
#include <string.h>
#include <time.h>

#define HEAD_LINES 5 /* totals, plot, tabs, titles, and the foot */

enum { C_TITLE = 1, C_OUT, C_IN, C_WARN, C_DIM, C_KEY };

void pk_top_draw_init(struct pk_top *t)
{
	if (!t->color || !has_colors()) {
		t->color = false;
		return;
	}
	start_color();
	use_default_colors();
	init_pair(C_TITLE, COLOR_CYAN, -1);
	init_pair(C_OUT, COLOR_MAGENTA, -1);
	init_pair(C_IN, COLOR_GREEN, -1);
	init_pair(C_WARN, COLOR_RED, -1);
	init_pair(C_DIM, COLOR_BLUE, -1);
	init_pair(C_KEY, COLOR_YELLOW, -1);
}

static attr_t paint(const struct pk_top *t, short pair, attr_t mono)
{
	return t->color ? (attr_t)COLOR_PAIR(pair) | (mono & A_BOLD) : mono;
}

size_t pk_top_page(void)
{
	return LINES > HEAD_LINES ? (size_t)(LINES - HEAD_LINES) : 1;
}

/* Text cut to the columns left on the line; returns the column after it. */
static int put(int y, int x, const char *s, attr_t attr)
{
	size_t n;

	if (x >= COLS)
		return x;
	n = pk_text_prefix(s, (unsigned)(COLS - x));
	attron(attr);
	mvaddnstr(y, x, s, (int)n);
	attroff(attr);
	return x + (int)pk_text_width(s);
}

static int put_bytes(int y, int x, const char *label, double n, attr_t attr)
{
	_cleanup_(pk_buf_done) struct pk_buf b = {};

	pk_buf_str(&b, label);
	pk_human_bytes(&b, n);
	pk_buf_str(&b, "B/s");
	return put(y, x, b.data ? b.data : "", attr);
}

static int put_fmt(int y, int x, attr_t attr, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int put_fmt(int y, int x, attr_t attr, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return put(y, x, text, attr);
}

/* The first line: what a glance should tell. */
static void draw_totals(const struct pk_top *t)
{
	_cleanup_(pk_buf_done) struct pk_buf host = {};
	const char *name = pk_json_text(t->snap, "hostname");
	time_t s = (time_t)(pk_json_num(t->snap, "time") / 1000);
	char clock[16] = "";
	struct tm tm;
	int x;

	pk_escape_text(&host, name, strlen(name));
	x = put(0, 0, "picket ", paint(t, C_TITLE, A_BOLD) | A_BOLD);
	x = put_fmt(0, x, A_NORMAL, "%.*s  ", COLS < 70 ? 8 : 24, host.data ? host.data : "");
	if (!t->snap)
		return;
	x = put_bytes(0, x, t->utf8 ? "▲ " : "out ", pk_json_num(t->snap, "rate.bytes_out"),
		      paint(t, C_OUT, A_BOLD));
	x = put_bytes(0, x + 2, t->utf8 ? "▼ " : "in ", pk_json_num(t->snap, "rate.bytes_in"),
		      paint(t, C_IN, A_BOLD));
	x = put_fmt(0, x + 2, A_NORMAL, "%.0f pkt/s  %.0f flows  %.0f new/s",
		    pk_json_num(t->snap, "rate.packets"), pk_json_num(t->snap, "totals.flows"),
		    pk_json_num(t->snap, "rate.flows_new"));
	if (localtime_r(&s, &tm) && strftime(clock, sizeof(clock), "%H:%M:%S", &tm) &&
	    x + 10 < COLS)
		put(0, COLS - 8, clock, A_NORMAL);
}

/* Two samples a braille cell (dots 7-3-2-1 left, 8-6-5-4 right), or one sample a letter. */
static void plot(int y, int x, unsigned width, json_t *samples, const struct pk_top *t, attr_t attr)
{
	static const unsigned char left[] = { 0, 0x40, 0x44, 0x46, 0x47 };
	static const unsigned char right[] = { 0, 0x80, 0xa0, 0xb0, 0xb8 };
	static const char ascii[] = " .:|#";
	size_t n = json_array_size(samples), want = t->utf8 ? 2 * (size_t)width : width;
	double max = 0;

	for (size_t i = n > want ? n - want : 0; i < n; i++)
		max = fmax(max, json_number_value(json_array_get(samples, i)));
	attron(attr);
	for (size_t c = 0; c < width; c++) {
		unsigned level[2] = { 0, 0 };

		for (size_t k = 0; k < (t->utf8 ? 2u : 1u); k++) {
			size_t at = t->utf8 ? 2 * c + k : c; /* from the left, newest last */
			double v;

			if (at + n < want)
				continue;
			v = json_number_value(json_array_get(samples, at + n - want));
			level[k] = max > 0 && v > 0 ? 1 + (unsigned)fmin(3, 3.99 * v / max) : 0;
		}
		if (t->utf8) {
			unsigned code = 0x2800u | left[level[0]] | right[level[1]];
			char cell[4] = { (char)(0xe0 | code >> 12), (char)(0x80 | (code >> 6 & 63)),
					 (char)(0x80 | (code & 63)), 0 };

			mvaddstr(y, x + (int)c, cell);
		} else {
			mvaddch(y, x + (int)c, (chtype)ascii[level[0]]);
		}
	}
	attroff(attr);
}

/* The second line: the last minutes, and on the right what is wrong. */
static void draw_history(const struct pk_top *t)
{
	char warn[128] = "";
	double lost = pk_json_num(t->snap, "totals.events_lost");
	double agg = pk_json_num(t->snap, "totals.aggregated_packets");
	double bare = pk_json_num(t->snap, "coverage.uncovered") +
		      pk_json_num(t->snap, "coverage.partial");
	int n = 0, width;

	if (t->trouble.len) {
		put(1, 0, t->trouble.data, paint(t, C_WARN, A_REVERSE));
		return;
	}
	if (lost > 0)
		n += snprintf(warn + n, sizeof(warn) - (size_t)n, "%.0f events lost  ", lost);
	if (agg > 0)
		n += snprintf(warn + n, sizeof(warn) - (size_t)n, "%.0f pkts aggregated  ", agg);
	if (bare > 0)
		n += snprintf(warn + n, sizeof(warn) - (size_t)n, "%.0f interfaces not covered  ",
			      bare);
	if (t->paused)
		n += snprintf(warn + n, sizeof(warn) - (size_t)n, "PAUSED  ");
	width = (COLS - n - 1) / 2;
	if (width > 8) {
		plot(1, 0, (unsigned)width, pk_json_at(t->snap, "history.bytes_out"), t,
		     paint(t, C_OUT, A_NORMAL));
		plot(1, width + 1, (unsigned)width, pk_json_at(t->snap, "history.bytes_in"), t,
		     paint(t, C_IN, A_NORMAL));
	}
	if (n)
		put(1, COLS - n, warn, paint(t, C_WARN, A_REVERSE));
}

static void draw_tabs(const struct pk_top *t)
{
	_cleanup_(pk_buf_done) struct pk_buf f = {};
	int x = 0;

	for (size_t i = 0; i < PK_TOP_VIEWS; i++) {
		bool on = i == t->view;

		x = put_fmt(2, x, on ? A_REVERSE | A_BOLD : A_NORMAL, " %zu %s ", i + 1,
			    pk_top_views[i].name);
		x++;
	}
	x = put_fmt(2, x + 1, A_DIM, "%zu shown", t->rows);
	if (!*t->filter)
		return;
	pk_escape_text(&f, t->filter, strlen(t->filter));
	put_fmt(2, x + 2, paint(t, C_KEY, A_BOLD), "filter: %s", f.data ? f.data : "");
}

static unsigned wide_column(const struct pk_top_view *v)
{
	unsigned used = 0;

	for (size_t i = 0; i < v->n; i++)
		if ((unsigned)COLS >= v->col[i].from && !v->col[i].c.wide)
			used += v->col[i].c.width + 1;
	return (unsigned)COLS > used + 1 ? (unsigned)COLS - used : 1;
}

static void add_cell(struct pk_buf *out, const struct pk_top_column *c, unsigned wide,
		     const char *text)
{
	pk_table_cell(out, text, c->c.wide ? wide : c->c.width, c->c.right);
	pk_buf_char(out, ' ');
}

static void draw_titles(const struct pk_top *t)
{
	const struct pk_top_view *v = &pk_top_views[t->view];
	_cleanup_(pk_buf_done) struct pk_buf b = {};
	unsigned wide = wide_column(v);
	int x = 0;

	mvhline(3, 0, ' ', COLS);
	for (size_t i = 0; i < v->n; i++) {
		const struct pk_top_column *c = &v->col[i];
		char title[32];

		if ((unsigned)COLS < c->from)
			continue;
		snprintf(title, sizeof(title), "%s%s", c->c.title,
			 i != t->sort[t->view] ? ""
			 : t->reverse[t->view] ? (t->utf8 ? "↑" : "^")
					       : (t->utf8 ? "↓" : "v"));
		pk_buf_reset(&b);
		add_cell(&b, c, wide, title);
		x = put(3, x, b.data ? b.data : "",
			A_REVERSE | (i == t->sort[t->view] ? A_BOLD : A_NORMAL));
	}
}

static void draw_row(const struct pk_top *t, int y, json_t *row, bool selected)
{
	const struct pk_top_view *v = &pk_top_views[t->view];
	_cleanup_(pk_buf_done) struct pk_buf raw = {}, safe = {}, line = {};
	bool ended = !strcmp(pk_json_text(row, "status"), "ended");
	unsigned wide = wide_column(v);

	for (size_t i = 0; i < v->n; i++) {
		if ((unsigned)COLS < v->col[i].from)
			continue;
		pk_buf_reset(&raw);
		pk_buf_reset(&safe);
		v->col[i].c.value(&raw, row, true);
		pk_escape_text(&safe, raw.data ? raw.data : "", raw.len);
		add_cell(&line, &v->col[i], wide, safe.data ? safe.data : "");
	}
	put(y, 0, line.data ? line.data : "",
	    selected ? A_REVERSE
	    : ended  ? paint(t, C_DIM, A_DIM)
		     : A_NORMAL);
	if (selected && line.data && pk_text_width(line.data) < (unsigned)COLS)
		mvchgat(y, 0, -1, A_REVERSE, 0, NULL);
}

static void draw_list(struct pk_top *t)
{
	size_t page = pk_top_page();

	if (t->at < t->top)
		t->top = t->at;
	if (t->at >= t->top + page)
		t->top = t->at - page + 1;
	for (size_t i = 0; i < page && t->top + i < t->rows; i++)
		draw_row(t, 4 + (int)i, t->row[t->top + i], t->top + i == t->at);
	if (!t->rows && !t->trouble.len)
		put(5, 2,
		    !t->snap     ? "waiting for the first picture..."
		    : *t->filter ? "nothing matches the filter"
				 : "no traffic yet",
		    A_DIM);
}

static int draw_rate(const struct pk_top *t, int x, const char *label, json_t *samples, short pair)
{
	json_t *last = json_array_get(samples, json_array_size(samples) - 1);
	int width = COLS / 2 - 16;

	x = put_bytes(0, x, label, json_number_value(last), paint(t, pair, A_BOLD));
	if (width > 4) {
		x = pair == C_OUT ? 14 : COLS / 2 + 14;
		plot(0, x, (unsigned)width, samples, t, paint(t, pair, A_NORMAL));
	}
	return COLS / 2;
}

/* Rates of what the details are of, since they were opened. */
static void draw_rates(const struct pk_top *t)
{
	int x = draw_rate(t, 0, t->utf8 ? "▲ " : "out ", t->out, C_OUT);

	draw_rate(t, x, t->utf8 ? "▼ " : "in ", t->in, C_IN);
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; text && (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

/* Lines of text, from the given one on. */
static void draw_lines(const char *text, size_t from, int y)
{
	size_t n = 0;

	while (text && *text) {
		size_t len = strcspn(text, "\n");
		char line[1024];

		if (n >= from && y < LINES - 1) {
			snprintf(line, sizeof(line), "%.*s", (int)(len < 1000 ? len : 1000), text);
			put(y++, 0, line, *text != ' ' && *text ? A_BOLD : A_NORMAL);
		}
		n++;
		text += len + (text[len] == '\n');
	}
}

static const char help[] =
	"Keys\n"
	"  1 2 3 4, Tab     flows, processes, remotes, ports\n"
	"  up down, j k     select; PgUp PgDn, Home End\n"
	"  Enter            details of the flow or process; Esc goes back\n"
	"  s S, < >         sort by the next, the previous column; r turns it round\n"
	"  /                filter, Enter applies, empty shows all\n"
	"  p, space         pause and go on\n"
	"  ? h              this help; q quits\n"
	"\n"
	"Filter\n"
	"  tcpdump's words: port 443, src net 10.0.0.0/8, udp, host 192.0.2.1\n"
	"  and ours: proc curl, user www-data, container web, iface eth0, dir out,\n"
	"  bytes > 1M, rate > 10K, age > 1m; joined by and, or, not and ( )\n"
	"\n"
	"Columns\n"
	"  RATE/s both ways, SENT and RECV as seen from the side that opened the flow\n"
	"  (flows) or from this host (the others). [kernel]: a socket of the kernel.\n"
	"  -: no socket of this host is known for it (forwarded, or before the start).\n";

static void draw_foot(const struct pk_top *t)
{
	int y = LINES - 1;

	if (t->mode == PK_TOP_FILTER) {
		_cleanup_(pk_buf_done) struct pk_buf b = {};
		int x;

		pk_escape_text(&b, t->typed, strlen(t->typed));
		x = put(y, 0, "filter: ", A_BOLD);
		x = put(y, x, b.data ? b.data : "", A_NORMAL);
		if (t->error.len)
			put_fmt(y, x + 2, paint(t, C_WARN, A_BOLD), "  %s", t->error.data);
		move(y, x);
		return;
	}
	if (t->mode == PK_TOP_LIST)
		put(y, 0,
		    "Enter details  / filter  s sort  r reverse  p pause  1-4 views  ? help  q "
		    "quit",
		    A_DIM);
	else
		put(y, 0, "Esc back  up down PgUp PgDn scroll  q quit", A_DIM);
}

void pk_top_draw(struct pk_top *t)
{
	erase();
	if (t->mode == PK_TOP_HELP || t->mode == PK_TOP_DETAIL) {
		const char *text = t->mode == PK_TOP_HELP ? help : t->detail.data;
		size_t n = count_lines(text), first = t->mode == PK_TOP_DETAIL;
		size_t page = (size_t)LINES > first + 1 ? (size_t)LINES - 1 - first : 1;

		if (t->detail_top + page > n)
			t->detail_top = n > page ? n - page : 0;
		draw_lines(text, t->detail_top, (int)first);
		if (first)
			draw_rates(t);
	} else {
		draw_totals(t);
		draw_history(t);
		draw_tabs(t);
		draw_titles(t);
		draw_list(t);
	}
	curs_set(t->mode == PK_TOP_FILTER);
	draw_foot(t);
	refresh();
}
