/* SPDX-License-Identifier: Apache-2.0 */
/* `picket rule`: Sigma rules. Finds the subcommand. */
#include "rule.h"

#include <getopt.h>

#include <string.h>

static const struct pk_command *const subs[] = { &pk_cmd_rule_check, &pk_cmd_rule_test, NULL };

static int run(const struct pk_command *self, int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		pk_command_usage(self, stdout);
		return 0;
	}
	for (size_t i = 0; argc > 1 && subs[i]; i++)
		if (!strcmp(argv[1], strchr(subs[i]->name, ' ') + 1))
			return subs[i]->run(subs[i], argc - 1, argv + 1);
	return pk_command_misused(self);
}

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_rule = {
	.name = "rule",
	.what = "check Sigma rules before they run, and try them on a capture",
	.usage = "rule check|test [ARGUMENT]...",
	.options = options,
	.run = run,
	.sub = subs,
	.help = "  check   compiles rules and explains them, or says what keeps them from "
		"running\n\n"
		"`picket rule COMMAND --help` tells more.\n",
};
