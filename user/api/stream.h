/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of streams: NDJSON, or server-sent events for those who accept text/event-stream. A
 * reader that does not keep up loses records, never the agent's time or memory, and is told how
 * many in its place: {"lost":N}. One that goes on where it left off is given what came since at
 * the pace it takes it, and loses nothing of that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_api_request;
struct pk_buf;
struct pk_filter;
struct pk_stream;
struct pk_streams;
struct pk_view;

#define PK_STREAM_BACKLOG (1u << 20) /* bytes a reader may be behind */
#define PK_STREAM_MAX     32
#define PK_STREAM_BEAT_NS 15000000000ull /* a comment, when nothing else was said for so long */

enum pk_stream_kind {
	PK_STREAM_FLOWS,
	PK_STREAM_EVENTS,
	PK_STREAM_LIVE,
	PK_STREAM_DNS,
	PK_STREAM_TLS,
	PK_STREAM_ALERTS,
	PK_STREAM_INCIDENTS,
	PK_STREAM_KINDS
};

struct pk_streams *pk_streams_new(void);
void pk_streams_free(struct pk_streams *s); /* ends all replies */

/* Where a record stands in its stream; seq 0: nowhere, one can not go on behind it. */
struct pk_stream_id {
	uint64_t seq, mark;
};

/* What a reader gets before what is new. Freed when that was all, or the reader has gone. */
struct pk_stream_past {
	/* Adds some of it, at most until the reader has no room; false: what comes is new. */
	bool (*more)(struct pk_stream_past *p, struct pk_stream *r);
	struct pk_view *view;
};

/* Begins the reply; takes filter. past: taken, also on failure; NULL: only what is new. -EBUSY: too
 * many readers. */
int pk_stream_open(struct pk_streams *s, struct pk_api_request *q, enum pk_stream_kind kind,
		   struct pk_filter **filter, uint64_t arg, struct pk_stream_past *past);

struct pk_stream *pk_stream_latest(const struct pk_streams *s); /* that was opened */
/* Iterates readers of a kind who are given what is new: start with NULL. */
struct pk_stream *pk_stream_next(const struct pk_streams *s, enum pk_stream_kind kind,
				 const struct pk_stream *after);
const struct pk_filter *pk_stream_filter(const struct pk_stream *r);
uint64_t pk_stream_arg(const struct pk_stream *r);
uint64_t pk_stream_lost(const struct pk_stream *r); /* not yet told */

/* Is there room? If not, the record is counted as lost: do not write it. */
bool pk_stream_has_room(struct pk_stream *r);
bool pk_stream_is_full(const struct pk_stream *r);    /* no more of the past for now */
void pk_stream_lose(struct pk_stream *r, uint64_t n); /* told before what comes next */
/* Another agent told the id that it goes on from: lost of this one's records are no more. */
void pk_stream_restarted(struct pk_stream *r, uint64_t lost);
/* One line of JSON. */
void pk_stream_add(struct pk_stream *r, struct pk_stream_id id, const char *line, size_t len);
/* Gives what was added to the sockets, and goes on with what readers get of the past. */
void pk_streams_flush(struct pk_streams *s);

size_t pk_streams_readers(const struct pk_streams *s, enum pk_stream_kind kind);
uint64_t pk_streams_lost(const struct pk_streams *s);
