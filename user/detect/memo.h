/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What detectors remember: a table of a fixed size with values of a fixed size, found by a key that
 * an attacker may pick. When it is full, the one not touched longest goes. A table that is made to
 * hold on lets go only for a newcomer that is seen more often: a flood of keys that come once does
 * not wash out the one that comes every minute. Its frequencies are estimates (base/often.h) in 1
 * MiB.
 */
#pragma once

#include "detect/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_hash_key;
struct pk_memo;

/* All bytes count: set to zero first. */
struct pk_memo_key {
	uint8_t a[16], b[16];
	uint64_t scope; /* net namespace, hash of a program: whatever parts one from another */
	uint32_t what;
	uint16_t port, proto;
};
_Static_assert(sizeof(struct pk_memo_key) == 48, "hashed as six words");

/* hold_on: see above. NULL: out of memory. Memory is touched only as it is used. */
struct pk_memo *pk_memo_new(size_t max, size_t value_bytes, bool hold_on);
void pk_memo_free(struct pk_memo *k);

/*
 * The value of key, which is now the one touched last; a new one is zeroed. NULL: the table is full
 * and the newcomer was seen less often than those in it. Borrowed until it goes, which is not
 * within the next 8 takes.
 */
void *pk_memo_take(struct pk_memo *k, const struct pk_memo_key *key, bool *ret_is_new);
void *pk_memo_find(const struct pk_memo *k, const struct pk_memo_key *key); /* NULL: none */
const struct pk_memo_key *pk_memo_key_of(const void *value);
void pk_memo_drop(struct pk_memo *k, void *value);
/* The one touched longest ago first; start with NULL. */
void *pk_memo_next(const struct pk_memo *k, const void *value);

/*
 * For what is kept over a restart (kept.h). The random key, and another one for a table that is
 * empty; how often the key of a value came (0 where none holds on); and a value put back as the one
 * touched last, with that estimate. NULL: no room, as of take.
 */
const struct pk_hash_key *pk_memo_secret(const struct pk_memo *k);
void pk_memo_begin_as(struct pk_memo *k, const struct pk_hash_key *secret);
unsigned pk_memo_often(const struct pk_memo *k, const void *value);
void *pk_memo_restore(struct pk_memo *k, const struct pk_memo_key *key, unsigned often);

/* Halves the estimates when every_ns have passed: what was often seen long ago is not seen often.
 */
void pk_memo_age(struct pk_memo *k, uint64_t now_ns, uint64_t every_ns);

/* With the table's own random key: for what is counted per value. */
uint64_t pk_memo_hash(const struct pk_memo *k, const void *data, size_t len);

/* Adds: places in use, the sketch, what went. */
void pk_memo_memory(const struct pk_memo *k, struct pk_memory *sum);
size_t pk_memo_used(const struct pk_memo *k);
size_t pk_memo_bytes_max(size_t max, size_t value_bytes, bool hold_on);
