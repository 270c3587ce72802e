/* SPDX-License-Identifier: Apache-2.0 */
/* What `picket replay` prints: the flows of one capture, and what became of its packets. */
#pragma once

#include <picket/map.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct pk_filter;
struct pk_flow_table;
struct pk_names;
struct pk_news;

enum pk_print_format { PK_PRINT_TABLE = 0, PK_PRINT_JSON, PK_PRINT_CSV };

/*
 * packets = unsupported_link + truncated_link + count[SEEN], and
 * SEEN = FLOW + AGGREGATE + the reasons for which the kernel program refuses a packet.
 */
struct pk_replay_sum {
	const char *file, *link;
	const char *error; /* why it could not be read to the end, "" when it was */
	uint64_t packets, bytes;
	uint64_t unsupported_link, truncated_link;
	uint64_t count[PK_PKT_COUNT_MAX];
	uint64_t first_ns, last_ns; /* on the clock of the flows */
	uint64_t back_in_time; /* packets older than the one before: taken as of the same time */
	uint64_t flows, shown, lost; /* lost: more than can be kept */
	uint64_t dns;                /* transactions shown */
	uint64_t alerts;             /* shown, in place of flows */
	int output_error;            /* 0 or -errno */
};

int pk_print_format(const char *name, enum pk_print_format *ret_format); /* -EINVAL */

/* All ended flows, by start and key. titles: each file has a heading. Fills flows, shown, lost. */
int pk_print_flows(FILE *out, enum pk_print_format format, bool titles, struct pk_filter *filter,
		   struct pk_flow_table *flows, struct pk_names *names, struct pk_replay_sum *sum);
/* A DNS transaction that ended, as JSON; other formats show flows alone. */
int pk_print_dns(FILE *out, enum pk_print_format format, struct pk_filter *filter,
		 struct pk_names *names, const struct pk_news *news, struct pk_replay_sum *sum);
bool pk_sum_is_even(const struct pk_replay_sum *s);
void pk_print_sum(FILE *out, const struct pk_replay_sum *s); /* one line */
