/* SPDX-License-Identifier: Apache-2.0 */
/* `picket playbook`: what is done about incidents of a kind. Files are checked here, without the
 * agent, by the same code that it reads them with. */
#include "base/cleanup.h"
#include "client.h"
#include "command.h"
#include "incident_show.h"
#include "list.h"
#include "outcome.h"
#include "respond/shelf.h"
#include "show.h"
#include "table.h"

#include <errno.h>
#include <getopt.h>
#include <picket/api.h>
#include <string.h>

enum { REASON = 256, INCIDENT };

struct wish {
	const char *reason, *incident;
};

/* 0; 1: help was printed; 2: misused. */
static int read_options(const struct pk_command *self, int argc, char **argv, struct wish *w)
{
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "h", self->options, NULL)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 1;
		}
		if (c == REASON)
			w->reason = optarg;
		else if (c == INCIDENT)
			w->incident = optarg;
		else
			return 2;
	}
	return 0;
}

static int misused(const struct pk_command *self, int r)
{
	return r == 1 ? 0 : pk_command_misused(self);
}

static int check_one(const char *path)
{
	_cleanup_free_ struct pk_playbook *p = calloc(1, sizeof(*p));
	_cleanup_(pk_buf_done) struct pk_buf errors = {}, text = {};
	int r = p ? pk_shelf_read_file(path, p, &errors) : -ENOMEM;
	char *at = errors.data, *line;

	if (r < 0 && r != -EBADMSG)
		fprintf(stderr, "picket: %s: %s\n", path, strerror(-r));
	while (at && (line = strsep(&at, "\n")))
		if (*line) {
			pk_buf_fmt(&text, "%s: %s", path, line);
			pk_outcome_say(text.data ? text.data : "");
			pk_buf_reset(&text);
		}
	if (r < 0)
		return 1;
	pk_buf_fmt(&text, "%s: right, %zu steps: ", path, p->steps);
	pk_show_text(&text, p->name);
	pk_buf_char(&text, '\n');
	pk_playbook_explain(p, &text);
	pk_outcome_flush(&text);
	return 0;
}

static int run_check(const struct pk_command *self, int argc, char **argv)
{
	struct wish w = {};
	int r = read_options(self, argc, argv, &w);

	if (r || optind == argc)
		return misused(self, r);
	for (int i = optind; i < argc; i++)
		r |= check_one(argv[i]);
	return r;
}

static int run_ls(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	struct pk_client client;
	struct wish w = {};
	json_t *body = NULL, *p, *enabled;
	int r = read_options(self, argc, argv, &w);
	size_t i;

	if (r || optind < argc)
		return misused(self, r);
	pk_client_init(&client, NULL);
	r = pk_client_get(&client, PK_API_PLAYBOOKS, NULL, &body);
	if (r)
		return r;
	json_array_foreach(json_object_get(body, "playbooks"), i, p)
	{
		pk_buf_fmt(&out, "%-14s ", pk_json_text(p, "word"));
		pk_show_text(&out, pk_json_text(p, "name"));
		pk_buf_char(&out, '\n');
		pk_show_wrapped(&out, 15, pk_json_text(p, "description"));
	}
	enabled = json_object_get(body, "enabled");
	pk_buf_str(&out, "taken without a person (respond.enabled): ");
	json_array_foreach(enabled, i, p)
		pk_buf_fmt(&out, "%s%s", i ? ", " : "", json_string_value(p));
	pk_buf_str(&out, json_array_size(enabled) ? "\n" : "none, all steps are only advised\n");
	pk_outcome_flush(&out);
	json_decref(body);
	return 0;
}

static int run_run(const struct pk_command *self, int argc, char **argv)
{
	struct wish w = {};
	int r = read_options(self, argc, argv, &w);
	bool dry = strstr(self->name, "dry") != NULL;

	if (r || optind + 1 != argc || !w.incident)
		return misused(self, r);
	return pk_incident_contain(w.incident, argv[optind], w.reason, dry);
}

static const struct option plain[] = {
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
static const struct option run_options[] = {
	{ "incident", required_argument, NULL, INCIDENT },
	{ "reason", required_argument, NULL, REASON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const struct pk_command cmd_ls = {
	.name = "playbook ls",
	.what = "playbooks the agent has, and what it may do by itself",
	.usage = "playbook ls",
	.options = plain,
	.run = run_ls,
	.help = "Examples:\n"
		"  picket playbook ls\n",
};
static const struct pk_command cmd_check = {
	.name = "playbook check",
	.what = "is a file right, and what would it do, in words",
	.usage = "playbook check FILE...",
	.options = plain,
	.run = run_check,
	.help = "Reads CACAO 2.0 (steps start, end, action, if-condition, parallel; commands bash "
		"with "
		"one\n"
		"verb of the tool, and manual). Every way must come to an end. Asks no agent.\n\n"
		"Examples:\n"
		"  picket playbook check /usr/share/picket/playbooks/*.json\n",
};
static const struct pk_command cmd_dry = {
	.name = "playbook dry-run",
	.what = "what a playbook would do about an incident, to whom",
	.usage = "playbook dry-run --incident ID PLAYBOOK",
	.options = run_options,
	.run = run_run,
	.help = "Examples:\n"
		"  picket playbook dry-run --incident 3 c2\n",
};
static const struct pk_command cmd_run = {
	.name = "playbook run",
	.what = "have all its steps taken for an incident",
	.usage = "playbook run --incident ID --reason TEXT PLAYBOOK",
	.options = run_options,
	.run = run_run,
	.help = "Examples:\n"
		"  picket playbook run --incident 3 --reason 'still spreading' isolate\n",
};

static const struct pk_command *const subs[] = { &cmd_ls, &cmd_check, &cmd_dry, &cmd_run, NULL };

const struct pk_command pk_cmd_playbook = {
	.name = "playbook",
	.what = "what is done about incidents: list, check, try, run",
	.usage = "playbook ls|check|dry-run|run [ARGUMENT]...",
	.options = plain,
	.run = pk_command_sub,
	.sub = subs,
	.help = "Examples:\n"
		"  picket playbook check my.json\n"
		"  picket playbook dry-run --incident 3 c2\n",
};
