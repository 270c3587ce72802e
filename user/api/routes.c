/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes: method, path, parameters, function, and the role it takes
 * over the network. Fixed paths before PK_ROUTE_REST. user/share/openapi.json says the same, and
 * tests/unit/api/openapi.c that it does. */
#include "api/routes.h"

#include "api/live.h"
#include "api/server.h"
#include "api/upload.h"
#include "base/cleanup.h"

#include <picket/api.h>

#include <event2/http.h>

#define GET(path, flags, params, f)                                                                \
	{                                                                                          \
		EVHTTP_REQ_GET, path, NULL, flags, params, f, PK_ROLE_READER                       \
	}

#define INCIDENT(behind, f)                                                                        \
	{                                                                                          \
		EVHTTP_REQ_POST, PK_API_INCIDENTS, behind, PK_ROUTE_REST, "", f, PK_ROLE_ANALYST   \
	}

const struct pk_route pk_routes[] = {
	GET(PK_API_HEALTH, 0, "", pk_health_get),
	GET(PK_API_READY, 0, "", pk_ready_get),
	GET(PK_API_METRICS, 0, "", pk_metrics_get),
	GET(PK_API_OPENAPI, 0, "", pk_openapi_get),
	GET(PK_API_STATUS, 0, "", pk_status_get),
	GET(PK_API_FLOWS_STREAM, PK_ROUTE_STREAM, "filter after", pk_flows_stream),
	GET(PK_API_FLOWS, 0, "filter state limit since after order", pk_flows_get),
	{ EVHTTP_REQ_GET, PK_API_FLOWS, "usual", PK_ROUTE_REST, "", pk_flow_usual_get,
	  PK_ROLE_READER },
	GET(PK_API_FLOWS, PK_ROUTE_REST, "", pk_flow_get),
	GET(PK_API_EVENTS_STREAM, PK_ROUTE_STREAM, "filter after", pk_events_stream),
	GET(PK_API_EVENTS, 0, "limit after", pk_events_get),
	GET(PK_API_DNS_STREAM, PK_ROUTE_STREAM, "filter after", pk_dns_stream),
	GET(PK_API_DNS, 0, "filter limit after", pk_dns_get),
	GET(PK_API_TLS_STREAM, PK_ROUTE_STREAM, "filter after", pk_tls_stream),
	GET(PK_API_TLS, 0, "filter limit after", pk_tls_get),
	GET(PK_API_ALERTS_STREAM, PK_ROUTE_STREAM, "filter after", pk_alerts_stream),
	GET(PK_API_ALERTS, 0, "filter severity technique rule muted limit since after order",
	    pk_alerts_get),
	GET(PK_API_ALERTS, PK_ROUTE_REST, "", pk_alert_get),
	GET(PK_API_INCIDENTS_STREAM, PK_ROUTE_STREAM, "after", pk_incidents_stream),
	GET(PK_API_INCIDENTS, 0, "state limit", pk_incidents_get),
	INCIDENT("ack", pk_incident_ack_post),
	INCIDENT("assign", pk_incident_assign_post),
	INCIDENT("note", pk_incident_note_post),
	INCIDENT("assess", pk_incident_assess_post),
	INCIDENT("reported", pk_incident_reported_post),
	INCIDENT("close", pk_incident_close_post),
	INCIDENT("state", pk_incident_state_post),
	{ EVHTTP_REQ_POST, PK_API_INCIDENTS, "contain", PK_ROUTE_REST, "", pk_incident_contain_post,
	  PK_ROLE_OPERATOR },
	{ EVHTTP_REQ_POST, PK_API_INCIDENTS, "step", PK_ROUTE_REST, "", pk_incident_step_post,
	  PK_ROLE_OPERATOR },
	{ EVHTTP_REQ_POST, PK_API_INCIDENTS, "revert", PK_ROUTE_REST, "", pk_incident_revert_post,
	  PK_ROLE_OPERATOR },
	GET(PK_API_PLAYBOOKS, 0, "", pk_playbooks_get),
	GET(PK_API_INCIDENTS, PK_ROUTE_REST, "", pk_incident_get),
	GET(PK_API_MUTES, 0, "state", pk_mutes_get),
	{ EVHTTP_REQ_POST, PK_API_MUTES, NULL, 0, "", pk_mutes_post, PK_ROLE_OPERATOR },
	{ EVHTTP_REQ_POST, PK_API_MUTES, "extend", PK_ROUTE_REST, "", pk_mute_extend_post,
	  PK_ROLE_OPERATOR },
	GET(PK_API_MUTES, PK_ROUTE_REST, "", pk_mute_get),
	{ EVHTTP_REQ_DELETE, PK_API_MUTES, NULL, PK_ROUTE_REST, "", pk_mute_delete,
	  PK_ROLE_OPERATOR },
	GET(PK_API_RULES, 0, "", pk_rules_get),
	GET(PK_API_DETECTORS, 0, "", pk_detectors_get),
	GET(PK_API_PROCESSES, 0, "filter limit", pk_processes_get),
	GET(PK_API_PROCESSES, PK_ROUTE_REST, "", pk_process_one_get),
	GET(PK_API_LIVE, PK_ROUTE_STREAM, "filter limit", pk_live_get),
	GET(PK_API_LISTS, 0, "", pk_lists_get),
	{ EVHTTP_REQ_POST, PK_API_LISTS_TEST, NULL, PK_ROUTE_UPLOAD,
	  "format column skip_bad against dir proto port", pk_list_test, PK_ROLE_READER },
	GET(PK_API_LISTS, PK_ROUTE_REST, "limit after", pk_list_get),
	{ EVHTTP_REQ_PUT, PK_API_LISTS, NULL, PK_ROUTE_REST | PK_ROUTE_UPLOAD, PK_UPLOAD_PARAMS,
	  pk_list_put, PK_ROLE_OPERATOR },
	{ EVHTTP_REQ_DELETE, PK_API_LISTS, NULL, PK_ROUTE_REST, "", pk_list_delete,
	  PK_ROLE_OPERATOR },
	{ EVHTTP_REQ_GET, PK_API_LISTS, "export", PK_ROUTE_REST | PK_ROUTE_STREAM, "",
	  pk_list_export, PK_ROLE_READER },
	{ EVHTTP_REQ_POST, PK_API_LISTS, "diff", PK_ROUTE_REST | PK_ROUTE_UPLOAD, PK_UPLOAD_PARAMS,
	  pk_list_diff, PK_ROLE_READER },
	{ EVHTTP_REQ_POST, PK_API_LISTS, "plan", PK_ROUTE_REST | PK_ROUTE_UPLOAD,
	  PK_UPLOAD_PARAMS " against", pk_list_plan, PK_ROLE_READER },
	{ EVHTTP_REQ_POST, PK_API_LISTS, "mode", PK_ROUTE_REST, "mode", pk_list_mode,
	  PK_ROLE_OPERATOR },
	{ EVHTTP_REQ_POST, PK_API_LISTS, "confirm", PK_ROUTE_REST, "back", pk_list_confirm,
	  PK_ROLE_OPERATOR },
	{ EVHTTP_REQ_POST, PK_API_BLOCKS, NULL, 0, "", pk_blocks_post, PK_ROLE_OPERATOR },
	{ EVHTTP_REQ_DELETE, PK_API_BLOCKS, NULL, 0, "", pk_blocks_delete, PK_ROLE_OPERATOR },
	GET(PK_API_CHECK, 0, "ip name dir proto port", pk_check_get),
	{ EVHTTP_REQ_GET, PK_API_RECORD, NULL, PK_ROUTE_STREAM,
	  "filter snaplen packets bytes duration before", pk_record_get, PK_ROLE_ANALYST },
	{ EVHTTP_REQ_DELETE, PK_API_RECORD, NULL, PK_ROUTE_REST, "", pk_record_delete,
	  PK_ROLE_ANALYST },
	{ EVHTTP_REQ_GET, PK_API_CAPTURE, NULL, PK_ROUTE_STREAM, "filter before", pk_capture_get,
	  PK_ROLE_ANALYST },
	{ EVHTTP_REQ_POST, PK_API_DETACH, NULL, 0, "", pk_detach_post, PK_ROLE_ADMIN },
};

const size_t pk_routes_n = PK_ARRAY_SIZE(pk_routes);
