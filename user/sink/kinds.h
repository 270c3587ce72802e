/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds there are, one file each. */
#pragma once

#include "sink/kind.h"

extern const struct pk_sink_kind pk_sink_file;    /* JSON lines, rotated */
extern const struct pk_sink_kind pk_sink_stdout;  /* JSON lines */
extern const struct pk_sink_kind pk_sink_journal; /* journald's own protocol */
extern const struct pk_sink_kind pk_sink_syslog;  /* RFC 5424 over TCP or TLS */
extern const struct pk_sink_kind pk_sink_webhook; /* HTTP POST */
extern const struct pk_sink_kind pk_sink_nats;    /* a stream of NATS JetStream */
