/* SPDX-License-Identifier: Apache-2.0 */
/* `picket mute`: suppressions of alerts, each with an owner, a reason and an end. */
#include "mute.h"
#include "base/cleanup.h"
#include "block_args.h"
#include "client.h"
#include "command.h"
#include "outcome.h"
#include "show.h"
#include "table.h"

#include <getopt.h>
#include <picket/api.h>
#include <string.h>

enum { FOR = 256, OWNER, REASON, WIDE, MATCH };

/* Options that are conditions, by their name in the API. */
#define MATCHES(X) X(process) X(exe) X(cmd) X(user) X(container) X(remote) X(name)
#define OPTION(n)  { #n, required_argument, NULL, MATCH },

struct wish {
	json_t *body; /* what is asked for */
	enum pk_format format;
	bool all;
};

static void set(json_t *o, const char *key, const char *value)
{
	(void)json_object_set_new(o, key, json_string(value)); /* checked when dumped */
}

/* Is it one of this command's, not of another one here? */
static bool knows(const struct pk_command *self, int c)
{
	for (const struct option *o = self->options; o->name; o++)
		if (o->val == c)
			return true;
	return false;
}

static int read_one(int c, const char *option, struct wish *w)
{
	json_t *match;
	uint64_t s;

	switch (c) {
	case FOR:
		if (pk_args_seconds(optarg, &s) == 0) {
			(void)json_object_set_new(w->body, "ttl", json_integer((json_int_t)s));
			return 0;
		}
		fprintf(stderr, "picket: --for takes a time as in 30m, 12h or 7d, not %s\n",
			optarg);
		return 2;
	case OWNER:
	case REASON:
		set(w->body, option, optarg);
		return 0;
	case WIDE:
		(void)json_object_set_new(w->body, "wide", json_true());
		return 0;
	case MATCH:
		match = json_object_get(w->body, "match");
		if (!match) {
			match = json_object();
			(void)json_object_set_new(w->body, "match", match);
		}
		set(match, option, optarg);
		return 0;
	case 'a':
		w->all = true;
		return 0;
	case 'o':
		if (pk_format_parse(optarg, &w->format) == 0)
			return 0;
		fprintf(stderr, "picket: -o takes table, json or csv, not %s\n", optarg);
		return 2;
	default:
		return 2;
	}
}

/* 0; 1: help was printed; 2: misused. */
static int read_options(const struct pk_command *self, int argc, char **argv, struct wish *w)
{
	int c, at = 0, r;

	optind = 1;
	w->body = json_object();
	while ((c = getopt_long(argc, argv, "o:ah", self->options, &at)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 1;
		}
		r = knows(self, c) ? read_one(c, self->options[at].name, w) : 2;
		if (r)
			return r;
	}
	return 0;
}

static int misused(const struct pk_command *self, struct wish *w, int r)
{
	json_decref(w->body);
	return r == 1 ? 0 : pk_command_misused(self);
}

/* "/v1/mutes/ID/what"; NULL: no such id can be. */
static char *path_of(const char *id, const char *what)
{
	char *path = NULL;

	if (!*id || strlen(id) > 63 ||
	    strspn(id, "abcdefghijklmnopqrstuvwxyzT0123456789-") != strlen(id)) {
		pk_outcome_say("a suppression is named by its number, as in: picket mute show 3");
		return NULL;
	}
	return asprintf(&path, "%s/%s%s", PK_API_MUTES, id, what) < 0 ? NULL : path;
}

/* Asks for a change, the wish's body is taken; prints what became of it. */
static int act(const char *method, const char *path, struct wish *w)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {}, out = {};
	_cleanup_free_ char *text = json_dumps(w->body, JSON_COMPACT);
	struct pk_client_ask ask = { .method = method, .path = path, .body = text };
	json_t *answer = NULL, *problem = NULL;
	struct pk_client client;
	int r = 2;

	json_decref(w->body);
	if (!path || !text)
		return r;
	ask.len = strlen(text);
	pk_client_init(&client, NULL);
	r = pk_client_send(&client, &ask, &answer, &problem, &error);
	if (r)
		pk_outcome_problem(error.data, NULL, problem);
	else if (w->format == PK_FORMAT_JSON)
		pk_mute_print_json(&out, answer);
	else
		pk_mute_line(&out, answer);
	pk_outcome_flush(&out);
	if (!r && json_is_false(json_object_get(answer, "kept")))
		pk_outcome_say("it counts, but is not on the disk (yet): without that it ends with "
			       "the agent");
	json_decref(answer);
	json_decref(problem);
	return r;
}

static int run_add(const struct pk_command *self, int argc, char **argv)
{
	json_t *rules = json_array();
	struct wish w = {};
	int r = read_options(self, argc, argv, &w);

	for (int i = optind; i < argc; i++)
		(void)json_array_append_new(rules, json_string(argv[i]));
	(void)json_object_set_new(w.body, "rules", rules);
	if (r || optind == argc)
		return misused(self, &w, r);
	if (!json_object_get(w.body, "reason")) {
		pk_outcome_say("--reason is required: it stays with the suppression");
		json_decref(w.body);
		return 2;
	}
	return act("POST", PK_API_MUTES, &w);
}

static int run_rm(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_free_ char *path = NULL;
	struct wish w = {};
	int r = read_options(self, argc, argv, &w);

	if (r || optind + 1 != argc)
		return misused(self, &w, r);
	path = path_of(argv[optind], "");
	return act("DELETE", path, &w);
}

static int run_extend(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_free_ char *path = NULL;
	struct wish w = {};
	int r = read_options(self, argc, argv, &w);

	if (r || optind + 1 != argc)
		return misused(self, &w, r);
	if (!json_object_get(w.body, "reason") || !json_object_get(w.body, "ttl")) {
		pk_outcome_say("--for and --reason are required");
		json_decref(w.body);
		return 2;
	}
	path = path_of(argv[optind], "/extend");
	return act("POST", path, &w);
}

static int run_show(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	_cleanup_free_ char *path = NULL;
	struct pk_client client;
	struct wish w = {};
	json_t *m = NULL;
	int r = read_options(self, argc, argv, &w);

	if (r || optind + 1 != argc)
		return misused(self, &w, r);
	json_decref(w.body);
	path = path_of(argv[optind], "");
	if (!path)
		return 2;
	pk_client_init(&client, NULL);
	r = pk_client_get(&client, path, NULL, &m);
	if (r)
		return r;
	if (w.format == PK_FORMAT_JSON)
		pk_mute_print_json(&out, m);
	else
		pk_mute_page(&out, m);
	pk_outcome_flush(&out);
	json_decref(m);
	return 0;
}

static int run_ls(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	struct pk_client client;
	struct pk_table table;
	struct wish w = {};
	json_t *body = NULL, *m;
	int r = read_options(self, argc, argv, &w);
	size_t k;

	if (r || optind < argc)
		return misused(self, &w, r);
	json_decref(w.body);
	const char *const query[] = { "state", w.all ? "all" : NULL, NULL };

	pk_client_init(&client, NULL);
	pk_table_init(&table, pk_mute_columns, pk_mute_columns_n, w.format);
	r = pk_client_get(&client, PK_API_MUTES, query, &body);
	if (r)
		return r;
	json_array_foreach(json_object_get(body, "mutes"), k, m) pk_table_row(&table, &out, m);
	pk_outcome_flush(&out);
	if (!k && w.format == PK_FORMAT_TABLE)
		fprintf(stderr, "picket: nothing is suppressed%s\n",
			w.all ? "" : " now; -a shows what was");
	json_decref(body);
	return 0;
}

static const struct option add_options[] = {
	MATCHES(OPTION){ "reason", required_argument, NULL, REASON },
	{ "for", required_argument, NULL, FOR },
	{ "owner", required_argument, NULL, OWNER },
	{ "wide", no_argument, NULL, WIDE },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
static const struct option ls_options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
static const struct option extend_options[] = {
	{ "for", required_argument, NULL, FOR },
	{ "reason", required_argument, NULL, REASON },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_mute_add = {
	.name = "mute add",
	.what = "suppress alerts of a detector or rule for a while (add may be left out)",
	.usage = "mute [add] RULE... [CONDITION]... --reason TEXT [OPTION]...",
	.options = add_options,
	.run = run_add,
	.help = "RULE is a name of `picket detectors` or an id of `picket rule ls`. Conditions "
		"must "
		"all hold:\n\n"
		"      --exe GLOB        path of the program, as the program sees it\n"
		"      --process GLOB    name of the program; anybody can choose one, so --exe "
		"says "
		"more\n"
		"      --cmd GLOB        its command line, which anybody can choose, too\n"
		"      --user NAME|UID   who runs it\n"
		"      --container GLOB  name or id of its container\n"
		"      --remote NET      address or network of the other side\n"
		"      --name DOMAIN     with all below it\n"
		"      --wide            no condition: the whole rule is quiet\n\n"
		"      --reason TEXT     why; it stays with the suppression\n"
		"      --for TIME        it ends after 30m, 12h, 7d... (mute.ttl, 30 days; at most "
		"mute.ttl_max)\n"
		"      --owner NAME      who answers for it (you)\n"
		"  -o, --output F        table or json\n"
		"  -h, --help            this text\n\n"
		"A suppressed alert is kept and counted: `picket alerts --muted` shows it. It "
		"begins "
		"no incident,\n"
		"sets off no playbook and goes to no sink (but see mute.sinks). tamper, which "
		"guards "
		"the sensor,\n"
		"takes the whole path of a program (--exe without * and ?).\n\n"
		"Examples:\n"
		"  picket mute beacon --exe /usr/bin/chronyd --reason 'time service'\n"
		"  picket mute port_scan host_sweep --remote 10.0.9.5 --for 7d --reason 'our "
		"scanner, "
		"TICKET-12'\n",
};
static const struct pk_command cmd_ls = {
	.name = "mute ls",
	.what = "what is suppressed: by whom, why, until when, how often it was hit",
	.usage = "mute ls [OPTION]...",
	.options = ls_options,
	.run = run_ls,
	.help = "  -a, --all        those that have expired or were removed, too\n"
		"  -o, --output F   table, json or csv\n"
		"  -h, --help       this text\n\n"
		"Examples:\n"
		"  picket mute ls\n"
		"  picket mute ls -a -o json | jq 'select(.hits == 0).number'\n",
};
static const struct pk_command cmd_show = {
	.name = "mute show",
	.what = "one suppression, and who did what about it",
	.usage = "mute show [-o table|json] ID",
	.options = ls_options + 1,
	.run = run_show,
	.help = "ID is its number or its whole id.\n\n"
		"Examples:\n"
		"  picket mute show 3\n",
};
static const struct pk_command cmd_rm = {
	.name = "mute rm",
	.what = "end it now: its alerts are told again",
	.usage = "mute rm [--reason TEXT] ID",
	.options = extend_options + 1,
	.run = run_rm,
	.help = "Examples:\n"
		"  picket mute rm 3 --reason 'the backup has moved'\n",
};
static const struct pk_command cmd_extend = {
	.name = "mute extend",
	.what = "another end, from now on; also of one that has expired",
	.usage = "mute extend --for TIME --reason TEXT ID",
	.options = extend_options,
	.run = run_extend,
	.help = "Examples:\n"
		"  picket mute extend 3 --for 30d --reason 'still our scanner'\n",
};

static const struct pk_command *const subs[] = {
	&pk_cmd_mute_add, &cmd_ls, &cmd_show, &cmd_rm, &cmd_extend, NULL,
};

/* What is none of the words below is a rule. */
static int run(const struct pk_command *self, int argc, char **argv)
{
	bool is_help = argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h");

	for (size_t i = 0; !is_help && subs[i]; i++)
		if (!strcmp(argv[1], strchr(subs[i]->name, ' ') + 1))
			return pk_command_sub(self, argc, argv);
	return is_help ? pk_command_sub(self, argc, argv) : run_add(&pk_cmd_mute_add, argc, argv);
}

const struct pk_command pk_cmd_mute = {
	.name = "mute",
	.what = "suppress alerts that are known to be harmless: who, why, until when",
	.usage = "mute RULE... [CONDITION]... --reason TEXT [OPTION]...\n"
		 "       picket mute ls|show|rm|extend [ARGUMENT]...",
	.options = ls_options + 2,
	.run = run,
	.sub = subs,
	.help = "Examples:\n"
		"  picket mute beacon --exe /usr/bin/chronyd --reason 'time service'\n"
		"  picket mute ls\n"
		"  picket mute rm 3\n",
};
