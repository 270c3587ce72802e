/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed lists in a bucket of keys and values. A list is larger than a message may be: its bytes
 * are in parts under keys of their own, named by their digest, and its name's key says which. Parts
 * are written first, so that who reads finds a whole list, old or new, or none.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PK_NATS_PART     (128u * 1024) /* comes in a second over 1 Mbit/s; a message has a bound */
#define PK_NATS_LIST_MAX (2048ull << 20)
#define PK_NATS_HEAD     128 /* bytes with NUL */
#define PK_NATS_KEY      192

struct pk_nats_head {
	uint8_t sha256[32];
	uint64_t size; /* of all parts; all but the last are PK_NATS_PART */
};

unsigned pk_nats_parts(const struct pk_nats_head *h);
/* "picket-list 1 SHA256 SIZE" */
void pk_nats_head_write(const struct pk_nats_head *h, char ret[PK_NATS_HEAD]);
/* -EBADMSG: it is none, or of more bytes than a list may have. */
int pk_nats_head_read(const void *bytes, size_t len, struct pk_nats_head *ret);
/* "NAME=SHA256=PART": = is in no list's name. */
void pk_nats_part_key(const char *list, const struct pk_nats_head *h, unsigned part,
		      char ret[PK_NATS_KEY]);
