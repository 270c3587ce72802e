/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User names by uid, from the passwd file alone: a name service that asks the network could stall
 * the pipeline and would be traffic of its own. Who is not in the file has no name here.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct pk_user {
	uint32_t uid;
	uint32_t name; /* offset in names */
};

struct pk_users {
	const char *file;
	struct pk_user *user; /* sorted by uid */
	size_t n;
	char *names;
	struct timespec mtime;
	ino_t ino;
	off_t size;
};

int pk_users_init(struct pk_users *u, const char *file); /* file is borrowed */
void pk_users_done(struct pk_users *u);
int pk_users_refresh(struct pk_users *u); /* reads again if the file changed */
const char *pk_user_name(const struct pk_users *u, uint32_t uid); /* NULL: not known */
