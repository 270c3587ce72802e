/* SPDX-License-Identifier: Apache-2.0 */
/* From what the pipeline sees to alerts that people can read: detectors, folding, telling. */
#pragma once

#include "detect/detect.h"

#include <stdint.h>

struct pk_pipeline_alerts;
struct pk_view;

/* Makes the detectors and view->alerts, view->alert_log. Everything in view is borrowed. */
int pk_pipeline_alerts_new(struct pk_view *view, struct pk_pipeline_alerts **ret_alerts);
void pk_pipeline_alerts_free(struct pk_pipeline_alerts *p);

struct pk_intel_sum;
/* Reads threat intelligence anew: the detectors see all of it or, on failure, what they had. */
int pk_pipeline_alerts_intel(struct pk_pipeline_alerts *p, int64_t now_ms,
			     struct pk_intel_sum *ret_sum);
/* Is a detector on that SHA-256 of files would tell something? */
bool pk_pipeline_alerts_wants_digests(const struct pk_pipeline_alerts *p);
struct pk_detect *pk_pipeline_alerts_detect(struct pk_pipeline_alerts *p);
void pk_pipeline_alerts_see(struct pk_pipeline_alerts *p, const struct pk_see *see);
/* A response went on: what it changed is told. */
void pk_pipeline_alerts_soon(struct pk_pipeline_alerts *p, uint64_t now_ns);
void pk_pipeline_alerts_tick(struct pk_pipeline_alerts *p, uint64_t now_ns);
