/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hash chain of what was recorded: each record is canonical JSON (RFC 8785) that holds the
 * SHA-256 of the one before and of the object it is about. Names follow record_integrity of OCSF
 * 1.9. The chain alone shows damage; who can write the file can write all of it anew, which only a
 * checkpoint that is kept elsewhere shows (checkpoint.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pk_buf;

#define PK_HASH_SIZE 32

struct pk_chain {
	char uid[33];               /* hex; another one for each database */
	uint64_t seq;               /* of the last record; 0: none */
	uint8_t head[PK_HASH_SIZE]; /* its hash; zeros: none */
};

struct pk_chain_entry {
	uint64_t time_ms, boot_ms; /* wall clock and time since boot, when it was recorded */
	const char *actor, *act;
	const char *type, *uid; /* of the object */
	uint8_t object[PK_HASH_SIZE];
};

/* 128 random bits in hex. -errno: no entropy. */
int pk_chain_uid(char ret_uid[33]);
/* Appends the text of record seq + 1; pk_chain_advance() makes it the last. */
void pk_chain_write(const struct pk_chain *c, const struct pk_chain_entry *e, struct pk_buf *out);
void pk_chain_advance(struct pk_chain *c, const uint8_t hash[PK_HASH_SIZE]);

void pk_hash(const void *data, size_t len, uint8_t ret_hash[PK_HASH_SIZE]); /* SHA-256 */

/*
 * A string with its quotes as RFC 8785 wants it: only quote, backslash and controls are escaped.
 * Bytes that are not UTF-8 become \xNN, the backslash escaped, as everywhere in Picket.
 */
void pk_canon_str(struct pk_buf *out, const char *s);
