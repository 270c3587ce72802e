/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of flows' reports, and how one goes on in it. */
#pragma once

#include "api/stream.h"

struct pk_flow_entry;
struct pk_view;

/* Of the last report of this flow: its number, and how many flows had ended by then. */
struct pk_stream_id pk_flows_stream_id(const struct pk_view *v, const struct pk_flow_entry *e);
