/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared search: all literals that any rule looks for in a field are found in one pass over its
 * text, by vectorscan. What is found leads to the rules that can't match without it.
 */
#pragma once

#include "sigma/program.h"
#include "sigma/test.h"

#include <hs/hs.h>

struct pk_buf;
struct pk_sigma_set;

/* A literal as the search needs it, close together. */
struct pk_sigma_literal {
	const char *s;
	uint32_t len, test;
	uint32_t first_rule, n_rules; /* in the set's postings */
	uint8_t at;                   /* PK_SIGMA_AT_* */
	bool cased;
};

/* Literals that are whole values (exact.h). */
struct pk_sigma_exact {
	struct pk_sigma_literal *literal;
	uint32_t *slot; /* literal + 1, 0: free */
	uint32_t n, mask, len_max;
};

/* The literals of one field of one source. */
struct pk_sigma_scan {
	struct pk_sigma_exact exact;
	hs_database_t *db;                /* of the others; NULL: none */
	struct pk_sigma_literal *literal; /* by pattern */
	/* Those that lead to no rule, of rules with many: searched for when the first is asked. */
	hs_database_t *late_db;
	struct pk_sigma_literal *late;
	uint32_t n_literals, n_late;
	uint8_t field;
};

struct pk_sigma_scans {
	struct pk_sigma_scan *scan;
	size_t n;
	struct pk_sigma_scan *of_field[PK_SIGMA_FIELDS]; /* NULL: none */
	uint32_t *always;                                /* rules that are tried on every event */
	size_t n_always;
};

/*
 * After all rules are compiled: finds for each the rarest literals that it can't match without,
 * writes them down as postings, and builds the scanners. -ENOMEM; -EINVAL: vectorscan refused, said
 * in errors.
 */
int pk_sigma_scans_build(struct pk_sigma_set *set, struct pk_buf *errors);
void pk_sigma_scans_done(struct pk_sigma_scans *s);
