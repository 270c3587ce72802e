/* SPDX-License-Identifier: Apache-2.0 */
/* What captures ask of the pipeline's tables: whose packet it is, and what things are called. */
#pragma once

#include "capture/capture.h"

struct pk_conf;
struct pk_view;

/* With conf->capture_memory; view is borrowed and answers from then on. */
int pk_pipeline_capture_new(const struct pk_conf *conf, struct pk_view *view,
			    struct pk_capture **ret_capture);

/* The operations, for tests; their arg is a struct pk_view. */
extern const struct pk_capture_ops pk_pipeline_capture_ops;
