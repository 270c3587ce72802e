/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate as the broker sees it: a child that is started with each pipeline and again when it
 * ends, and is handed files that it may not open itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct event;
struct event_base;
struct pk_child;
struct pk_conf;

struct pk_gatekeeper {
	/* its pid or -errno; core and files are the child's ends */
	pid_t (*spawn)(void *arg, const struct pk_conf *conf, int core, int files);
	void *arg;
	const struct pk_conf *conf; /* with the files to hand over */
	const struct pk_child *pipeline;
	struct event *respawn;
	pid_t pid; /* 0: none */
	int files; /* -1: none */
};

/* spawn NULL: there is no gate, and the rest does nothing. */
int pk_gatekeeper_init(struct pk_gatekeeper *g, struct event_base *base);
/* A pipeline is there: a gate begins, unless one is about to end that was another's. */
void pk_gatekeeper_start(struct pk_gatekeeper *g);
bool pk_gatekeeper_reaped(struct pk_gatekeeper *g, pid_t pid, int status); /* was it ours? */
void pk_gatekeeper_reload(struct pk_gatekeeper *g, const struct pk_conf *conf);
void pk_gatekeeper_stop(struct pk_gatekeeper *g);
