/* SPDX-License-Identifier: Apache-2.0 */
/* What was done because of listed names, as OCSF records. */
#pragma once

#include "output/ocsf.h"

struct pk_event;
struct pk_flow_entry;
struct pk_json;

/* The listed name that decided; texts may be NULL: it is gone by now. */
struct pk_ocsf_listed {
	const char *list, *name, *reason;
	uint32_t entry;
	bool drop; /* else it was only seen */
};

/* A query that was refused (PK_EV_QUERY), as DNS activity (4003). */
void pk_ocsf_query(struct pk_json *j, const struct pk_ocsf *o, const struct pk_event *ev,
		   const struct pk_ocsf_listed *listed, uint64_t sequence);

/*
 * A flow that was cut because it carries the name (what: "sni" or "http"), as network activity
 * (4001). The entry's key, id, initiator and owners are used.
 */
void pk_ocsf_cut(struct pk_json *j, const struct pk_ocsf *o, const struct pk_flow_entry *e,
		 uint64_t ts_ns, const char *what, const char *carried,
		 const struct pk_ocsf_listed *listed, uint64_t sequence);
