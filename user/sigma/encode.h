/* SPDX-License-Identifier: Apache-2.0 */
/* Modifiers that make other values, or several, of one. */
#pragma once

#include "sigma/modifier.h"

enum pk_sigma_encoding {
	PK_SIGMA_UTF16LE,
	PK_SIGMA_UTF16BE,
	PK_SIGMA_UTF16, /* byte order mark, little endian */
	PK_SIGMA_BASE64,
	PK_SIGMA_BASE64OFFSET, /* three for each: what is the same at each offset of an encoded text
				*/
	PK_SIGMA_WINDASH,      /* all combinations of - / and the three long dashes before words */
};

/*
 * Replaces the alternatives of w. -E2BIG: they would become more than room more; -EBADMSG: one has
 * wildcards or is not UTF-8, and can't be encoded; -ENOMEM.
 */
int pk_sigma_encode(struct pk_arena *a, enum pk_sigma_encoding e, size_t room,
		    struct pk_sigma_want *w);

/*
 * Fills w->text with what s becomes when each %NAME% is replaced; \% is a percent sign. -ENOENT:
 * *ret_missing is not known; -E2BIG: more than room of them; -ENOMEM.
 */
int pk_sigma_expand(struct pk_arena *a, const struct pk_sigma_rules *places, const char *s,
		    size_t room, struct pk_sigma_want *w, const char **ret_missing);
