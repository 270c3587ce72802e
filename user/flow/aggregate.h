/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel could not keep flow by flow, summed up here for good: by destination as long as
 * there is room, by protocol, and in all. The pipeline reads the kernel's maps into it.
 */
#pragma once

#include "flow/table.h"

#include <picket/map.h>

#include <stdbool.h>
#include <stddef.h>

struct pk_agg_table;

struct pk_agg_entry {
	struct pk_agg_key key;
	struct pk_agg sum;    /* since the agent began */
	struct pk_agg kernel; /* what of it the kernel's map still holds */
};

/* kernel_max: size of the kernel's map. max is raised to twice that. */
struct pk_agg_table *pk_agg_table_new(size_t max, size_t kernel_max);
void pk_agg_table_free(struct pk_agg_table *t);

/*
 * Takes the kernel's counter for this destination as it is now; only what is new is added.
 * -ENOSPC: no room, nothing was added (never so while pk_agg_table_may_forget() is respected).
 */
int pk_agg_table_see(struct pk_agg_table *t, const struct pk_agg_key *key,
		     const struct pk_agg *kernel);
/* The same for what the kernel knew only by protocol (0 to 255). */
void pk_agg_table_see_rest(struct pk_agg_table *t, unsigned proto, const struct pk_agg *kernel);
/* The kernel's counter was removed with this value; it would begin at 0 again. */
int pk_agg_table_forget(struct pk_agg_table *t, const struct pk_agg_key *key,
			const struct pk_agg *last);
/* Is there room for the kernel's map to fill with other destinations? Else leave it as it is. */
bool pk_agg_table_may_forget(const struct pk_agg_table *t);

void pk_agg_table_total(const struct pk_agg_table *t, struct pk_agg *ret_sum);
const struct pk_agg *pk_agg_table_proto(const struct pk_agg_table *t, unsigned proto);
/* The destinations with most packets, most first; returns how many (at most n). */
size_t pk_agg_table_top(const struct pk_agg_table *t, struct pk_agg_entry *ret, size_t n);
void pk_agg_table_counts(const struct pk_agg_table *t, struct pk_table_use_count *ret_use);
