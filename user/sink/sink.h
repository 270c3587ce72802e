/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where alerts go besides the API: each sink of the configuration gets every record at least once,
 * from a queue on disk that outlives the agent. Who puts never waits.
 */
#pragma once

#include "sink/kind.h"

struct pk_json;
struct pk_sinks;

struct pk_sinks_opts {
	const struct pk_conf *conf; /* borrowed, as the descriptors */
	const char *hostname;
	int spool_fd; /* directory of the queue */
	int file_fd;  /* directory of sink.file; -1: none */
};

/* Does the configuration name any? */
bool pk_sinks_wanted(const struct pk_conf *conf);
int pk_sinks_new(const struct pk_sinks_opts *opts, struct pk_sinks **ret_sinks);
/* Gives each a moment to end; what was not sent is sent at the next start. */
void pk_sinks_free(struct pk_sinks *s);

/* Copies the record into memory's queue. Less severe than sink.severity is left out. -ENOBUFS,
 * -EMSGSIZE: counted. One thread. */
int pk_sinks_put(struct pk_sinks *s, const struct pk_sink_record *rec);

struct pk_sink_count {
	const char *name;
	uint64_t sent, waiting;
	uint64_t failed;           /* tries */
	uint64_t dropped, refused; /* oldest gone for room; never taken by the receiver */
	char trouble[PK_SINK_WHY]; /* "": none */
};

/* Sink i; false: there are not so many. */
bool pk_sinks_count(struct pk_sinks *s, size_t i, struct pk_sink_count *ret_count);
/* All of it as an object. */
void pk_sinks_status(struct pk_sinks *s, struct pk_json *j, const char *key);
