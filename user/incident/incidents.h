/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All incidents: which alert belongs to which, and which two are one. A fixed number of them; when
 * all are taken, the one that is over for longest goes, and else the one not seen longest.
 */
#pragma once

#include "incident/incident.h"
#include "incident/link.h"

struct pk_alert;
struct pk_incidents;

struct pk_incidents_conf {
	size_t max;
	uint64_t window_ns;         /* an incident takes alerts this long after its last one */
	enum pk_severity begin;     /* an alert below that begins none */
	struct pk_link_world world; /* borrowed */
	const char *team;           /* of new ones; borrowed */
};

struct pk_incidents_count {
	uint64_t used, max, evicted, refused;        /* refused: no memory */
	uint64_t open, begun, merged, alerts, loose; /* loose: alerts that wait for an incident */
	uint64_t keys_lost;                          /* links that found no room */
};

struct pk_incidents *pk_incidents_new(const struct pk_incidents_conf *conf); /* NULL: no memory */
void pk_incidents_free(struct pk_incidents *t);

/*
 * The incident an alert belongs to: told of each new alert and of each one that grew. uid names
 * it. NULL: it belongs to none (yet). Borrowed until the next take.
 */
struct pk_incident *pk_incidents_take(struct pk_incidents *t, struct pk_alert *a, const char *uid);

/* One that was read back; takes what it owns and leaves *i empty. -ENOSPC, -EEXIST. */
int pk_incidents_restore(struct pk_incidents *t, struct pk_incident *i);

struct pk_incident *pk_incidents_find(const struct pk_incidents *t, uint64_t number); /* NULL */
struct pk_incident *pk_incidents_by_uid(const struct pk_incidents *t, const char *uid);
/* Another one that a person gave the same root cause, half a year apart at most; NULL. */
struct pk_incident *pk_incidents_same_cause(const struct pk_incidents *t,
					    const struct pk_incident *i);
/* By number, the smallest first; start with NULL. */
struct pk_incident *pk_incidents_next(const struct pk_incidents *t, const struct pk_incident *i);
void pk_incidents_counts(const struct pk_incidents *t, struct pk_incidents_count *ret_count);
/* Something changed since it was told: one of them, or NULL. told() makes it not so. */
struct pk_incident *pk_incidents_untold(const struct pk_incidents *t, uint64_t now_ns);
void pk_incidents_told(struct pk_incident *i, uint64_t now_ns);
