/* SPDX-License-Identifier: Apache-2.0 */
/* Who talks to a name, an address, a port: flows summed up by program and remote side. */
#pragma once

#include <jansson.h>

struct pk_buf;

/* The filter for a word as people know it: "example.org" with what is below it, an address, a
 * prefix, a port. */
void pk_who_filter(struct pk_buf *out, const char *word);
/*
 * OCSF 4001 records as rows {"process" (the latest), "processes" (how many), "with", "flows",
 * "live", "since", "last", "sent", "received"}, those that sent and received most first; out is
 * what the process sent. A new reference.
 */
json_t *pk_who_rows(json_t *flows);
