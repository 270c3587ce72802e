/* SPDX-License-Identifier: Apache-2.0 */
/* The functions behind the routes; each answers its request, or returns -errno. */
#pragma once

struct pk_api_request;

int pk_health_get(struct pk_api_request *q);
int pk_status_get(struct pk_api_request *q);
int pk_flows_get(struct pk_api_request *q);
int pk_flow_get(struct pk_api_request *q);
int pk_flows_stream(struct pk_api_request *q);
int pk_events_get(struct pk_api_request *q);
int pk_events_stream(struct pk_api_request *q);
int pk_processes_get(struct pk_api_request *q);
int pk_process_one_get(struct pk_api_request *q);
