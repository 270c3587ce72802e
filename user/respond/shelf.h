/* SPDX-License-Identifier: Apache-2.0 */
/* The playbooks of a directory. */
#pragma once

#include "respond/playbook.h"

#define PK_SHELF_MAX 64

/*
 * All *.json of dir, sorted by name. Those that are wrong are left out, with lines "FILE: STEP:
 * what is wrong" in errors. To be freed by free(). -errno: dir can not be read.
 */
int pk_shelf_read(const char *dir, struct pk_playbook **ret, size_t *ret_n, struct pk_buf *errors);
/* One file. -errno as pk_playbook_read(), or of reading. */
int pk_shelf_read_file(const char *path, struct pk_playbook *ret, struct pk_buf *errors);
