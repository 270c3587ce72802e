/* SPDX-License-Identifier: Apache-2.0 */
/* One item of pull.lists: a list, and one of the places where its signed file is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct pk_conf;

#define PK_CONF_PULL_ITEMS 64
#define PK_CONF_PULL_URL   255
#define PK_CONF_PULL_NATS  "nats" /* the bucket of section nats */

struct pk_conf_pull {
	char list[64];
	/* https://..., printable ASCII, nobody's password in it; or PK_CONF_PULL_NATS */
	char url[PK_CONF_PULL_URL + 1];
};

/* "NAME=https://HOST/PATH" or "NAME=nats". -EINVAL. */
int pk_conf_pull_parse(const char *s, struct pk_conf_pull *ret);

/* A list with its mirrors, in their order. */
struct pk_conf_pulled {
	char list[64];
	const char *url[PK_CONF_PULL_ITEMS]; /* in the configuration */
	size_t urls;
	bool nats;
};

/* The lists of pull.lists in the order of their first items. Returns how many. */
size_t pk_conf_pulled(const struct pk_conf *c, struct pk_conf_pulled ret[PK_CONF_PULL_ITEMS]);
