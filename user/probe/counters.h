/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's counters and aggregates, read by descriptor; needs no privilege from 5.19 on. */
#pragma once

#include <picket/map.h>

#include <stddef.h>
#include <stdint.h>

struct pk_counters {
	uint64_t pkt[PK_HOOK_PKT_MAX][PK_PKT_COUNT_MAX]; /* summed over CPUs */
	struct pk_event_count ev[PK_EH_MAX];
	struct pk_table_use use;
};

/* Per row, summed over CPUs; -errno: out as it was or in part. */
int pk_counters_samples(int fd, unsigned cpus, struct pk_sample_count out[PK_ROW_MAX]);

/* cpus: possible ones. Members that could not be read stay as they were; returns the last error. */
int pk_counters_read(int pkt_fd, int ev_fd, int use_fd, unsigned cpus, struct pk_counters *c);

typedef void (*pk_agg_fn)(void *arg, const struct pk_agg_key *key, const struct pk_agg *agg);
/* Every destination in the map; returns how many, or -errno. */
int pk_counters_aggs(int fd, pk_agg_fn fn, void *arg);
/* Removes one and gives its last value; -ENOENT: it was gone. */
int pk_counters_agg_remove(int fd, const struct pk_agg_key *key, struct pk_agg *ret_last);
/* The sums by protocol, 256 of them. */
int pk_counters_agg_rest(int fd, struct pk_agg ret_sums[256]);
int pk_counters_knobs(int fd, struct pk_knobs *ret_knobs);
