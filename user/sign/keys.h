/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public keys whose signatures count, as files of one directory: *.pub are trusted, *.retired
 * were once, and are told apart from those that nobody knows.
 */
#pragma once

#include "sign/key.h"

struct pk_buf;

#define PK_KEYS_MAX     256
#define PK_KEYS_PUB     ".pub"
#define PK_KEYS_RETIRED ".retired"

struct pk_trusted {
	struct pk_key key;
	bool retired;
};

struct pk_keys {
	struct pk_trusted *v; /* sorted by id, each once; retired wins */
	size_t n;
};

/*
 * All of the directory; none when it is not there. It and its files must belong to root or this
 * user, and nobody else may write them. What is wrong is one line in errors: a file is left out,
 * the directory fails the whole with -EPERM or what opendir() gave. -ENOMEM.
 */
int pk_keys_load(const char *dir, struct pk_buf *errors, struct pk_keys *ret_keys);
void pk_keys_done(struct pk_keys *k);
const struct pk_trusted *pk_keys_find(const struct pk_keys *k, const char *id); /* NULL */
