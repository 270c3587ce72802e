/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Incidents as OCSF 1.8.0 Incident Finding (2005); acts as Network (7004) or Process Remediation
 * Activity (7003) when they are responses, else as an update of the incident.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pk_incident;
struct pk_incident_act;
struct pk_json;
struct pk_ocsf;

/* How it is told. */
struct pk_ocsf_telling {
	uint64_t sequence; /* 0: left out */
	bool asked;        /* somebody asks: what is not on the disk is marked "kept":false */
	uint64_t kept;     /* then: the ticket up to which all is */
	uint64_t about;    /* then: the ticket he waited for; 0: he asks about all of it */
};

/* All of it: what alerts say, acts, graph, clocks. incident/read.h reads it back. */
void pk_ocsf_incident(struct pk_json *j, const struct pk_ocsf *o, const struct pk_incident *i,
		      const struct pk_ocsf_telling *t);
/* "INCIDENT-act-N" */
#define PK_ACT_UID 72
const char *pk_ocsf_act_uid(const struct pk_incident *i, const struct pk_incident_act *a,
			    char out[PK_ACT_UID]);
void pk_ocsf_act(struct pk_json *j, const struct pk_ocsf *o, const struct pk_incident *i,
		 const struct pk_incident_act *a);
