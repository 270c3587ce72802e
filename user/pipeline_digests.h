/* SPDX-License-Identifier: Apache-2.0 */
/* From programs that start to what intelligence says of their files. */
#pragma once

struct pk_pipeline_alerts;
struct pk_process;
struct pk_event;
struct pk_view;

/* A program started (or was found running): its file is asked for, if somebody wants to know. */
void pk_pipeline_digests_exec(struct pk_view *v, const struct pk_pipeline_alerts *alerts,
			      const struct pk_event *ev, const struct pk_process *proc);
/* The same of all that run, when there is new intelligence. */
void pk_pipeline_digests_all(struct pk_view *v, const struct pk_pipeline_alerts *alerts);
/* Those that are done are shown to the detectors. Now and then, and cheap. */
void pk_pipeline_digests_turn(struct pk_view *v, struct pk_pipeline_alerts *alerts);
