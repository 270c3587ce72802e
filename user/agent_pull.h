/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that are fetched, between what is told of them and the pipeline. */
#pragma once

#include "conf/conf.h"

struct pk_agent_pull;
struct pk_pipeline;

/* Sets the view's pulls, until it is freed. */
int pk_agent_pull_new(const struct pk_conf *conf, struct pk_pipeline *pipeline,
		      struct pk_agent_pull **ret);
void pk_agent_pull_free(struct pk_agent_pull *a);
void pk_agent_pull_tick(struct pk_agent_pull *a);
