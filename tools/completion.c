/* SPDX-License-Identifier: Apache-2.0 */
/* `picket completion`: scripts for shells, made from the same tables as the commands. */
#include "base/cleanup.h"
#include "command.h"

#include <getopt.h>
#include <string.h>

static void names(const char *sep)
{
	for (size_t i = 0; pk_commands[i]; i++)
		printf("%s%s", i ? sep : "", pk_commands[i]->name);
}

static void options_of(const struct pk_command *c)
{
	for (const struct option *o = c->options; o && o->name; o++)
		printf("%s--%s", o == c->options ? "" : " ", o->name);
}

static void bash(void)
{
	printf("_picket() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
	       "prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "\tCOMPREPLY=()\n"
	       "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	       "\t\tCOMPREPLY=($(compgen -W '");
	names(" ");
	printf(" --help --version --socket' -- \"$cur\"))\n\t\treturn\n\tfi\n"
	       "\tcase $prev in -o|--output) COMPREPLY=($(compgen -W 'table json csv' -- "
	       "\"$cur\")); "
	       "return;; esac\n"
	       "\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; pk_commands[i]; i++) {
		printf("\t%s) COMPREPLY=($(compgen %s-W '", pk_commands[i]->name,
		       strcmp(pk_commands[i]->name, "replay") ? "" : "-f ");
		options_of(pk_commands[i]);
		printf("' -- \"$cur\"));;\n");
	}
	printf("\tesac\n}\ncomplete -F _picket picket\n");
}

static void zsh(void)
{
	printf("#compdef picket\n_picket() {\n\tlocal -a commands\n\tcommands=(\n");
	for (size_t i = 0; pk_commands[i]; i++)
		printf("\t\t'%s:%s'\n", pk_commands[i]->name, pk_commands[i]->what);
	printf("\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command "
	       "commands\n\t\treturn\n\tfi\n"
	       "\tif [[ $words[CURRENT-1] == (-o|--output) ]]; then\n"
	       "\t\tcompadd table json csv\n\t\treturn\n\tfi\n"
	       "\tcase $words[2] in\n");
	for (size_t i = 0; pk_commands[i]; i++) {
		printf("\t%s) compadd -- ", pk_commands[i]->name);
		options_of(pk_commands[i]);
		printf("%s;;\n", strcmp(pk_commands[i]->name, "replay") ? "" : "; _files");
	}
	printf("\tesac\n}\n_picket \"$@\"\n");
}

static void fish(void)
{
	for (size_t i = 0; pk_commands[i]; i++) {
		const struct pk_command *c = pk_commands[i];

		printf("complete -c picket -f -n __fish_use_subcommand -a %s -d '%s'\n", c->name,
		       c->what);
		for (const struct option *o = c->options; o && o->name; o++) {
			printf("complete -c picket %s -n '__fish_seen_subcommand_from %s' -l %s",
			       strcmp(c->name, "replay") ? "-f" : "-F", c->name, o->name);
			if (!o->flag && o->val > 0 && o->val < 128)
				printf(" -s %c", o->val);
			if (!strcmp(o->name, "output"))
				printf(" -x -a 'table json csv'");
			printf("\n");
		}
	}
}

static int run(const struct pk_command *self, int argc, char **argv)
{
	static const struct {
		const char *shell;
		void (*print)(void);
	} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		pk_command_usage(self, stdout);
		return 0;
	}
	for (size_t i = 0; argc == 2 && i < PK_ARRAY_SIZE(shells); i++)
		if (!strcmp(argv[1], shells[i].shell)) {
			shells[i].print();
			return 0;
		}
	return pk_command_misused(self);
}

const struct pk_command pk_cmd_completion = {
	.name = "completion",
	.what = "print the completion script for a shell",
	.usage = "completion bash|zsh|fish",
	.run = run,
	.help = "Examples:\n"
		"  picket completion bash > /etc/bash_completion.d/picket\n"
		"  picket completion fish > ~/.config/fish/completions/picket.fish\n",
};
