/* SPDX-License-Identifier: Apache-2.0 */
/* One item of sign.lists: how many keys must have signed a list, and which count. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct pk_conf;

#define PK_CONF_KEYS_MAX 16
#define PK_CONF_KEY_ID   17 /* 16 hex digits and NUL */

struct pk_conf_threshold {
	char list[64]; /* "*": each that no other item names */
	unsigned need; /* 1 to 16 */
	char key[PK_CONF_KEYS_MAX][PK_CONF_KEY_ID];
	size_t keys; /* 0: any that is trusted */
};

/* "NAME=2", or "NAME=2:KEY+KEY+KEY" with at least as many keys. -EINVAL. */
int pk_conf_threshold_parse(const char *s, struct pk_conf_threshold *ret);
/* What counts for this list; one key of any where nothing is said. */
void pk_conf_threshold(const struct pk_conf *c, const char *list, struct pk_conf_threshold *ret);
