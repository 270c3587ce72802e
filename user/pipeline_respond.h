/* SPDX-License-Identifier: Apache-2.0 */
/* What playbooks do in the world: block lists, marks on flows, and what the broker does for us. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pk_view;

/* Reads the playbooks; what is wrong with one is logged and it is left out. Fills view->respond. */
int pk_pipeline_respond_new(struct pk_view *view);
void pk_pipeline_respond_free(struct pk_view *view);
/* Once a second; and, while something waits, more often. */
void pk_pipeline_respond_tick(struct pk_view *view, uint64_t now_ns);
