/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes: path, parameters, function. Longer paths before their prefixes. */
#include "api/routes.h"

#include "api/live.h"
#include "api/server.h"
#include "base/buf.h"
#include "base/cleanup.h"

#include <picket/api.h>

const struct pk_route pk_routes[] = {
	{ PK_API_HEALTH, false, false, "", pk_health_get },
	{ PK_API_STATUS, false, false, "", pk_status_get },
	{ PK_API_FLOWS_STREAM, false, true, "filter", pk_flows_stream },
	{ PK_API_FLOWS, false, false, "filter state limit", pk_flows_get },
	{ PK_API_FLOWS, true, false, "", pk_flow_get },
	{ PK_API_EVENTS_STREAM, false, true, "filter after", pk_events_stream },
	{ PK_API_EVENTS, false, false, "limit after", pk_events_get },
	{ PK_API_PROCESSES, false, false, "filter limit", pk_processes_get },
	{ PK_API_PROCESSES, true, false, "", pk_process_one_get },
	{ PK_API_LIVE, false, true, "filter limit", pk_live_get },
};

const size_t pk_routes_n = PK_ARRAY_SIZE(pk_routes);

int pk_health_get(struct pk_api_request *q)
{
	struct pk_buf body = { 0 };

	pk_buf_str(&body, "{\"status\":\"ok\"}\n");
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}
