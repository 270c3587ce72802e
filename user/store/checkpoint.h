/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed checkpoints of the chain: so many records there were, this was the last one's hash, at
 * this time. One line of canonical JSON each, signed Ed25519 (RFC 8032) over the line without its
 * signature. Kept where the host's root can not reach, they show a chain that was cut or rebuilt.
 */
#pragma once

#include "sign/key.h"
#include "store/chain.h"

/* The agent's key in this directory, made (0600, with its public half beside it) if missing. */
int pk_checkpoint_key(int dir_fd, struct pk_key *ret_key);

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
