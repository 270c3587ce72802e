/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a request for single blocks. A pure function of its bytes. */
#pragma once

#include "block/change.h"
#include "block/limits.h"

#include <jansson.h>

#define PK_BLOCKS_TARGETS 256 /* of one request, ranges in prefixes */

struct pk_blocks {
	struct pk_block_ask ask;
	struct pk_block_entry v[PK_BLOCKS_TARGETS];
	/* of those that are names: else NULL. Owned. */
	char *name[PK_BLOCKS_TARGETS];
	size_t n;
	uint8_t how;                /* PK_BLOCK_SNI_ONLY, PK_BLOCK_REFUSE of names */
	const char *iface, *reason; /* NULL none */
	struct pk_block_proc proc;  /* kind 0: addresses are blocked */
	bool is_auto;
	struct pk_block_auto_ask automatic;
	json_t *body;    /* texts above are its */
	char error[256]; /* what is wrong with it */
};

/* -EINVAL: error says why. To be freed in every case. */
int pk_blocks_read(const char *bytes, size_t len, int64_t now_ms, struct pk_blocks *ret);
void pk_blocks_done(struct pk_blocks *b);
