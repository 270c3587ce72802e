/* SPDX-License-Identifier: Apache-2.0 */
/* `picket rule`: Sigma rules. Finds the subcommand. */
#include "rule.h"

#include <getopt.h>

#include <string.h>

static const struct pk_command *const subs[] = { &pk_cmd_rule_ls, &pk_cmd_rule_check,
						 &pk_cmd_rule_test, NULL };

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_rule = {
	.name = "rule",
	.what = "list Sigma rules, check them before they run, try them on what was recorded",
	.usage = "rule ls|check|test [ARGUMENT]...",
	.options = options,
	.run = pk_command_sub,
	.sub = subs,
	.help = "Examples:\n"
		"  picket rule ls\n"
		"  picket rule check /etc/picket/rules.d\n",
};
