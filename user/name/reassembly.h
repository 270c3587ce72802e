/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first bytes of what one end of a TCP flow sends, put together by sequence number from
 * segments that come late, twice, overlapping or one byte at a time. Bounded: so many directions
 * at once, so many bytes each; the one not touched longest goes and is counted. What came first
 * stays where two segments disagree, as most receivers hold it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_reassembly;

#define PK_REASSEMBLY_BYTES                                                                        \
	20480                 /* of one direction: the longest hello, and its records' heads       \
			       */
#define PK_REASSEMBLY_HOLES 8 /* pieces that are apart, at once */

struct pk_reassembly_count {
	uint64_t used, max;
	uint64_t evicted; /* given up for another one */
	uint64_t refused; /* segments out of reach, or one piece too many */
	uint64_t differ;  /* bytes that came twice and were not the same */
};

/* What is there of a direction, from its first byte on. */
struct pk_reassembled {
	const uint8_t *data; /* borrowed until the next add or drop */
	size_t len;          /* without a hole */
	size_t beyond;       /* bytes that came behind the first hole */
	bool full;           /* it will not grow any more */
};

struct pk_reassembly *pk_reassembly_new(size_t max); /* NULL: out of memory */
void pk_reassembly_free(struct pk_reassembly *r);

/*
 * Adds a segment of direction dir (0, 1) of the flow (not 0): seq is the number of its first byte.
 * The first segment begins the direction; one from shortly before it moves the beginning there.
 * -ENOMEM, or -ERANGE: out of reach (counted); *ret is then what was there before.
 */
int pk_reassembly_add(struct pk_reassembly *r, uint64_t flow, unsigned dir, uint32_t seq,
		      const uint8_t *data, size_t len, struct pk_reassembled *ret);
bool pk_reassembly_has(const struct pk_reassembly *r, uint64_t flow, unsigned dir);
/* Takes n bytes off the front, which were read. */
void pk_reassembly_skip(struct pk_reassembly *r, uint64_t flow, unsigned dir, size_t n);
void pk_reassembly_drop(struct pk_reassembly *r, uint64_t flow, unsigned dir); /* no more of it */
void pk_reassembly_counts(const struct pk_reassembly *r, struct pk_reassembly_count *ret_counts);
