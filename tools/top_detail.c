/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the daemon about the selected row; top_story.c tells it. */
#include "base/cleanup.h"
#include "client.h"
#include "top.h"
#include "top_story.h"

#include <curses.h>
#include <picket/api.h>
#include <string.h>

#define PANE_LINES   34 /* a screen with as many has room for list and details */
#define LIST_ENTRIES "10000"

static json_t *fetch(struct pk_top *t, const char *path, const char *rest, const char *tail)
{
	_cleanup_(pk_buf_done) struct pk_buf full = {}, error = {};
	struct pk_client c = { .socket = t->socket };
	json_t *body = NULL;

	pk_buf_fmt(&full, "%s/%s%s", path, rest, tail);
	(void)pk_client_fetch(&c, full.data ? full.data : path, NULL, &body, &error);
	return body; /* NULL: it is gone, what was told stays */
}

static json_t *fetch_list(struct pk_top *t, const char *name)
{
	const char *const query[] = { "limit", LIST_ENTRIES, NULL };
	_cleanup_(pk_buf_done) struct pk_buf path = {}, error = {};
	struct pk_client c = { .socket = t->socket };
	json_t *body = NULL;

	pk_buf_fmt(&path, "%s/%s", PK_API_LISTS, name);
	(void)pk_client_fetch(&c, path.data ? path.data : PK_API_LISTS, query, &body, &error);
	return body;
}

/* The row as it is now; the one of the last snapshot that had it, when it is gone. */
static void renew_row(struct pk_top *t)
{
	_cleanup_(pk_buf_done) struct pk_buf want = {}, id = {};
	json_t *list = json_object_get(t->snap, pk_top_views[t->detail_view].member), *row;
	size_t i;

	pk_top_row_id(t->detail_view, t->detail_row, &want);
	json_array_foreach(list, i, row)
	{
		pk_buf_reset(&id);
		pk_top_row_id(t->detail_view, row, &id);
		if (id.len != want.len || memcmp(id.data, want.data, id.len) != 0)
			continue;
		json_incref(row);
		json_decref(t->detail_row);
		t->detail_row = row;
		return;
	}
}

/* Flows of the snapshot that the row stands for. */
static json_t *flows_of(struct pk_top *t, const char *member, const char *value)
{
	json_t *list = json_object_get(t->snap, "flows"), *out = json_array(), *f;
	size_t i;

	json_array_foreach(list, i, f)
	{
		json_t *v = json_object_get(f, member);

		if (json_is_integer(v) ? json_integer_value(v) == strtoll(value, NULL, 10)
				       : json_is_string(v) && !strcmp(json_string_value(v), value))
			json_array_append(out, f);
	}
	return out;
}

/* Which member of flows is the row's own, and the title of its story. */
static void tell_row(struct pk_top *t, struct pk_buf *out, const struct pk_top_story *s)
{
	_cleanup_(pk_buf_done) struct pk_buf title = {}, id = {};
	json_t *r = t->detail_row, *flows;
	const char *member = "remote", *value;

	pk_top_row_id(t->detail_view, r, &id);
	value = id.data ? id.data : "";
	switch (t->detail_view) {
	case PK_VIEW_NAMES:
		member = *pk_json_text(r, "with") ? "with" : "remote";
		pk_buf_fmt(&title, "Name %s", value);
		break;
	case PK_VIEW_REMOTES:
		pk_buf_fmt(&title, "Remote %s", value);
		if (*pk_json_text(r, "with"))
			pk_buf_fmt(&title, ", %s", pk_json_text(r, "with"));
		break;
	case PK_VIEW_CONTAINERS:
		member = "container";
		pk_buf_fmt(&title, "%s %s", pk_json_text(r, "kind"), value);
		break;
	case PK_VIEW_APPS:
		member = "app";
		pk_buf_fmt(&title, "Application %s", value);
		value = pk_json_text(r, "app");
		break;
	default:
		member = "dst_port";
		pk_buf_fmt(&title, "Port %s", value);
		value = strchr(value, '/') ? strchr(value, '/') + 1 : value;
	}
	flows = flows_of(t, member, value);
	pk_top_story_row(out, s, title.data ? title.data : "", flows);
	json_decref(flows);
}

static void tell(struct pk_top *t, struct pk_buf *out, struct pk_top_story *s)
{
	const char *uid;

	switch (t->detail_view) {
	case PK_VIEW_FLOWS:
		s->flow = fetch(t, PK_API_FLOWS, pk_json_text(s->row, "id"), "");
		uid = pk_json_text(s->flow, "actor.process.uid");
		if (*uid)
			s->process = fetch(t, PK_API_PROCESSES, uid, "");
		if (s->flow && !t->usual)
			t->usual = fetch(t, PK_API_FLOWS, pk_json_text(s->row, "id"), "/usual");
		s->usual = t->usual;
		if (s->flow)
			pk_top_story_flow(out, s);
		break;
	case PK_VIEW_TREE:
	case PK_VIEW_PROCESSES:
		s->process = fetch(t, PK_API_PROCESSES, pk_json_text(s->row, "process"), "");
		if (s->process)
			pk_top_story_process(out, s);
		break;
	case PK_VIEW_LISTS:
		s->list = fetch_list(t, pk_json_text(s->row, "list"));
		if (s->list)
			pk_top_story_list(out, s);
		break;
	default:
		tell_row(t, out, s);
	}
}

void pk_top_detail_fetch(struct pk_top *t)
{
	struct pk_top_story s = { .now = pk_json_num(t->snap, "time") };
	struct pk_buf out = {};

	if (!t->detail_row)
		return;
	renew_row(t);
	s.row = t->detail_row;
	tell(t, &out, &s);
	json_decref(s.flow);
	json_decref(s.process);
	json_decref(s.list);
	if (!out.len) {
		if (!t->detail.len)
			pk_buf_str(&t->detail, "It is gone.\n");
		return;
	}
	pk_buf_done(&t->detail);
	t->detail = out;
}

/* Is it the selected row that the details are of? */
static bool is_shown(const struct pk_top *t)
{
	_cleanup_(pk_buf_done) struct pk_buf old = {}, now = {};

	if (!t->detail_row || t->detail_view != t->view)
		return false;
	pk_top_row_id(t->view, t->detail_row, &old);
	pk_top_row_id(t->view, t->row[t->at], &now);
	return old.len == now.len &&
	       !memcmp(old.data ? old.data : "", now.data ? now.data : "", now.len);
}

static void show(struct pk_top *t)
{
	json_decref(t->detail_row);
	json_decref(t->usual);
	t->usual = NULL;
	t->detail_row = json_incref(t->row[t->at]);
	t->detail_view = t->view;
	t->detail_top = 0;
	pk_buf_reset(&t->detail);
	pk_top_detail_fetch(t);
}

void pk_top_detail_follow(struct pk_top *t)
{
	if (t->pane && t->at < t->rows && !is_shown(t))
		show(t);
}

void pk_top_detail_open(struct pk_top *t)
{
	bool again;

	if (t->at >= t->rows)
		return;
	again = t->pane && is_shown(t);
	if (!again)
		show(t);
	if (again || LINES < PANE_LINES)
		t->mode = PK_TOP_DETAIL;
	else
		t->pane = true;
}
