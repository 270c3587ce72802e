/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows that the store keeps, as detectors saw them when they began: with the process, the user and
 * the name that are kept. Nothing is made up for what is not.
 */
#pragma once

#include "detect/detect.h"
#include "name/fact.h"
#include "store/store.h"

#include <jansson.h>
#include <stdbool.h>

/* A record of /v1/flows?since=... Texts are borrowed from it. false: not such a record. */
bool pk_replay_flow_read(json_t *record, struct pk_store_flow *ret_flow);

/* The boottime that stands for a time since the epoch; before the first call the clock is set. */
uint64_t pk_replay_flow_time(uint64_t epoch_ns);

struct pk_replay_flow {
	struct pk_enrich *enrich; /* borrowed: all of it is of the flow seen last */
	struct pk_flow_table *flows;
	struct pk_fact fact;
	uint64_t n;
};

/* What there is to see of it; borrowed until the next call. -ENOMEM, -EBADMSG. */
int pk_replay_flow_see(struct pk_replay_flow *r, const struct pk_store_flow *f,
		       struct pk_see *ret_see);
