/* SPDX-License-Identifier: Apache-2.0 */
/* A file with a list on its way to the daemon. */
#pragma once

#include "base/buf.h"
#include "command.h"
#include "list_name.h"
#include "table.h"

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	PK_LF_NAME = 256,
	PK_LF_FORMAT,
	PK_LF_COLUMN,
	PK_LF_ALLOW,
	PK_LF_MODE,
	PK_LF_SKIP_BAD,
	PK_LF_WIDE,
	PK_LF_CONFIRM,
	PK_LF_TTL,
	PK_LF_DIR,
	PK_LF_PROTO,
	PK_LF_PORT,
	PK_LF_FORCE,
	PK_LF_AGAINST,
	PK_LF_SNI_ONLY,
	PK_LF_REFUSE_QUERY,
	PK_LF_IF_MATCH
};

#define PK_LF_READING                                                                              \
	{ "format", required_argument, NULL, PK_LF_FORMAT },                                       \
		{ "column", required_argument, NULL, PK_LF_COLUMN },                               \
		{ "skip-bad", no_argument, NULL, PK_LF_SKIP_BAD },                                 \
		{ "dir", required_argument, NULL, PK_LF_DIR },                                     \
		{ "proto", required_argument, NULL, PK_LF_PROTO },                                 \
	{                                                                                          \
		"port", required_argument, NULL, PK_LF_PORT                                        \
	}
#define PK_LF_ENDING                                                                               \
	{ "output", required_argument, NULL, 'o' }, { "help", no_argument, NULL, 'h' },            \
	{                                                                                          \
		NULL, 0, NULL, 0                                                                   \
	}

#define PK_LF_HELP                                                                                 \
	"      --format F       plain, ipset, spamhaus, csv, hosts, stix, misp, zeek, picket;\n"   \
	"                       without it told by the content; gzip and zstd are opened\n"        \
	"      --column C       of CSV: name or number; without it found by content\n"             \
	"      --skip-bad       go on without bad lines and refused entries\n"                     \
	"      --dir WAY, --proto P, --port N[-N]\n"                                               \
	"                       for entries that say nothing of their own\n"

/* Pairs for the query, in the order of pk_client_path(). */
struct pk_list_file {
	const char *query[40];
	size_t n;
	const char *name, *file;
	const char *if_match; /* tag; NULL any */
	struct pk_buf force;
	char number[4][24];
	enum pk_format format;
	bool help;
	/* the file */
	const void *bytes;
	size_t len;
	struct pk_buf in;
};

/* 0, or 2 after a complaint: misused. help: nothing else was read. */
int pk_list_file_args(const struct pk_command *self, struct pk_list_file *l, int argc, char **argv);
/* Of the list: by --name, or by the file's name, which is then in name. NULL: a complaint was
 * printed. */
char *pk_list_file_path(struct pk_list_file *l, char name[PK_LIST_NAME_MAX + 1], const char *what);
void pk_list_file_set_source(struct pk_list_file *l); /* the file's name, for the list's record */
/* Sends the list; 0 and the answer, or the exit status after the complaint. */
int pk_list_file_send(struct pk_list_file *l, const char *method, const char *path, json_t **ret);
const char *pk_list_file_shown(const struct pk_list_file *l); /* what people call the file */
void pk_list_file_print_json(json_t *answer);
void pk_list_file_done(struct pk_list_file *l);
