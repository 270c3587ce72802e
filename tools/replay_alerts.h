/* SPDX-License-Identifier: Apache-2.0 */
/* `picket replay --alerts`: what the detectors say about a capture. */
#pragma once

#include "table.h"

#include <stdint.h>
#include <stdio.h>

struct pk_conf;
struct pk_enrich;
struct pk_filter;
struct pk_finding;
struct pk_flow_table;
struct pk_indicators;
struct pk_names;
struct pk_replay_alerts;
struct pk_see;

/* Everything is borrowed. */
struct pk_replay_world {
	const char *hostname;        /* in the alerts */
	const struct pk_conf *conf;  /* thresholds */
	struct pk_indicators *intel; /* sealed; NULL: none */
	struct pk_enrich *enrich;    /* NULL: there are no processes */
	struct pk_flow_table *flows;
	struct pk_names *names; /* NULL: none are known but those that are shown */
	/* Is the finding to become an alert? NULL: all are. */
	bool (*wanted)(void *arg, const struct pk_finding *f);
	void *arg;
};

int pk_replay_alerts_new(const struct pk_replay_world *w, struct pk_replay_alerts **ret_alerts);
void pk_replay_alerts_free(struct pk_replay_alerts *a);
void pk_replay_alerts_freep(struct pk_replay_alerts **a);

/* Times are those of the records. */
void pk_replay_alerts_see(struct pk_replay_alerts *a, const struct pk_see *see);
void pk_replay_alerts_tick(struct pk_replay_alerts *a, uint64_t now_ns);
/* Turns every detector off but the one of Sigma rules, which are at path then. -errno. */
int pk_replay_only_rules(struct pk_conf *conf, const char *path);
/* Findings that became no alert of their own, or none that is still there: to be said. */
uint64_t pk_replay_alerts_lost(const struct pk_replay_alerts *a);
/* All of them, the oldest first, once; in JSON a line about the file, if it is not NULL; *ret_n:
 * how many. filter NULL: any. */
int pk_replay_alerts_print(struct pk_replay_alerts *a, FILE *out, enum pk_format format,
			   const struct pk_filter *filter, const char *file, uint64_t *ret_n);
