/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of rules as patterns: bytes, `*` for any number of characters, `?` for one. A backslash
 * escapes a wildcard and itself (Sigma specification 2, "Escape Character").
 */
#pragma once

#include "sigma/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_SIGMA_VALUE_MAX 4096 /* bytes of one value */

enum pk_sigma_byte_kind { PK_SIGMA_BYTE, PK_SIGMA_STAR, PK_SIGMA_QUESTION };

struct pk_sigma_pattern {
	uint8_t *byte; /* lower case unless cased was asked for */
	uint8_t *kind; /* enum pk_sigma_byte_kind of each */
	size_t n;
};

/* A run of bytes of a pattern. */
struct pk_sigma_run {
	size_t at, len;
};

/* -EFBIG: longer than PK_SIGMA_VALUE_MAX; -ENOMEM. */
int pk_sigma_pattern_parse(struct pk_arena *a, const char *s, size_t len,
			   struct pk_sigma_pattern *ret);
/* Plain bytes, no wildcard. -ENOMEM. */
int pk_sigma_pattern_bytes(struct pk_arena *a, const void *s, size_t len,
			   struct pk_sigma_pattern *ret);
/* A copy with `*` before and behind, as asked for. -ENOMEM. */
int pk_sigma_pattern_wrap(struct pk_arena *a, const struct pk_sigma_pattern *p, bool before,
			  bool behind, struct pk_sigma_pattern *ret);

bool pk_sigma_pattern_is_plain(const struct pk_sigma_pattern *p); /* no wildcards */
void pk_sigma_pattern_lower(struct pk_sigma_pattern *p);          /* ASCII letters */
/* The longest run of plain bytes; len 0: there is none. */
struct pk_sigma_run pk_sigma_pattern_run(const struct pk_sigma_pattern *p);

/* Does the whole of s fit? Not cased: ASCII letters of s count as lower case. `?` is one UTF-8
 * character. Time is at most len times p->n. */
bool pk_sigma_pattern_fits(const struct pk_sigma_pattern *p, bool cased, const char *s, size_t len);

static inline uint8_t pk_sigma_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}
