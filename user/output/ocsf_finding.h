/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts as OCSF 1.8.0 Detection Finding (2004). */
#pragma once

#include <stdint.h>

struct pk_alert;
struct pk_filter_subject;
struct pk_finding;
struct pk_flow;
struct pk_json;
struct pk_ocsf;

#define PK_ALERT_UID 48 /* "boot-run-a-number" with its NUL */

const char *pk_alert_uid(const struct pk_ocsf *o, uint64_t number, char out[PK_ALERT_UID]);
/*
 * The value of "evidences", an array: processes with their ancestry, the flow with its names, the
 * values that made the rule decide. To be written when the finding is new, while all are at hand.
 */
void pk_ocsf_evidence(struct pk_json *j, const struct pk_ocsf *o, const struct pk_finding *f);
/* The alert as it is now, with the evidence that it keeps. sequence 0: left out. */
void pk_ocsf_alert(struct pk_json *j, const struct pk_ocsf *o, const struct pk_alert *a,
		   uint64_t sequence);
/* For a filter: the flow (filled here), the processes and the name. */
void pk_ocsf_finding_subject(const struct pk_ocsf *o, const struct pk_finding *f,
			     struct pk_flow *flow, struct pk_filter_subject *ret_subject);
