/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who must be told of an incident, and when. Two clocks: the one that counts runs from when a
 * person knew that it is significant; the other from the first alert, and says what the earliest
 * can be. Which duties there are says the configuration; that they were done, a person.
 */
#pragma once

#include "conf/deadline.h"

#include <stddef.h>
#include <stdint.h>

struct pk_incident;
struct pk_incident_by;

struct pk_report {
	char to[PK_CONF_DEADLINE_NAME];
	int64_t at_ms;
};

struct pk_duty {
	struct pk_conf_deadline deadline;
	int64_t due_ms;      /* 0: what it counts from has not come */
	int64_t earliest_ms; /* 0: it counts from another duty */
	int64_t told_ms;     /* 0: not yet */
};

/* By an item of incident.deadlines. */
int pk_duty_of(const struct pk_incident *i, const char *item, struct pk_duty *ret); /* -EINVAL */

/* Who had to be told was: an act. -EALREADY: he was; -ENOSPC. */
int pk_incident_report(struct pk_incident *i, const char *to, const struct pk_incident_by *by);
/* The same without an act. */
int pk_incident_report_add(struct pk_incident *i, const char *to, int64_t at_ms);
