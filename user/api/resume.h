/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of a stream who go on where they left off: by the header Last-Event-ID, which an
 * EventSource sends when it comes back, or by the parameter `after`. What came since is read from
 * memory, of alerts and incidents from the store where memory does not reach back so far.
 */
#pragma once

#include "api/stream.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_api_request;
struct pk_filter;
struct pk_journal;

struct pk_resume {
	bool asked;     /* else only what is new is wanted */
	bool other_run; /* another agent told it */
	uint64_t seq, mark;
};
/* Last-Event-ID counts before `after`: who comes back says the latter as at first. -EINVAL: a
 * problem was answered. */
int pk_resume_read(struct pk_api_request *q, struct pk_resume *ret);

/* metadata.sequence of a record of ours; 0: it has none. */
uint64_t pk_resume_sequence(const char *json, size_t len);

/*
 * Opens the stream of a journal. kind: with its subjects, but for PK_STREAM_EVENTS and INCIDENTS.
 * store: what of it is kept, 0: nothing. Filter is taken. Answers a problem itself; -errno.
 */
int pk_resume_open(struct pk_api_request *q, const struct pk_journal *journal,
		   enum pk_stream_kind kind, enum pk_store_kind store, struct pk_filter **filter);
