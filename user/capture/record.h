/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One recording: its limits, what it wrote so far, and why it ended. Which packets are its own is
 * decided in capture.c.
 */
#pragma once

#include "capture/writer.h"

#include <stdbool.h>
#include <stdint.h>

struct pk_filter;

/* Bytes that may wait for a reader, besides what it began with; what comes beyond is dropped. */
#define PK_RECORDING_BACKLOG (16u << 20)

struct pk_recording_conf {
	const struct pk_filter *filter;       /* borrowed; NULL: takes all */
	const char *filter_text;              /* copied; NULL or "": none */
	uint32_t snaplen;                     /* bytes of a frame, 0: all */
	uint64_t duration_ns, packets, bytes; /* it ends there; 0: no limit */
	/* What memory holds comes first: of the last before_ns, also of flows that have ended; 0:
	 * all of the flows that go on. */
	uint64_t before_ns;
};

struct pk_recording {
	struct pk_recording_conf conf;
	char *text; /* conf.filter_text */
	struct pk_writer w;
	unsigned number;   /* below PK_RECORDINGS_MAX, free again when it has gone */
	uint64_t id;       /* never the same twice */
	uint64_t begun_ns; /* boottime */
	const char *over;  /* a limit was reached: which; NULL: none */
	const char *ended; /* why; NULL: it goes on */
	uint64_t flows;    /* it has taken */
	size_t room;       /* bytes that may wait for the reader */
	size_t behind; /* bytes that were taken from w.out and not yet read: the reader's word */
};

/* w: all that pk_writer_init() wants, but snaplen, filter and start_ns. */
int pk_recording_init(struct pk_recording *r, const struct pk_recording_conf *conf,
		      const struct pk_writer *w, uint64_t now_ns);
void pk_recording_done(struct pk_recording *r);

/* Written, or counted as dropped when the reader is slow. May find a limit reached: r->over. */
void pk_recording_packet(struct pk_recording *r, const struct pk_sample *s, const char *comment);
/* Is its time over? r->over. */
void pk_recording_tick(struct pk_recording *r, uint64_t now_ns);
/* Writes the statistics; nothing comes after. Does nothing when it has ended. why: static. */
void pk_recording_end(struct pk_recording *r, uint64_t now_ns, const char *why);
