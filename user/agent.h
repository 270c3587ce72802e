/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unprivileged process: one event loop over the rings, the broker's socket and the API. It
 * feeds the pipeline and needs no capability.
 */
#pragma once

#include "places.h"

#include <sys/types.h>

struct pk_conf;

struct pk_agent_opts {
	const struct pk_conf *conf;
	int broker_fd;           /* SOCK_SEQPACKET, user/probe/msg.h; taken */
	int listen_fd;           /* API socket, taken; -1: it is made at conf->socket_path */
	struct pk_places places; /* taken */
	gid_t group;             /* who may use the API besides root; (gid_t)-1: nobody */
};

/* Runs until the broker goes away (0) or the loop fails. Capabilities are the caller's to drop. */
int pk_agent_run(const struct pk_agent_opts *opts);
