/* SPDX-License-Identifier: Apache-2.0 */
/* Words, constants and properties of STIX patterns. Only pattern.c and pattern_lex.c include it. */
#pragma once

#include "block/pattern.h"

/* What an alternative holds. Twice the same, or two that exclude each other: CLASH. */
enum pk_pattern_has {
	PK_HAS_ADDR = 0x001,     /* ipv4-addr:value, ipv6-addr:value */
	PK_HAS_SRC = 0x002,      /* network-traffic:src_ref.value */
	PK_HAS_DST = 0x004,      /* network-traffic:dst_ref.value */
	PK_HAS_RESOLVES = 0x008, /* domain-name:resolves_to_refs[*].value */
	PK_HAS_NAME = 0x010,
	PK_HAS_SPORT = 0x020,
	PK_HAS_DPORT = 0x040,
	PK_HAS_PROTO = 0x080,
	PK_HAS_OTHER = 0x100,  /* anything that a packet's addresses don't tell */
	PK_HAS_CLASH = 0x200,  /* more than one packet's addresses could satisfy */
	PK_HAS_HASH = 0x800,   /* file:hashes.'SHA-256' */
	PK_HAS_UNSAID = 0x400, /* an address or name, but not by = or IN or ISSUBSET */
};

struct pk_pattern_parser {
	const char *start, *p, *end;
	struct pk_pattern *out; /* texts and nothing else, until the end */
	const char *reason;
	int error;
	int depth;
	size_t work;
};

/* Remembers the first failure; always false. */
bool pk_pattern_fail(struct pk_pattern_parser *s, const char *reason);
void pk_pattern_skip(struct pk_pattern_parser *s); /* blanks */
/* This character, keyword next? Takes it. */
bool pk_pattern_take(struct pk_pattern_parser *s, char c);
bool pk_pattern_word(struct pk_pattern_parser *s, const char *word);
/* A constant: 'text', t'time', h'..', b'..', number, true, false. Its text lies in out->texts. */
bool pk_pattern_constant(struct pk_pattern_parser *s, size_t *ret_at, size_t *ret_len);
/* A property, as in ipv4-addr:value, and what it tells: one of enum pk_pattern_has, 0 nothing. */
bool pk_pattern_path(struct pk_pattern_parser *s, unsigned *ret_kind);
