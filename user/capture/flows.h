/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What captures know of flows: where their packets lie in memory, their slot in the kernel, who
 * records them. Bounded: the flow that was not heard of longest leaves first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_RECORDINGS_MAX 4

struct pk_capture_flow {
	uint64_t id;                        /* pk_flow_meta.id */
	uint64_t last;                      /* position of its latest packet in memory */
	uint64_t netns;                     /* cookie; with ifindex: where it is seen */
	uint64_t start_ns, total, final_ns; /* by reports; 0: not reported (as final) yet */
	uint64_t frames_ns;    /* since then the kernel sends whole frames; 0: it does not */
	uint64_t kept_ns[2];   /* of whole frames in memory: the first, the last; 0: none */
	uint64_t undecided_ns; /* first report that somebody asked about; 0: none came */
	uint64_t told_ns;      /* that it is refused: the kernel was told last; 0: it was not */
	uint64_t written[PK_RECORDINGS_MAX]; /* packets, by recording */
	/* By recording, of one that waits to learn whether whole frames come: what lies in memory
	 * from this position on is still to be written. 0: it does not wait. */
	uint64_t held[PK_RECORDINGS_MAX];
	char *comment; /* owned; NULL: to be asked for */
	uint32_t ifindex;
	uint32_t slot;
	uint32_t walk; /* number of the last walk that asked about it, and the answer */
	bool walk_yes;
	bool comment_stays; /* until the next report: more is not known */
	bool has_slot;
	bool asked;     /* each recording was, about it */
	bool open;      /* and some may still take it: its frames are kept in memory */
	bool refused;   /* nobody records it: its frames are turned away */
	bool unsaid;    /* somebody does, after it was refused, and the kernel could not be told */
	uint8_t wanted; /* 1 << number of each recording that takes it */
	struct pk_capture_flow *want_prev, *want_next; /* list of those that are wanted */
	/* of the table */
	uint32_t hash_next, older, newer;
};

struct pk_capture_flows;

/* evict: is told before a flow leaves. NULL: no memory. */
struct pk_capture_flows *
pk_capture_flows_new(size_t max, void (*evict)(void *arg, struct pk_capture_flow *f), void *arg);
/* Without telling anybody. */
void pk_capture_flows_free(struct pk_capture_flows *t);

/* Found or new, and now the latest. */
struct pk_capture_flow *pk_capture_flows_get(struct pk_capture_flows *t, uint64_t id);
struct pk_capture_flow *pk_capture_flows_find(const struct pk_capture_flows *t, uint64_t id);
/* The latest first: start with NULL. */
struct pk_capture_flow *pk_capture_flows_next(const struct pk_capture_flows *t,
					      const struct pk_capture_flow *f);
size_t pk_capture_flows_used(const struct pk_capture_flows *t, uint64_t *ret_evicted);
