/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorted entries in pieces of some hundred: one more or less moves one piece, whatever the number.
 * A sorted array that was read becomes pieces without being copied.
 */
#pragma once

#include "block/entry.h"

struct pk_entries_piece {
	struct pk_block_entry *v;
	uint32_t n, room;
	bool own; /* else a part of base */
};

struct pk_entries {
	struct pk_entries_piece *piece; /* none is empty */
	size_t pieces, cap;
	struct pk_block_entry *base;
	size_t n;
};

struct pk_entries_at {
	size_t piece;
	uint32_t i;
};

void pk_entries_done(struct pk_entries *s);
/* v: sorted, no two equal; taken, unless this fails. s is empty before. */
int pk_entries_take(struct pk_entries *s, struct pk_block_entry *v, size_t n);
/* NULL: the end. */
struct pk_block_entry *pk_entries_get(const struct pk_entries *s, struct pk_entries_at at);
void pk_entries_next(const struct pk_entries *s, struct pk_entries_at *at);
/* The first that is not less than key. */
struct pk_entries_at pk_entries_from(const struct pk_entries *s, const struct pk_block_entry *key);
struct pk_block_entry *pk_entries_find(const struct pk_entries *s,
				       const struct pk_block_entry *key);
/* No equal one may be in it. Pointers to entries are void afterwards, as after a removal. */
int pk_entries_insert(struct pk_entries *s, const struct pk_block_entry *e);
void pk_entries_remove(struct pk_entries *s, struct pk_entries_at at);
