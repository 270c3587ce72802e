/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What arrives at a destination within 10 s: flow by flow, and what the kernel only summed up by
 * destination because its flow table had no room. For detectors of floods.
 */
#pragma once

#include "detect/count.h"
#include "detect/memo.h"
#include "detect/talk.h"

#define PK_FLOOD_WINDOW_NS 10000000000ull

struct pk_flood;

struct pk_flood_row {
	uint64_t begin_ns;
	uint64_t tried;          /* connections or packets without an answer, flow by flow */
	uint64_t summed;         /* packets that are in no flow */
	uint64_t answered;       /* of tried: the destination answered, nothing came after */
	uint64_t completed;      /* conversations, not in tried */
	struct pk_count sources; /* of tried */
	/* of the last flow of it */
	struct pk_flow_key key;
	uint64_t flow;
	uint8_t initiator;
	bool has_flow, src_own, dst_own;
	bool told; /* in this window */
};

int pk_flood_begin(const struct pk_conf *c, void **ret_state);
void pk_flood_done(void *state);
void pk_flood_memory(const void *state, struct pk_memory *sum); /* adds */
size_t pk_flood_bytes_max(const struct pk_conf *c);

/* Of a flow's destination; port 0: all of them. take false: only if there is one. NULL: none. */
struct pk_flood_row *pk_flood_row(struct pk_flood *f, const struct pk_talk *t, uint16_t port,
				  bool take, uint64_t now_ns);
/* Notes the flow as one of those not answered: n of them (connections, packets). */
void pk_flood_try(struct pk_flood *f, struct pk_flood_row *r, const struct pk_talk *t, uint64_t n);
/* Every second: adds what only grew as a sum, calls judge for each row, begins windows anew. */
void pk_flood_tick(struct pk_detect *d, struct pk_flood *f, uint16_t proto, bool by_port,
		   void (*judge)(struct pk_detect *d, const struct pk_memo_key *dst,
				 struct pk_flood_row *r, uint64_t now_ns),
		   uint64_t now_ns);
/* Starts a finding about a row: the flow, and the source if there is only one. */
void pk_flood_finding(const struct pk_memo_key *dst, const struct pk_flood_row *r,
		      struct pk_finding *f);
