/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests: the smallest questions that rules ask of one field. All rules of a set share them: a
 * question that many ask is in the pool once.
 */
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8

#include "sigma/modifier.h"
#include "sigma/sigma.h"

#include <pcre2.h>

#define PK_SIGMA_NO_TEST UINT32_MAX

enum pk_sigma_test_kind {
	PK_SIGMA_T_LITERAL, /* a text, at its place; most are found by the scan of the field */
	PK_SIGMA_T_GLOB,    /* wildcards within */
	PK_SIGMA_T_RE,
	PK_SIGMA_T_CIDR,
	PK_SIGMA_T_NUMBER,
	PK_SIGMA_T_FIELD,   /* compared with another field */
	PK_SIGMA_T_PRESENT, /* the field exists, whatever it holds */
	PK_SIGMA_T_ABSENT,
	PK_SIGMA_T_EMPTY, /* it exists and is empty */
};

/* Where a literal or another field's text stands. */
#define PK_SIGMA_AT_START 1u
#define PK_SIGMA_AT_END   2u

struct pk_sigma_test {
	/* what makes a test the same as another */
	uint8_t kind;   /* enum pk_sigma_test_kind */
	uint8_t source; /* enum pk_sigma_source */
	uint8_t field;  /* enum pk_sigma_field */
	uint8_t other;  /* FIELD: the other one */
	uint8_t at;     /* LITERAL, FIELD: PK_SIGMA_AT_* */
	uint8_t cased;
	uint8_t re_flags;
	uint8_t how;      /* NUMBER: enum pk_sigma_how */
	const char *text; /* as a rule would have it, for people; NUL ended */

	const char *literal; /* LITERAL */
	size_t len;
	/* A literal without which it can't hold: its test; or PK_SIGMA_NO_TEST. */
	uint32_t gate;
	struct pk_sigma_pattern pattern; /* GLOB */
	pcre2_code *re;
	uint8_t addr[16], bits; /* CIDR */
	double number;
	/* LITERAL: answered by the scan of each event, or by a second one when a rule asks; if
	 * neither, it is looked for alone. */
	bool scanned, late;
	uint32_t first_rule, n_rules; /* in the set's postings: rules to look at when it holds */
};

struct pk_sigma_tests {
	struct pk_sigma_test *v;
	uint32_t n, cap;
	uint32_t *bucket; /* test + 1, 0: free */
	uint32_t mask;
};

void pk_sigma_tests_done(struct pk_sigma_tests *t);

/* The index of the test, added if it is new; t->re is taken. -ENOMEM; -E2BIG: too many. */
int64_t pk_sigma_tests_add(struct pk_sigma_tests *pool, struct pk_sigma_test *t);

/*
 * Of a pattern: a literal, a glob with its gate, or whether the field exists. -errno as above.
 */
int64_t pk_sigma_tests_pattern(struct pk_sigma_tests *pool, struct pk_arena *a,
			       enum pk_sigma_source source, enum pk_sigma_field field,
			       const struct pk_sigma_pattern *p, bool cased);

/* Of a literal anywhere in the field. */
int64_t pk_sigma_tests_gate(struct pk_sigma_tests *pool, struct pk_arena *a,
			    enum pk_sigma_source source, enum pk_sigma_field field, const char *s,
			    size_t len, bool cased);

/* What a match may need; counts the regular expressions that were given up. */
struct pk_sigma_work {
	pcre2_match_data *data;
	pcre2_match_context *context;
	uint64_t re_gave_up; /* match limit or stack met: taken as no match */
};

int pk_sigma_work_init(struct pk_sigma_work *w); /* -ENOMEM */
void pk_sigma_work_done(struct pk_sigma_work *w);

/* Does it hold? Not for a LITERAL that the scan answers. The gate is not asked. */
bool pk_sigma_test_holds(const struct pk_sigma_test *t, const struct pk_sigma_event *ev,
			 struct pk_sigma_work *w);
