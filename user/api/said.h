/* SPDX-License-Identifier: Apache-2.0 */
/* What headers of a request say: pure readers of their values, which are any text. */
#pragma once

#include "base/unpack.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Does the value of If-Match or If-None-Match name this tag (NULL: there is no list, which only a
 * tag would name)? weak: W/"x" is as good as "x". 1, 0; -EINVAL: it is not well formed.
 */
int pk_said_tag(const char *value, const char *tag, bool weak);

/* Content-Encoding. NULL or empty, and "identity": NOT. -EINVAL: no coding, or more than one, that
 * is known here. */
int pk_said_coding(const char *value, enum pk_packed *ret_how);
/* Does Accept name this type ("text/event-stream") itself, and not with q=0? NULL: no. */
bool pk_said_accepts(const char *value, const char *type);

/* Where a reader of a stream left off. */
struct pk_said_id {
	char run[17]; /* of the agent that told it; "": not told */
	uint64_t seq, mark;
};
/* "RUN-SEQ" or "RUN-SEQ.MARK", or SEQ alone: Last-Event-ID and `after`. -EINVAL: none of these. */
int pk_said_event_id(const char *value, struct pk_said_id *ret_id);
