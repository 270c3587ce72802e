/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threat intelligence ready to be asked: addresses, names, JA4 fingerprints and SHA-256 of files,
 * each with where it is from and until when it counts. Filled, sealed, then only read; a new
 * version is a new table. About 60 bytes an indicator and its texts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_indicators;

enum pk_indicator_kind {
	PK_INDICATOR_ADDR = 1,
	PK_INDICATOR_NAME,
	PK_INDICATOR_JA4,
	PK_INDICATOR_SHA256
};

struct pk_indicator {
	enum pk_indicator_kind kind;
	const char *source, *reason; /* name of the list, and what it says; "" none */
	int64_t expires_ms;          /* wall clock; 0 never */
	uint16_t port;               /* of an address, host order; 0 any */
};

struct pk_indicators *pk_indicators_new(size_t max); /* NULL: out of memory */
void pk_indicators_free(struct pk_indicators *t);

/* What each adds besides the struct, whose texts are copied. -ENOSPC: it holds max, counted;
 * -ENOMEM; -EINVAL: not of that kind. */
int pk_indicators_add_addr(struct pk_indicators *t, const struct pk_indicator *i,
			   const uint8_t addr[16], unsigned bits);
/* name: lower case, no dot at its end; covers what is below it. SHA-256: hex digits of any case. */
int pk_indicators_add_text(struct pk_indicators *t, const struct pk_indicator *i, const char *text,
			   size_t len);
/* Nothing is found before, nothing may be added after. */
int pk_indicators_seal(struct pk_indicators *t);

/* Those in force at now_ms (wall clock), the most specific one; false: none. */
bool pk_indicators_addr(const struct pk_indicators *t, const uint8_t addr[16], uint16_t port,
			int64_t now_ms, struct pk_indicator *ret);
bool pk_indicators_name(const struct pk_indicators *t, const char *name, int64_t now_ms,
			struct pk_indicator *ret);
bool pk_indicators_ja4(const struct pk_indicators *t, const char *ja4, int64_t now_ms,
		       struct pk_indicator *ret);

bool pk_indicators_sha256(const struct pk_indicators *t, const char *sha256, int64_t now_ms,
			  struct pk_indicator *ret); /* lower case */

struct pk_indicators_count {
	uint64_t addrs, names, prints, hashes, refused, bytes;
};
void pk_indicators_counts(const struct pk_indicators *t, struct pk_indicators_count *ret_count);
/* Does it look like t13d1516h2_8daaf6152771_b186095e22b6? */
bool pk_indicator_is_ja4(const char *s, size_t len);
/* 64 hex digits? */
bool pk_indicator_is_sha256(const char *s, size_t len);
