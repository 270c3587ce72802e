/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a detector remembers: a fixed number of entries of one size, found by a key of up to 64
 * bytes, hashed with a random key. When full the one that was not used longest makes room, those
 * first that were retired; so memory has a bound and the entry never fails. Entries do not move.
 * One thread.
 */
#pragma once

#include "detect/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_RECENT_KEY_MAX 64

struct pk_recent;

/* max entries with value_bytes of memory each, for keys of key_bytes. NULL: out of memory. The
 * memory is touched as it is used. */
struct pk_recent *pk_recent_new(size_t max, size_t key_bytes, size_t value_bytes);
void pk_recent_free(struct pk_recent *t);

/* The entry of this key, used just now. NULL: there is none. */
void *pk_recent_find(struct pk_recent *t, const void *key);
/* The same, or a new one (zeroed, *ret_is_new true) in place of the oldest. Never NULL. */
void *pk_recent_take(struct pk_recent *t, const void *key, bool *ret_is_new);
/* Was the key not there yet? It is now. */
static inline bool pk_recent_is_first(struct pk_recent *t, const void *key)
{
	bool is_new;

	(void)pk_recent_take(t, key, &is_new);
	return is_new;
}
void pk_recent_drop(struct pk_recent *t, void *value);
/* It goes before all that is not retired, after those that are; unless it is used again. */
void pk_recent_retire(struct pk_recent *t, void *value);

void *pk_recent_oldest(const struct pk_recent *t); /* NULL: empty */
/* The next one, used later; NULL: it was the last. Start with NULL for the oldest. */
void *pk_recent_next(const struct pk_recent *t, const void *value);
const void *pk_recent_key(const struct pk_recent *t, const void *value);

uint64_t pk_recent_used(const struct pk_recent *t);
/* Adds: entries that were used, what went. */
void pk_recent_memory(const struct pk_recent *t, struct pk_memory *sum);
/* Bytes that max entries take. */
size_t pk_recent_bytes_max(size_t max, size_t key_bytes, size_t value_bytes);
