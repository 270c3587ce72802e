/* SPDX-License-Identifier: Apache-2.0 */
/* What a detector's tables take, and what they had to let go. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pk_memory {
	size_t bytes;     /* of what is in use */
	uint64_t evicted; /* made room for another */
	uint64_t refused; /* found no room: seen less often than what is there (memo.h) */
};
