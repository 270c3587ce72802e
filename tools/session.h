/* SPDX-License-Identifier: Apache-2.0 */
/* Where the person sits who uses the tool, so that the daemon never cuts that address off. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PK_SESSION_MAX 64

/*
 * $PICKET_SESSION, else the peer in $SSH_CONNECTION or $SSH_CLIENT, else in that of a process above
 * (sudo drops it from the environment). False: no session from afar is known.
 */
bool pk_session_address(char ret[PK_SESSION_MAX]);

/* The first word of a value, when it is an address. */
bool pk_session_parse(const char *value, char ret[PK_SESSION_MAX]);
/* The peer in a block of NUL ended NAME=VALUE, as in /proc/PID/environ. */
bool pk_session_find(const char *environ, size_t len, char ret[PK_SESSION_MAX]);
