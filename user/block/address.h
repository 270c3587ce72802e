/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses as lists write them: strict, since a guess here is a packet dropped or let through
 * elsewhere, and fast, since there are millions. Complaints are constant texts: what is wrong and
 * what would be right.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Host order; IPv4 is ::ffff:a.b.c.d. */
typedef unsigned __int128 pk_addr_t;

struct pk_span {
	pk_addr_t lo, hi;   /* first and last address */
	uint16_t port;      /* "a.b.c.d:port", "[v6]:port"; 0 none */
	uint8_t bits;       /* of the 16-byte form; meaningless when is_range */
	bool is_range;      /* written as a-b */
	bool has_host_bits; /* more bits were set than the prefix has; cleared in lo */
};

/*
 * An address, prefix, range or address with port at p. Returns where it ends, or NULL and why (the
 * reason means something then only).
 * What follows is the caller's to judge.
 */
const char *pk_span_scan(const char *p, const char *end, struct pk_span *ret,
			 const char **ret_reason);

bool pk_addr_is_v4(pk_addr_t a);
void pk_addr_bytes(pk_addr_t a, uint8_t ret_bytes[16]);
pk_addr_t pk_addr_from_bytes(const uint8_t bytes[16]);
/* First address after the largest prefix that begins at lo and ends by hi (0: there is none). */
pk_addr_t pk_span_next(pk_addr_t lo, pk_addr_t hi, uint8_t *ret_bits);

/*
 * Is this a domain name that can be looked up? Labels of letters, digits, - and _, the last one no
 * number. NULL: yes; else why not.
 */
const char *pk_name_check(const char *s, size_t len, bool may_be_single);
