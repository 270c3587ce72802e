/* SPDX-License-Identifier: Apache-2.0 */
/* Opens gzip (RFC 1952) and zstd (RFC 8878) in memory, one layer. */
#pragma once

#include <stddef.h>

struct pk_buf;

enum pk_packed {
	PK_PACKED_NOT,
	PK_PACKED_GZIP,
	PK_PACKED_ZSTD,
};

#define PK_UNPACK_WINDOW      27 /* of zstd: at most 2^n bytes; what its own tool takes */
#define PK_UNPACK_WINDOW_HTTP 23 /* RFC 9659 */

/* By the first bytes. */
enum pk_packed pk_packed_of(const void *bytes, size_t len);
/*
 * Appends what was packed to out, whose max bounds it: it is looked at before (where the header
 * tells) and with every piece. All of the bytes must be of the format. 0; -EFBIG: more than out
 * takes; -ENOMEM; -EBADMSG: *ret_why tells what is wrong with it.
 */
int pk_unpack(enum pk_packed how, const void *bytes, size_t len, int window, struct pk_buf *out,
	      const char **ret_why);
