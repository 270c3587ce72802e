/* SPDX-License-Identifier: Apache-2.0 */
/* `picket completion`: scripts for shells, made from the same tables as the commands. */
#include "base/cleanup.h"
#include "command.h"
#include "rule.h"

#include <getopt.h>
#include <stdbool.h>
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

/* Commands that take a file, and those that take the name of a list. */
static bool takes_file(const struct pk_command *c)
{
	return c == &pk_cmd_record || c == &pk_cmd_replay || c == &pk_cmd_list_load ||
	       c == &pk_cmd_list_diff || c == &pk_cmd_list_sign || c == &pk_cmd_push ||
	       c == &pk_cmd_list_verify || c == &pk_cmd_list_publish || c == &pk_cmd_list_test ||
	       c == &pk_cmd_rule_check || c == &pk_cmd_rule_test;
}

/* "list show" is "show" behind "list". */
static const char *short_name(const struct pk_command *c)
{
	const char *blank = strchr(c->name, ' ');

	return blank ? blank + 1 : c->name;
}

static bool takes_list(const struct pk_command *c)
{
	return !strncmp(c->name, "list ", 5) && !takes_file(c) && strcmp(short_name(c), "ls") != 0;
}

static void sub_names(const struct pk_command *c)
{
	for (size_t i = 0; c->sub[i]; i++)
		printf("%s%s", i ? " " : "", short_name(c->sub[i]));
}

/* What top can start with, besides saved views. */
#define TOP_VIEWS "flows tree procs names remotes containers apps ports lists"

/* Names of the lists that there are, asked for when they are wanted. */
#define LIST_NAMES "picket list ls -o csv 2>/dev/null | sed -n \"2,\\$ s/,.*//p\""

static void bash_one(const struct pk_command *c, const char *tabs)
{
	printf("%s%s) COMPREPLY=($(compgen %s-W \"", tabs, short_name(c),
	       takes_file(c) ? "-f " : "");
	options_of(c);
	printf("%s\" -- \"$cur\"));;\n", takes_list(c) ? " $(_picket_lists)" : "");
}

static void bash(void)
{
	printf("_picket_lists() { " LIST_NAMES "; }\n"
	       "_picket() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
	       "prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "\tCOMPREPLY=()\n"
	       "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	       "\t\tCOMPREPLY=($(compgen -W '");
	names(" ");
	printf(" --help --version --socket' -- \"$cur\"))\n\t\treturn\n\tfi\n"
	       "\tcase $prev in\n"
	       "\t-o|--output) COMPREPLY=($(compgen -W 'table json csv' -- \"$cur\")); return;;\n"
	       "\t--mode) COMPREPLY=($(compgen -W 'enforce observe off' -- \"$cur\")); return;;\n"
	       "\t--dir) COMPREPLY=($(compgen -W 'in out both' -- \"$cur\")); return;;\n"
	       "\t-v|--view) COMPREPLY=($(compgen -W '" TOP_VIEWS "' -- \"$cur\")); return;;\n"
	       "\t--list|--name) COMPREPLY=($(compgen -W \"$(_picket_lists)\" -- \"$cur\")); "
	       "return;;\n"
	       "\tesac\n"
	       "\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; pk_commands[i]; i++) {
		const struct pk_command *c = pk_commands[i];

		if (!c->sub) {
			bash_one(c, "\t");
			continue;
		}
		printf("\t%s) if [ \"$COMP_CWORD\" -eq 2 ]; then\n\t\tCOMPREPLY=($(compgen -W '",
		       c->name);
		sub_names(c);
		printf("' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[2]} in\n");
		for (size_t k = 0; c->sub[k]; k++)
			bash_one(c->sub[k], "\t");
		printf("\tesac;;\n");
	}
	printf("\tesac\n}\ncomplete -F _picket picket\n");
}

static void zsh_one(const struct pk_command *c)
{
	printf("\t%s) compadd -- ", short_name(c));
	options_of(c);
	printf("%s%s;;\n", takes_list(c) ? " ${(f)\"$(_picket_lists)\"}" : "",
	       takes_file(c) ? "; _files" : "");
}

static void zsh(void)
{
	printf("#compdef picket\n_picket_lists() { " LIST_NAMES "; }\n"
	       "_picket() {\n\tlocal -a commands\n\tcommands=(\n");
	for (size_t i = 0; pk_commands[i]; i++)
		printf("\t\t'%s:%s'\n", pk_commands[i]->name, pk_commands[i]->what);
	printf("\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command "
	       "commands\n\t\treturn\n\tfi\n"
	       "\tcase $words[CURRENT-1] in\n"
	       "\t-o|--output) compadd table json csv; return;;\n"
	       "\t--mode) compadd enforce observe off; return;;\n"
	       "\t--dir) compadd in out both; return;;\n"
	       "\t-v|--view) compadd " TOP_VIEWS "; return;;\n"
	       "\t--list|--name) compadd ${(f)\"$(_picket_lists)\"}; return;;\n"
	       "\tesac\n"
	       "\tcase $words[2] in\n");
	for (size_t i = 0; pk_commands[i]; i++) {
		const struct pk_command *c = pk_commands[i];

		if (!c->sub) {
			zsh_one(c);
			continue;
		}
		printf("\t%s) if (( CURRENT == 3 )); then\n\t\tcompadd ", c->name);
		sub_names(c);
		printf("\n\t\treturn\n\tfi\n\tcase $words[3] in\n");
		for (size_t k = 0; c->sub[k]; k++)
			zsh_one(c->sub[k]);
		printf("\tesac;;\n");
	}
	printf("\tesac\n}\n_picket \"$@\"\n");
}

static void fish_options(const struct pk_command *c, const char *seen)
{
	for (const struct option *o = c->options; o && o->name; o++) {
		printf("complete -c picket %s -n '%s' -l %s", takes_file(c) ? "-F" : "-f", seen,
		       o->name);
		if (!o->flag && o->val > 0 && o->val < 128)
			printf(" -s %c", o->val);
		if (!strcmp(o->name, "output"))
			printf(" -x -a 'table json csv'");
		else if (!strcmp(o->name, "mode"))
			printf(" -x -a 'enforce observe off'");
		else if (!strcmp(o->name, "dir"))
			printf(" -x -a 'in out both'");
		else if (!strcmp(o->name, "view"))
			printf(" -x -a '" TOP_VIEWS "'");
		else if (!strcmp(o->name, "list") || !strcmp(o->name, "name"))
			printf(" -x -a '(_picket_lists)'");
		printf("\n");
	}
}

static void fish_subs(const struct pk_command *c)
{
	printf("complete -c picket -f -n '__fish_seen_subcommand_from %s; and not "
	       "__fish_seen_subcommand_from ",
	       c->name);
	sub_names(c);
	printf("' -a '");
	sub_names(c);
	printf("'\n");
	for (size_t i = 0; c->sub[i]; i++) {
		char seen[128];

		snprintf(seen, sizeof(seen),
			 "__fish_seen_subcommand_from %s; and __fish_seen_subcommand_from %s",
			 c->name, short_name(c->sub[i]));
		fish_options(c->sub[i], seen);
		if (takes_list(c->sub[i]))
			printf("complete -c picket -f -n '%s' -a '(_picket_lists)'\n", seen);
	}
}

static void fish(void)
{
	printf("function _picket_lists; " LIST_NAMES "; end\n");
	for (size_t i = 0; pk_commands[i]; i++) {
		const struct pk_command *c = pk_commands[i];
		char seen[64];

		printf("complete -c picket -f -n __fish_use_subcommand -a %s -d '%s'\n", c->name,
		       c->what);
		snprintf(seen, sizeof(seen), "__fish_seen_subcommand_from %s", c->name);
		if (c->sub)
			fish_subs(c);
		else
			fish_options(c, seen);
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
