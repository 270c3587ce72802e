/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's side of block lists: it makes what only a privileged process can make, and writes
 * what the pipeline may not. What is blocked is the pipeline's to say.
 */
#pragma once

#include "probe/channel.h"
#include "probe/keep.h"
#include "probe/pool.h"
#include "probe/safe.h"

#include <stdbool.h>

struct pk_child;
struct pk_conf;
struct pk_object;

/* Borrowed; set by the caller. */
struct pk_blocks {
	const struct pk_conf *conf;
	const struct pk_object *obj;
	const struct pk_child *child;
	bool adopted; /* the maps were taken over */
	void (*notice)(void *arg, int level, const char *fmt, ...)
		__attribute__((format(printf, 3, 4)));
	void *arg;
	/* The file's own. */
	struct pk_pool pool;
	struct pk_safe safe;
	struct pk_keep keep;
	bool untold; /* the pipeline missed a change of the safe set */
	bool in_round;
	bool routes_changed; /* replaced ones are only found by looking at all */
};

/* The object is loaded. -errno: its maps can't be worked with. */
int pk_blocks_open(struct pk_blocks *b);

/* The pipeline ended; waits some seconds for saves that were begun. */
void pk_blocks_close(struct pk_blocks *b);

/* A child that is not the pipeline ended. */
void pk_blocks_reaped(void *blocks, pid_t pid, int status);

/* All namespaces and resolvers were told once: what an earlier process knew counts no more. */
void pk_blocks_settle(struct pk_blocks *b);

void pk_blocks_reload(struct pk_blocks *b, const struct pk_conf *conf);

/* Listens to what is said about links and addresses. */
void pk_blocks_hear(struct pk_blocks *b, const struct pk_msg_head *msg);

/* As struct pk_space_ops; resolvers have rounds of their own. */
void pk_blocks_round(struct pk_blocks *b, uint64_t netns, bool end);
void pk_blocks_resolvers(struct pk_blocks *b, uint64_t netns, bool end);

/* Once a second. True: addresses of all namespaces are to be told again. */
bool pk_blocks_tick(struct pk_blocks *b, uint64_t now_ns);

/* A new pipeline is told what there is. */
int pk_blocks_greet(struct pk_blocks *b);

/* False: the message is about something else. fd as of struct pk_child. */
bool pk_blocks_message(struct pk_blocks *b, const union pk_msg *msg, int *fd);
