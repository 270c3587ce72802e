/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 keys (RFC 8032) in PEM files: PKCS#8 the private ones, mode 0600; SPKI the public ones.
 */
#pragma once

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PK_KEY_ID   17 /* hex of the first 8 bytes of the raw public key's SHA-256, and NUL */
#define PK_SIG_SIZE 64

struct pk_key {
	EVP_PKEY *pkey;
	char id[PK_KEY_ID];
	bool is_private;
};

void pk_key_done(struct pk_key *k);

/* A private or public key of a file. -ENOENT; -EINVAL: not such a key; -errno. */
int pk_key_load(const char *file, struct pk_key *ret_key);
int pk_key_load_at(int dir_fd, const char *name, struct pk_key *ret_key); /* no symbolic link */
/* The same from a stream, borrowed. */
int pk_key_read(FILE *f, struct pk_key *ret_key);

/* A new pair under these names, each file whole or not there; what was there is replaced. */
int pk_key_make_at(int dir_fd, const char *private_name, const char *public_name,
		   struct pk_key *ret_key);
/* The public half alone, mode 0644. */
int pk_key_save_public_at(int dir_fd, const char *name, const struct pk_key *k);

/* -EINVAL: k has no private half. */
int pk_key_sign(const struct pk_key *k, const void *data, size_t len, uint8_t ret_sig[PK_SIG_SIZE]);
bool pk_key_verify(const struct pk_key *k, const void *data, size_t len,
		   const uint8_t sig[PK_SIG_SIZE]);
