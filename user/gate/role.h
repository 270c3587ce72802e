/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what over the network: from reader on, each role may do what those before it may. */
#pragma once

enum pk_role {
	PK_ROLE_NONE,     /* nothing; of a route: not over the network */
	PK_ROLE_CARRIER,  /* no certificate has it: offer signed lists (api/status_pull.h) */
	PK_ROLE_READER,   /* look */
	PK_ROLE_ANALYST,  /* work on incidents, take packets */
	PK_ROLE_OPERATOR, /* blocks and lists */
	PK_ROLE_ADMIN,    /* take enforcement down */
	PK_ROLES,
};

struct pk_conf;

const char *pk_role_name(enum pk_role role);
/* The highest role that one of the names has by the patterns of the configuration (fnmatch). */
enum pk_role pk_role_of(const struct pk_conf *conf, const char *const *names, unsigned n);
