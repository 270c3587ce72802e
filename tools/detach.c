/* SPDX-License-Identifier: Apache-2.0 */
/* `picket detach`: the one way to take enforcement down. */
#include "base/cleanup.h"
#include "client.h"
#include "command.h"
#include "outcome.h"
#include "table.h"

#include <getopt.h>
#include <picket/api.h>
#include <string.h>

/* What will pass again, so that nobody does it by mistake. False: not now. */
static bool is_sure(const struct pk_client *c)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	double lists = 0, entries = 0;
	json_t *body = NULL, *l;
	char answer[16] = "";
	size_t i;

	if (pk_client_fetch(c, PK_API_LISTS, NULL, &body, &error) == 0)
		json_array_foreach(json_object_get(body, "lists"), i, l)
		{
			if (strcmp(pk_json_text(l, "mode"), "enforce") != 0)
				continue;
			lists++;
			entries += pk_json_num(l, "entries");
		}
	json_decref(body);
	fprintf(stderr,
		"This ends the agent and takes every hook down: %.0f entries of %.0f lists are no\n"
		"longer enforced. The saved lists stay, and count again at the next start.\n"
		"Detach? [y/N] ",
		entries, lists);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int run(const struct pk_command *self, int argc, char **argv)
{
	struct pk_client_ask ask = { .method = "POST", .path = PK_API_DETACH };
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	json_t *answer = NULL, *problem = NULL;
	struct pk_client client;
	bool yes = false;
	int c, r;

	optind = 1;
	while ((c = getopt_long(argc, argv, "yh", self->options, NULL)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 0;
		}
		if (c != 'y')
			return pk_command_misused(self);
		yes = true;
	}
	if (optind < argc)
		return pk_command_misused(self);
	pk_client_init(&client, NULL);
	if (!yes && !isatty(STDIN_FILENO)) {
		fputs("picket: no terminal to ask on: say --yes when you mean it\n", stderr);
		return 2;
	}
	if (!yes && !is_sure(&client)) {
		fputs("picket: nothing was changed\n", stderr);
		return 1;
	}
	r = pk_client_send(&client, &ask, &answer, &problem, &error);
	if (r)
		pk_outcome_problem(error.data, NULL, problem);
	else
		puts("detached: the agent takes its hooks down and ends");
	json_decref(answer);
	json_decref(problem);
	return r;
}

static const struct option options[] = {
	{ "yes", no_argument, NULL, 'y' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_detach = {
	.name = "detach",
	.what = "end the agent and everything it enforces",
	.usage = "detach [--yes]",
	.options = options,
	.run = run,
	.help = "  -y, --yes        do not ask\n"
		"  -h, --help       this text\n\n"
		"Stopping the agent leaves lists in force; this does not. Where no agent runs any\n"
		"more: picketd --detach.\n\n"
		"Examples:\n"
		"  picket detach\n",
};
