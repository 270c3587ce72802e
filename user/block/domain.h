/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domain names as lists keep them: A-labels (RFC 5890), lower case, without a dot at the end. Pure
 * functions of the bytes; IDNA and the public suffix list are libidn2's and libpsl's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_DOMAIN_MAX    254 /* 253 bytes and NUL (RFC 1035, 2.3.4, less the length bytes) */
#define PK_DOMAIN_LABELS 127

/*
 * A leading "*." or "." and a dot at the end are taken off, since a name covers what is below it
 * anyway; letters beyond ASCII become A-labels (UTS 46, not transitional). The length, or -EINVAL
 * and why; ret is written then, too.
 */
int pk_domain_normalise(const char *s, size_t len, char ret[PK_DOMAIN_MAX], const char **ret_why);

/*
 * Does the name (normalised) cover what belongs to many: a single label, or a name under which the
 * public can register others (public suffix list, both of its parts)? NULL: no; else what it is.
 */
const char *pk_domain_wide(const char *name);

/* Each name that covers this one, itself first: where it begins, and the hash of it. */
struct pk_domain_suffix {
	uint32_t hash;
	uint16_t at, len;
};
/* How many there are; name is normalised, or as a packet had it in lower case. */
size_t pk_domain_suffixes(const char *name, size_t len,
			  struct pk_domain_suffix ret[PK_DOMAIN_LABELS]);
/* The same hash for a whole name. */
uint32_t pk_domain_hash(const char *name, size_t len);

/* Is the name the other one, or below it? */
bool pk_domain_is_below(const char *name, const char *above);
