/* SPDX-License-Identifier: Apache-2.0 */
/* One event against all rules of a set. No memory is taken on the way. */
#pragma once

#include "sigma/sigma.h"

#include <stdbool.h>

struct pk_sigma_set;
struct pk_sigma_rule;
struct pk_sigma_scratch;

#define PK_SIGMA_FOUND_MAX 32

/* A question of the rule that was answered yes: evidence. */
struct pk_sigma_found {
	enum pk_sigma_field field;
	const char *name;    /* as the rule calls it */
	const char *pattern; /* as the rule has it, with wildcards for contains and its like */
};

/* All borrowed for the call. */
struct pk_sigma_hit {
	const struct pk_sigma_rule *rule;
	const struct pk_sigma_event *event; /* of a correlation: the last; NULL: a window closed */
	const struct pk_sigma_found *found;
	size_t n_found;
	/* of a correlation */
	const char *group; /* "User=root, Image=/bin/sh"; raw, cut where too long; NULL */
	uint64_t count;    /* of events, values or rules */
	uint64_t first_ns; /* the first of them */
};

typedef void (*pk_sigma_hit_fn)(void *arg, const struct pk_sigma_hit *hit);

struct pk_sigma_counts {
	uint64_t events;
	uint64_t tried; /* rules whose program was run */
	uint64_t hits;
	uint64_t re_gave_up;  /* regular expressions over their limit: taken as no match */
	uint64_t scan_failed; /* fields that could not be searched */
};

/* Memory for matches by this set, of one thread. -ENOMEM. */
int pk_sigma_scratch_new(const struct pk_sigma_set *set, struct pk_sigma_scratch **ret);
void pk_sigma_scratch_free(struct pk_sigma_scratch *s);
void pk_sigma_scratch_freep(struct pk_sigma_scratch **s);
const struct pk_sigma_counts *pk_sigma_scratch_counts(const struct pk_sigma_scratch *s);

/*
 * Calls fn for each ordinary rule that the event fits, also for silent ones, in no order. s must be
 * of this set. Returns how many.
 */
int pk_sigma_match(const struct pk_sigma_set *set, struct pk_sigma_scratch *s,
		   const struct pk_sigma_event *ev, pk_sigma_hit_fn fn, void *arg);
