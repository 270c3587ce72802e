/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `picket fleet status`: what each host of a fleet enforces, and whether that is what was pushed to
 * it last; what it covers, what it lost, when it was seen last. It changes nothing on them.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "command.h"
#include "fleet_ask.h"
#include "fleet_row.h"
#include "hosts.h"
#include "list_sign.h"
#include "outcome.h"
#include "push_state.h"
#include "remote.h"
#include "state_file.h"
#include "table.h"

#include <errno.h>
#include <getopt.h>
#include <picket/api.h>
#include <string.h>
#include <time.h>

#define FILE_NAME   "hosts.json"
#define LISTS_MAX   16
#define DRIFTED     3
#define UNREACHABLE 4

enum { LIST = PK_FA_END };

struct fleet {
	struct pk_fleet_ask ask;
	const char *list[LISTS_MAX]; /* files; none: what was pushed from here */
	size_t n_list;
	enum pk_format format;
	json_t *wanted; /* fleet_row.h */
	json_t *seen;   /* {"web1:7443":{"seen":MS,"version":"0.1.0"}} */
	int dir_fd;
	struct pk_remote *remote;
	struct host *v;
	size_t n, done;
	int64_t now_ms;
};

struct host {
	struct fleet *f;
	const char *name;
	json_t *status, *row;
};

static void finish(struct host *h, const char *state, json_t *lists, const char *detail)
{
	struct fleet *f = h->f;
	json_t *was = json_object_get(f->seen, h->name);

	if (h->status) {
		was = json_pack("{s:I, s:s}", "seen", (json_int_t)f->now_ms, "version",
				pk_json_text(h->status, "version"));
		(void)json_object_set_new(f->seen, h->name, was); /* else it is not remembered */
	}
	h->row = pk_fleet_row(&(struct pk_fleet_host){ .name = h->name,
						       .state = state,
						       .detail = detail,
						       .status = h->status,
						       .lists = lists,
						       .wanted = f->wanted,
						       .was = was });
	json_decref(PK_TAKE(h->status));
	f->done++;
}

/* What is no good answer. */
static void fail(struct host *h, long status, const char *body, size_t len, const char *error)
{
	json_t *j = status ? json_loadb(body, len, 0, NULL) : NULL;
	const char *detail = pk_json_text(j, "detail");

	json_decref(PK_TAKE(h->status));
	if (!status)
		finish(h, "unreachable", NULL, error);
	else
		finish(h, status == 403 ? "forbidden" : "failed", NULL,
		       *detail ? detail : "it answered with an error");
	json_decref(j);
}

static void on_lists(void *arg, long status, const char *body, size_t len, const char *error)
{
	struct host *h = arg;
	json_t *lists = status == 200 ? json_loadb(body, len, 0, NULL) : NULL;

	/* a host without block lists is one without those that it should have */
	if (!lists && status != 503)
		fail(h, status, body, len, error);
	else
		finish(h, NULL, json_object_get(lists, "lists"), "");
	json_decref(lists);
}

static int ask(struct host *h, const char *path,
	       void (*done)(void *, long, const char *, size_t, const char *))
{
	const struct pk_remote_ask a = {
		.host = h->name, .method = "GET", .path = path, .done = done, .arg = h
	};

	return pk_remote_ask(h->f->remote, &a);
}

static void on_status(void *arg, long status, const char *body, size_t len, const char *error)
{
	struct host *h = arg;

	h->status = status == 200 ? json_loadb(body, len, 0, NULL) : NULL;
	if (!h->status || ask(h, PK_API_LISTS, on_lists) < 0)
		fail(h, status, body, len, error);
}

static void show_progress(void *arg)
{
	const struct fleet *f = arg;

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%zu of %zu hosts\x1b[K", f->done, f->n);
}

/* A list that was pushed from here is wanted on the hosts that it was pushed to. */
static void want_pushed(void *arg, const char *list, json_t *state)
{
	struct fleet *f = arg;
	json_t *hosts = json_object_get(state, "hosts"), *version, *sha256;

	version = json_object_get(state, "version");
	sha256 = json_object_get(state, "sha256");
	if (!json_is_object(hosts) || !json_is_integer(version) || !json_is_string(sha256))
		return;
	(void)json_array_append_new(f->wanted,
				    json_pack("{s:s, s:O, s:O, s:O}", "list", list, "version",
					      version, "sha256", sha256, "hosts", hosts));
}

/* One that is named is wanted on all. 0, or 1 after a complaint. */
static int want_file(struct fleet *f, const char *file)
{
	_cleanup_free_ char *from = pk_list_signature_path(file);
	struct pk_statement s;
	struct pk_envelope e;
	enum pk_refusal r;
	char sha[65];

	if (!from || pk_list_read_envelope(from, &e))
		return 1;
	r = pk_statement_read(e.payload, e.len, &s);
	pk_envelope_done(&e);
	if (r != PK_SIGNED_OK) {
		pk_outcome_say(pk_refusal_text(r));
		return 1;
	}
	pk_hex(s.sha256, sizeof(s.sha256), sha);
	(void)json_array_append_new(f->wanted,
				    json_pack("{s:s, s:I, s:s}", "list", s.list, "version",
					      (json_int_t)s.version, "sha256", sha));
	return 0;
}

static int want(struct fleet *f)
{
	int r = 0;

	f->wanted = json_array();
	if (!f->n_list)
		pk_push_state_each(want_pushed, f);
	for (size_t i = 0; i < f->n_list && !r; i++)
		r = want_file(f, f->list[i]);
	return r;
}

static void remember(struct fleet *f)
{
	int r = f->dir_fd < 0 ? f->dir_fd : pk_state_write_json(f->dir_fd, FILE_NAME, f->seen);

	if (r < 0)
		fprintf(stderr, "picket: when each host was seen can not be kept: %s\n",
			strerror(-r));
}

static int print(struct fleet *f)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	size_t drifted = 0, away = 0;
	struct pk_table t;

	pk_fleet_table(&t, f->format);
	for (size_t i = 0; i < f->n; i++) {
		const char *state = pk_json_text(f->v[i].row, "state");

		drifted += !strcmp(state, "drift");
		away += strcmp(state, "drift") != 0 && strcmp(state, "ok") != 0;
		pk_table_row(&t, &out, f->v[i].row);
		json_decref(f->v[i].row);
	}
	pk_outcome_flush(&out);
	if (f->format == PK_FORMAT_TABLE)
		fprintf(stderr,
			"picket: %zu hosts: %zu as they should be, %zu not, %zu did not answer\n",
			f->n, f->n - drifted - away, drifted, away);
	return away ? UNREACHABLE : drifted ? DRIFTED : 0;
}

static int run_all(struct fleet *f, const struct pk_hosts *hosts)
{
	f->v = calloc(hosts->n ? hosts->n : 1, sizeof(*f->v));
	f->remote = f->v ? pk_fleet_ask_remote(&f->ask) : NULL;
	if (!f->remote)
		return 1;
	f->now_ms = (int64_t)time(NULL) * 1000;
	f->dir_fd = pk_state_dir("fleet");
	f->seen = f->dir_fd < 0 ? NULL : pk_state_read(f->dir_fd, FILE_NAME);
	if (!json_is_object(f->seen)) {
		json_decref(f->seen);
		f->seen = json_object();
	}
	for (size_t i = 0; i < hosts->n; i++) {
		struct host *h = &f->v[f->n++];

		*h = (struct host){ .f = f, .name = hosts->v[i] };
		if (ask(h, PK_API_STATUS, on_status) < 0)
			finish(h, "failed", NULL, "out of memory");
	}
	pk_remote_run(f->remote, show_progress, f);
	if (isatty(STDERR_FILENO))
		fputs("\r\x1b[K", stderr);
	remember(f);
	return print(f);
}

/* 0; 1: help was printed; 2: misused. */
static int read_options(const struct pk_command *self, struct fleet *f, int argc, char **argv)
{
	int c, r = 0;

	pk_fleet_ask_init(&f->ask, "reader");
	optind = 1;
	while (!r && (c = getopt_long(argc, argv, "o:h", self->options, NULL)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 1;
		}
		if (c == 'o')
			r = pk_format_parse(optarg, &f->format) < 0 ? 2 : 0;
		else if (c == LIST && f->n_list < LISTS_MAX)
			f->list[f->n_list++] = optarg;
		else
			r = pk_fleet_ask_take(&f->ask, c);
	}
	return r || optind < argc || !f->ask.n_to ? 2 : 0;
}

static int run(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(pk_hosts_done) struct pk_hosts hosts = {};
	struct fleet f = { .dir_fd = -1 };
	int r = read_options(self, &f, argc, argv);

	if (r)
		return r == 1 ? 0 : pk_command_misused(self);
	r = pk_fleet_ask_hosts(&f.ask, &hosts);
	if (!r)
		r = want(&f);
	if (!r)
		r = run_all(&f, &hosts);
	pk_remote_free(f.remote);
	json_decref(f.wanted);
	json_decref(f.seen);
	pk_closep(&f.dir_fd);
	free(f.v);
	return r;
}

static const struct option status_options[] = {
	PK_FA_OPTIONS,
	{ "list", required_argument, NULL, LIST },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const struct pk_command cmd_status = {
	.name = "fleet status",
	.what = "what each host enforces and covers, what it lost, when it was seen",
	.usage = "fleet status [OPTION]... --to HOST[:PORT]|FILE.yaml",
	.options = status_options,
	.run = run,
	.help = PK_FA_HELP(
		"reader") "      --list FILE      each host should have this signed list "
			  "(FILE" PK_LIST_SIGNATURE ");\n"
			  "                       may be repeated. Without it: the lists that were "
			  "pushed "
			  "from\n"
			  "                       here, on the hosts that they were pushed to\n"
			  "  -o, --output F       table, json (one host a line) or csv\n"
			  "  -h, --help           this text\n\n"
			  "LISTS are signed ones with their versions: 7<8 is behind, 9>8 ahead of "
			  "what is\n"
			  "wanted, 8! has that version and another content, off and missing speak "
			  "for\n"
			  "themselves. LOST: records, samples and rows that the host could not "
			  "keep.\n\n"
			  "Exits with 0 when all are as they should be, 3 when one is not, 4 when "
			  "one does not\n"
			  "answer.\n\n"
			  "Examples:\n"
			  "  picket fleet status --to hosts.yaml --group web\n"
			  "  picket fleet status --to hosts.yaml --list drop.txt -o json | jq -r "
			  "'select(.state != \"ok\").host'\n",
};

static const struct pk_command *const subs[] = { &cmd_status, NULL };

static const struct option options_h[] = {
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_fleet = {
	.name = "fleet",
	.what = "the hosts that lists are pushed to",
	.usage = "fleet status [ARGUMENT]...",
	.options = options_h,
	.run = pk_command_sub,
	.sub = subs,
	.help = "Examples:\n"
		"  picket fleet status --to hosts.yaml\n",
};
