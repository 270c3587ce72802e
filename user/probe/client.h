/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline's end of the broker's socket: whole, checked messages in, requests out. */
#pragma once

#include "probe/msg.h"

#include <stddef.h>

union pk_msg {
	struct pk_msg_head head;
	struct pk_msg_hello hello;
	struct pk_msg_link link;
	struct pk_msg_addr addr;
	struct pk_msg_prog prog;
	struct pk_msg_notice notice;
	struct pk_msg_swept swept;
	char bytes[PK_MSG_MAX];
	uint64_t align;
};

/*
 * Receives one message and its descriptors (ret_fds has room for PK_FD_MAX, -1 where none came;
 * the caller owns them). 1: a message; 0: the broker closed; -EAGAIN: none now; -EBADMSG: one that
 * is not as msg.h says, dropped. Text members are NUL ended afterwards.
 */
int pk_client_recv(int fd, union pk_msg *ret_msg, int ret_fds[PK_FD_MAX]);
/* body follows the head. */
int pk_client_send(int fd, enum pk_msg_type type, const void *body, size_t size);
