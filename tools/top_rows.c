/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the present view: taken from the snapshot, put in order, selected, folded, found. */
#include "base/cleanup.h"
#include "base/escape.h"
#include "top.h"
#include "top_history.h"
#include "top_plot.h"
#include "top_tree.h"

#include <string.h>
#include <strings.h>

#define SPARK_CELLS 15

static const struct pk_top *sorting; /* qsort(3) has no argument; one loop, one thread */

static int by_column(const void *a, const void *b)
{
	const struct pk_top_view *v = &pk_top_views[sorting->view];

	return pk_top_compare(&v->col[sorting->sort[sorting->view]],
			      sorting->reverse[sorting->view], *(json_t *const *)a,
			      *(json_t *const *)b);
}

static bool set_rows(struct pk_top *t, json_t *list)
{
	size_t n = json_array_size(list);

	if (n > t->cap) {
		json_t **row = reallocarray(t->row, n, sizeof(json_t *));

		if (!row)
			return false;
		t->row = row;
		t->cap = n;
	}
	for (size_t i = 0; i < n; i++)
		t->row[i] = json_array_get(list, i);
	t->rows = n;
	return true;
}

/* Siblings in the order of the column, each below its parent. */
static void grow_tree(struct pk_top *t)
{
	json_t *sorted = json_array();

	for (size_t i = 0; i < t->rows; i++)
		json_array_append(sorted, t->row[i]);
	json_decref(t->tree);
	t->tree = pk_top_tree(sorted, t->folded, t->utf8);
	json_decref(sorted);
	(void)set_rows(t, t->tree); /* no more of them than before */
}

/* Rows move with every snapshot, what is selected does not. */
static void keep_selection(struct pk_top *t)
{
	_cleanup_(pk_buf_done) struct pk_buf id = {};

	for (size_t i = 0; i < t->rows && t->selected.len; i++) {
		pk_buf_reset(&id);
		pk_top_row_id(t->view, t->row[i], &id);
		if (id.len == t->selected.len && !memcmp(id.data, t->selected.data, id.len)) {
			t->at = i;
			return;
		}
	}
	if (t->at >= t->rows)
		t->at = t->rows ? t->rows - 1 : 0;
}

void pk_top_arrange(struct pk_top *t)
{
	t->rows = 0;
	if (!set_rows(t, json_object_get(t->snap, pk_top_views[t->view].member)))
		return;
	sorting = t;
	if (t->rows)
		qsort(t->row, t->rows, sizeof(*t->row), by_column);
	if (t->view == PK_VIEW_TREE)
		grow_tree(t);
	keep_selection(t);
}

void pk_top_select(struct pk_top *t, size_t at)
{
	if (!t->rows)
		return;
	t->at = at < t->rows ? at : t->rows - 1;
	pk_buf_reset(&t->selected);
	if (t->at) /* at the top one wants the top, whichever row that is */
		pk_top_row_id(t->view, t->row[t->at], &t->selected);
}

/* A list has no rate of bytes both ways: what it drops stands for what goes out. */
static void note_rates(struct pk_top *t, size_t view, json_t *row, const char *id)
{
	if (view == PK_VIEW_LISTS)
		pk_top_history_add(t->history, id, t->snapshots, pk_json_num(row, "bytes_rate"), 0);
	else
		pk_top_history_add(t->history, id, t->snapshots, pk_json_num(row, "rate_out"),
				   pk_json_num(row, "rate_in"));
}

static void set_spark(struct pk_top *t, json_t *row, const char *id)
{
	struct pk_top_plot p = { .width = SPARK_CELLS, .height = 1, .utf8 = t->utf8 };
	_cleanup_(pk_buf_done) struct pk_buf text = {};
	double out[PK_TOP_SAMPLES], in[PK_TOP_SAMPLES];
	size_t n = pk_top_history_get(t->history, id, out, in);

	for (size_t i = 0; i < n; i++)
		out[i] += in[i];
	pk_top_plot_line(&text, &p, out, n, 0);
	json_object_set_new(row, "spark", json_string(text.data ? text.data : ""));
}

static void set_way(const struct pk_top *t, json_t *row)
{
	static const struct {
		const char *direction, *utf8, *ascii;
	} way[] = { { "out", "→", ">" },
		    { "in", "←", "<" },
		    { "local", "↔", "=" },
		    { "forward", "⇒", "~" } };

	for (size_t i = 0; i < PK_ARRAY_SIZE(way); i++)
		if (!strcmp(pk_json_text(row, "direction"), way[i].direction))
			json_object_set_new(row, "way",
					    json_string(t->utf8 ? way[i].utf8 : way[i].ascii));
}

static void id_of(size_t view, json_t *row, struct pk_buf *id)
{
	pk_buf_reset(id);
	pk_buf_fmt(id, "%zu ", view);
	pk_top_row_id(view, row, id);
}

/* Rates of all lists are kept, so that a view that is opened has a past. */
static void note_all(struct pk_top *t)
{
	_cleanup_(pk_buf_done) struct pk_buf id = {};

	for (size_t view = 0; view < PK_TOP_VIEWS; view++) {
		json_t *list = json_object_get(t->snap, pk_top_views[view].member), *row;
		size_t i;

		json_array_foreach(list, i, row)
		{
			id_of(view, row, &id);
			if (id.data)
				note_rates(t, view, row, id.data);
		}
	}
	pk_top_history_sweep(t->history, t->snapshots);
}

/* What the tool itself adds to the rows of the view that is shown. */
static void dress(struct pk_top *t)
{
	json_t *list = json_object_get(t->snap, pk_top_views[t->view].member), *row;
	_cleanup_(pk_buf_done) struct pk_buf id = {};
	size_t i;

	json_array_foreach(list, i, row)
	{
		id_of(t->view, row, &id);
		if (!id.data || json_object_get(row, "spark"))
			continue;
		set_spark(t, row, id.data);
		if (t->view == PK_VIEW_FLOWS)
			set_way(t, row);
	}
}

void pk_top_take(struct pk_top *t, json_t *snap)
{
	double started = pk_json_num(snap, "started");

	if (t->lost)
		pk_top_say(t, "%s",
			   t->started > 0 && started > t->started
				   ? "the daemon was restarted; it is back"
				   : "the daemon is back");
	t->lost = false;
	t->started = started;
	json_decref(t->snap);
	t->snap = snap;
	t->snapshots++;
	note_all(t);
	dress(t);
	pk_top_arrange(t);
}

void pk_top_set_view(struct pk_top *t, size_t view)
{
	t->view = view % PK_TOP_VIEWS;
	t->at = t->top = 0;
	pk_buf_reset(&t->selected);
	dress(t);
	pk_top_arrange(t);
	pk_top_detail_follow(t);
}

void pk_top_sort_by(struct pk_top *t, size_t column)
{
	if (column >= pk_top_views[t->view].n || !pk_top_views[t->view].col[column].sort)
		return;
	if (t->sort[t->view] == column)
		t->reverse[t->view] = !t->reverse[t->view];
	else
		t->reverse[t->view] = false;
	t->sort[t->view] = column;
	pk_top_arrange(t);
}

/* The next column that can be sorted by and is on the screen. */
void pk_top_next_sort(struct pk_top *t, int step)
{
	const struct pk_top_view *v = &pk_top_views[t->view];
	size_t i = t->sort[t->view];

	do
		i = (i + v->n + (size_t)step) % v->n;
	while ((!v->col[i].sort || !t->place.width[i]) && i != t->sort[t->view]);
	t->sort[t->view] = i;
	pk_top_arrange(t);
}

void pk_top_fold(struct pk_top *t, bool fold)
{
	const char *id;

	if (t->view != PK_VIEW_TREE || t->at >= t->rows)
		return;
	id = pk_json_text(t->row[t->at], "process");
	if (!fold)
		json_object_del(t->folded, id);
	else if (pk_json_num(t->row[t->at], "below") > 0)
		json_object_set_new(t->folded, id, json_true());
	pk_top_select(t, t->at);
	pk_top_arrange(t);
}

void pk_top_fold_all(struct pk_top *t)
{
	json_t *list = json_object_get(t->snap, "tree"), *row;
	size_t i;

	if (t->view != PK_VIEW_TREE)
		return;
	if (json_object_size(t->folded)) {
		json_object_clear(t->folded);
	} else {
		json_array_foreach(list, i, row) if (pk_json_num(row, "depth") == 1)
			json_object_set_new(t->folded, pk_json_text(row, "process"), json_true());
	}
	pk_top_arrange(t);
}

/* Does anything that the row shows have the text in it? */
static bool has_text(const struct pk_top *t, json_t *row)
{
	const struct pk_top_view *v = &pk_top_views[t->view];
	_cleanup_(pk_buf_done) struct pk_buf cell = {};

	for (size_t i = 0; i < v->n; i++) {
		pk_buf_reset(&cell);
		v->col[i].c.value(&cell, row, true);
		if (cell.data && strcasestr(cell.data, t->find))
			return true;
	}
	return false;
}

void pk_top_find_row(struct pk_top *t, int step)
{
	size_t at = t->at;

	if (!*t->find)
		return;
	for (size_t i = 0; i < t->rows; i++) {
		at = (at + t->rows + (size_t)step) % t->rows;
		if (!has_text(t, t->row[at]))
			continue;
		pk_top_select(t, at);
		pk_top_detail_follow(t);
		return;
	}
	pk_top_say(t, "nothing here has \"%s\" in it", t->find);
}
