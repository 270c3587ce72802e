/* SPDX-License-Identifier: Apache-2.0 */
/* What the hub keeps, for who shows it: rows as JSON. The hub may be running. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Each row as a JSON object; borrowed for the call. */
typedef void pk_hub_row_fn(void *arg, const char *json);

struct pk_hub_view {
	const char *where; /* of the database */
	pk_hub_row_fn *row;
	void *arg;
	char why[256]; /* of a failure */
};

/* The newest findings, at most n. -ENODATA: there is no database. -errno. */
int pk_hub_findings(struct pk_hub_view *v, int64_t n);
/* One of them by its number. -ENOENT: there is none. */
int pk_hub_finding(struct pk_hub_view *v, int64_t number);
/* Hosts with what came of them and what was refused, by name; the first one, of no name, is for
 * what was of no known host. */
int pk_hub_hosts(struct pk_hub_view *v);
