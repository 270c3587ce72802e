/* SPDX-License-Identifier: Apache-2.0 */
/* Sums flows up by process, name, remote, container, application and port; picks the busiest. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_filter;
struct pk_flow_entry;
struct pk_live_rows;
struct pk_process;
struct pk_view;

struct pk_live_row {
	/* what makes it a row of its own: the members that its list uses, else 0 */
	const struct pk_flow_entry *flow; /* of rows of flows */
	const struct pk_process *process; /* of rows of processes */
	uint8_t addr[16];                 /* of rows of remotes */
	uint16_t proto, port; /* of rows of ports and applications; port in host order */
	uint64_t text;        /* hash of the name or the container's id */

	/* what is summed up in it */
	uint32_t flows;
	uint64_t bytes_out, bytes_in;
	double rate_out, rate_in;
	uint64_t start_ns;               /* of the oldest of its flows */
	const struct pk_flow_entry *top; /* the busiest of them: it stands for the others */
	const struct pk_process *who;    /* of that flow, on this host; NULL: none */
	unsigned end;                    /* of the top flow: which of its ends is this side */
	bool more_who, more_remotes;     /* others than those of the top flow */
};

enum pk_live_list {
	PK_LIVE_FLOWS,
	PK_LIVE_PROCESSES,
	PK_LIVE_TREE, /* processes with the sums of all that they began, top NULL */
	PK_LIVE_NAMES,
	PK_LIVE_REMOTES,
	PK_LIVE_CONTAINERS,
	PK_LIVE_APPS,
	PK_LIVE_PORTS,
	PK_LIVE_LISTS
};

struct pk_live_rows *pk_live_rows_new(void);
void pk_live_rows_free(struct pk_live_rows *r);
/* Goes over live and just ended flows that the filter takes, and with no filter over the processes
 * for what they sent in all. -ENOMEM: rows are missing. */
int pk_live_rows_fill(struct pk_live_rows *r, struct pk_view *v, const struct pk_filter *f);
/* The n busiest rows of a list, busiest first; *ret_rows is borrowed until the next fill. */
size_t pk_live_rows_top(struct pk_live_rows *r, enum pk_live_list list, size_t n,
			const struct pk_live_row **ret_rows);

/* Who it stands below in the tree: the nearest ancestor that runs; NULL: none. */
const struct pk_process *pk_live_parent(const struct pk_view *v, const struct pk_process *p);

/* The end of the flow that is this host: the local one, else the initiator. */
unsigned pk_live_here(const struct pk_view *v, const struct pk_flow_entry *e);
/* Best name for end d: what was asked for, else the address. Borrowed until the next call. */
const char *pk_live_name(const struct pk_view *v, const struct pk_flow_entry *e, unsigned d,
			 bool *ret_is_name);
/* What it speaks: "tls", "dns", ..., else its protocol's name or number. The same. */
const char *pk_live_app(const struct pk_view *v, const struct pk_flow_entry *e);
/* Do its names contradict each other, or does it not speak what its port is for? */
bool pk_live_is_odd(const struct pk_view *v, const struct pk_flow_entry *e);
