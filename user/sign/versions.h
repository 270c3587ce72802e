/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which version of each list was accepted last, for good: it outlives restarts and the list itself,
 * so that an old one never comes back. Also the content it had, for deltas. Any thread may call.
 */
#pragma once

#include "sign/envelope.h"

#include <stdbool.h>

struct pk_versions;

#define PK_VERSIONS_MAX 4096 /* lists */

/* dir_fd: borrowed for as long as it lives; -1: nothing can be accepted. */
int pk_versions_new(int dir_fd, struct pk_versions **ret_versions);
void pk_versions_free(struct pk_versions *v);

/* PK_REFUSED_REPLAYED, _FORKED, _STATE. The same version once more is fine. */
enum pk_refusal pk_versions_check(struct pk_versions *v, const struct pk_envelope *e,
				  const struct pk_statement *s);
/*
 * The same, and from now on it is the last one: when this returns it is on the disk. Call it before
 * the list is put in force, from a thread that may wait. content is kept for deltas; a failure to
 * do so is none.
 */
enum pk_refusal pk_versions_accept(struct pk_versions *v, const struct pk_envelope *e,
				   const struct pk_statement *s, const void *content, size_t len);
/* Is this still the last one? Two that were accepted at once are put in force in any order. */
bool pk_versions_is_last(struct pk_versions *v, const struct pk_statement *s);
/* The list in force is not the one that was signed any more. No file can be written: tried again
 * at the next start. */
void pk_versions_replaced(struct pk_versions *v, const char *list);
/* It was turned off because it has expired: the next version gets back the mode it was in (1 to
 * 9). */
void pk_versions_dropped(struct pk_versions *v, const char *list, unsigned mode);

struct pk_accepted {
	struct pk_statement statement;
	char key[PK_ENVELOPE_SIGS][PK_KEY_ID]; /* that signed it and had an id of ours */
	size_t keys;
	bool replaced; /* by something unsigned, or removed */
	unsigned was;  /* mode before it was turned off because it had expired; 0: it was not */
	bool damaged;  /* its file can't be read: nothing of this name is accepted */
};
/* The nth, in any order; false: there is none. */
bool pk_versions_at(struct pk_versions *v, size_t n, struct pk_accepted *ret);
bool pk_versions_get(struct pk_versions *v, const char *list, struct pk_accepted *ret);

/* The content with this digest, if it is what was accepted last. Owned by the caller, len bytes.
 * -ENOENT, -ENOMEM. */
int pk_versions_content(struct pk_versions *v, const char *list, const uint8_t sha256[32],
			void **ret, size_t *ret_len);
