/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface of a kind of sink: what carries records to one receiver. Each has a thread of its
 * own and may wait there, for seconds; it keeps no records. Adding one is a file, a line in
 * registry.c and rows in the configuration.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_conf;

/* A record on its way; borrowed for the call. */
struct pk_sink_record {
	uint64_t number;  /* in the spool */
	uint64_t time_ns; /* since the epoch */
	uint8_t severity; /* OCSF severity_id */
	const char *uid; /* the same in every try: a receiver drops doubles by it and its version */
	const char *json; /* one line, NUL ended */
	size_t len;
};

struct pk_sink_env {
	const struct pk_conf *conf;
	const char *hostname;
	int file_fd;             /* directory of sink.file; -1: none */
	const atomic_bool *stop; /* give up what takes time */
};

#define PK_SINK_WHY 160

struct pk_sink_kind {
	const char *name;
	bool (*wanted)(const struct pk_conf *c);
	/* 0 or -errno; talks to nobody yet. */
	int (*open)(const struct pk_sink_env *env, void **ret_state);
	/*
	 * Hands over n records in order. *ret_done: so many are with the receiver, whatever the
	 * result. 0: all are. -EBADMSG: the receiver will never take the next one. Else -errno:
	 * try again later. why (PK_SINK_WHY bytes) says it in words.
	 */
	int (*send)(void *state, const struct pk_sink_record *rec, size_t n, size_t *ret_done,
		    char *why);
	void (*close)(void *state);
};

extern const struct pk_sink_kind *const pk_sink_kinds[];
extern const size_t pk_sink_kinds_n;
#define PK_SINK_KINDS_MAX 8
