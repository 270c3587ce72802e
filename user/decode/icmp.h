/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICMP echo (RFC 792, RFC 4443 4): identity, size, and what its payload looks like. Programs that
 * ping fill it with patterns; a tunnel fills it with whatever it carries.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What fills an echo's payload. */
enum pk_icmp_fill {
	PK_ICMP_OTHER,
	PK_ICMP_EMPTY,
	PK_ICMP_COUNTING, /* bytes that count up: ping of iputils and BSD, behind their time stamp
			   */
	PK_ICMP_LETTERS,  /* "abc...uvwabc...": ping of Windows */
	PK_ICMP_CONSTANT, /* one byte repeated, maybe behind a time stamp: fping, ping -p, routers
			   */
	PK_ICMP_FILLS
};

struct pk_icmp {
	uint8_t version; /* 4 or 6 */
	uint8_t type, code;
	bool echo; /* request or reply; if not, nothing below is filled */
	bool request;
	uint16_t id, seq;
	uint32_t size;    /* payload bytes on the wire, behind the echo's header */
	uint32_t looked;  /* of them, that were there to look at */
	uint16_t entropy; /* Shannon, of the bytes looked at, in hundredths of a bit per byte: 0-800
			   */
	uint8_t fill;     /* enum pk_icmp_fill */
};

/*
 * From the ICMP header on. wire_len: its length with payload, at least len. -ENODATA: no whole
 * header.
 */
int pk_icmp_decode(struct pk_icmp *ret, uint8_t version, const void *data, size_t len,
		   size_t wire_len);
/* Hundredths of a bit per byte. A sample of n bytes can't have more than log2(n). */
uint16_t pk_icmp_entropy(const void *data, size_t len);
const char *pk_icmp_fill_name(uint8_t fill); /* "counting", ... */
