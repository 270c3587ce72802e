/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline as the broker sees it: a child on the other end of a packet socket, started again
 * when it ends, ever later while it keeps ending.
 */
#pragma once

#include "probe/channel.h"

#include <stdint.h>
#include <sys/types.h>

struct event;
struct event_base;

struct pk_child {
	/* Set by the caller. spawn: its pid or -errno; the descriptor is the child's end. */
	pid_t (*spawn)(void *arg, int fd);
	int (*greet)(void *arg); /* a new one is there: tell it all */
	/* fd: came with the message (PK_MSG_SAVE only) or -1; taken by setting it to -1. */
	void (*message)(void *arg, const union pk_msg *msg, int *fd);
	/* Some other child of this process ended. NULL: there are none. */
	void (*other)(void *arg, pid_t pid, int status);
	void *arg;
	/* The file's own. */
	struct event_base *base;
	struct event *chan, *respawn;
	pid_t pid; /* 0: none */
	int fd;    /* -1: none */
	unsigned fails;
	uint64_t born_ns;
};

/* The callbacks are set; nothing is started. */
int pk_child_init(struct pk_child *c, struct event_base *base);

void pk_child_start(struct pk_child *c);

/* After SIGCHLD. again: start another one if it was ours that ended. */
void pk_child_reap(struct pk_child *c, bool again);

/* -EPIPE: there is nobody to send to. */
int pk_child_send(const struct pk_child *c, const struct pk_msg_head *msg, int wait_ms);

/* The same for a message with descriptors, which stay the caller's. */
int pk_child_send_fds(const struct pk_child *c, const struct pk_msg_head *msg, const int *fds,
		      size_t n, int wait_ms);

/* Closes the socket, which ends it; gives it time to read what it was told, then kills it. */
void pk_child_stop(struct pk_child *c);
