/* SPDX-License-Identifier: Apache-2.0 */
/* Sums flows up by process, remote and port, and picks the busiest rows. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pk_filter;
struct pk_flow_entry;
struct pk_live_rows;
struct pk_process;
struct pk_view;

struct pk_live_row {
	struct pk_flow_entry *flow;       /* of rows of flows */
	const struct pk_process *process; /* of rows of processes */
	uint8_t addr[16];                 /* of rows of remotes */
	uint16_t proto, port;             /* of rows of ports; port in host order */
	uint32_t flows;
	uint64_t bytes_out, bytes_in;
	double rate_out, rate_in;
};

enum pk_live_list {
	PK_LIVE_FLOWS,
	PK_LIVE_PROCESSES,
	PK_LIVE_REMOTES,
	PK_LIVE_PORTS,
	PK_LIVE_LISTS
};

struct pk_live_rows *pk_live_rows_new(void);
void pk_live_rows_free(struct pk_live_rows *r);
/* Goes over live and just ended flows that the filter takes. -ENOMEM: rows are missing. */
int pk_live_rows_fill(struct pk_live_rows *r, struct pk_view *v, const struct pk_filter *f);
/* The n busiest rows of a list, busiest first; *ret_rows is borrowed until the next fill. */
size_t pk_live_rows_top(struct pk_live_rows *r, enum pk_live_list list, size_t n,
			const struct pk_live_row **ret_rows);
