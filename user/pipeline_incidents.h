/* SPDX-License-Identifier: Apache-2.0 */
/* The stage that makes incidents of alerts and tells them. */
#pragma once

#include <stdint.h>

struct pk_alert;
struct pk_pipeline_incidents;
struct pk_view;

/* The view gets the incidents and their log. */
int pk_pipeline_incidents_new(struct pk_view *view, struct pk_pipeline_incidents **ret);
void pk_pipeline_incidents_free(struct pk_pipeline_incidents *p);
/* An alert that was told. */
void pk_pipeline_incidents_alert(struct pk_pipeline_incidents *p, struct pk_alert *a);
/* Tells what changed, by alerts or by people. */
void pk_pipeline_incidents_tick(struct pk_pipeline_incidents *p, uint64_t now_ns);
