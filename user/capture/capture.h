/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that the kernel side sent along: kept in a small memory, from which those before an event
 * can be taken out, and written by recordings. One thread; no clock of its own.
 */
#pragma once

#include "capture/flows.h"
#include "capture/record.h"
#include "capture/ring.h"

#include <picket/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_buf;
struct pk_capture;
struct pk_filter;

/* What captures ask of those around them. All get the arg of pk_capture_new(). */
struct pk_capture_ops {
	/*
	 * Does the filter take the flow? s: one of its packets, NULL when it was reported just now.
	 * 1: yes; 0: no; -EAGAIN: not by what is known of it yet.
	 */
	int (*match)(void *arg, const struct pk_filter *filter, uint64_t flow,
		     const struct pk_sample *s);
	/* Who it belongs to, in words; false: that is not known (yet). s as above. */
	bool (*comment)(void *arg, uint64_t flow, const struct pk_sample *s, struct pk_buf *out);
	/* What an interface is called. */
	void (*iface)(void *arg, uint64_t netns, uint32_t ifindex,
		      struct pk_capture_iface *ret_iface);
	/* Asks the kernel side for whole frames of this flow, or for none any more. False: can't.
	 */
	bool (*mark)(void *arg, uint64_t flow, uint32_t slot, bool on);
	/* The same for all flows that there are and that begin from now on. */
	bool (*mark_all)(void *arg, bool on);
};

struct pk_capture_counts {
	struct pk_packet_counts memory;
	uint64_t flows, flows_max, flows_evicted;
	uint64_t recordings, recordings_ever;
	uint64_t recorded; /* flows, now */
};

/* memory: bytes for packets; flows_max: flows known at once; section: of files. */
int pk_capture_new(size_t memory, size_t flows_max, const struct pk_pcapng_section *section,
		   const struct pk_capture_ops *ops, void *arg, struct pk_capture **ret_capture);
void pk_capture_free(struct pk_capture *c);

/* A packet that was checked; a report of a flow. */
void pk_capture_packet(struct pk_capture *c, const struct pk_sample *s);
void pk_capture_flow(struct pk_capture *c, const struct pk_flow_report *r);
/* Every second or so. offset_ns: wall clock minus boottime. */
void pk_capture_tick(struct pk_capture *c, uint64_t now_ns, int64_t offset_ns);

/* Starts one; what memory holds is in its buffer at once. -EBUSY: PK_RECORDINGS_MAX of them go on;
 * -ENOMEM. */
int pk_capture_record(struct pk_capture *c, const struct pk_recording_conf *conf, uint64_t now_ns,
		      struct pk_recording **ret_recording);
/* Ends it: statistics are in its buffer, the kernel side is asked for nothing more. */
void pk_capture_record_end(struct pk_capture *c, struct pk_recording *r, uint64_t now_ns,
			   const char *why);
/* Also when it was not ended: its reader has gone. */
void pk_capture_record_free(struct pk_capture *c, struct pk_recording *r);
/* Those that there are: start with NULL. */
struct pk_recording *pk_capture_record_next(const struct pk_capture *c,
					    const struct pk_recording *r);

/*
 * A copy of what memory holds from since_ns (boottime) on of the flows that the filter takes, as a
 * whole pcapng file appended to out. Changes nothing. 0 or -errno of out.
 */
int pk_capture_freeze(struct pk_capture *c, const struct pk_filter *filter, const char *filter_text,
		      uint64_t since_ns, uint64_t now_ns, struct pk_buf *out,
		      uint64_t *ret_packets);

/* Where the kernel has this flow, by one of its packets. False: none came, or it is too long ago.
 */
bool pk_capture_slot(const struct pk_capture *c, uint64_t flow, uint32_t *ret_slot);

void pk_capture_counts(const struct pk_capture *c, struct pk_capture_counts *ret_counts);
