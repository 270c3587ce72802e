/* SPDX-License-Identifier: Apache-2.0 */
/* One host of a fleet as a record: what it told against what is wanted. */
#pragma once

#include "table.h"

#include <jansson.h>

struct pk_fleet_host {
	const char *name;
	const char *state;  /* NULL: it answered, and is "ok" or "drift" */
	const char *detail; /* why it did not */
	json_t *status;     /* of /v1/status; NULL: none */
	json_t *lists;      /* array of /v1/lists; NULL: none */
	/* [{"list":"drop","version":8,"sha256":"..."}], with "hosts" only for those that are its
	 * members */
	json_t *wanted;
	json_t *was; /* {"seen":MS,"version":"..."}; NULL: it was never seen */
};

/* {"host","state","seen","version","lists":[{"list","version","wanted","state"}],"drift",
 * "coverage":{"covered","interfaces"},"degraded":[],"lost":{},"lost_total","certificate_to",
 * "detail"}. Owned by the caller. */
json_t *pk_fleet_row(const struct pk_fleet_host *h);
/* A table of such rows. */
void pk_fleet_table(struct pk_table *t, enum pk_format format);
