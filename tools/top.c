/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `picket top`: one loop over the keyboard and the daemon's stream of snapshots; the rest is in the
 * files that top.h names.
 */
#include "top.h"

#include "base/cleanup.h"
#include "client.h"
#include "command.h"
#include "top_history.h"
#include "top_saved.h"

#include <curl/curl.h>
#include <curses.h>
#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <picket/api.h>
#include <string.h>
#include <unistd.h>

#define RETRY_MS 1000
#define REST_MS  200 /* typing has come to rest */

struct stream {
	CURLM *multi;
	CURL *easy;
	struct pk_buf line;
	struct pk_top *top;
	bool fresh; /* something new to draw */
	char why[CURL_ERROR_SIZE];
};

static void take_snapshot(struct stream *s, const char *text, size_t len)
{
	struct pk_top *t = s->top;
	json_t *snap = json_loadb(text, len, 0, NULL);

	pk_buf_reset(&t->trouble);
	if (!snap || t->paused) {
		json_decref(snap);
		return;
	}
	pk_top_take(t, snap);
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
		s->top->lost = s->top->snap;
		pk_buf_reset(&s->top->trouble);
		pk_buf_fmt(&s->top->trouble, "no daemon, trying again: %s",
			   text.data ? text.data : "");
		s->fresh = true;
		return;
	}
}

static void follow_up(struct stream *s)
{
	struct pk_top *t = s->top;

	if (t->renew || !s->easy)
		reconnect(s);
	t->renew = false;
	if (s->fresh && (t->mode == PK_TOP_DETAIL || (t->pane && t->mode == PK_TOP_LIST)) &&
	    !t->paused)
		pk_top_detail_fetch(t);
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
			if (!pk_top_key(s->top, key))
				return 0;
		}
		follow_up(s);
		if (s->fresh || typed)
			pk_top_draw(s->top);
		s->fresh = false;
		in.revents = 0;
		curl_multi_poll(s->multi, &in, 1, s->top->changed ? REST_MS : RETRY_MS, NULL);
		if (in.revents & ~CURL_WAIT_POLLIN)
			return 1; /* the terminal is gone */
		if (s->top->changed && !in.revents) {
			pk_top_try_filter(s->top);
			s->fresh = true;
		}
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
	pk_top_mouse_set(t, true);
	r = loop(&s);
	pk_top_mouse_set(t, false);
	endwin();
	disconnect(&s);
	curl_multi_cleanup(s.multi);
	pk_buf_done(&s.line);
	return r;
}

/* Terminals that have no such letters, and locales that say so. A bare environment says nothing. */
static bool can_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *term = getenv("TERM"), *locale = NULL;
	bool utf8;

	if (term && (!strncmp(term, "vt", 2) || !strcmp(term, "linux") || !strcmp(term, "ansi")))
		return false;
	for (size_t i = 0; i < PK_ARRAY_SIZE(names) && (!locale || !*locale); i++)
		locale = getenv(names[i]);
	if (!locale || !*locale)
		return !strcmp(nl_langinfo(CODESET), "UTF-8");
	setlocale(LC_CTYPE, "");
	utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	setlocale(LC_CTYPE, "C.UTF-8"); /* the daemon's texts are UTF-8: to measure them */
	return utf8;
}

/* A view by its name, or one that was saved. */
static int start_with(struct pk_top *t, const char *name)
{
	const struct pk_top_saved_view *v = pk_top_saved_find(t->saved, name);
	const struct pk_top_view *view;

	if (!v && pk_top_view_find(name, &t->view) < 0) {
		fprintf(stderr,
			"picket: there is no view %s: flows, tree, procs, names, remotes, "
			"containers, apps,\nports, lists, or one that was saved with w\n",
			name);
		return 2;
	}
	if (!v)
		return 0;
	(void)pk_top_view_find(v->view, &t->view); /* one that is gone: flows */
	view = &pk_top_views[t->view];
	(void)pk_top_column_find(view, v->sort, &t->sort[t->view]);
	t->reverse[t->view] = v->reverse;
	if (!*t->filter) /* the words of the call count more */
		snprintf(t->filter, sizeof(t->filter), "%s", v->filter);
	return 0;
}

static int load_saved(struct pk_top *t)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	_cleanup_free_ char *path = pk_top_saved_path();

	if (!path || pk_top_saved_load(path, t->saved, &error) >= 0)
		return 0;
	/* to start without them would lose them with the next one that is saved */
	fprintf(stderr, "picket: %s: %s\n", path, error.data ? error.data : "not read");
	return 1;
}

static void free_top(struct pk_top *t)
{
	json_decref(t->snap);
	json_decref(t->tree);
	json_decref(t->folded);
	json_decref(t->detail_row);
	json_decref(t->usual);
	json_decref(t->block);
	pk_top_history_free(t->history);
	free(t->saved);
	free(t->row);
	pk_buf_done(&t->selected);
	pk_buf_done(&t->error);
	pk_buf_done(&t->trouble);
	pk_buf_done(&t->note);
	pk_buf_done(&t->detail);
}

static int start(struct pk_top *t, const char *name)
{
	int r;

	t->folded = json_object();
	t->history = pk_top_history_new();
	t->saved = calloc(1, sizeof(*t->saved));
	if (!t->folded || !t->history || !t->saved)
		return 1;
	r = load_saved(t);
	if (!r && name)
		r = start_with(t, name);
	return r ? r : view(t);
}

static int run(const struct pk_command *self, int argc, char **argv)
{
	struct pk_top t = {};
	struct pk_client c;
	const char *name = NULL;
	int o, r;

	for (size_t i = 0; i < PK_TOP_VIEWS; i++)
		t.sort[i] = pk_top_views[i].sort;
	optind = 1;
	while ((o = getopt_long(argc, argv, "+hv:", self->options, NULL)) >= 0) {
		if (o == '?')
			return pk_command_misused(self);
		if (o == 'h') {
			pk_command_usage(self, stdout);
			return 0;
		}
		name = optarg;
	}
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		fprintf(stderr, "picket: top needs a terminal; for scripts use picket flows\n");
		return 2;
	}
	pk_client_init(&c, NULL);
	t.socket = c.socket;
	t.utf8 = can_utf8();
	t.color = !getenv("NO_COLOR") || !*getenv("NO_COLOR");
	for (int first = optind; optind < argc; optind++)
		snprintf(t.filter + strlen(t.filter), sizeof(t.filter) - strlen(t.filter), "%s%s",
			 optind > first ? " " : "", argv[optind]);
	r = start(&t, name);
	free_top(&t);
	return r;
}

static const struct option options[] = {
	{ "view", required_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_top = {
	.name = "top",
	.what = "a live view: who talks to whom, what, since when, how much",
	.usage = "top [-v VIEW] [FILTER]",
	.options = options,
	.run = run,
	.help = "  -v, --view VIEW  start with flows, tree, procs, names, remotes, containers,\n"
		"                   apps, ports, lists, or a view that was saved\n"
		"  -h, --help       this text; ? inside shows the keys\n\n"
		"Inside: 1-9 or Tab views, Enter the story of a row, o only its flows, / filter,\n"
		"s r sort, b what blocking it would cut, w v saved views, q quits.\n\n"
		"NO_COLOR in the environment turns colours off.\n\n"
		"Examples:\n"
		"  picket top\n"
		"  picket top dir out and not port 53\n"
		"  picket top -v tree                  who began what uses the network\n"
		"  picket top -v names user www-data   which names a service talks to\n",
};
