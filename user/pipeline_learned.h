/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What detectors learned, on the disk: read at the start, written each detect.learned_every and at
 * the end, by a thread that holds nobody up. state->learned says how that went.
 */
#pragma once

#include <stdint.h>

struct pk_detect;
struct pk_pipeline_learned;
struct pk_view;

/*
 * Reads what is there into detectors that have seen nothing yet. dir_fd is borrowed; host_netns:
 * cookie of the host's own. What can not be read is set aside and told. NULL: no memory.
 */
struct pk_pipeline_learned *pk_pipeline_learned_new(struct pk_view *view, struct pk_detect *d,
						    int dir_fd, uint64_t host_netns);
/* Writes a last time, and waits for it. */
void pk_pipeline_learned_free(struct pk_pipeline_learned *l);
void pk_pipeline_learned_tick(struct pk_pipeline_learned *l);
