/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sandboxed process that speaks to the network, as the broker sees it: a child that is started
 * with each pipeline and again when it ends, and is handed files that it may not open itself.
 */
#pragma once

#include "probe/msg.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct event;
struct event_base;
struct pk_child;
struct pk_conf;

#define PK_WARD_FILES 4

enum pk_ward_name {
	PK_WARD_GATE, /* the API over the network */
	PK_WARD_PULL, /* fetches signed lists */
	PK_WARDS
};

/* its pid or -errno; core and files are the child's ends */
typedef pid_t (*pk_ward_spawn)(void *arg, const struct pk_conf *conf, int core, int files);

struct pk_ward {
	enum pk_ward_name name;
	pk_ward_spawn spawn;
	void *arg;
	const struct pk_conf *conf; /* with the files to hand over */
	const struct pk_child *pipeline;
	struct event *respawn;
	pid_t pid; /* 0: none */
	int files; /* -1: none */
};

/* spawn NULL: there is none, and the rest does nothing. */
int pk_ward_init(struct pk_ward *w, struct event_base *base);
/* A pipeline is there: a ward begins, unless one is about to end that was another's. */
void pk_ward_start(struct pk_ward *w);
bool pk_ward_reaped(struct pk_ward *w, pid_t pid, int status); /* was it ours? */
void pk_ward_reload(struct pk_ward *w, const struct pk_conf *conf);
void pk_ward_stop(struct pk_ward *w);
