/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts filter text into tokens. */
#pragma once

#include "flow/filter.h"

#define PK_TOKENS_MAX 512
#define PK_TOKEN_LEN  256

enum pk_token_type { PK_TOK_END, PK_TOK_WORD, PK_TOK_QUOTED, PK_TOK_OPEN, PK_TOK_CLOSE, PK_TOK_OP };

struct pk_token {
	enum pk_token_type type;
	size_t at, len;          /* in the text */
	char text[PK_TOKEN_LEN]; /* quotes and backslashes removed */
};

/* tokens has room for PK_TOKENS_MAX; the last is PK_TOK_END. -EINVAL: see e. */
int pk_filter_lex(const char *text, struct pk_token *tokens, size_t *ret_n,
		  struct pk_filter_error *e);
bool pk_token_is(const struct pk_token *t, const char *text); /* unquoted and equal */
/* Fills e; returns -EINVAL. */
int pk_filter_fail(struct pk_filter_error *e, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
