/* SPDX-License-Identifier: Apache-2.0 */
/* Views that were given a name: kept in $XDG_CONFIG_HOME/picket/top.yaml. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct pk_buf;

#define PK_TOP_SAVED_MAX 64

struct pk_top_saved_view {
	char name[64], view[32], filter[256], sort[32];
	bool reverse;
};

struct pk_top_saved {
	struct pk_top_saved_view v[PK_TOP_SAVED_MAX];
	size_t n;
};

/* $XDG_CONFIG_HOME, else $HOME/.config; malloc'd; NULL: neither is set to an absolute path. */
char *pk_top_saved_path(void);

/* No file: none, 0. -EINVAL: it is no such file; why is in error, and nothing is in ret. */
int pk_top_saved_load(const char *path, struct pk_top_saved *ret, struct pk_buf *error);
/* The file is replaced as a whole or not at all; directories are made. -errno. */
int pk_top_saved_store(const char *path, const struct pk_top_saved *s);

const struct pk_top_saved_view *pk_top_saved_find(const struct pk_top_saved *s, const char *name);
/* In place of one with this name, else as the last. -ENOSPC. */
int pk_top_saved_put(struct pk_top_saved *s, const struct pk_top_saved_view *v);
void pk_top_saved_remove(struct pk_top_saved *s, size_t at);
