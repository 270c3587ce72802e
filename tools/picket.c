/* SPDX-License-Identifier: Apache-2.0 */
/* The `picket` command: finds the subcommand in a table and leaves the rest to it. */
#include "base/cleanup.h"
#include "replay.h"

#include <stdio.h>
#include <string.h>

struct command {
	const char *name, *what;
	int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns exit status */
};

static const struct command commands[] = {
	{ "replay", "show the flows of a capture file", pk_replay_main },
};

static void usage(FILE *f)
{
	fputs("Usage: picket COMMAND [ARGUMENTS...]\n\n", f);
	for (size_t i = 0; i < PK_ARRAY_SIZE(commands); i++)
		fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].what);
	fputs("\n`picket COMMAND --help` tells more. `picket --version` prints the version.\n", f);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("picket %s\n", PK_VERSION);
		return 0;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return 0;
	}
	for (size_t i = 0; i < PK_ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "picket: no such command; `picket --help` lists them\n");
	return 2;
}
