/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's flows: what the kernel reported last about each, the live ones and a bounded history
 * of ended ones, found by id and by (protocol, addresses, ports). Reports carry totals, so a report
 * that comes twice or late changes nothing. Time is the record's.
 */
#pragma once

#include <picket/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_flow_table;

/* Where own[d] came from, if not from the kernel's record: joined at all; from another view of the
 * conversation, which already counts for that process. */
#define PK_FLOW_JOINED(d) (1u << (d))
#define PK_FLOW_VIEWED(d) (4u << (d))

/* The process a flow was last counted for, on one side. tgid 0: none. */
struct pk_flow_counted {
	uint64_t start_ns;
	uint32_t tgid, pad;
};

struct pk_flow_entry {
	struct pk_flow flow;                  /* totals */
	uint64_t updated_ns;                  /* time of the last report */
	uint64_t report;                      /* its number, from 1, of all that were taken */
	float rate_bytes[2], rate_packets[2]; /* a second, between the last two reports */
	uint64_t new_bytes[2];                /* what the last report added */
	struct pk_flow_counted counted[2], counted_before[2]; /* see pk_flow_entry_count() */
	uint8_t why;                  /* enum pk_report_why of the last report */
	uint8_t joined;               /* PK_FLOW_JOINED */
	bool is_new;                  /* there was only one report */
	bool ended, was_ended;        /* now, and before the last report */
	uint32_t next_id, next_tuple; /* hash chains */
	uint32_t older, newer;        /* list of live or of ended flows */
};

struct pk_flow_totals {
	uint64_t bytes[2], packets[2]; /* [0] counted on egress, [1] on ingress */
	uint64_t flows;                /* ever seen */
};

struct pk_table_use_count {
	uint64_t used, max, evicted, refused;
};

/* NULL: out of memory. Memory is touched only as it is used. */
struct pk_flow_table *pk_flow_table_new(size_t live_max, size_t ended_max);
void pk_flow_table_free(struct pk_flow_table *t);

/* Calls forgot with the id of each flow that leaves the table for good. */
void pk_flow_table_on_forget(struct pk_flow_table *t, void (*forgot)(void *arg, uint64_t id),
			     void *arg);

/* The entry that the report belongs to, new or updated; NULL: table full, counted as refused. */
struct pk_flow_entry *pk_flow_table_update(struct pk_flow_table *t, const struct pk_flow_report *r);
/*
 * After owners were joined: notes which process each side is counted for, and in counted_before
 * which it was counted for until now, so that the caller can keep counts of live flows.
 */
void pk_flow_entry_count(struct pk_flow_entry *e);
struct pk_flow_entry *pk_flow_table_find(struct pk_flow_table *t, uint64_t id);

/* Flows with this protocol, addresses and ports in any namespace and interface; start with NULL. */
struct pk_flow_entry *pk_flow_table_same(struct pk_flow_table *t, const struct pk_flow_key *key,
					 const struct pk_flow_entry *after);

/* Most recently updated first; start with NULL. Borrowed until the next update. */
struct pk_flow_entry *pk_flow_table_live(struct pk_flow_table *t,
					 const struct pk_flow_entry *after);
struct pk_flow_entry *pk_flow_table_ended(struct pk_flow_table *t,
					  const struct pk_flow_entry *after);

/* Of the live or the ended flows the first that was reported after this number; then the next. */
struct pk_flow_entry *pk_flow_table_after(struct pk_flow_table *t, bool ended, uint64_t report);
struct pk_flow_entry *pk_flow_table_newer(struct pk_flow_table *t, const struct pk_flow_entry *e);
uint64_t pk_flow_table_reports(const struct pk_flow_table *t); /* the last number */

const struct pk_flow_totals *pk_flow_table_totals(const struct pk_flow_table *t);
void pk_flow_table_counts(const struct pk_flow_table *t, struct pk_table_use_count *ret_live,
			  struct pk_table_use_count *ret_ended);

/* Bytes (packets) a second of direction d; 0 for a flow that is silent or ended for longer than
 * stale_ns. */
double pk_flow_rate_bytes(const struct pk_flow_entry *e, unsigned d, uint64_t now_ns,
			  uint64_t stale_ns);
double pk_flow_rate_packets(const struct pk_flow_entry *e, unsigned d, uint64_t now_ns,
			    uint64_t stale_ns);
