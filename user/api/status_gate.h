/* SPDX-License-Identifier: Apache-2.0 */
/* What the status says of the API over the network; nothing when there is none. */
#pragma once

struct pk_api;
struct pk_json;
struct pk_view;

void pk_status_gate(struct pk_json *j, const struct pk_view *v, const struct pk_api *api);
void pk_status_gate_degraded(struct pk_json *j, const struct pk_view *v, const struct pk_api *api);
