/* SPDX-License-Identifier: Apache-2.0 */
/* `picket replay --alerts`: what the detectors say about a capture. */
#pragma once

#include "table.h"

#include <stdint.h>
#include <stdio.h>

struct pk_conf;
struct pk_filter;
struct pk_flow_table;
struct pk_indicators;
struct pk_names;
struct pk_replay_alerts;
struct pk_see;

/* Everything is borrowed. conf: thresholds; intel: sealed, or NULL for none. */
int pk_replay_alerts_new(const struct pk_conf *conf, struct pk_indicators *intel,
			 struct pk_flow_table *flows, struct pk_names *names,
			 struct pk_replay_alerts **ret_alerts);
void pk_replay_alerts_free(struct pk_replay_alerts *a);
void pk_replay_alerts_freep(struct pk_replay_alerts **a);

/* Times are those of the records. */
void pk_replay_alerts_see(struct pk_replay_alerts *a, const struct pk_see *see);
void pk_replay_alerts_tick(struct pk_replay_alerts *a, uint64_t now_ns);
/* All of them, the oldest first, once, and in JSON a line about the file; *ret_n: how many. */
int pk_replay_alerts_print(struct pk_replay_alerts *a, FILE *out, enum pk_format format,
			   const struct pk_filter *filter, const char *file, uint64_t *ret_n);
