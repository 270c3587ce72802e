/* SPDX-License-Identifier: Apache-2.0 */
/* A connection over TCP, or TLS with the server's certificate checked. Every call is bounded. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct pk_sink_stream;

/* "tcp://HOST:PORT", "tls://HOST:PORT" ([...] round IPv6). ca: file of roots, "": the system's. */
int pk_sink_stream_new(const char *url, const char *ca, const atomic_bool *stop,
		       struct pk_sink_stream **ret_stream);
void pk_sink_stream_free(struct pk_sink_stream *s);

/*
 * Sends all of it and waits until the other host's kernel has it, connecting first if need be.
 * After a failure the connection is closed, and what was sent may or may not have come. why: in
 * words, PK_SINK_WHY bytes.
 */
int pk_sink_stream_send(struct pk_sink_stream *s, const void *data, size_t len, char *why);
