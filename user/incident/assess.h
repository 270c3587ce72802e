/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person says of an incident that no sensor can know: how much it hurts, what and whom, why
 * it came to that, what was learnt. Each is a text; some take few.
 */
#pragma once

struct pk_incident;
struct pk_incident_by;

#define PK_ASSESS_TEXT 256 /* with its NUL */

enum pk_assess {
	PK_ASSESS_CONFIDENTIALITY, /* the impact: none, low, medium, high */
	PK_ASSESS_INTEGRITY,
	PK_ASSESS_AVAILABILITY,
	PK_ASSESS_SERVICES, /* of the business */
	PK_ASSESS_ASSETS,
	PK_ASSESS_PERSONAL_DATA, /* yes, no */
	PK_ASSESS_ROOT_CAUSE,    /* an id: the same one twice is the same cause */
	PK_ASSESS_CAUSE, /* the review: why, at length; what worked; what is to be improved */
	PK_ASSESS_WORKED,
	PK_ASSESS_IMPROVEMENTS,
	PK_ASSESS_KINDS
};

const char *pk_assess_name(enum pk_assess k);    /* "root_cause" */
const char *pk_assess_choices(enum pk_assess k); /* "yes no", with blanks between; NULL: any text */

/* "": takes it back. -EINVAL: not one of its choices; -EMSGSIZE; -ENOMEM. */
int pk_incident_assess_set(struct pk_incident *i, enum pk_assess k, const char *value);
/* The same, with an act if it is another than before. */
int pk_incident_assess(struct pk_incident *i, enum pk_assess k, const char *value,
		       const struct pk_incident_by *by);
const char *pk_incident_assessed(const struct pk_incident *i, enum pk_assess k); /* "": nothing */

/* The largest of the three as impact_id of OCSF; 0: nobody said. */
int pk_incident_impact_id(const struct pk_incident *i);

/* What is said of one and not yet of the other is taken over. */
void pk_incident_assess_merge(struct pk_incident *into, const struct pk_incident *from);
