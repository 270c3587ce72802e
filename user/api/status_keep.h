/* SPDX-License-Identifier: Apache-2.0 */
/* What the status says of what is kept on disk. */
#pragma once

struct pk_json;
struct pk_view;

void pk_status_keep(struct pk_json *j, const struct pk_view *v); /* objects "store", "sinks" */
void pk_status_keep_degraded(struct pk_json *j, const struct pk_view *v); /* texts, if any */
