/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STIX 2.1 patterns, as far as a block list can do what they say: addresses and names, joined by OR
 * and IN, addresses limited by port and protocol; and SHA-256 of files, which no block list takes.
 * What a pattern says besides is never left out silently: either it concerns no address and no
 * name, or the pattern is refused.
 */
#pragma once

#include "base/buf.h"
#include "block/address.h"

struct pk_pattern_term {
	unsigned has; /* of the parser's own */
	bool has_addr;
	struct pk_span span;   /* has_addr; its port 0 */
	uint16_t port;         /* destination port; 0 any */
	uint8_t proto;         /* 0 any */
	uint8_t dir;           /* PK_BLK_IN, PK_BLK_OUT; 0 not said */
	size_t name, name_len; /* in texts; length 0 none */
	size_t hash;           /* has_hash: SHA-256 of a file in texts, 64 digits of any case */
	bool has_hash;         /* then it has nothing else */
};

struct pk_pattern {
	struct pk_pattern_term *v; /* alternatives */
	size_t n, cap;
	uint64_t ignored;    /* alternatives without address, name and hash */
	struct pk_buf texts; /* names */
};

/*
 * 0; -EINVAL: *ret_reason and *ret_column (from 1) say what can't be read or done; -ENOMEM. ret is
 * to be freed in every case, and holds no term unless 0.
 */
int pk_pattern_parse(const char *text, size_t len, struct pk_pattern *ret, const char **ret_reason,
		     size_t *ret_column);
void pk_pattern_done(struct pk_pattern *p);
