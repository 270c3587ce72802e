/* SPDX-License-Identifier: Apache-2.0 */
/* Input in memory of exactly its size, so that a sanitizer sees the first byte read behind it. */
#pragma once

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

static inline void *exact(const void *data, size_t len)
{
	void *p = malloc(len ? len : 1);

	if (len)
		memcpy(p, data, len);
	return p;
}

/* A literal and its length, without the NUL behind it. */
#define BYTES(s) (s), sizeof(s) - 1
