/* SPDX-License-Identifier: Apache-2.0 */
/* Signed lists in the agent: keys, what was accepted, and what is done when one expires. */
#pragma once

struct pk_agent_sign;
struct pk_conf;
struct pk_pipeline;

/* dir_fd: of what was accepted, borrowed; -1: none. The pipeline's view gets the rest. */
int pk_agent_sign_new(const struct pk_conf *conf, int dir_fd, struct pk_pipeline *pipeline,
		      struct pk_agent_sign **ret);
void pk_agent_sign_free(struct pk_agent_sign *a);
void pk_agent_sign_reload(struct pk_agent_sign *a); /* keys */
void pk_agent_sign_tick(struct pk_agent_sign *a);
