/* SPDX-License-Identifier: Apache-2.0 */
/* What the hub keeps, for who shows it: rows as JSON. The hub may be running. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Each row as a JSON object; borrowed for the call. */
typedef void pk_hub_row_fn(void *arg, const char *json);

/* The newest findings, at most n. -ENODATA: there is no database. -errno. */
int pk_hub_findings(const char *path, int64_t n, pk_hub_row_fn *row, void *arg);
/* One of them by its number. -ENOENT: there is none. */
int pk_hub_finding(const char *path, int64_t number, pk_hub_row_fn *row, void *arg);
/* Hosts with what came of them and what was refused, by name; the first one, of no name, is for
 * what was of no known host. */
int pk_hub_hosts(const char *path, pk_hub_row_fn *row, void *arg);
