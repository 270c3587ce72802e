/* SPDX-License-Identifier: Apache-2.0 */
/* Names of block lists. */
#pragma once

#include <stdbool.h>

#define PK_LIST_NAME_MAX 63

/* Letters, digits, dot, dash, underscore; not beginning with a dot. */
bool pk_list_name_is_right(const char *name);
/* "/a/FireHOL Level1.netset.gz" gives "FireHOL-Level1". -EINVAL: nothing is left. */
int pk_list_name_of_file(const char *path, char ret[PK_LIST_NAME_MAX + 1]);
/* A tag as `picket list show` prints it; else a complaint was printed. */
bool pk_list_tag_is_right(const char *tag);
