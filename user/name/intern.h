/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that flows carried, each kept once and counted: the same SNI, JA4 or user agent is in
 * thousands of flows. Bounded in bytes; what does not fit is counted and unknown (NULL).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PK_INTERN_MAX 512 /* bytes of one; longer ones are cut */

struct pk_intern;

struct pk_intern_count {
	uint64_t texts, bytes, max, refused;
};

struct pk_intern *pk_intern_new(size_t bytes_max); /* NULL: out of memory */
void pk_intern_free(struct pk_intern *t);          /* all texts end with it */

/*
 * A counted copy, NUL ended; a NUL inside is written \000 as in DNS text. NULL: empty, or no room
 * (counted). Raw: escape it on output.
 */
const char *pk_intern_text(struct pk_intern *t, const char *s, size_t len);
const char *pk_intern_name(struct pk_intern *t, const char *s,
			   size_t len);                     /* in lower case, without
							    the dot at its end */
const char *pk_intern_again(const char *text);              /* one more owner; NULL: NULL */
void pk_intern_put(struct pk_intern *t, const char **text); /* ends one; *text becomes NULL */
void pk_intern_counts(const struct pk_intern *t, struct pk_intern_count *ret_counts);
