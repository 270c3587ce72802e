/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block lists in the unprivileged process: what the broker hands over becomes their memory,
 * what they need is asked of it. Part of the agent's loop.
 */
#pragma once

#include "probe/channel.h"

struct event_base;
struct pk_agent_block;
struct pk_conf;
struct pk_pipeline;

/* broker: the channel, borrowed. The pipeline's view gets the lists once they are there. */
int pk_agent_block_new(struct event_base *base, int broker, const struct pk_conf *conf,
		       struct pk_pipeline *pipeline, struct pk_agent_block **ret);
void pk_agent_block_free(struct pk_agent_block *a);

/* A message about block lists: true, whatever became of it; it takes the descriptors it needs. */
bool pk_agent_block_take(struct pk_agent_block *a, const union pk_msg *m, int fds[PK_FD_MAX]);
/* Packets that processors keep apart go into the counters. */
void pk_agent_block_drain(struct pk_agent_block *a);
void pk_agent_block_tick(struct pk_agent_block *a);
/* Somebody who asks sits at this address: it is safe for a while. */
void pk_agent_block_admin(const struct pk_agent_block *a, const uint8_t addr[16]);
int pk_agent_block_detach(const struct pk_agent_block *a);
void pk_agent_block_links_changed(struct pk_agent_block *a);
