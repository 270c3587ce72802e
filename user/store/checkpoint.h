/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed checkpoints of the chain: so many records there were, this was the last one's hash, at
 * this time. One line of canonical JSON each, signed Ed25519 (RFC 8032) over the line without its
 * signature. Kept where the host's root can not reach, they show a chain that was cut or rebuilt.
 */
#pragma once

#include "store/chain.h"

#include <openssl/types.h>

#define PK_KEY_ID 17 /* hex of the first 8 bytes of the public key's SHA-256, and NUL */

struct pk_key {
	EVP_PKEY *pkey;
	char id[PK_KEY_ID];
};

/* The agent's key in this directory, made (0600, with its public half beside it) if missing. */
int pk_key_open(int dir_fd, struct pk_key *ret_key);
/* A private or public key of a file. -ENOENT; -EINVAL: not such a key. */
int pk_key_load(const char *file, struct pk_key *ret_key);
void pk_key_done(struct pk_key *k);

struct pk_checkpoint {
	char chain_uid[33], key_id[PK_KEY_ID];
	uint64_t n, time_ms;
	uint8_t head[PK_HASH_SIZE];
};

/* Appends the signed line, without a newline. */
int pk_checkpoint_sign(const struct pk_key *k, const struct pk_chain *c, uint64_t time_ms,
		       struct pk_buf *out);
/*
 * Reads one line. -EINVAL: not a checkpoint; -EBADMSG: the signature is wrong; -ENOKEY: of another
 * key (then all but that is filled in).
 */
int pk_checkpoint_read(const struct pk_key *k, const char *line, size_t len,
		       struct pk_checkpoint *ret_checkpoint);
