/* SPDX-License-Identifier: Apache-2.0 */
/* From a link's key to the slot of its incident. Fixed room; one thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PK_INDEX_NONE UINT32_MAX

struct pk_index_entry {
	uint64_t key;
	uint32_t slot, next; /* next: also of the free ones */
};

struct pk_index {
	struct pk_index_entry *entry;
	uint32_t *bucket;
	uint32_t max, mask, used, free;
};

int pk_index_init(struct pk_index *x, uint32_t max); /* -ENOMEM */
void pk_index_done(struct pk_index *x);
uint32_t pk_index_find(const struct pk_index *x, uint64_t key); /* slot or PK_INDEX_NONE */
/* The key is of this slot from now on. -ENOSPC. */
int pk_index_set(struct pk_index *x, uint64_t key, uint32_t slot);
void pk_index_remove(struct pk_index *x, uint64_t key);
