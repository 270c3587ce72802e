/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The latest events as JSON text, each with a sequence number, in a fixed number of bytes: what
 * /v1/events reads. The oldest leave first.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pk_journal;

struct pk_journal_item {
	uint64_t sequence; /* from 1 */
	size_t len;
	const char *json; /* borrowed until the next add; not NUL ended */
};

/* bytes: memory for text, touched as it is used; items: at most so many. NULL: out of memory. */
struct pk_journal *pk_journal_new(size_t bytes, size_t items);
void pk_journal_free(struct pk_journal *j);

uint64_t pk_journal_next(const struct pk_journal *j); /* the number the next event will have */
/* The first event will have this number, or a larger one that it would have had. */
void pk_journal_begin_at(struct pk_journal *j, uint64_t sequence);
/* Takes a copy; a text larger than the journal is not kept but has its number. */
void pk_journal_add(struct pk_journal *j, const char *json, size_t len);

/* First kept item with a number above after; -ENOENT: none. */
int pk_journal_after(const struct pk_journal *j, uint64_t after, struct pk_journal_item *ret_item);
/* Kept items, the most there can be, and how many left to make room. */
void pk_journal_counts(const struct pk_journal *j, uint64_t *ret_used, uint64_t *ret_max,
		       uint64_t *ret_evicted);
