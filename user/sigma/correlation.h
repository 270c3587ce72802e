/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Correlations: which rules feed which, and the state that counts. The state is apart from the set
 * and goes on when a set is replaced: a correlation whose file did not change keeps its groups.
 */
#pragma once

#include "sigma/match.h"

struct pk_sigma_set;
struct pk_sigma_state;

/* The rule with this id (any case), or with this name; NULL: none, or it is NULL. */
struct pk_sigma_rule *pk_sigma_rule_by_id(const struct pk_sigma_set *set, const char *id);
struct pk_sigma_rule *pk_sigma_rule_find(const struct pk_sigma_set *set, const char *id_or_name);

/*
 * Of a set whose rules are compiled: finds the rules that correlations refer to and where their
 * values are. What is wrong is complained of at the correlation. -ENOMEM; 0 else.
 */
int pk_sigma_correlations_link(struct pk_sigma_set *set);

/* At most so much of a count can be asked for: events, and values. */
#define PK_SIGMA_EVENTS_MAX 10000u
#define PK_SIGMA_VALUES_MAX 1000u

struct pk_sigma_state_counts {
	uint64_t groups, groups_max, evicted;
	uint64_t refused; /* hits of groups for which no other was let go */
	uint64_t marks, marks_max;
	uint64_t ungrouped; /* hits without a field to group by or to count: not counted */
	uint64_t bytes;     /* of the state, all in all */
};

/*
 * Room for so many groups, each with its events and values among marks in all. A full state forgets
 * the group that was not touched for longest, unless it comes more often than the new one. NULL: no
 * memory.
 */
struct pk_sigma_state *pk_sigma_state_new(uint32_t groups, uint32_t marks);
/* Bytes that one of this size takes, whatever it is fed. */
size_t pk_sigma_state_bytes(uint32_t groups, uint32_t marks);
void pk_sigma_state_free(struct pk_sigma_state *s);
void pk_sigma_state_counts(const struct pk_sigma_state *s, struct pk_sigma_state_counts *ret);

/*
 * Takes a hit of an ordinary rule and calls fn for each correlation that it makes true, also for
 * silent ones.
 *
 * Lower bounds slide: a correlation is true at the event that reaches the count within timespan
 * before it, and starts anew. With an upper bound (lt, lte, eq, neq) a window begins with a group's
 * first event, and is judged when it has ended: by a later event, or by pk_sigma_state_tick().
 */
void pk_sigma_state_feed(struct pk_sigma_state *s, const struct pk_sigma_set *set,
			 const struct pk_sigma_hit *hit, pk_sigma_hit_fn fn, void *arg);

/* Judges windows that have ended by now_ns, and forgets groups that are over. */
void pk_sigma_state_tick(struct pk_sigma_state *s, const struct pk_sigma_set *set, uint64_t now_ns,
			 pk_sigma_hit_fn fn, void *arg);
