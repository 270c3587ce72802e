/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are on the screen. Everything shown was escaped before. */
#include "base/cleanup.h"
#include "base/escape.h"
#include "top.h"
#include "top_help.h"
#include "top_history.h"
#include "top_paint.h"
#include "top_plot.h"
#include "top_saved.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define LINE_MAX_BYTES 1000

void pk_top_draw_init(struct pk_top *t)
{
	pk_paint_init(t);
}

static int put_bytes(const struct pk_top *t, int y, int x, const char *name, double n, attr_t attr)
{
	_cleanup_(pk_buf_done) struct pk_buf b = {};

	pk_buf_str(&b, name);
	pk_human_bytes(&b, n);
	pk_buf_str(&b, "B/s");
	return pk_put(t, y, x, COLS, b.data ? b.data : "", attr);
}

static const char *out_sign(const struct pk_top *t)
{
	return t->utf8 ? "▲ " : "out ";
}

static const char *in_sign(const struct pk_top *t)
{
	return t->utf8 ? "▼ " : "in ";
}

static void draw_clock(const struct pk_top *t, int x)
{
	time_t s = (time_t)(pk_json_num(t->snap, "time") / 1000);
	char clock[16] = "";
	struct tm tm;

	if (localtime_r(&s, &tm) && strftime(clock, sizeof(clock), "%H:%M:%S", &tm) &&
	    x + 10 < COLS)
		pk_put(t, 0, COLS - 8, COLS, clock, A_NORMAL);
}

/* The first line: what a glance should tell. */
static void draw_totals(const struct pk_top *t)
{
	_cleanup_(pk_buf_done) struct pk_buf host = {};
	const char *name = pk_json_text(t->snap, "hostname");
	double drops = pk_json_num(t->snap, "drops.packets_rate");
	int x;

	pk_escape_text(&host, name, strlen(name));
	x = pk_put(t, 0, 0, COLS, "picket ", pk_paint(t, PK_COLOR_TITLE));
	x = pk_put_fmt(t, 0, x, A_NORMAL, "%.*s  ", COLS < 70 ? 8 : 24, host.data ? host.data : "");
	if (!t->snap)
		return;
	x = put_bytes(t, 0, x, out_sign(t), pk_json_num(t->snap, "rate.bytes_out"),
		      pk_paint(t, PK_COLOR_OUT) | A_BOLD);
	x = put_bytes(t, 0, x + 2, in_sign(t), pk_json_num(t->snap, "rate.bytes_in"),
		      pk_paint(t, PK_COLOR_IN) | A_BOLD);
	x = pk_put_fmt(t, 0, x + 2, A_NORMAL, "%.0f pkt/s  %.0f flows  %.0f new/s",
		       pk_json_num(t->snap, "rate.packets"), pk_json_num(t->snap, "totals.flows"),
		       pk_json_num(t->snap, "rate.flows_new"));
	if (drops > 0)
		x = pk_put_fmt(t, 0, x + 2, pk_paint(t, PK_COLOR_BAD), "%.0f blocked/s", drops);
	draw_clock(t, x);
}

static size_t samples_of(json_t *list, double *out, size_t max)
{
	size_t n = json_array_size(list), from = n > max ? n - max : 0;

	for (size_t i = from; i < n; i++)
		out[i - from] = json_number_value(json_array_get(list, i));
	return n - from;
}

static void draw_plot(const struct pk_top *t, int y, int x, struct pk_top_plot *p,
		      const double *sample, size_t n, attr_t attr)
{
	p->utf8 = t->utf8;
	for (unsigned i = 0; i < p->height; i++) {
		_cleanup_(pk_buf_done) struct pk_buf line = {};

		pk_top_plot_line(&line, p, sample, n, i);
		pk_put(t, y + (int)i, x, COLS, line.data ? line.data : "", attr);
	}
}

/* Both ways beside each other, each with the peak that fills its height. */
static void draw_plots(const struct pk_top *t, int y, int x, int width, unsigned height,
		       const double *const sample[2], size_t n)
{
	static const enum pk_top_color color[] = { PK_COLOR_OUT, PK_COLOR_IN };
	int half = (width - 1) / 2;

	for (int i = 0; i < 2; i++) {
		struct pk_top_plot p = { .height = height, .utf8 = t->utf8 };
		_cleanup_(pk_buf_done) struct pk_buf peak = {};
		int at = x + i * (half + 1);

		p.width = half > 20 ? (unsigned)half - 7 : half > 0 ? (unsigned)half : 0;
		draw_plot(t, y, at, &p, sample[i], n, pk_paint(t, color[i]));
		pk_human_bytes(&peak, pk_top_plot_max(&p, sample[i], n));
		if (half > 20)
			pk_put_fmt(t, y, at + (int)p.width + 1, pk_paint(t, PK_COLOR_FAINT), "^%s",
				   peak.data ? peak.data : "");
	}
}

/* What is wrong, at the right of the plots; returns the columns that are left to them. */
static int draw_warnings(const struct pk_top *t, int y)
{
	char warn[160] = "";
	double lost = pk_json_num(t->snap, "totals.events_lost");
	double agg = pk_json_num(t->snap, "totals.aggregated_packets");
	double bare = pk_json_num(t->snap, "coverage.uncovered") +
		      pk_json_num(t->snap, "coverage.partial");
	int n = 0;

	if (lost > 0)
		n += snprintf(warn + n, sizeof(warn) - (size_t)n, " %.0f events lost ", lost);
	if (agg > 0)
		n += snprintf(warn + n, sizeof(warn) - (size_t)n, " %.0f pkts aggregated ", agg);
	if (bare > 0)
		n += snprintf(warn + n, sizeof(warn) - (size_t)n, " %.0f interfaces not covered ",
			      bare);
	if (t->paused)
		n += snprintf(warn + n, sizeof(warn) - (size_t)n, " PAUSED ");
	if (n)
		pk_put(t, y, COLS - n, COLS, warn, pk_paint(t, PK_COLOR_BAD) | A_REVERSE);
	return n ? COLS - n - 1 : COLS;
}

static void draw_history(const struct pk_top *t)
{
	double out[PK_TOP_SAMPLES], in[PK_TOP_SAMPLES];
	const double *const sample[2] = { out, in };
	int width;
	size_t n;

	if (t->trouble.len) {
		pk_put(t, 1, 0, COLS, t->trouble.data, pk_paint(t, PK_COLOR_BAD) | A_REVERSE);
		return;
	}
	n = samples_of(pk_json_at(t->snap, "history.bytes_out"), out, PK_TOP_SAMPLES);
	n = samples_of(pk_json_at(t->snap, "history.bytes_in"), in, n);
	width = draw_warnings(t, 1);
	if (width > 20)
		draw_plots(t, 1, 0, width, (unsigned)t->place.plot_lines, sample, n);
}

static void draw_tabs(struct pk_top *t)
{
	_cleanup_(pk_buf_done) struct pk_buf f = {};
	bool tight = COLS < 84;
	int y = t->place.tabs, x = 0;

	for (size_t i = 0; i < PK_TOP_VIEWS; i++) {
		bool on = i == t->view;

		t->place.tab_at[i] = x;
		if (COLS < (*t->filter ? 110 : 66) && !on) /* its number alone, so that all fit */
			x = pk_put_fmt(t, y, x, A_NORMAL, " %zu", i + 1);
		else
			x = pk_put_fmt(t, y, x, on ? A_REVERSE | A_BOLD : A_NORMAL,
				       tight ? "%zu%s" : " %zu %s ", i + 1, pk_top_views[i].name);
		x += tight;
		t->place.tab_at[i + 1] = x;
	}
	x = pk_put_fmt(t, y, x + !tight, pk_paint(t, PK_COLOR_FAINT), "%zu row%s", t->rows,
		       t->rows == 1 ? "" : "s");
	if (!*t->filter)
		return;
	pk_escape_text(&f, t->filter, strlen(t->filter));
	pk_put_fmt(t, y, x + 2, pk_paint(t, PK_COLOR_WARN), "filter: %s", f.data ? f.data : "");
}

static void draw_titles(struct pk_top *t)
{
	const struct pk_top_view *v = &pk_top_views[t->view];
	_cleanup_(pk_buf_done) struct pk_buf b = {};
	int x = 0, y = t->place.titles;

	attrset(A_REVERSE);
	mvhline(y, 0, ' ', COLS);
	attrset(A_NORMAL);
	for (size_t i = 0; i < v->n; i++) {
		const char *sign =
			t->reverse[t->view] ? (t->utf8 ? "↑" : "^") : (t->utf8 ? "↓" : "v");
		bool sorted = i == t->sort[t->view];
		char title[48];

		if (!t->place.width[i])
			continue;
		snprintf(title, sizeof(title), "%s%s", v->col[i].c.title, sorted ? sign : "");
		pk_buf_reset(&b);
		pk_table_cell(&b, title, t->place.width[i], v->col[i].c.right);
		pk_put(t, y, x, COLS, b.data ? b.data : "",
		       A_REVERSE | (sorted ? A_BOLD : A_NORMAL));
		x += (int)t->place.width[i] + 1;
	}
}

/* One colour for a row that is blocked or over; else each cell its own, and the mark its own. */
static attr_t cell_attr(const struct pk_top *t, const struct pk_top_column *c, json_t *row,
			bool selected)
{
	enum pk_top_mark mark = pk_top_mark(row);

	if (selected)
		return A_REVERSE;
	if (mark == PK_MARK_BLOCKED || mark == PK_MARK_ENDED || !*c->c.title)
		return c->role == PK_ROLE_WAY ? pk_paint_cell(t, c->role, row)
					      : pk_paint_mark(t, mark);
	if (c->role == PK_ROLE_NAME && mark != PK_MARK_NONE)
		return pk_paint_mark(t, mark);
	return pk_paint_cell(t, c->role, row);
}

static void draw_row(const struct pk_top *t, int y, json_t *row, bool selected)
{
	const struct pk_top_view *v = &pk_top_views[t->view];
	_cleanup_(pk_buf_done) struct pk_buf raw = {}, safe = {}, cell = {};
	int x = 0;

	if (selected) {
		attrset(A_REVERSE);
		mvhline(y, 0, ' ', COLS);
		attrset(A_NORMAL);
	}
	for (size_t i = 0; i < v->n; i++) {
		if (!t->place.width[i])
			continue;
		pk_buf_reset(&raw);
		pk_buf_reset(&safe);
		pk_buf_reset(&cell);
		v->col[i].c.value(&raw, row, true);
		pk_escape_text(&safe, raw.data ? raw.data : "", raw.len);
		pk_table_cell(&cell, safe.data ? safe.data : "", t->place.width[i],
			      v->col[i].c.right);
		pk_put(t, y, x, COLS, cell.data ? cell.data : "",
		       cell_attr(t, &v->col[i], row, selected));
		x += (int)t->place.width[i] + 1;
	}
}

static const char *nothing(const struct pk_top *t)
{
	if (!t->snap)
		return "waiting for the first picture...";
	if (t->view == PK_VIEW_LISTS)
		return "no block lists; picket list load FILE makes one";
	if (t->view == PK_VIEW_CONTAINERS)
		return "no container or service has traffic";
	return *t->filter ? "nothing matches the filter; Esc shows all" : "no traffic yet";
}

static void draw_list(struct pk_top *t)
{
	size_t page = (size_t)t->place.page;

	if (t->at < t->top)
		t->top = t->at;
	if (t->at >= t->top + page)
		t->top = t->at - page + 1;
	for (size_t i = 0; i < page && t->top + i < t->rows; i++)
		draw_row(t, t->place.list + (int)i, t->row[t->top + i], t->top + i == t->at);
	if (!t->rows && !t->trouble.len)
		pk_put(t, t->place.list + 1, 2, COLS, nothing(t), pk_paint(t, PK_COLOR_FAINT));
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; text && (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

/* Lines of text between two of the screen, from where it was scrolled to. */
static void draw_lines(struct pk_top *t, const char *raw, int y, int end)
{
	_cleanup_(pk_buf_done) struct pk_buf wrapped = {};
	const char *text;
	size_t n, page = end > y ? (size_t)(end - y) : 1, at = 0;

	pk_top_wrap(&wrapped, raw ? raw : "", COLS > 1 ? (unsigned)COLS : 1);
	text = wrapped.data ? wrapped.data : "";
	n = count_lines(text);
	if (t->detail_top + page > n)
		t->detail_top = n > page ? n - page : 0;
	for (; *text; at++) {
		size_t len = strcspn(text, "\n");
		char line[LINE_MAX_BYTES + 1];

		if (at >= t->detail_top && y < end) {
			snprintf(line, sizeof(line), "%.*s",
				 (int)(len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES), text);
			pk_put(t, y++, 0, COLS, line,
			       *text != ' ' ? pk_paint(t, PK_COLOR_NAME) : A_NORMAL);
		}
		text += len + (text[len] == '\n');
	}
}

/* Rates of what the details are of, as long as it was on the screen. */
static void draw_rates(const struct pk_top *t, int y, unsigned height)
{
	double out[PK_TOP_SAMPLES], in[PK_TOP_SAMPLES];
	const double *const sample[2] = { out, in };
	_cleanup_(pk_buf_done) struct pk_buf id = {};
	size_t n;
	int x;

	pk_buf_fmt(&id, "%zu ", t->detail_view);
	pk_top_row_id(t->detail_view, t->detail_row, &id);
	n = pk_top_history_get(t->history, id.data ? id.data : "", out, in);
	x = put_bytes(t, y, 0, out_sign(t), n ? out[n - 1] : 0, pk_paint(t, PK_COLOR_OUT) | A_BOLD);
	x = put_bytes(t, y, x + 2, in_sign(t), n ? in[n - 1] : 0,
		      pk_paint(t, PK_COLOR_IN) | A_BOLD);
	if (COLS - x > 24)
		draw_plots(t, y, x + 2, COLS - x - 2, height, sample, n);
}

static void draw_pane(struct pk_top *t)
{
	int y = t->place.pane;

	if (!y)
		return;
	attrset(pk_paint(t, PK_COLOR_FAINT));
	if (t->utf8)
		for (int x = 0; x < COLS; x++)
			mvaddstr(y, x, "─");
	else
		mvhline(y, 0, '-', COLS);
	attrset(A_NORMAL);
	draw_rates(t, y + 1, 2);
	draw_lines(t, t->detail.data, y + 3, LINES - 1);
}

static void draw_typed(const struct pk_top *t, const char *prompt)
{
	_cleanup_(pk_buf_done) struct pk_buf b = {}, before = {};
	int y = LINES - 2, x, end;

	for (int i = y; i < LINES; i++)
		mvhline(i, 0, ' ', COLS);
	pk_escape_text(&b, t->typed, strlen(t->typed));
	x = pk_put(t, y, 0, COLS, prompt, A_BOLD);
	end = pk_put(t, y, x, COLS, b.data ? b.data : "", A_NORMAL);
	if (t->error.len) {
		size_t at = t->error_at < 0 ? strlen(t->typed) : (size_t)t->error_at;

		pk_escape_text(&before, t->typed, at < strlen(t->typed) ? at : strlen(t->typed));
		x += before.data ? (int)pk_text_width(before.data) : 0;
		pk_put_fmt(t, y + 1, x, pk_paint(t, PK_COLOR_WARN), "^ %s", t->error.data);
	} else if (t->mode == PK_TOP_FILTER && t->matched >= 0) {
		pk_put_fmt(t, y + 1, x, pk_paint(t, PK_COLOR_FAINT),
			   "%ld flows; Enter applies, Esc leaves it", t->matched);
	} else {
		pk_put(t, y + 1, x, COLS, "Enter applies, Esc leaves it",
		       pk_paint(t, PK_COLOR_FAINT));
	}
	move(y, end < COLS ? end : COLS - 1);
}

static void draw_foot(const struct pk_top *t)
{
	struct timespec now;
	int y = LINES - 1;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (t->note.len &&
	    (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 < t->note_until) {
		_cleanup_(pk_buf_done) struct pk_buf safe = {};

		pk_escape_text(&safe, t->note.data, t->note.len);
		pk_put(t, y, 0, COLS, safe.data ? safe.data : "", pk_paint(t, PK_COLOR_WARN));
		return;
	}
	switch (t->mode) {
	case PK_TOP_LIST:
		pk_put(t, y, 0, COLS,
		       t->view == PK_VIEW_TREE
			       ? "Enter story  space fold  o only  / filter  s sort  b block?  "
				 "? help  q quit"
			       : "Enter story  o only  / filter  s sort  b block?  t tree  ? help  "
				 "q quit",
		       pk_paint(t, PK_COLOR_FAINT));
		break;
	case PK_TOP_MENU:
		pk_put(t, y, 0, COLS, "Enter shows it  d removes it  Esc back",
		       pk_paint(t, PK_COLOR_FAINT));
		break;
	case PK_TOP_BLOCK:
		pk_put(t, y, 0, COLS, "Block it now, for one hour? y/N",
		       pk_paint(t, PK_COLOR_WARN));
		break;
	default:
		pk_put(t, y, 0, COLS, "Esc back  up down PgUp PgDn scroll  q quit",
		       pk_paint(t, PK_COLOR_FAINT));
	}
}

static void draw_menu(const struct pk_top *t)
{
	int y = 2, shown = LINES - 4, from = 0;

	pk_put(t, 0, 0, COLS, "Saved views", pk_paint(t, PK_COLOR_NAME));
	if (!t->saved->n)
		pk_put(t, y, 2, COLS, "none yet: w saves what the list shows by a name",
		       pk_paint(t, PK_COLOR_FAINT));
	if (shown > 0 && (int)t->menu_at >= shown)
		from = (int)t->menu_at - shown + 1;
	for (int i = from; i < (int)t->saved->n && i - from < shown; i++) {
		const struct pk_top_saved_view *v = &t->saved->v[i];
		_cleanup_(pk_buf_done) struct pk_buf line = {}, safe = {};

		pk_buf_fmt(&line, "%-20s %-11s by %s%s  %s", v->name, v->view, v->sort,
			   v->reverse ? ", reverse" : "", v->filter);
		pk_escape_text(&safe, line.data ? line.data : "", line.len);
		pk_put(t, y + i - from, 2, COLS, safe.data ? safe.data : "",
		       i == (int)t->menu_at ? A_REVERSE : A_NORMAL);
	}
}

/* The legend: each mark in the colour that its rows have. */
static int draw_legend(const struct pk_top *t)
{
	static const char *const says[PK_MARKS] = {
		[PK_MARK_BLOCKED] = "blocked",      [PK_MARK_OBSERVED] = "a list would block it",
		[PK_MARK_ODD] = "names contradict", [PK_MARK_UNANSWERED] = "unanswered",
		[PK_MARK_ENDED] = "over",           [PK_MARK_NEW] = "new",
	};
	int x = 2, y = 1;

	pk_put(t, 0, 0, COLS, "Marks and colours", pk_paint(t, PK_COLOR_NAME));
	for (int i = 1; i < PK_MARKS; i++) {
		if (x + (int)strlen(says[i]) + 4 > COLS) {
			x = 2;
			y++;
		}
		x = pk_put_fmt(t, y, x, pk_paint_mark(t, (enum pk_top_mark)i), "%c %s",
			       pk_top_mark_letter[i], says[i]) +
		    3;
	}
	y++;
	x = pk_put_fmt(t, y, 2, pk_paint(t, PK_COLOR_OUT), "%s sent, asked by us",
		       t->utf8 ? "→" : ">");
	x = pk_put_fmt(t, y, x + 3, pk_paint(t, PK_COLOR_IN), "%s received, asks us",
		       t->utf8 ? "←" : "<");
	pk_put_fmt(t, y, x + 3, pk_paint(t, PK_COLOR_LOCAL), "%s on this host, %s through it",
		   t->utf8 ? "↔" : "=", t->utf8 ? "⇒" : "~");
	return y + 2;
}

static void place(struct pk_top *t)
{
	struct pk_top_place *p = &t->place;
	int room, pane = 0;

	p->plot_lines = LINES >= 50 ? 3 : LINES >= 30 ? 2 : 1;
	p->tabs = 1 + p->plot_lines;
	p->titles = p->tabs + 1;
	p->list = p->titles + 1;
	room = LINES - p->list - 1;
	if (t->pane && room >= 20)
		pane = room * 3 / 5;
	p->pane = pane ? LINES - 1 - pane : 0;
	p->page = room - pane > 0 ? room - pane : 1;
	pk_top_layout(&pk_top_views[t->view], (unsigned)COLS, p->width);
}

static void draw_main(struct pk_top *t)
{
	place(t);
	draw_totals(t);
	draw_history(t);
	draw_tabs(t);
	draw_titles(t);
	draw_list(t);
	draw_pane(t);
}

void pk_top_draw(struct pk_top *t)
{
	unsigned plot = LINES >= 40 ? 4 : LINES >= 20 ? 2 : 1;

	erase();
	switch (t->mode) {
	case PK_TOP_HELP:
		draw_lines(t, pk_top_help, draw_legend(t), LINES - 1);
		break;
	case PK_TOP_DETAIL:
		draw_rates(t, 0, plot);
		draw_lines(t, t->detail.data, (int)plot, LINES - 1);
		break;
	case PK_TOP_BLOCK:
		draw_lines(t, pk_json_text(t->block, "text"), 0, LINES - 1);
		break;
	case PK_TOP_MENU:
		draw_menu(t);
		break;
	default:
		draw_main(t);
	}
	curs_set(t->mode == PK_TOP_FILTER || t->mode == PK_TOP_FIND || t->mode == PK_TOP_SAVE);
	if (t->mode == PK_TOP_FILTER)
		draw_typed(t, "filter: ");
	else if (t->mode == PK_TOP_FIND)
		draw_typed(t, "find: ");
	else if (t->mode == PK_TOP_SAVE)
		draw_typed(t, "save this view as: ");
	else
		draw_foot(t);
	refresh();
}
