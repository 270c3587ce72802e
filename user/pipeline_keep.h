/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves memory: alerts and ended flows into the store, alerts to sinks. */
#pragma once

#include "places.h"

#include <stddef.h>
#include <stdint.h>

struct pk_alert;
struct pk_flow_entry;
struct pk_incident;
struct pk_view;

/* Fills view->store and view->sinks. Without a place they stay NULL, which is no error. */
int pk_pipeline_keep_new(struct pk_view *view, const struct pk_places *places);
void pk_pipeline_keep_free(struct pk_view *view);

/* json: the alert as it was told. */
void pk_pipeline_keep_alert(struct pk_view *view, const struct pk_alert *a, const char *json,
			    size_t len);
/* The incident as it was told, and its acts since the last time; the ticket is the store's.
 * -ENODATA: there is no store; -ENOBUFS: no room in its queue; it counts what it refuses. */
int pk_pipeline_keep_incident(struct pk_view *view, struct pk_incident *i, const char *json,
			      size_t len, uint64_t *ret_ticket);
/* Incidents of agents before into view->incidents; the store has a moment to open. */
void pk_pipeline_keep_restore(struct pk_view *view);
/* Only if this report is the one that ended it. */
void pk_pipeline_keep_flow(struct pk_view *view, struct pk_flow_entry *e);
/* Tells what went wrong since the last time, once. */
void pk_pipeline_keep_tick(struct pk_view *view);
