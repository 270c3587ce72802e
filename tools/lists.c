/* SPDX-License-Identifier: Apache-2.0 */
/* `picket list`: what lists there are and what is in them. Loading is lists_load.c. */
#include "base/cleanup.h"
#include "client.h"
#include "command.h"
#include "entry.h"
#include "list_name.h"
#include "lists_show.h"
#include "outcome.h"
#include "table.h"

#include <errno.h>
#include <getopt.h>
#include <picket/api.h>
#include <stdint.h>
#include <string.h>

#define SHOWN 100

static void v_name(struct pk_buf *out, json_t *l, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(l, "name"));
}

static void v_kind(struct pk_buf *out, json_t *l, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(l, "kind"));
}

static void v_mode(struct pk_buf *out, json_t *l, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(l, "mode"));
}

static void v_entries(struct pk_buf *out, json_t *l, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(l, "entries") + pk_json_num(l, "processes"));
}

static double hits(json_t *l)
{
	return pk_json_num(l, "in.packets") + pk_json_num(l, "out.packets") +
	       pk_json_num(l, "seen.packets") + pk_json_num(l, "allowed");
}

static void v_packets(struct pk_buf *out, json_t *l, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", hits(l));
}

static void v_calls(struct pk_buf *out, json_t *l, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(l, "calls"));
}

static void v_state(struct pk_buf *out, json_t *l, bool human)
{
	json_t *by = json_object_get(l, "confirm_by");

	if (*pk_json_text(l, "fault"))
		pk_buf_str(out, "FAULT");
	else if (by && human) {
		pk_buf_str(out, "back ");
		pk_entry_ago(out, json_integer_value(by));
	} else if (by)
		pk_buf_str(out, "unconfirmed");
	else if (json_is_true(json_object_get(l, "loading")))
		pk_buf_str(out, "loading");
	else
		pk_buf_str(out, json_is_true(json_object_get(l, "saved")) ? "saved" : "saving");
}

static void v_source(struct pk_buf *out, json_t *l, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(l, "source"));
}

static const struct pk_column lists[] = {
	{ "NAME", 14, false, false, v_name },     { "KIND", 5, false, false, v_kind },
	{ "MODE", 7, false, false, v_mode },      { "ENTRIES", 8, true, false, v_entries },
	{ "PACKETS", 9, true, false, v_packets }, { "CALLS", 6, true, false, v_calls },
	{ "STATE", 11, false, false, v_state },   { "SOURCE", 10, false, true, v_source },
};

enum { IF_MATCH = 256 };

struct wish {
	enum pk_format format;
	const char *if_match;
	uint64_t n;
	bool back, yes;
};

/* 0; 1: help was printed; 2: misused. */
static int read_options(const struct pk_command *self, int argc, char **argv, const char *allowed,
			struct wish *w)
{
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, allowed, self->options, NULL)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 1;
		}
		if (c == 'b') {
			w->back = true;
		} else if (c == IF_MATCH) {
			w->if_match = optarg;
			if (!pk_list_tag_is_right(optarg))
				return 2;
		} else if (c == 'o' && pk_format_parse(optarg, &w->format) < 0) {
			fprintf(stderr, "picket: -o takes table, json or csv, not %s\n", optarg);
			return 2;
		} else if (c == 'n') {
			char *end;

			w->n = strtoull(optarg, &end, 10);
			if (*end || end == optarg || *optarg == '-') {
				fprintf(stderr, "picket: -n takes a number, not %s\n", optarg);
				return 2;
			}
		} else if (c == '?') {
			return 2;
		}
	}
	return 0;
}

static int misused(const struct pk_command *self, int r)
{
	return r == 1 ? 0 : pk_command_misused(self);
}

/* "/v1/lists/NAME/what". A name that can't be one never gets as far as a path. */
static char *path_of(const char *name, const char *what)
{
	char *path = NULL;

	if (!*name ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			 "0123456789._-") != strlen(name) ||
	    strlen(name) > 63) {
		_cleanup_(pk_buf_done) struct pk_buf text = {};

		pk_buf_fmt(&text,
			   "%s is no name of a list: letters, digits, dot, dash and underscore, "
			   "63 at most",
			   name);
		pk_outcome_say(text.data ? text.data : "no name of a list");
		return NULL;
	}
	return asprintf(&path, "%s/%s%s", PK_API_LISTS, name, what) < 0 ? NULL : path;
}

static int run_ls(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	struct wish w = {};
	struct pk_client client;
	struct pk_table t;
	json_t *body = NULL, *l;
	int r = read_options(self, argc, argv, "o:h", &w);
	size_t i;

	if (r || optind < argc)
		return misused(self, r);
	pk_client_init(&client, NULL);
	r = pk_client_get(&client, PK_API_LISTS, NULL, &body);
	if (r)
		return r;
	pk_table_init(&t, lists, PK_ARRAY_SIZE(lists), w.format);
	json_array_foreach(json_object_get(body, "lists"), i, l) pk_table_row(&t, &out, l);
	if (!i && w.format != PK_FORMAT_JSON)
		pk_table_row(&t, &out, NULL);
	pk_outcome_flush(&out);
	if (!i && w.format == PK_FORMAT_TABLE)
		fputs("picket: there are no lists yet; picket list load --help tells more\n",
		      stderr);
	json_decref(body);
	return 0;
}

static int run_show(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_free_ char *path = NULL;
	struct wish w = { .n = SHOWN };
	int r = read_options(self, argc, argv, "n:o:h", &w);

	if (r || optind + 1 != argc)
		return misused(self, r);
	path = path_of(argv[optind], "");
	return path ? pk_list_show(path, w.format, w.n) : 2;
}

static int run_export(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_free_ char *path = NULL;
	struct pk_client client;
	struct wish w = {};
	int r = read_options(self, argc, argv, "h", &w);

	if (r || optind + 1 != argc)
		return misused(self, r);
	path = path_of(argv[optind], "/export");
	if (!path)
		return 2;
	pk_client_init(&client, NULL);
	r = pk_client_copy(&client, path, stdout);
	if (!r && fflush(stdout) != 0) {
		fprintf(stderr, "picket: cannot write: %s\n", strerror(errno));
		r = 1;
	}
	return r;
}

/* Asks for a change; NULL: it failed, and *ret is the exit status. */
static json_t *change(const struct pk_client_ask *ask, int *ret)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	json_t *answer = NULL, *problem = NULL;
	struct pk_client client;

	pk_client_init(&client, NULL);
	*ret = pk_client_send(&client, ask, &answer, &problem, &error);
	if (*ret)
		pk_outcome_problem(error.data, NULL, problem);
	json_decref(problem);
	return answer;
}

static int run_rm(const struct pk_command *self, int argc, char **argv)
{
	struct wish w = {};
	int r = read_options(self, argc, argv, "h", &w);

	if (r || optind >= argc || (w.if_match && optind + 1 < argc))
		return misused(self, r);
	for (int i = optind; i < argc && !r; i++) {
		_cleanup_free_ char *path = path_of(argv[i], "");
		const struct pk_client_ask ask = { .method = "DELETE",
						   .path = path,
						   .if_match = w.if_match };
		json_t *answer = path ? change(&ask, &r) : NULL;

		if (!path)
			r = 2;
		if (answer)
			printf("%s: removed, %.0f entries are out of force\n", argv[i],
			       pk_json_num(answer, "removed"));
		json_decref(answer);
	}
	return r;
}

static int run_mode(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	_cleanup_free_ char *path = NULL;
	struct wish w = {};
	json_t *answer;
	int r = read_options(self, argc, argv, "h", &w);

	if (r || optind + 2 != argc)
		return misused(self, r);
	const char *const query[] = { "mode", argv[optind + 1], NULL };

	path = path_of(argv[optind], "/mode");
	const struct pk_client_ask ask = {
		.method = "POST", .path = path, .query = query, .if_match = w.if_match
	};

	answer = path ? change(&ask, &r) : NULL;
	if (!path)
		return 2;
	if (answer)
		pk_list_about(&out, json_object_get(answer, "list"));
	pk_outcome_flush(&out);
	json_decref(answer);
	return r;
}

static int run_confirm(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_free_ char *path = NULL;
	struct wish w = {};
	json_t *answer;
	int r = read_options(self, argc, argv, "bh", &w);

	if (r || optind + 1 != argc)
		return misused(self, r);
	const char *const query[] = { "back", w.back ? "1" : NULL, NULL };

	path = path_of(argv[optind], "/confirm");
	const struct pk_client_ask ask = { .method = "POST", .path = path, .query = query };

	answer = path ? change(&ask, &r) : NULL;
	if (!path)
		return 2;
	if (answer)
		printf(w.back ? "%s: back to what was before\n" : "%s: kept\n", argv[optind]);
	json_decref(answer);
	return r;
}

static const struct option options_o[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
static const struct option options_no[] = {
	{ "number", required_argument, NULL, 'n' },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
static const struct option options_h[] = {
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
static const struct option options_tag[] = {
	{ "if-match", required_argument, NULL, IF_MATCH },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
static const struct option options_b[] = {
	{ "back", no_argument, NULL, 'b' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const struct pk_command cmd_ls = {
	.name = "list ls",
	.what = "the lists that there are",
	.usage = "list ls [-o table|json|csv]",
	.options = options_o,
	.run = run_ls,
	.help = "PACKETS: dropped, in mode observe: that would have been, of an allow list: kept "
		"from\nbeing dropped. CALLS: connect() and sendmsg() that failed with EPERM; in "
		"mode "
		"observe\nnone does, and each is one of the PACKETS, like what is sent after "
		"it.\n\n"
		"Examples:\n"
		"  picket list ls\n"
		"  picket list ls -o json | jq .name\n",
};
static const struct pk_command cmd_show = {
	.name = "list show",
	.what = "a list, its entries and what they hit",
	.usage = "list show [-n NUMBER] [-o table|json|csv] NAME",
	.options = options_no,
	.run = run_show,
	.help = "  -n, --number N   at most N entries (100); 0: all\n"
		"  -o, --output F   table, json or csv\n"
		"  -h, --help       this text\n\n"
		"Examples:\n"
		"  picket list show manual\n"
		"  picket list show -n 0 -o csv drop | sort -t, -k3 -n | tail\n",
};
static const struct pk_command cmd_export = {
	.name = "list export",
	.what = "a list as text, with all that load reads back",
	.usage = "list export NAME",
	.options = options_h,
	.run = run_export,
	.help = "Examples:\n"
		"  picket list export drop > drop.list\n"
		"  picket list export drop | ssh other picket list load --name drop -\n",
};
static const struct pk_command cmd_rm = {
	.name = "list rm",
	.what = "remove lists; what they blocked passes at once",
	.usage = "list rm [--if-match TAG] NAME...",
	.options = options_tag,
	.run = run_rm,
	.help = "      --if-match TAG   only if the list (one) is that of this tag still\n"
		"  -h, --help           this text\n\n"
		"Examples:\n"
		"  picket list rm drop\n",
};
static const struct pk_command cmd_mode = {
	.name = "list mode",
	.what = "enforce a list, only observe what it would do, or turn it off",
	.usage = "list mode [--if-match TAG] NAME enforce|observe|off",
	.options = options_tag,
	.run = run_mode,
	.help = "      --if-match TAG   only if the list is that of this tag still\n"
		"  -h, --help           this text\n\n"
		"Examples:\n"
		"  picket list mode drop observe\n",
};
static const struct pk_command cmd_confirm = {
	.name = "list confirm",
	.what = "keep what was loaded with --confirm",
	.usage = "list confirm [--back] NAME",
	.options = options_b,
	.run = run_confirm,
	.help = "      --back       do not keep it: back to what was before, now\n"
		"  -h, --help       this text\n\n"
		"Examples:\n"
		"  picket list load --confirm 60s drop.txt && picket list confirm drop\n",
};

static const struct pk_command *const subs[] = {
	&cmd_ls,
	&cmd_show,
	&pk_cmd_list_load,
	&pk_cmd_list_test,
	&pk_cmd_list_diff,
	&cmd_export,
	&cmd_mode,
	&cmd_confirm,
	&pk_cmd_list_sign,
	&pk_cmd_list_verify,
	&pk_cmd_list_publish,
	&cmd_rm,
	NULL,
};

const struct pk_command pk_cmd_list = {
	.name = "list",
	.what = "lists of addresses: load, show, compare, test, export, remove",
	.usage = "list ls|show|load|test|diff|export|mode|confirm|sign|verify|rm [ARGUMENT]...",
	.options = options_h,
	.run = pk_command_sub,
	.sub = subs,
	.help = "Examples:\n"
		"  picket list test drop.txt              what it would have cut, before it "
		"counts\n"
		"  picket list load --mode observe drop.txt\n"
		"  picket list mode drop enforce\n"
		"  picket list show drop\n",
};
