/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands: one row each in picket.c, one file each beside it. */
#pragma once

#include <stdio.h>

struct option;

struct pk_command {
	const char *name;
	const char *what;             /* one line for the list */
	const char *usage;            /* after "Usage: picket " */
	const char *help;             /* options and examples, lines */
	const struct option *options; /* NULL: none but --help; for completion too */
	int (*run)(const struct pk_command *self, int argc, char **argv); /* exit status */
	const struct pk_command *const *sub; /* what its first word may be; NULL ended; NULL none */
};

extern const struct pk_command pk_cmd_top;
extern const struct pk_command pk_cmd_who;
extern const struct pk_command pk_cmd_flows;
extern const struct pk_command pk_cmd_events;
extern const struct pk_command pk_cmd_dns;
extern const struct pk_command pk_cmd_tls;
extern const struct pk_command pk_cmd_alerts;
extern const struct pk_command pk_cmd_incident;
extern const struct pk_command pk_cmd_playbook;
extern const struct pk_command pk_cmd_mute;
extern const struct pk_command pk_cmd_detectors;
extern const struct pk_command pk_cmd_ps;
extern const struct pk_command pk_cmd_status;
extern const struct pk_command pk_cmd_block;
extern const struct pk_command pk_cmd_unblock;
extern const struct pk_command pk_cmd_list;
extern const struct pk_command pk_cmd_list_load;
extern const struct pk_command pk_cmd_list_diff;
extern const struct pk_command pk_cmd_list_test;
extern const struct pk_command pk_cmd_list_sign;
extern const struct pk_command pk_cmd_list_verify;
extern const struct pk_command pk_cmd_list_publish;
extern const struct pk_command pk_cmd_key;
extern const struct pk_command pk_cmd_push;
extern const struct pk_command pk_cmd_fleet;
extern const struct pk_command pk_cmd_check;
extern const struct pk_command pk_cmd_rule;
extern const struct pk_command pk_cmd_detach;
extern const struct pk_command pk_cmd_record;
extern const struct pk_command pk_cmd_replay;
extern const struct pk_command pk_cmd_verify;
extern const struct pk_command pk_cmd_hub;
extern const struct pk_command pk_cmd_pki;
extern const struct pk_command pk_cmd_completion;

/* All of them, NULL ended. */
extern const struct pk_command *const pk_commands[];

void pk_command_usage(const struct pk_command *c, FILE *to);
/* For a wrong call: where to look. Returns 2. */
int pk_command_misused(const struct pk_command *c);
/* The run of a command whose first word is one of its sub. */
int pk_command_sub(const struct pk_command *self, int argc, char **argv);
