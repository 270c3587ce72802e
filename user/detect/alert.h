/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings folded into alerts: the same rule with the same fold number within detect.fold is one
 * alert with a count. A fixed number of alerts; the one not seen longest goes first, suppressed
 * ones before others while they have more than a quarter. One thread.
 */
#pragma once

#include "detect/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_alerts;

struct pk_alert {
	struct pk_finding finding; /* the first one; its texts are the alert's own */
	uint64_t number;           /* from 1; never the same twice while the agent runs */
	uint64_t count;
	uint64_t last_ns; /* boottime of the newest finding */
	uint64_t told;    /* count when it was told last; 0: never */
	uint64_t told_ns;
	uint64_t incident; /* number of what it belongs to; 0: nothing */
	char *evidence; /* JSON array as it was at the first finding; NULL: none. pk_alert_keep() */
	size_t evidence_len;
	char *subject; /* what filters ask (output/subject.h); NULL */
	size_t subject_len;
	/* of the table */
	uint32_t next, older, newer;
	char *texts;
};

struct pk_alerts_count {
	uint64_t used, max, evicted, refused; /* refused: no memory */
	uint64_t findings, folded;
};

struct pk_alerts *pk_alerts_new(size_t max, uint64_t fold_ns); /* NULL: out of memory */
void pk_alerts_free(struct pk_alerts *t);

/* The alert that a finding belongs to: a new one, or an old one counted up (*ret_is_new false).
 * NULL: out of memory, counted. Borrowed until the next take. */
struct pk_alert *pk_alerts_take(struct pk_alerts *t, const struct pk_finding *f, bool *ret_is_new);
/* Copies the texts that are written when the alert is new, or more is known of it. -ENOMEM leaves
 * them out. */
int pk_alert_keep(struct pk_alert *a, const char *evidence, size_t evidence_len,
		  const char *subject, size_t subject_len);
/*
 * Is it time to tell an alert again: tenfold since it was told, or counted up and not told for a
 * minute?
 */
bool pk_alert_is_due(const struct pk_alert *a, uint64_t now_ns);

struct pk_alert *pk_alerts_find(const struct pk_alerts *t, uint64_t number); /* NULL */
/* The one seen longest ago first, suppressed ones behind all others; start with NULL. Borrowed
 * until the next take. */
struct pk_alert *pk_alerts_next(const struct pk_alerts *t, const struct pk_alert *after);
void pk_alerts_counts(const struct pk_alerts *t, struct pk_alerts_count *ret_count);
