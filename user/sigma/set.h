/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of rules, compiled: nobody changes it, whoever has a scratch may match by it. A new one is
 * built beside it and takes its place in one step.
 */
#pragma once

#include "sigma/load.h"
#include "sigma/program.h"
#include "sigma/scan.h"
#include "sigma/test.h"

struct pk_buf;

/*
 * A correlation as the rule that feeds it sees it: which of its rules this is, and where the values
 * are that it groups by and counts. leaf is the ordinary rule whose event is looked at, below any
 * correlations in between.
 */
struct pk_sigma_ref {
	const struct pk_sigma_rule *correlation, *rule, *leaf;
	uint32_t position;                 /* of rule in the correlation's list */
	uint8_t group[PK_SIGMA_GROUP_MAX]; /* enum pk_sigma_field of the leaf's events */
	uint8_t field;                     /* value_count */
};

struct pk_sigma_set {
	struct pk_arena arena;
	struct pk_sigma_rules rules; /* all, also those that do not run */
	struct pk_sigma_tests tests;
	struct pk_sigma_program program;
	uint32_t *posting; /* rules by test, see pk_sigma_test.first_rule */
	/* of each source: rules with nothing to be found by, and the scanners of its fields */
	struct pk_sigma_scans scans[PK_SIGMA_SOURCES];
	uint32_t n_running, n_unsupported, n_broken;
	uint32_t n_always;  /* rules that are tried on every event of their source */
	uint64_t at_source; /* 1 << enum pk_sigma_source for each that a running rule looks at */
};

/*
 * Loads files, and of directories every *.yml and *.yaml below them, sorted by path. Rules that
 * can't run have problems and are in the set all the same. A directory that is not there is empty.
 * -EINVAL: no rule can be compiled for a reason that is none of its own, said in errors; -ENOMEM.
 */
int pk_sigma_set_load(const char *const *path, size_t n, struct pk_buf *errors,
		      struct pk_sigma_set **ret);
/* The same of one text, for tests and fuzzers. */
int pk_sigma_set_text(const char *file, const char *text, size_t len, struct pk_sigma_set **ret);
void pk_sigma_set_free(struct pk_sigma_set *set);
void pk_sigma_set_freep(struct pk_sigma_set **set);

/*
 * Loads beside *set and puts the new one in its place. Refused, and *set stays, when it fails as
 * above, and when more rules are broken than in *set: somebody is in the middle of writing one.
 * Rules that only need what Picket has not are no reason. -EBADMSG: broken ones, in errors.
 */
int pk_sigma_set_reload(struct pk_sigma_set **set, const char *const *path, size_t n,
			struct pk_buf *errors);

/* One line for each problem of the rule: "FILE:LINE:COLUMN: TITLE: what". */
void pk_sigma_rule_problems(const struct pk_sigma_rule *rule, struct pk_buf *out);
/* 0: it runs; else the kind of its first problem. */
static inline bool pk_sigma_rule_is_broken(const struct pk_sigma_rule *rule)
{
	const struct pk_sigma_problem *p = rule->problem;

	while (p && p->unsupported)
		p = p->next;
	return p;
}
