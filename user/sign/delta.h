/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one content of a list to the next: a zstd frame (RFC 8878) compressed with the old content
 * as its prefix, as `zstd --patch-from` makes it. Good for contents that are not compressed
 * themselves.
 */
#pragma once

#include <stddef.h>

/* Owned by the caller. -ENOMEM; -EFBIG: more than 1 GiB together. */
int pk_delta_make(const void *base, size_t base_len, const void *content, size_t len, void **ret,
		  size_t *ret_len);
/*
 * size: bytes that must come out, no more and no less; so much is allocated. -EBADMSG: it is no
 * delta, or none from this base; -ENOMEM, -EFBIG.
 */
int pk_delta_apply(const void *base, size_t base_len, const void *delta, size_t delta_len,
		   size_t size, void **ret);
