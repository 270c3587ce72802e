/* SPDX-License-Identifier: Apache-2.0 */
/* One way to ask for records and print them; what a record is, the commands say. */
#include "list.h"

#include "base/cleanup.h"
#include "block_args.h"
#include "client.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OPT_ALL = 'a', OPT_FOLLOW = 'f', OPT_MUTED = 256, OPT_SINCE };

#define PAGE "1000"

const struct option pk_list_options[] = {
	{ "follow", no_argument, NULL, OPT_FOLLOW },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "number", required_argument, NULL, 'n' },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct option pk_list_options_plain[] = {
	{ "all", no_argument, NULL, OPT_ALL },
	{ "number", required_argument, NULL, 'n' },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct option pk_list_options_log[] = {
	{ "follow", no_argument, NULL, OPT_FOLLOW },
	{ "number", required_argument, NULL, 'n' },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct option pk_list_options_alerts[] = {
	{ "follow", no_argument, NULL, OPT_FOLLOW },
	{ "muted", no_argument, NULL, OPT_MUTED },
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "number", required_argument, NULL, 'n' },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct wish {
	enum pk_format format;
	const char *number;
	uint64_t since_s; /* so long ago; 0: what memory has */
	bool follow, all, muted;
	struct pk_buf filter;
};

/* The words after the options are the filter, as in tcpdump. */
static void read_filter(struct wish *w, int argc, char **argv)
{
	for (int i = optind; i < argc; i++) {
		if (i > optind)
			pk_buf_char(&w->filter, ' ');
		pk_buf_str(&w->filter, argv[i]);
	}
}

#define LETTERS_MAX 16

/* "+": what follows the first word of the filter is the filter's. */
static void short_options(const struct option *options, char out[LETTERS_MAX])
{
	size_t n = 0;

	out[n++] = '+';
	for (const struct option *o = options; o->name && n < LETTERS_MAX - 2; o++) {
		if (o->val > 127)
			continue; /* has no letter */
		out[n++] = (char)o->val;
		if (o->has_arg == required_argument)
			out[n++] = ':';
	}
	out[n] = '\0';
}

/* 0; 1: help was printed; 2: misused. */
static int read_wish(const struct pk_command *self, struct wish *w, int argc, char **argv)
{
	char letters[LETTERS_MAX];
	int c;

	short_options(self->options, letters);
	optind = 1;
	while ((c = getopt_long(argc, argv, letters, self->options, NULL)) >= 0) {
		switch (c) {
		case OPT_FOLLOW:
			w->follow = true;
			break;
		case OPT_ALL:
			w->all = true;
			break;
		case OPT_SINCE:
			if (pk_args_seconds(optarg, &w->since_s) < 0) {
				fprintf(stderr,
					"picket: --since takes a time as in 90s, 30m, 24h or 7d, "
					"not %s\n",
					optarg);
				return 2;
			}
			break;
		case OPT_MUTED:
			w->muted = true;
			break;
		case 'n':
			if (!*optarg || strspn(optarg, "0123456789") != strlen(optarg)) {
				fprintf(stderr, "picket: -n takes a number, not %s\n", optarg);
				return 2;
			}
			w->number = optarg;
			break;
		case 'o':
			if (pk_format_parse(optarg, &w->format) < 0) {
				fprintf(stderr, "picket: -o takes table, json or csv, not %s\n",
					optarg);
				return 2;
			}
			break;
		case 'h':
			pk_command_usage(self, stdout);
			return 1;
		default:
			return 2;
		}
	}
	read_filter(w, argc, argv);
	if (w->follow && w->muted) {
		fprintf(stderr, "picket: suppressed alerts are not followed, only listed\n");
		return 2;
	}
	if (w->since_s && (w->follow || w->all)) {
		fprintf(stderr, "picket: --since lists what is kept on disk, without --follow and "
				"--all\n");
		return 2;
	}
	return 0;
}

struct printing {
	struct pk_table table;
	struct pk_buf out;
};

static bool flush(struct printing *p)
{
	bool ok = fwrite(p->out.data, 1, p->out.len, stdout) == p->out.len && !fflush(stdout);

	pk_buf_reset(&p->out);
	return ok;
}

static bool on_line(void *arg, json_t *o)
{
	struct printing *p = arg;
	json_t *lost = json_object_get(o, "lost");

	if (lost && json_object_size(o) == 1) {
		fprintf(stderr, "picket: too slow: %lld records were not shown\n",
			(long long)json_integer_value(lost));
		return true;
	}
	pk_table_row(&p->table, &p->out, o);
	return flush(p);
}

static void print_all(struct printing *p, const struct pk_list *list, json_t *body, bool all)
{
	json_t *rows = json_object_get(body, list->member);

	if (list->arrange)
		rows = list->arrange(rows, all);
	for (size_t i = 0, n = json_array_size(rows); i < n; i++)
		pk_table_row(&p->table, &p->out,
			     json_array_get(rows, list->oldest_first ? i : n - 1 - i));
	if (!json_array_size(rows) && p->table.format != PK_FORMAT_JSON)
		pk_table_row(&p->table, &p->out, NULL);
	(void)flush(p);
	if (list->arrange)
		json_decref(rows);
}

/* What did not fit is said, never left out in silence. */
static void tell_rest(const struct pk_list *list, json_t *body)
{
	size_t shown = json_array_size(json_object_get(body, list->member));
	json_int_t matched = json_integer_value(json_object_get(body, "matched"));

	if (matched > (json_int_t)shown)
		fprintf(stderr, "picket: %zu of %lld shown; -n NUMBER shows more\n", shown,
			(long long)matched);
}

/* The latest n that are kept, oldest first on the screen. */
static void print_latest(struct printing *p, json_t *rows)
{
	for (size_t i = json_array_size(rows); i; i--)
		pk_table_row(&p->table, &p->out, json_array_get(rows, i - 1));
}

/* A page of what is kept goes to rows (which borrows nothing), or to the screen. */
static size_t take_page(struct printing *p, json_t *page, json_t *rows, size_t room)
{
	size_t n = json_array_size(page);

	for (size_t i = 0; i < n && i < room; i++) {
		if (rows)
			(void)json_array_append(rows, json_array_get(page, i));
		else
			pk_table_row(&p->table, &p->out, json_array_get(page, i));
	}
	return n < room ? n : room;
}

/* Page by page, so that nothing is too much: with a number the latest, else all, oldest first. */
static int print_kept(const struct pk_client *client, const struct pk_list *list,
		      const struct wish *w, struct printing *p)
{
	size_t room = w->number ? strtoull(w->number, NULL, 10) : SIZE_MAX;
	json_t *rows = w->number ? json_array() : NULL, *body = NULL;
	char since[32], after[32] = "";
	bool more = true;
	int r = 0;

	snprintf(since, sizeof(since), "%lld", (long long)(time(NULL) - (time_t)w->since_s) * 1000);
	while (more && room && !r) {
		const char *const query[] = { "filter", w->filter.data,
					      "since",  since,
					      "order",  rows ? "newest" : "oldest",
					      "after",  *after ? after : NULL,
					      "limit",  PAGE,
					      "muted",  w->muted ? "1" : NULL,
					      NULL };

		r = pk_client_get(client, list->path, query, &body);
		if (r)
			break;
		room -= take_page(p, json_object_get(body, list->member), rows, room);
		snprintf(after, sizeof(after), "%.0f", pk_json_num(body, "last"));
		more = json_is_true(json_object_get(body, "more")) && strcmp(after, "0") != 0;
		json_decref(PK_TAKE(body));
		if (!flush(p))
			break;
	}
	print_latest(p, rows);
	if (!r && !p->table.headed && p->table.format != PK_FORMAT_JSON)
		pk_table_row(&p->table, &p->out, NULL);
	(void)flush(p);
	json_decref(rows);
	return r;
}

int pk_list_run(const struct pk_command *self, const struct pk_list *list, int argc, char **argv)
{
	struct wish w = {};
	struct printing p = {};
	struct pk_client client;
	json_t *body = NULL;
	int r = read_wish(self, &w, argc, argv);

	if (r) {
		pk_buf_done(&w.filter);
		return r == 1 ? 0 : pk_command_misused(self);
	}
	const char *const query[] = { "filter", w.filter.data,
				      "limit",  w.number ? w.number : list->limit,
				      "state",  w.all && list->stream ? "all" : NULL,
				      "muted",  w.muted ? "1" : NULL,
				      NULL };

	pk_client_init(&client, NULL);
	pk_table_init(&p.table, list->col, list->n, w.format);
	p.table.escaped = list->escaped;
	if (w.since_s) {
		r = print_kept(&client, list, &w, &p);
	} else if (w.follow) {
		r = pk_client_stream(&client, list->stream, query, on_line, &p);
	} else {
		r = pk_client_get(&client, list->path, query, &body);
		if (!r) {
			print_all(&p, list, body, w.all);
			tell_rest(list, body);
		}
		json_decref(body);
	}
	pk_buf_done(&p.out);
	pk_buf_done(&w.filter);
	return r;
}
