/* SPDX-License-Identifier: Apache-2.0 */
/* What a detector sees as events of Sigma's log sources. */
#pragma once

#include "base/buf.h"
#include "base/ip.h"
#include "detect/detect.h"
#include "sigma/sigma.h"

#define PK_RULES_EVENTS_MAX 3 /* that one thing seen can be */

/* Where the texts are that are not there already. */
struct pk_rules_texts {
	char number[32][24];
	unsigned numbers;
	char ip[2][PK_IP_TEXT];
	struct pk_buf answers;
};

struct pk_rules_event {
	struct pk_sigma_event event; /* borrows from what was seen, and from the texts */
	const struct pk_process *proc;
	const struct pk_flow_key *key; /* NULL: of no flow */
	uint64_t flow;
	uint8_t client, far; /* ends of key: who began it, who is the other side */
};

/*
 * Fills events; which of them are wanted is a set of 1 << enum pk_sigma_source. Returns how many.
 * They hold until the texts are used again.
 */
size_t pk_rules_events(const struct pk_world *w, const struct pk_see *s, uint64_t wanted,
		       struct pk_rules_texts *t, struct pk_rules_event out[PK_RULES_EVENTS_MAX]);
