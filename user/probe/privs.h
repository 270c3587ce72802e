/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up rights: what the broker keeps, and the pipeline that keeps none. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Keeps what loading, attaching and following needs, for good. -errno: nothing can be trusted. */
int pk_privs_broker(void);

/*
 * No capability, no new privileges, user and groups of name when there is such a user, else
 * nobody's (65534). The process ends with its parent.
 */
int pk_privs_none(const char *user);

/* The ids that pk_privs_none(user) will have; false: there is no such user, they are nobody's. */
bool pk_privs_user(const char *user, uid_t *ret_uid, gid_t *ret_gid);

/* gid of a group, -ENOENT when there is none. */
int pk_privs_group(const char *name, gid_t *ret_gid);
