/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses that DNS answers give for listed names: each becomes an entry of its own, for as long
 * as the answer counts, in the lists "answers" and (of lists that only observe) "answers-observed".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pk_block;

#define PK_ANSWER_NAMES 32 /* of one answer that are looked at */

/* One answered address. Names are in lower case, without a dot at the end. */
struct pk_answer {
	const char *name[PK_ANSWER_NAMES]; /* the question, then what it is an alias of */
	size_t n;
	uint8_t addr[16];
	uint32_t ttl_s;
};

/* What became of it. */
enum pk_answer_fate {
	PK_ANSWER_UNLISTED, /* no list speaks about its names, or an allow list does */
	PK_ANSWER_SNI_ONLY, /* asked for */
	PK_ANSWER_BLOCKED,  /* or observed, as the list's mode is */
	PK_ANSWER_SAFE,     /* the address must be reached */
	PK_ANSWER_SHARED,   /* names that are not listed have it, too: only hellos are cut */
	PK_ANSWER_FULL,     /* block.answers_max, or no memory */
	PK_ANSWER_FATES
};
enum pk_answer_fate pk_block_answered(struct pk_block *b, const struct pk_answer *a);
const char *pk_answer_fate_name(enum pk_answer_fate fate); /* "blocked", ... */

/* Answers by what became of them, since the start. */
const uint64_t *pk_block_answer_counts(const struct pk_block *b);
/* Addresses that are blocked now because of this listed name (with the list), from number *at on,
 * which is set behind it; NULL: no more. expires: wall clock. */
const uint8_t *pk_block_answer_next(struct pk_block *b, const char *list, const char *name,
				    size_t *at, int64_t *ret_expires_ms);
/* Addresses of listed names that are blocked at this moment. */
size_t pk_block_answer_addrs(const struct pk_block *b);
