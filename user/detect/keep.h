/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What detectors remember: a table of a fixed size with values of a fixed size, found by a key that
 * an attacker may pick. When it is full, the one not touched longest goes. A table that is made to
 * hold on lets go only for a newcomer that is seen more often: a flood of keys that come once does
 * not wash out the one that comes every minute. Its frequencies are estimates (count-min sketch,
 * Cormode and Muthukrishnan 2005; admission as TinyLFU does, Einziger 2017) in 1 MiB.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_keep;

/* All bytes count: set to zero first. */
struct pk_keep_key {
	uint8_t a[16], b[16];
	uint64_t scope; /* net namespace, hash of a program: whatever parts one from another */
	uint32_t what;
	uint16_t port, proto;
};
_Static_assert(sizeof(struct pk_keep_key) == 48, "hashed as six words");

struct pk_keep_count {
	size_t used, max;
	uint64_t evicted; /* made room for another */
	uint64_t refused; /* newcomers that were seen too seldom */
};

/* hold_on: see above. NULL: out of memory. Memory is touched only as it is used. */
struct pk_keep *pk_keep_new(size_t max, size_t value_bytes, bool hold_on);
void pk_keep_free(struct pk_keep *k);

/*
 * The value of key, which is now the one touched last; a new one is zeroed. NULL: the table is full
 * and the newcomer was seen less often than those in it. Borrowed until it goes, which is not
 * within the next 8 takes.
 */
void *pk_keep_take(struct pk_keep *k, const struct pk_keep_key *key, bool *ret_is_new);
void *pk_keep_find(const struct pk_keep *k, const struct pk_keep_key *key); /* NULL: none */
const struct pk_keep_key *pk_keep_key_of(const void *value);
void pk_keep_drop(struct pk_keep *k, void *value);
/* The one touched longest ago first; start with NULL. */
void *pk_keep_next(const struct pk_keep *k, const void *value);

/* Halves the estimates: what was often seen long ago is not seen often. Once in a while. */
void pk_keep_age(struct pk_keep *k);

/* With the table's own random key: for what is counted per value. */
uint64_t pk_keep_hash(const struct pk_keep *k, const void *data, size_t len);

void pk_keep_counts(const struct pk_keep *k, struct pk_keep_count *ret_count);
size_t pk_keep_bytes(const struct pk_keep *k); /* of the places in use, and the sketch */
size_t pk_keep_bytes_max(size_t max, size_t value_bytes, bool hold_on);
