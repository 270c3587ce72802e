/* SPDX-License-Identifier: Apache-2.0 */
/* What the status says of names. */
#pragma once

struct pk_json;
struct pk_view;

void pk_status_names(struct pk_json *j, const struct pk_view *v); /* "names":{...} */
void pk_status_names_degraded(struct pk_json *j, const struct pk_view *v);
