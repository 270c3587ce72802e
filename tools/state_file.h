/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tool remembers between calls: files in $XDG_STATE_HOME/picket or ~/.local/state/picket
 * (root: /var/lib/picket), in a directory for each command.
 */
#pragma once

#include <jansson.h>

/* The directory "push" or "fleet", made if it is not there; a descriptor or -errno. */
int pk_state_dir(const char *room);
/* NULL: there is none, or it is not JSON. */
json_t *pk_state_read(int dir_fd, const char *file);
/* A file that is whole or not there; -errno. */
int pk_state_write_json(int dir_fd, const char *file, json_t *o);
