/* SPDX-License-Identifier: Apache-2.0 */
/* One item of pull.lists: a list, and one of the places where its signed file is. */
#pragma once

#include <stddef.h>

struct pk_conf;

#define PK_CONF_PULL_ITEMS 64
#define PK_CONF_PULL_URL   255

struct pk_conf_pull {
	char list[64];
	char url[PK_CONF_PULL_URL + 1]; /* https://..., printable ASCII, nobody's password in it */
};

/* "NAME=https://HOST/PATH". -EINVAL. */
int pk_conf_pull_parse(const char *s, struct pk_conf_pull *ret);

/* A list with its mirrors, in their order. */
struct pk_conf_pulled {
	char list[64];
	const char *url[PK_CONF_PULL_ITEMS]; /* in the configuration */
	size_t urls;
};

/* The lists of pull.lists in the order of their first items. Returns how many. */
size_t pk_conf_pulled(const struct pk_conf *c, struct pk_conf_pulled ret[PK_CONF_PULL_ITEMS]);
