/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens the file that a process runs, for the pipeline, which may not: to read, whatever its place
 * (deleted, of another mount namespace, a memfd). A thread does it, for a file system can let us
 * wait; what it is asked lies in a socket, which bounds it. The thread begins with the first.
 */
#pragma once

#include "probe/msg.h"

#include <stdbool.h>

struct event_base;

struct pk_exe {
	/* fd: to be sent along, -1 none; closed after. */
	void (*answer)(void *arg, uint64_t serial, int result, int fd);
	void *arg;
	struct event_base *base;
	/* The file's own. */
	struct event *ev;
	int ends[2];
	bool begun;
};

/* Answered with the file, or -ESRCH: that process is over; -ESTALE: it runs another file; -EREMOTE:
 * of a file system that others serve; -EAGAIN: too many wait; -errno of opening. */
void pk_exe_ask(struct pk_exe *e, const struct pk_msg_exe *ask);
/* As the thread does. Returns the file. */
int pk_exe_open(const struct pk_msg_exe *ask);
/* What was asked is answered no more: he who asked is gone. The next ask begins anew. */
void pk_exe_stop(struct pk_exe *e);
