/* SPDX-License-Identifier: Apache-2.0 */
/* The sensor's own words of the filter language, as a table. */
#pragma once

#include "flow/filter_lex.h"

enum pk_word_arg {
	PK_ARG_GLOB,
	PK_ARG_NUMBER, /* pid */
	PK_ARG_CHOICE,
	PK_ARG_COUNT, /* comparison with a number of things */
	PK_ARG_TIME,  /* comparison with a time, ns */
	PK_ARG_FLAG,  /* nothing follows; retrans may have a comparison */
	PK_ARG_VLAN,  /* a number may follow */
};

enum pk_compare { PK_GT, PK_GE, PK_LT, PK_LE, PK_EQ, PK_NE };

struct pk_word;

/* One use of a word in a filter. */
struct pk_word_use {
	const struct pk_word *word;
	enum pk_compare compare;
	bool has_number;
	double number; /* ns for times; index for choices */
	char text[PK_TOKEN_LEN];
};

struct pk_word {
	const char *name;
	enum pk_word_arg arg;
	unsigned needs;      /* PK_FILTER_NEEDS_* */
	const char *choices; /* of PK_ARG_CHOICE, blank between */
	bool (*match)(const struct pk_word_use *u, const struct pk_filter_subject *s);
};

const struct pk_word *pk_word_find(const struct pk_token *t); /* NULL: not one of ours */
/* Reads what follows the word at t[*at] and moves *at behind it. */
int pk_word_parse(const struct pk_token *t, size_t *at, struct pk_word_use *ret_use,
		  struct pk_filter_error *e);
bool pk_glob(const char *pattern, const char *text); /* "*" and "?"; NULL text: false */
