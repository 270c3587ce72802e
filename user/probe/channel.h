/* SPDX-License-Identifier: Apache-2.0 */
/* Sends and receives the messages of msg.h: whole packets, sizes checked at both ends. */
#pragma once

#include "probe/msg.h"

#include <stdbool.h>
#include <stddef.h>

/* A message that may be read as what its type says: size right, text NUL ended. */
bool pk_msg_is_valid(const void *msg, size_t size);

/* Sends one message; head.size tells how much. Waits up to wait_ms for room; -EAGAIN after that. */
int pk_chan_send(int fd, const struct pk_msg_head *msg, int wait_ms);

/* HELLO with its descriptors, which stay the caller's. */
int pk_chan_send_hello(int fd, const struct pk_msg_hello *hello, const int fds[PK_FD_MAX]);

/*
 * Receives one message into buf (PK_MSG_MAX bytes). ret_fds gets PK_FD_MAX descriptors with HELLO
 * (the caller's to close), -1 otherwise. Returns its size, 0 at the end, -EAGAIN when none is
 * there, -EPROTO for a message that is not valid (it is consumed).
 */
int pk_chan_recv(int fd, void *buf, int ret_fds[PK_FD_MAX]);
