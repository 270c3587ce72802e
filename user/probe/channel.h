/* SPDX-License-Identifier: Apache-2.0 */
/* Sends and receives the messages of msg.h: whole packets, sizes checked at both ends. */
#pragma once

#include "probe/msg.h"

#include <stdbool.h>
#include <stddef.h>

union pk_msg {
	struct pk_msg_head head;
	struct pk_msg_hello hello;
	struct pk_msg_link link;
	struct pk_msg_addr addr;
	struct pk_msg_prog prog;
	struct pk_msg_notice notice;
	struct pk_msg_swept swept;
	struct pk_msg_hold hold;
	struct pk_msg_block block;
	struct pk_msg_chunk chunk;
	struct pk_msg_saved_list saved_list;
	struct pk_msg_safe safe;
	struct pk_msg_result result;
	struct pk_msg_save save;
	struct pk_msg_saved saved;
	struct pk_msg_grow grow;
	struct pk_msg_safe_addr safe_addr;
	struct pk_msg_mark mark;
	struct pk_msg_signal signal;
	struct pk_msg_evidence evidence;
	struct pk_msg_exe exe;
	struct pk_msg_done done;
	char bytes[PK_MSG_MAX];
	uint64_t align;
};

/* Descriptors not counted: a message that may be read as what its type says, names are names. */
bool pk_msg_is_valid(const void *msg, size_t size);

/* What a list may be called, so that it can be a file name. */
bool pk_msg_is_list_name(const char *name);

/* Sends one message; head.size tells how much. Waits up to wait_ms for room; -EAGAIN after that. */
int pk_chan_send(int fd, const struct pk_msg_head *msg, int wait_ms);

/* The same for one with descriptors, which stay the caller's. */
int pk_chan_send_fds(int fd, const struct pk_msg_head *msg, const int *fds, size_t n, int wait_ms);

/* A request of the pipeline: body follows the head. Never waits. */
int pk_chan_ask(int fd, enum pk_msg_type type, const void *body, size_t size);

/*
 * Receives one message. ret_fds gets its descriptors (the caller's to close), then -1. 1: a
 * message; 0: the other end closed; -EAGAIN: none now; -EBADMSG: one that is not as msg.h says,
 * dropped.
 */
int pk_chan_recv(int fd, union pk_msg *ret_msg, int ret_fds[PK_FD_MAX]);
