/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of NDJSON streams. A reader that does not keep up loses records, never the agent's time
 * or memory, and is told how many: {"lost":N}.
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

#define PK_STREAM_BACKLOG (1u << 20) /* bytes a reader may be behind */
#define PK_STREAM_MAX     32

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

/* Begins the reply; takes filter. -EBUSY: too many readers. */
int pk_stream_open(struct pk_streams *s, struct pk_api_request *q, enum pk_stream_kind kind,
		   struct pk_filter **filter, uint64_t arg);

/* Iterates readers of a kind: start with NULL. */
struct pk_stream *pk_stream_next(const struct pk_streams *s, enum pk_stream_kind kind,
				 const struct pk_stream *after);
const struct pk_filter *pk_stream_filter(const struct pk_stream *r);
uint64_t pk_stream_arg(const struct pk_stream *r);
uint64_t pk_stream_lost(const struct pk_stream *r); /* not yet told */

/* Is there room? If not, the record is counted as lost: do not write it. */
bool pk_stream_has_room(struct pk_stream *r);
void pk_stream_add(struct pk_stream *r, const char *line, size_t len); /* a newline is added */
void pk_streams_flush(struct pk_streams *s); /* gives what was added to the sockets */

size_t pk_streams_readers(const struct pk_streams *s, enum pk_stream_kind kind);
uint64_t pk_streams_lost(const struct pk_streams *s);
