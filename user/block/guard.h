/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may not be blocked: entries that cover an address which must be reached, and entries so wide
 * that somebody must have meant them. The kernel protects the same addresses by itself.
 */
#pragma once

#include "block/change.h"
#include "block/entries.h"

typedef unsigned __int128 pk_u128;

struct pk_guard_item {
	struct pk_blk_safe_key key;
	uint32_t kinds;
	bool is_new; /* the lists have not been looked through for it */
};

struct pk_guard_range {
	pk_u128 lo, hi;
};

struct pk_guard {
	struct pk_guard_item *v; /* sorted by address, then length */
	size_t n, cap;
	struct pk_guard_range *range[2]; /* v4, v6: what v covers, in order, none touching */
	size_t n_range[2];
	bool stale; /* ranges are to be made again */
};

void pk_guard_done(struct pk_guard *g);
int pk_guard_set(struct pk_guard *g, const struct pk_blk_safe_key *key, uint32_t kinds);
/* Why is the address safe; 0: it is not. */
uint32_t pk_guard_kinds(const struct pk_guard *g, const uint8_t addr[16]);

/* Goes with sorted entries, from the first on. */
struct pk_guard_walk {
	const struct pk_guard *g;
	const struct pk_block_ask *ask;
	size_t at[2];
	pk_u128 v4_end;
	uint64_t v4_space; /* IPv4 addresses covered so far */
	struct pk_block_done *done;
};
int pk_guard_begin(struct pk_guard_walk *w, struct pk_guard *g, const struct pk_block_ask *ask,
		   struct pk_block_done *done);
/* May it be? If not, done has one refusal more. Also counts its space. */
bool pk_guard_entry(struct pk_guard_walk *w, const struct pk_block_entry *e);
void pk_guard_space(struct pk_guard_walk *w, const struct pk_block_entry *e); /* only counts */
/* All of them together: too much of IPv4? */
bool pk_guard_end(struct pk_guard_walk *w);

void pk_guard_refuse(struct pk_block_done *d, const struct pk_block_entry *e, const char *covers,
		     const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void pk_guard_refuse_name(struct pk_block_done *d, const char *name, const char *why);
struct pk_guard_range pk_guard_range_of(const uint8_t prefix[16], unsigned bits);
bool pk_guard_is_v4(const uint8_t prefix[16], unsigned bits);
const char *pk_guard_text(uint32_t kinds);
