/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `picket top`: one loop over the keyboard and the daemon's stream of snapshots. Drawing is
 * top_draw.c, columns top_view.c, the story of one row top_detail.c.
 */
#include "top.h"

#include "base/cleanup.h"
#include "client.h"
#include "command.h"

#include <curl/curl.h>
#include <curses.h>
#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <picket/api.h>
#include <string.h>
#include <unistd.h>

#define RETRY_MS 1000

struct stream {
	CURLM *multi;
	CURL *easy;
	struct pk_buf line;
	struct pk_top *top;
	bool fresh; /* something new to draw */
	char why[CURL_ERROR_SIZE];
};

static struct pk_client client_of(const struct pk_top *t)
{
	return (struct pk_client){ .socket = t->socket };
}

static const struct pk_top *sorting; /* qsort(3) has no argument; one loop, one thread */

static int by_column(const void *a, const void *b)
{
	const struct pk_top_view *v = &pk_top_views[sorting->view];

	return pk_top_compare(&v->col[sorting->sort[sorting->view]],
			      sorting->reverse[sorting->view], *(json_t *const *)a,
			      *(json_t *const *)b);
}

/* Rows of the view in order; the selected one keeps its selection wherever it went. */
static void arrange(struct pk_top *t)
{
	const struct pk_top_view *v = &pk_top_views[t->view];
	json_t *list = json_object_get(t->snap, v->member);
	size_t n = json_array_size(list);
	_cleanup_(pk_buf_done) struct pk_buf id = {};

	if (n > t->cap) {
		json_t **row = realloc(t->row, n * sizeof(json_t *));

		if (!row)
			return;
		t->row = row;
		t->cap = n;
	}
	for (size_t i = 0; i < n; i++)
		t->row[i] = json_array_get(list, i);
	t->rows = n;
	sorting = t;
	if (n)
		qsort(t->row, n, sizeof(*t->row), by_column);
	for (size_t i = 0; i < n && t->selected.len; i++) {
		pk_buf_reset(&id);
		pk_top_row_id(v, t->row[i], &id);
		if (id.len == t->selected.len && !memcmp(id.data, t->selected.data, id.len)) {
			t->at = i;
			return;
		}
	}
	if (t->at >= n)
		t->at = n ? n - 1 : 0;
}

static void select_row(struct pk_top *t, size_t at)
{
	if (!t->rows)
		return;
	t->at = at < t->rows ? at : t->rows - 1;
	pk_buf_reset(&t->selected);
	if (t->at) /* at the top one wants the top, whichever row that is */
		pk_top_row_id(&pk_top_views[t->view], t->row[t->at], &t->selected);
}

/* What the details are of goes on being measured; a row that is gone has no rate. */
static void note_rates(struct pk_top *t)
{
	const struct pk_top_view *v = &pk_top_views[t->view];
	_cleanup_(pk_buf_done) struct pk_buf want = {}, id = {};
	double out = 0, in = 0;

	pk_top_row_id(v, t->detail_row, &want);
	for (size_t i = 0; i < t->rows; i++) {
		pk_buf_reset(&id);
		pk_top_row_id(v, t->row[i], &id);
		if (id.len != want.len || memcmp(id.data, want.data, id.len) != 0)
			continue;
		out = pk_json_num(t->row[i], "rate_out");
		in = pk_json_num(t->row[i], "rate_in");
		break;
	}
	json_array_append_new(t->out, json_real(out));
	json_array_append_new(t->in, json_real(in));
	if (json_array_size(t->out) > PK_TOP_HISTORY) {
		json_array_remove(t->out, 0);
		json_array_remove(t->in, 0);
	}
}

static void take_snapshot(struct stream *s, const char *text, size_t len)
{
	struct pk_top *t = s->top;
	json_t *snap = json_loadb(text, len, 0, NULL);

	pk_buf_reset(&t->trouble);
	if (!snap || t->paused) {
		json_decref(snap);
		return;
	}
	json_decref(t->snap);
	t->snap = snap;
	arrange(t);
	if (t->mode == PK_TOP_DETAIL)
		note_rates(t);
	s->fresh = true;
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
	struct stream *s = arg;
	char *nl;

	pk_buf_add(&s->line, data, size * n);
	if (s->line.error || s->line.len > (64u << 20))
		return 0;
	while (s->line.len && (nl = memchr(s->line.data, '\n', s->line.len))) {
		size_t len = (size_t)(nl - s->line.data), rest = s->line.len - len - 1;

		take_snapshot(s, s->line.data, len);
		memmove(s->line.data, nl + 1, rest);
		s->line.len = rest;
	}
	return size * n;
}

static void disconnect(struct stream *s)
{
	if (!s->easy)
		return;
	curl_multi_remove_handle(s->multi, s->easy);
	curl_easy_cleanup(s->easy);
	s->easy = NULL;
	pk_buf_reset(&s->line);
}

static void reconnect(struct stream *s)
{
	const char *const query[] = { "filter", *s->top->filter ? s->top->filter : NULL, "limit",
				      "500", NULL };
	_cleanup_free_ char *path = pk_client_path(PK_API_LIVE, query);
	_cleanup_(pk_buf_done) struct pk_buf url = {};

	disconnect(s);
	s->easy = curl_easy_init();
	if (!s->easy || !path)
		return;
	pk_buf_fmt(&url, "http://picket%s", path);
	s->why[0] = 0;
	curl_easy_setopt(s->easy, CURLOPT_URL, url.data);
	curl_easy_setopt(s->easy, CURLOPT_UNIX_SOCKET_PATH, s->top->socket);
	curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(s->easy, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(s->easy, CURLOPT_ERRORBUFFER, s->why);
	curl_easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(s->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(s->easy, CURLOPT_FAILONERROR, 1L);
	curl_multi_add_handle(s->multi, s->easy);
}

/* Details are asked for anew with each snapshot, so that they live. */
static void fetch_detail(struct pk_top *t)
{
	_cleanup_(pk_buf_done) struct pk_buf path = {}, id = {}, error = {};
	const struct pk_top_view *v = &pk_top_views[t->view];
	struct pk_client c = client_of(t);
	json_t *body = NULL, *process = NULL;
	const char *uid;

	pk_top_row_id(v, t->detail_row, &id);
	pk_buf_fmt(&path, "%s%s", v->detail, id.data ? id.data : "");
	if (pk_client_fetch(&c, path.data, NULL, &body, &error)) {
		pk_buf_fmt(&t->detail, "\n%s\n", error.data ? error.data : "");
		return;
	}
	pk_buf_reset(&t->detail);
	if (t->view == 0) {
		uid = pk_json_text(body, "actor.process.uid");
		pk_buf_reset(&path);
		pk_buf_fmt(&path, "%s/%s", PK_API_PROCESSES, uid);
		if (*uid)
			(void)pk_client_fetch(&c, path.data, NULL, &process, &error);
		pk_top_detail_flow(&t->detail, body, process);
	} else {
		pk_top_detail_process(&t->detail, body);
	}
	json_decref(process);
	json_decref(body);
}

static void open_detail(struct pk_top *t)
{
	if (t->at >= t->rows || !*pk_top_views[t->view].detail)
		return;
	json_decref(t->detail_row);
	t->detail_row = json_incref(t->row[t->at]);
	t->detail_top = 0;
	pk_buf_reset(&t->detail);
	fetch_detail(t);
	json_array_clear(t->out);
	json_array_clear(t->in);
	note_rates(t);
	t->mode = PK_TOP_DETAIL;
}

/* The next column that can be sorted by and is on the screen. */
static void next_sort(struct pk_top *t, int step)
{
	const struct pk_top_view *v = &pk_top_views[t->view];
	size_t i = t->sort[t->view];

	do
		i = (i + v->n + (size_t)step) % v->n;
	while ((!v->col[i].sort || v->col[i].from > (unsigned)COLS) && i != t->sort[t->view]);
	t->sort[t->view] = i;
	arrange(t);
}

static void set_view(struct pk_top *t, size_t view)
{
	t->view = view;
	t->at = t->top = 0;
	pk_buf_reset(&t->selected);
	arrange(t);
}

/* Asks the daemon whether the filter is right before anything changes. */
static void apply_filter(struct stream *s)
{
	struct pk_top *t = s->top;
	const char *const query[] = { "filter", *t->typed ? t->typed : NULL, "limit", "1", NULL };
	struct pk_client c = client_of(t);
	json_t *body = NULL;

	pk_buf_reset(&t->error);
	if (pk_client_fetch(&c, PK_API_FLOWS, query, &body, &t->error)) {
		char *nl = t->error.data ? strchr(t->error.data, '\n') : NULL;

		if (nl) /* the foot has one line: the reason, not the caret */
			*nl = 0;
		return;
	}
	json_decref(body);
	snprintf(t->filter, sizeof(t->filter), "%s", t->typed);
	t->mode = PK_TOP_LIST;
	t->paused = false;
	reconnect(s);
}

static void filter_key(struct stream *s, int key)
{
	struct pk_top *t = s->top;
	size_t n = strlen(t->typed);

	switch (key) {
	case 27:
		t->mode = PK_TOP_LIST;
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
		apply_filter(s);
		break;
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
		if (key >= 32 && key < 256 && n + 1 < sizeof(t->typed)) {
			t->typed[n] = (char)key;
			t->typed[n + 1] = 0;
		}
	}
}

static void text_key(struct pk_top *t, int key)
{
	size_t page = LINES > 2 ? (size_t)LINES - 2 : 1;

	switch (key) {
	case KEY_DOWN:
	case 'j':
		t->detail_top++;
		break;
	case KEY_UP:
	case 'k':
		t->detail_top -= t->detail_top > 0;
		break;
	case KEY_NPAGE:
		t->detail_top += page;
		break;
	case KEY_PPAGE:
		t->detail_top -= t->detail_top > page ? page : t->detail_top;
		break;
	case KEY_HOME:
		t->detail_top = 0;
		break;
	case KEY_END:
		t->detail_top = 1 << 20; /* drawing brings it back to the last line */
		break;
	default:
		t->mode = PK_TOP_LIST;
	}
}

static void move_key(struct pk_top *t, int key)
{
	size_t page = pk_top_page();

	switch (key) {
	case KEY_DOWN:
	case 'j':
		select_row(t, t->at + 1);
		break;
	case KEY_UP:
	case 'k':
		select_row(t, t->at - (t->at > 0));
		break;
	case KEY_NPAGE:
		select_row(t, t->at + page);
		break;
	case KEY_PPAGE:
		select_row(t, t->at > page ? t->at - page : 0);
		break;
	case KEY_HOME:
	case 'g':
		select_row(t, 0);
		break;
	case KEY_END:
	case 'G':
		select_row(t, t->rows);
		break;
	}
}

/* False: the user wants to leave. */
static bool list_key(struct stream *s, int key)
{
	struct pk_top *t = s->top;

	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case '1' ... '4':
		set_view(t, (size_t)(key - '1'));
		break;
	case '\t':
	case KEY_RIGHT:
	case 'l':
		set_view(t, (t->view + 1) % PK_TOP_VIEWS);
		break;
	case KEY_BTAB:
	case KEY_LEFT:
		set_view(t, (t->view + PK_TOP_VIEWS - 1) % PK_TOP_VIEWS);
		break;
	case 's':
	case '>':
		next_sort(t, 1);
		break;
	case 'S':
	case '<':
		next_sort(t, -1);
		break;
	case 'r':
		t->reverse[t->view] = !t->reverse[t->view];
		arrange(t);
		break;
	case 'p':
	case ' ':
		t->paused = !t->paused;
		break;
	case '/':
		t->mode = PK_TOP_FILTER;
		snprintf(t->typed, sizeof(t->typed), "%s", t->filter);
		pk_buf_reset(&t->error);
		break;
	case '?':
	case 'h':
		t->mode = PK_TOP_HELP;
		t->detail_top = 0;
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
		open_detail(t);
		break;
	default:
		move_key(t, key);
	}
	return true;
}

static bool on_key(struct stream *s, int key)
{
	switch (s->top->mode) {
	case PK_TOP_FILTER:
		filter_key(s, key);
		return true;
	case PK_TOP_LIST:
		return list_key(s, key);
	default:
		if (key == 'q')
			return false;
		text_key(s->top, key);
		return true;
	}
}

/* The stream ended: says why, tries again a second later. */
static void check_stream(struct stream *s)
{
	struct CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(s->multi, &left))) {
		_cleanup_(pk_buf_done) struct pk_buf text = {};
		char *nl;

		if (m->msg != CURLMSG_DONE)
			continue;
		pk_client_problem(&text, s->top->socket, NULL, 0, NULL, 0,
				  s->why[0] ? s->why : curl_easy_strerror(m->data.result));
		disconnect(s);
		nl = text.data ? strchr(text.data, '\n') : NULL;
		if (nl)
			*nl = 0;
		pk_buf_reset(&s->top->trouble);
		pk_buf_fmt(&s->top->trouble, "no daemon, trying again: %s",
			   text.data ? text.data : "");
		s->fresh = true;
		return;
	}
}

static int loop(struct stream *s)
{
	struct curl_waitfd in = { .fd = STDIN_FILENO, .events = CURL_WAIT_POLLIN };
	int running, key;

	reconnect(s);
	pk_top_draw(s->top);
	for (;;) {
		bool typed = false;

		curl_multi_perform(s->multi, &running);
		check_stream(s);
		while ((key = getch()) != ERR) {
			typed = true;
			if (!on_key(s, key))
				return 0;
		}
		if (s->fresh && s->top->mode == PK_TOP_DETAIL && !s->top->paused)
			fetch_detail(s->top);
		if (s->fresh || typed)
			pk_top_draw(s->top);
		s->fresh = false;
		in.revents = 0;
		curl_multi_poll(s->multi, &in, 1, RETRY_MS, NULL);
		if (in.revents & ~CURL_WAIT_POLLIN)
			return 1; /* the terminal is gone */
		if (!s->easy)
			reconnect(s);
	}
}

static int view(struct pk_top *t)
{
	struct stream s = { .top = t, .multi = curl_multi_init() };
	int r;

	if (!s.multi)
		return 1;
	set_escdelay(25);
	initscr();
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	pk_top_draw_init(t);
	r = loop(&s);
	endwin();
	disconnect(&s);
	curl_multi_cleanup(s.multi);
	pk_buf_done(&s.line);
	return r;
}

static void free_top(struct pk_top *t)
{
	json_decref(t->snap);
	json_decref(t->detail_row);
	json_decref(t->out);
	json_decref(t->in);
	free(t->row);
	pk_buf_done(&t->selected);
	pk_buf_done(&t->error);
	pk_buf_done(&t->trouble);
	pk_buf_done(&t->detail);
}

static int run(const struct pk_command *self, int argc, char **argv)
{
	struct pk_top t = {};
	struct pk_client c;
	int o, r;

	optind = 1;
	while ((o = getopt_long(argc, argv, "+h", self->options, NULL)) >= 0) {
		if (o != 'h')
			return pk_command_misused(self);
		pk_command_usage(self, stdout);
		return 0;
	}
	for (; optind < argc; optind++)
		snprintf(t.filter + strlen(t.filter), sizeof(t.filter) - strlen(t.filter), "%s%s",
			 *t.filter ? " " : "", argv[optind]);
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		fprintf(stderr, "picket: top needs a terminal; for scripts use picket flows\n");
		return 2;
	}
	pk_client_init(&c, NULL);
	t.socket = c.socket;
	t.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	t.color = !getenv("NO_COLOR");
	for (size_t i = 0; i < PK_TOP_VIEWS; i++)
		t.sort[i] = pk_top_views[i].sort;
	t.out = json_array();
	t.in = json_array();
	r = view(&t);
	free_top(&t);
	return r;
}

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_top = {
	.name = "top",
	.what = "a live view of flows, processes, remotes and ports",
	.usage = "top [FILTER]",
	.options = options,
	.run = run,
	.help = "  -h, --help       this text; ? inside shows the keys\n\n"
		"NO_COLOR in the environment turns colours off.\n\n"
		"Examples:\n"
		"  picket top\n"
		"  picket top dir out and not port 53\n",
};
