/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and names of the HTTP API that the daemon serves and the tool uses. Bodies are JSON. */
#ifndef PICKET_API_H
#define PICKET_API_H

#define PK_API_SOCKET "/run/picket/picket.sock"

#define PK_API_STATUS "/v1/status"
#define PK_API_FLOWS                                                                               \
	"/v1/flows" /* ?filter=&state=live|ended|all&limit= : {"flows":[OCSF 4001...]} */
#define PK_API_FLOWS_STREAM  "/v1/flows/stream" /* ?filter= : NDJSON, one OCSF 4001 per report */
#define PK_API_EVENTS        "/v1/events" /* ?limit=&after= : {"events":[OCSF 1007 and 4001...]} */
#define PK_API_EVENTS_STREAM "/v1/events/stream" /* NDJSON */
#define PK_API_PROCESSES     "/v1/processes"     /* {"processes":[...]} */
#define PK_API_LIVE                                                                                \
	"/v1/live" /* NDJSON, one snapshot a second for `picket top`; raises the report rate */
#define PK_API_DNS        "/v1/dns"        /* ?filter=&limit=&after= : {"dns":[OCSF 4003...]} */
#define PK_API_DNS_STREAM "/v1/dns/stream" /* ?filter= or ?after= : NDJSON */
#define PK_API_TLS        "/v1/tls"        /* ?filter=&limit=&after= : {"tls":[OCSF 4001...]} */
#define PK_API_TLS_STREAM "/v1/tls/stream" /* ?filter= or ?after= : NDJSON */
/* ?filter=&severity=&technique=&rule=&limit= : {"alerts":[OCSF 2004...]}; below it /UID */
#define PK_API_ALERTS "/v1/alerts"
/*
 * Suppressions. GET ?state=active|expired|removed|all; POST {"rules":[...],"match":{...},"owner",
 * "reason","ttl":SECONDS,"wide"}; below it /ID (number or uid): GET; DELETE {"reason"}; /ID/extend
 * POST {"ttl","reason"}.
 */
#define PK_API_MUTES         "/v1/mutes"
#define PK_API_ALERTS_STREAM "/v1/alerts/stream" /* ?filter= or ?after= : NDJSON, each telling */
#define PK_API_RULES         "/v1/rules"         /* {"rules":[...]}: Sigma rules that are loaded */
#define PK_API_DETECTORS     "/v1/detectors"     /* {"detectors":[...]} */
/*
 * Incidents. GET ?state=open|all|NAME&limit= : {"incidents":[OCSF 2005...]}; below it /ID (number
 * or uid): GET; POST /ID/ack, /assign {"owner","team"}, /note {"text"}, /assess
 * {"confidentiality","integrity","availability","services","assets","personal_data","root_cause",
 * "cause","worked","improvements"}, /reported {"to"}, /contain {"playbook","dry_run"}, /close
 * {"verdict"}, /state {"state","verdict","aware"}, /revert. All take {"reason"}; where somebody
 * decides, it is required. They are answered when the act is on the disk; unmapped.picket.kept
 * false: it is not (yet).
 */
#define PK_API_INCIDENTS        "/v1/incidents"
#define PK_API_PLAYBOOKS        "/v1/playbooks"        /* {"playbooks":[...],"enabled":[...]} */
#define PK_API_INCIDENTS_STREAM "/v1/incidents/stream" /* ?after= : NDJSON, each telling */
#define PK_API_HEALTH           "/v1/healthz"          /* it answers */
#define PK_API_READY            "/healthz" /* and does its work: 200, or 503 with "reasons" */
#define PK_API_OPENAPI          "/v1/openapi.json" /* OpenAPI 3.1 of all this */
#define PK_API_METRICS          "/metrics"         /* Prometheus text exposition 0.0.4 */

/* Block lists. GET all; below it /NAME: GET (?limit=&after=), PUT the list as body, DELETE;
 * /NAME/export GET; /NAME/diff POST the list as body; /NAME/mode POST ?mode=; /NAME/confirm POST.
 */
#define PK_API_LISTS      "/v1/lists"
#define PK_API_LISTS_TEST "/v1/lists/test" /* POST a list: what it would have cut */
#define PK_API_BLOCKS     "/v1/blocks"     /* POST, DELETE {"targets":[...],...} */
#define PK_API_CHECK      "/v1/check"      /* ?ip=&dir=&proto=&port= or ?name= */
#define PK_API_DETACH     "/v1/detach"     /* POST: takes everything down and ends the agent */

/*
 * Packets, as pcapng. RECORD: GET ?filter=&snaplen=&packets=&bytes=&duration=&before= goes on until
 * a limit is reached, the reader leaves, or DELETE of /ID (the response header PK_API_RECORDING).
 * CAPTURE: GET ?before=&filter= gives those in memory.
 */
#define PK_API_RECORD    "/v1/record"
#define PK_API_CAPTURE   "/v1/capture"
#define PK_API_RECORDING "Picket-Recording"

/* Request header: where the person sits who uses the tool (the peer of the SSH session). */
#define PK_API_SESSION "Picket-Session"

#define PK_API_TYPE_JSON    "application/json"
#define PK_API_TYPE_NDJSON  "application/x-ndjson"
#define PK_API_TYPE_EVENTS  "text/event-stream"
#define PK_API_TYPE_PCAPNG  "application/x-pcapng"
#define PK_API_TYPE_PROBLEM "application/problem+json" /* RFC 9457 */

#endif
