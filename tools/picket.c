/* SPDX-License-Identifier: Apache-2.0 */
/* The `picket` command: finds the subcommand in a table and leaves the rest to it. */
#include "base/cleanup.h"
#include "command.h"
#include "replay.h"

#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int run_replay(const struct pk_command *self, int argc, char **argv)
{
	(void)self;
	return pk_replay_main(argc, argv);
}

const struct pk_command pk_cmd_replay = {
	.name = "replay",
	.what = "show the flows of a capture file, by the same kernel program",
	.run = run_replay, /* with a help of its own */
};

const struct pk_command *const pk_commands[] = {
	&pk_cmd_top,      &pk_cmd_who,      &pk_cmd_flows,      &pk_cmd_dns,    &pk_cmd_tls,
	&pk_cmd_incident, &pk_cmd_playbook, &pk_cmd_alerts,     &pk_cmd_mute,   &pk_cmd_detectors,
	&pk_cmd_events,   &pk_cmd_ps,       &pk_cmd_status,     &pk_cmd_block,  &pk_cmd_unblock,
	&pk_cmd_list,     &pk_cmd_check,    &pk_cmd_rule,       &pk_cmd_detach, &pk_cmd_record,
	&pk_cmd_replay,   &pk_cmd_verify,   &pk_cmd_pki,        &pk_cmd_key,    &pk_cmd_push,
	&pk_cmd_fleet,    &pk_cmd_hub,      &pk_cmd_completion, NULL,
};

static void usage(FILE *f)
{
	fputs("Usage: picket [--socket PATH] COMMAND [ARGUMENT]...\n\n"
	      "Watches the network flows of this host and the processes behind them, and blocks\n"
	      "what is on its lists.\n\n",
	      f);
	for (size_t i = 0; pk_commands[i]; i++)
		fprintf(f, "  %-11s %s\n", pk_commands[i]->name, pk_commands[i]->what);
	fputs("\n      --socket PATH  of the daemon ($PICKET_SOCKET, /run/picket/picket.sock)\n"
	      "      --version      print the version\n"
	      "  -h, --help         this text; `picket COMMAND --help` tells more\n\n"
	      "Examples:\n"
	      "  picket top                          a live view of everything\n"
	      "  picket who example.org              which process talks to it, since when, how "
	      "much\n"
	      "  picket flows proc curl              who talks to whom\n"
	      "  picket dns --follow name '*.org'    who looks up which name\n"
	      "  picket alerts --follow              what looks like an attack, as it is found\n"
	      "  picket status                       what is covered, lost and spent\n"
	      "  picket block 192.0.2.7 --ttl 1h     drop all packets from and to it\n"
	      "  picket list load drop.txt           the same with a whole list\n"
	      "  sudo picket replay capture.pcap     the same view of a recording\n\n"
	      "Exit status: 0, 1 something failed, 2 wrong usage or filter.\n",
	      f);
}

void pk_command_usage(const struct pk_command *c, FILE *to)
{
	fprintf(to, "Usage: picket %s\n%c%s.\n\n%s", c->usage, c->what[0] & ~0x20, c->what + 1,
		c->help);
}

int pk_command_misused(const struct pk_command *c)
{
	fprintf(stderr, "Usage: picket %s\nTry: picket %s --help\n", c->usage, c->name);
	return 2;
}

/* "incident show" is called show. */
static const char *sub_name(const struct pk_command *c)
{
	return strchr(c->name, ' ') + 1;
}

int pk_command_sub(const struct pk_command *self, int argc, char **argv)
{
	if (argc >= 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		printf("Usage: picket %s\n%c%s.\n\n", self->usage, self->what[0] & ~0x20,
		       self->what + 1);
		for (size_t i = 0; self->sub[i]; i++)
			printf("  %-9s %s\n", sub_name(self->sub[i]), self->sub[i]->what);
		printf("\n`picket %s COMMAND --help` tells more.\n\n%s", self->name, self->help);
		return 0;
	}
	for (size_t i = 0; argc >= 2 && self->sub[i]; i++)
		if (!strcmp(argv[1], sub_name(self->sub[i])))
			return self->sub[i]->run(self->sub[i], argc - 1, argv + 1);
	return pk_command_misused(self);
}

/* Options that stand in the place of a command. */
static bool is_last(const char *arg)
{
	return !strcmp(arg, "--version") || !strcmp(arg, "--help") || !strcmp(arg, "-h");
}

/* Options before the command; returns how many words they took, -1 when misused. */
static int read_globals(int argc, char **argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-') {
		if (!strncmp(argv[i], "--socket=", 9)) {
			setenv("PICKET_SOCKET", argv[i] + 9, 1);
			i++;
		} else if (!strcmp(argv[i], "--socket") && i + 1 < argc) {
			setenv("PICKET_SOCKET", argv[i + 1], 1);
			i += 2;
		} else {
			return is_last(argv[i]) ? i : -1;
		}
	}
	return i;
}

int main(int argc, char **argv)
{
	int at;

	setlocale(LC_CTYPE, "");
	if (MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8"); /* a bare environment: the text is UTF-8 anyway */
	signal(SIGPIPE, SIG_DFL);
	at = read_globals(argc, argv);
	if (at < 0 || at >= argc) {
		usage(stderr);
		return 2;
	}
	if (!strcmp(argv[at], "--version")) {
		printf("picket %s\n", PK_VERSION);
		return 0;
	}
	if (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h") || !strcmp(argv[at], "help")) {
		usage(stdout);
		return 0;
	}
	for (size_t i = 0; pk_commands[i]; i++)
		if (!strcmp(argv[at], pk_commands[i]->name))
			return pk_commands[i]->run(pk_commands[i], argc - at, argv + at);
	fprintf(stderr, "picket: there is no such command; `picket --help` lists them\n");
	return 2;
}
