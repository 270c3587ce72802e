/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of `picket hub` share. */
#pragma once

#include "command.h"
#include "table.h"

#include <stdbool.h>

struct pk_conf;

#define PK_HUB_CONF "/etc/picket/hub.yaml"

struct pk_hub_wish {
	const char *config, *db; /* --db: NULL, as the configuration says */
	enum pk_format format;
	unsigned number;         /* -n */
	unsigned replicas, days; /* of a stream that is made */
};

/* 0; 1: help was printed; 2: misused. Other words begin at optind. */
int pk_hub_options(const struct pk_command *self, int argc, char **argv, struct pk_hub_wish *w);
/* Reads the file, or says why not: NULL. */
struct pk_conf *pk_hub_conf(const struct pk_hub_wish *w);

extern const struct pk_column pk_hub_columns[];
extern const size_t pk_hub_columns_n;

/* hub_run.c */
int pk_hub_init(const struct pk_command *self, int argc, char **argv);
int pk_hub_run(const struct pk_command *self, int argc, char **argv);
