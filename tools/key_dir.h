/* SPDX-License-Identifier: Apache-2.0 */
/* Where keys for signing lists are, and which one somebody means. */
#pragma once

#include "sign/key.h"

#include <sys/types.h>

struct pk_buf;

#define PK_KEYS_TRUSTED "/etc/picket/keys.d"
#define PK_KEY_NAME_MAX 64

/* Own private keys: /etc/picket/keys for root, else ~/.config/picket/keys ($XDG_CONFIG_HOME).
 * malloc'd; NULL: no memory, or no home. */
char *pk_key_own_dir(void);
/* The directory, made with this mode if it is missing (parents too). -errno. */
int pk_key_open_dir(const char *path, mode_t mode);
/*
 * A private key by the path of its file, by its name in dir, or by its id there. -ENOENT; -EPERM:
 * others may read its file; -EINVAL: it is none.
 */
int pk_key_of(const char *dir, const char *word, struct pk_key *ret_key);
bool pk_key_name_is_right(const char *name); /* letters, digits, . _ @ -; not first a dot */
