/* SPDX-License-Identifier: Apache-2.0 */
/* What flows, events and ps have in common: options, a filter, records as rows. */
#pragma once

#include "command.h"
#include "table.h"

#include <getopt.h>

struct pk_list {
	const char *path, *stream; /* of the API; stream NULL: no --follow */
	const char *member;        /* of the answer: the array of records */
	const struct pk_column *col;
	size_t n;
	bool oldest_first; /* order of the answer */
	uint32_t escaped;  /* pk_table.escaped */
	const char *limit; /* asked for when the user gives no number; NULL: the daemon's own */
	json_t *(*arrange)(json_t *rows, bool all); /* NULL: as they come; a new reference */
};

extern const struct option pk_list_options[];        /* with --since, and --all */
extern const struct option pk_list_options_plain[];  /* without --follow */
extern const struct option pk_list_options_log[];    /* without --all: nothing in it ends */
extern const struct option pk_list_options_alerts[]; /* the same with --since and --muted */

/* Reads the options, asks the daemon, prints. */
int pk_list_run(const struct pk_command *self, const struct pk_list *list, int argc, char **argv);
