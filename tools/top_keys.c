/* SPDX-License-Identifier: Apache-2.0 */
/* What a key does, by what is on the screen. */
#include "base/cleanup.h"
#include "client.h"
#include "top.h"
#include "top_saved.h"

#include <curses.h>
#include <errno.h>
#include <picket/api.h>
#include <string.h>
#include <time.h>

#define NOTE_MS 5000
#define ESC     27

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void pk_top_say(struct pk_top *t, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pk_buf_reset(&t->note);
	pk_buf_str(&t->note, text);
	t->note_until = now_ms() + NOTE_MS;
}

/* Asks the daemon whether the filter is right, and what it takes: true if it is. */
static bool ask_filter(struct pk_top *t)
{
	const char *const query[] = { "filter", *t->typed ? t->typed : NULL, "limit", "1", NULL };
	struct pk_client c = { .socket = t->socket };
	struct pk_client_ask ask = { .method = "GET", .path = PK_API_FLOWS, .query = query };
	json_t *body = NULL, *problem = NULL;
	int r;

	pk_buf_reset(&t->error);
	t->error_at = t->matched = -1;
	t->changed = false;
	r = pk_client_send(&c, &ask, &body, &problem, &t->error);
	if (r) {
		char *nl = t->error.data ? strchr(t->error.data, '\n') : NULL;

		if (nl) /* the caret is drawn here, where the text is */
			*nl = 0;
		if (json_object_get(problem, "offset"))
			t->error_at = (long)pk_json_num(problem, "offset");
	} else {
		t->matched = (long)pk_json_num(body, "matched");
	}
	json_decref(body);
	json_decref(problem);
	return !r;
}

void pk_top_try_filter(struct pk_top *t)
{
	if (t->mode == PK_TOP_FILTER && t->changed)
		(void)ask_filter(t); /* what is wrong is on the screen */
}

static void set_filter(struct pk_top *t, const char *filter)
{
	snprintf(t->filter, sizeof(t->filter), "%s", filter);
	t->paused = false;
	t->renew = true;
}

static void begin(struct pk_top *t, enum pk_top_mode mode, const char *text)
{
	t->mode = mode;
	snprintf(t->typed, sizeof(t->typed), "%s", text);
	pk_buf_reset(&t->error);
	t->error_at = t->matched = -1;
	t->changed = mode == PK_TOP_FILTER;
}

/* Only what is about this row: its flows. */
static void only_this(struct pk_top *t)
{
	_cleanup_(pk_buf_done) struct pk_buf f = {};
	json_t *r = t->at < t->rows ? t->row[t->at] : NULL;
	const char *name = pk_json_text(r, "with");

	if (!r)
		return;
	switch (t->view) {
	case PK_VIEW_TREE:
	case PK_VIEW_PROCESSES:
		pk_buf_fmt(&f, "pid %.0f", pk_json_num(r, "pid"));
		break;
	case PK_VIEW_FLOWS:
		pk_buf_fmt(&f, "host %s", pk_json_text(r, "remote"));
		break;
	case PK_VIEW_NAMES:
		if (*name)
			pk_buf_fmt(&f, "name \"%s\"", name);
		else
			pk_buf_fmt(&f, "host %s", pk_json_text(r, "remote"));
		break;
	case PK_VIEW_REMOTES:
		pk_buf_fmt(&f, "host %s", pk_json_text(r, "ip"));
		break;
	case PK_VIEW_CONTAINERS:
		if (strcmp(pk_json_text(r, "kind"), "service") != 0)
			pk_buf_fmt(&f, "container \"%s\"", pk_json_text(r, "name"));
		else
			pk_buf_fmt(&f, "pid %.0f", pk_json_num(r, "by_pid"));
		break;
	case PK_VIEW_PORTS:
		if (pk_json_num(r, "port") > 0)
			pk_buf_fmt(&f, "%s port %.0f", pk_json_text(r, "protocol"),
				   pk_json_num(r, "port"));
		else
			pk_buf_str(&f, pk_json_text(r, "protocol"));
		break;
	default:
		return;
	}
	set_filter(t, f.data ? f.data : "");
	pk_top_set_view(t, PK_VIEW_FLOWS);
}

static void use_saved(struct pk_top *t, const struct pk_top_saved_view *v)
{
	size_t view = PK_VIEW_FLOWS;

	(void)pk_top_view_find(v->view, &view); /* one that is gone: flows */
	set_filter(t, v->filter);
	(void)pk_top_column_find(&pk_top_views[view], v->sort, &t->sort[view]);
	t->reverse[view] = v->reverse;
	pk_top_set_view(t, view);
	pk_top_say(t, "view \"%s\"", v->name);
}

static void store(struct pk_top *t, const char *done)
{
	_cleanup_free_ char *path = pk_top_saved_path();
	int r = path ? pk_top_saved_store(path, t->saved) : -ENOENT;

	if (r < 0)
		pk_top_say(t, "not saved: %s: %s", path ? path : "HOME is not set", strerror(-r));
	else
		pk_top_say(t, "%s; %s", done, path);
}

static void save_view(struct pk_top *t)
{
	const struct pk_top_view *view = &pk_top_views[t->view];
	struct pk_top_saved_view v = { .reverse = t->reverse[t->view] };

	if (!*t->typed)
		return;
	snprintf(v.name, sizeof(v.name), "%.63s", t->typed);
	snprintf(v.view, sizeof(v.view), "%s", view->member);
	snprintf(v.filter, sizeof(v.filter), "%s", t->filter);
	snprintf(v.sort, sizeof(v.sort), "%s", view->col[t->sort[t->view]].c.title);
	if (pk_top_saved_put(t->saved, &v) < 0)
		pk_top_say(t, "not saved: %d views are the most", PK_TOP_SAVED_MAX);
	else
		store(t, "saved");
}

static void accept(struct pk_top *t)
{
	switch (t->mode) {
	case PK_TOP_FILTER:
		if (!ask_filter(t))
			return;
		set_filter(t, t->typed);
		break;
	case PK_TOP_FIND:
		snprintf(t->find, sizeof(t->find), "%s", t->typed);
		pk_top_find_row(t, 1);
		break;
	default:
		save_view(t);
	}
	t->mode = PK_TOP_LIST;
}

static void type_key(struct pk_top *t, int key)
{
	size_t n = strlen(t->typed);

	switch (key) {
	case ESC:
		t->mode = PK_TOP_LIST;
		return;
	case '\n':
	case '\r':
	case KEY_ENTER:
		accept(t);
		return;
	case KEY_BACKSPACE:
	case 127:
	case 8:
		while (n && ((unsigned char)t->typed[n - 1] & 0xc0) == 0x80)
			t->typed[--n] = 0;
		if (n)
			t->typed[n - 1] = 0;
		break;
	case 21: /* ^U */
		t->typed[0] = 0;
		break;
	default:
		if (key < 32 || key > 255 || n + 1 >= sizeof(t->typed))
			return;
		t->typed[n] = (char)key;
		t->typed[n + 1] = 0;
	}
	t->changed = true;
	t->error_at = t->matched = -1;
	pk_buf_reset(&t->error);
}

static void menu_key(struct pk_top *t, int key)
{
	switch (key) {
	case KEY_DOWN:
	case 'j':
		t->menu_at += t->menu_at + 1 < t->saved->n;
		break;
	case KEY_UP:
	case 'k':
		t->menu_at -= t->menu_at > 0;
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
		t->mode = PK_TOP_LIST;
		if (t->menu_at < t->saved->n)
			use_saved(t, &t->saved->v[t->menu_at]);
		break;
	case 'd':
	case KEY_DC:
		if (t->menu_at >= t->saved->n)
			break;
		pk_top_saved_remove(t->saved, t->menu_at);
		t->menu_at -= t->menu_at > 0 && t->menu_at == t->saved->n;
		store(t, "removed");
		break;
	default:
		t->mode = PK_TOP_LIST;
	}
}

static void block_key(struct pk_top *t, int key)
{
	if (key == 'y' || key == 'Y')
		pk_top_block_do(t);
	t->mode = PK_TOP_LIST;
}

/* True: it scrolled the lines of text. */
static bool scroll_key(struct pk_top *t, int key, size_t page)
{
	switch (key) {
	case KEY_DOWN:
	case 'j':
		t->detail_top++;
		return true;
	case KEY_UP:
	case 'k':
		t->detail_top -= t->detail_top > 0;
		return true;
	case KEY_NPAGE:
		t->detail_top += page;
		return true;
	case KEY_PPAGE:
		t->detail_top -= t->detail_top > page ? page : t->detail_top;
		return true;
	case KEY_HOME:
	case 'g':
		t->detail_top = 0;
		return true;
	case KEY_END:
	case 'G':
		t->detail_top = 1 << 20; /* drawing brings it back to the last line */
		return true;
	default:
		return false;
	}
}

static bool move_key(struct pk_top *t, int key)
{
	size_t page = t->place.page > 0 ? (size_t)t->place.page : 1;

	switch (key) {
	case KEY_DOWN:
	case 'j':
		pk_top_select(t, t->at + 1);
		break;
	case KEY_UP:
	case 'k':
		pk_top_select(t, t->at - (t->at > 0));
		break;
	case KEY_NPAGE:
		pk_top_select(t, t->at + page);
		break;
	case KEY_PPAGE:
		pk_top_select(t, t->at > page ? t->at - page : 0);
		break;
	case KEY_HOME:
	case 'g':
		pk_top_select(t, 0);
		break;
	case KEY_END:
	case 'G':
		pk_top_select(t, t->rows);
		break;
	default:
		return false;
	}
	pk_top_detail_follow(t);
	return true;
}

/* Left and right: through the tree where there is one, else through the views. */
static void side_key(struct pk_top *t, bool right)
{
	if (t->view == PK_VIEW_TREE)
		pk_top_fold(t, !right);
	else
		pk_top_set_view(t, t->view + (right ? 1 : PK_TOP_VIEWS - 1));
}

static void toggle_fold(struct pk_top *t)
{
	if (t->at < t->rows)
		pk_top_fold(t, !json_is_true(json_object_get(t->row[t->at], "folded")));
}

static bool view_key(struct pk_top *t, int key)
{
	switch (key) {
	case '1' ... '0' + PK_TOP_VIEWS:
		pk_top_set_view(t, (size_t)(key - '1'));
		return true;
	case '\t':
		pk_top_set_view(t, t->view + 1);
		return true;
	case KEY_BTAB:
		pk_top_set_view(t, t->view + PK_TOP_VIEWS - 1);
		return true;
	case KEY_RIGHT:
	case 'l':
	case KEY_LEFT:
	case 'h':
		side_key(t, key == KEY_RIGHT || key == 'l');
		return true;
	case 't':
		pk_top_set_view(t, t->view == PK_VIEW_TREE ? PK_VIEW_FLOWS : PK_VIEW_TREE);
		return true;
	case '+':
	case '-':
		pk_top_fold(t, key == '-');
		return true;
	case '*':
		pk_top_fold_all(t);
		return true;
	case 's':
	case '>':
	case 'S':
	case '<':
		pk_top_next_sort(t, key == 's' || key == '>' ? 1 : -1);
		return true;
	case 'r':
		t->reverse[t->view] = !t->reverse[t->view];
		pk_top_arrange(t);
		return true;
	default:
		return false;
	}
}

static void escape(struct pk_top *t)
{
	if (t->pane)
		t->pane = false;
	else if (*t->filter)
		set_filter(t, "");
}

static void ask_key(struct pk_top *t, int key)
{
	switch (key) {
	case '/':
		begin(t, PK_TOP_FILTER, t->filter);
		break;
	case 'f':
		begin(t, PK_TOP_FIND, "");
		break;
	case 'n':
	case 'N':
		pk_top_find_row(t, key == 'n' ? 1 : -1);
		break;
	case 'w':
		begin(t, PK_TOP_SAVE, "");
		break;
	case 'v':
		t->mode = PK_TOP_MENU;
		t->menu_at = 0;
		break;
	case 'o':
		only_this(t);
		break;
	case 'b':
		pk_top_block_ask(t);
		break;
	case '?':
		t->mode = PK_TOP_HELP;
		t->detail_top = 0;
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
		pk_top_detail_open(t);
		break;
	case 'J':
	case 'K':
		(void)scroll_key(t, key == 'J' ? 'j' : 'k', 1);
		break;
	case ESC:
		escape(t);
		break;
	}
}

/* False: the user wants to leave. */
static bool list_key(struct pk_top *t, int key)
{
	if (key == 'q' || key == 'Q')
		return false;
	if (key == ' ' && t->view == PK_VIEW_TREE)
		toggle_fold(t);
	else if (key == 'p' || key == ' ')
		t->paused = !t->paused;
	else if (key == 'm')
		pk_top_mouse_set(t, !t->mouse);
	else if (!move_key(t, key) && !view_key(t, key))
		ask_key(t, key);
	return true;
}

bool pk_top_key(struct pk_top *t, int key)
{
	if (key == KEY_MOUSE) {
		(void)pk_top_mouse_key(t); /* one that means nothing here */
		return true;
	}
	if (key == KEY_RESIZE)
		return true; /* it is drawn anew */
	switch (t->mode) {
	case PK_TOP_FILTER:
	case PK_TOP_FIND:
	case PK_TOP_SAVE:
		type_key(t, key);
		return true;
	case PK_TOP_MENU:
		menu_key(t, key);
		return true;
	case PK_TOP_BLOCK:
		block_key(t, key);
		return true;
	case PK_TOP_LIST:
		return list_key(t, key);
	default:
		if (key == 'q')
			return false;
		if (key == 'b' && t->mode == PK_TOP_DETAIL)
			pk_top_block_ask(t);
		else if (!scroll_key(t, key, LINES > 2 ? (size_t)LINES - 2 : 1))
			t->mode = PK_TOP_LIST;
		return true;
	}
}
