/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of recordings: pcapng that goes on until a limit is reached, somebody ends it, or the
 * reader leaves. A reader that does not keep up loses packets, never the agent's time or memory;
 * how many is in the file.
 */
#pragma once

#include <stdint.h>

struct pk_json;
struct pk_records;
struct pk_view;

struct pk_records *pk_records_new(struct pk_view *view);
/* Ends all replies and their recordings. */
void pk_records_free(struct pk_records *s);

/* Gives what was written to the sockets, and ends replies whose recordings have ended. */
void pk_records_flush(struct pk_records *s);

/* "capture": {...} of the status. */
void pk_records_status(const struct pk_records *s, struct pk_json *j);
