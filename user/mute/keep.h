/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suppressions in the store: each as a row of its own, whose versions are in the hash chain, and
 * each act as another, which stays as it was.
 */
#pragma once

#include <stdint.h>

struct pk_mute;
struct pk_mutes;
struct pk_store;

/*
 * Puts the suppression and its acts since the last time. ret_ticket (may be NULL): of the last row.
 * -ENOBUFS: no room, it is to be tried again.
 */
int pk_mute_keep(struct pk_store *s, struct pk_mute *m, int64_t now_ms, uint64_t *ret_ticket);

enum pk_mutes_which {
	/* acts at once, hits each minute, what is in force each day: retention must not take it */
	PK_MUTES_DUE,
	PK_MUTES_CHANGED, /* hits at once, too: the agent ends */
	PK_MUTES_ALL,     /* the database is another one */
};
void pk_mutes_keep(struct pk_store *s, struct pk_mutes *t, enum pk_mutes_which which,
		   int64_t now_ms);

/* Reads them back. *ret_bad: rows that were none. -ENODATA: the store is not open yet. */
int pk_mutes_read(struct pk_store *s, struct pk_mutes *t, unsigned *ret_bad);
