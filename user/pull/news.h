/* SPDX-License-Identifier: Apache-2.0 */
/* What became of one try to get a list, as the process that fetches tells the core. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum pk_pull_outcome {
	PK_PULL_PENDING, /* not tried yet */
	PK_PULL_ACCEPTED,
	PK_PULL_UNCHANGED,   /* nothing newer there */
	PK_PULL_REFUSED,     /* by the core: why is the code of sign/refusal.h */
	PK_PULL_UNREACHABLE, /* no connection, no TLS, or not in time */
	PK_PULL_BAD_ANSWER,  /* not 200 or 304 */
	PK_PULL_TOO_LARGE,
	PK_PULL_OUTCOMES
};

#define PK_PULL_WHY 160

/* Texts are printable ASCII and NUL ended. */
struct pk_pull_news {
	uint64_t next_ms; /* until the next try */
	uint32_t outcome; /* enum pk_pull_outcome, not pending */
	uint32_t status;  /* of HTTP, the mirror's; 0: none */
	char list[64];
	char source[256]; /* URL */
	char why[PK_PULL_WHY];
};

const char *pk_pull_outcome_name(enum pk_pull_outcome o); /* "bad-answer" */
bool pk_pull_is_good(enum pk_pull_outcome o);
/* May it be read as what it says? */
bool pk_pull_news_is_valid(const struct pk_pull_news *n);
/* s to to, with what is not printable as '?', cut to size. */
void pk_pull_text(char *to, unsigned size, const char *s);
