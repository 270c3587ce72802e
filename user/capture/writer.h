/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets as a pcapng section: gives interfaces their numbers as they are met, turns boottime into
 * wall clock, cuts at a length, leaves out what was written already, and counts.
 */
#pragma once

#include "base/buf.h"
#include "capture/pcapng.h"

#include <picket/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_WRITER_IFACES 1024

struct pk_capture_iface {
	char name[32], description[128]; /* "": unknown */
};

struct pk_writer_iface; /* writer.c's */

struct pk_writer {
	struct pk_buf out;                /* whole blocks; who takes them resets it */
	struct pk_pcapng_section section; /* borrowed */
	const char *filter;               /* as the user wrote it; borrowed; NULL: none */
	uint32_t snaplen;                 /* 0: no limit */
	uint64_t start_ns;                /* boottime */
	int64_t offset_ns;                /* wall clock minus boottime */
	/* What an interface is called. */
	void (*name)(void *arg, uint64_t netns, uint32_t ifindex,
		     struct pk_capture_iface *ret_iface);
	void *arg;
	struct pk_writer_iface *iface;
	size_t ifaces;
	bool begun;
	/* counters */
	uint64_t packets, bytes; /* written; bytes: of blocks, all kinds */
	uint64_t cut;            /* of these: not the whole frame */
	uint64_t twice;          /* left out: the same frame came for another flow */
	uint64_t dropped;        /* as told by pk_writer_drop() */
	uint64_t missed;         /* as told by pk_writer_missed() */
	uint64_t refused;        /* one interface too many, or no memory */
};

/* Bytes of the packet as it passed, and how many packets it is on the wire: frame_len of a record
 * is the sum of those that were merged (GSO, GRO), each with its headers. */
uint32_t pk_sample_len(const struct pk_sample *s);
uint32_t pk_sample_packets(const struct pk_sample *s);

/* The rest of *w is set by the caller first. */
int pk_writer_init(struct pk_writer *w);
void pk_writer_done(struct pk_writer *w);

/* True: it is in w->out now, or was before. False: it is not (counted). comment: NULL none. */
bool pk_writer_packet(struct pk_writer *w, const struct pk_sample *s, const char *comment);
/* Was to be written, but its reader is too slow. */
void pk_writer_drop(struct pk_writer *w, const struct pk_sample *s);
/* Packets of a flow that never came from the kernel. */
void pk_writer_missed(struct pk_writer *w, uint64_t netns, uint32_t ifindex, uint64_t n);
/* Statistics of each interface; comment goes with the first one. A section without an interface
 * has none. */
void pk_writer_end(struct pk_writer *w, uint64_t now_ns, const char *comment);
