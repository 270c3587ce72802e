/* SPDX-License-Identifier: Apache-2.0 */
/* The functions behind the routes; each answers its request, or returns -errno. */
#pragma once

struct pk_api_request;

int pk_health_get(struct pk_api_request *q);
int pk_status_get(struct pk_api_request *q);
int pk_flows_get(struct pk_api_request *q);
int pk_flow_get(struct pk_api_request *q);
int pk_flow_usual_get(struct pk_api_request *q);
int pk_flows_stream(struct pk_api_request *q);
int pk_events_get(struct pk_api_request *q);
int pk_events_stream(struct pk_api_request *q);
int pk_dns_get(struct pk_api_request *q);
int pk_dns_stream(struct pk_api_request *q);
int pk_tls_get(struct pk_api_request *q);
int pk_tls_stream(struct pk_api_request *q);
int pk_alerts_get(struct pk_api_request *q);
int pk_alerts_stream(struct pk_api_request *q);
int pk_alert_get(struct pk_api_request *q);
int pk_incidents_get(struct pk_api_request *q);
int pk_incidents_stream(struct pk_api_request *q);
int pk_incident_get(struct pk_api_request *q);
int pk_incident_ack_post(struct pk_api_request *q);
int pk_incident_assign_post(struct pk_api_request *q);
int pk_incident_note_post(struct pk_api_request *q);
int pk_incident_close_post(struct pk_api_request *q);
int pk_incident_state_post(struct pk_api_request *q);
int pk_incident_contain_post(struct pk_api_request *q);
int pk_incident_revert_post(struct pk_api_request *q);
int pk_playbooks_get(struct pk_api_request *q);
int pk_mutes_get(struct pk_api_request *q);
int pk_mute_get(struct pk_api_request *q);
int pk_mutes_post(struct pk_api_request *q);
int pk_mute_extend_post(struct pk_api_request *q);
int pk_mute_delete(struct pk_api_request *q);
int pk_rules_get(struct pk_api_request *q);
int pk_detectors_get(struct pk_api_request *q);
int pk_processes_get(struct pk_api_request *q);
int pk_process_one_get(struct pk_api_request *q);
int pk_lists_get(struct pk_api_request *q);
int pk_list_get(struct pk_api_request *q);
int pk_list_put(struct pk_api_request *q);
int pk_list_delete(struct pk_api_request *q);
int pk_list_export(struct pk_api_request *q);
int pk_list_diff(struct pk_api_request *q);
int pk_list_plan(struct pk_api_request *q);
int pk_list_mode(struct pk_api_request *q);
int pk_list_confirm(struct pk_api_request *q);
int pk_list_test(struct pk_api_request *q);
int pk_blocks_post(struct pk_api_request *q);
int pk_blocks_delete(struct pk_api_request *q);
int pk_check_get(struct pk_api_request *q);
int pk_detach_post(struct pk_api_request *q);
int pk_record_get(struct pk_api_request *q);
int pk_record_delete(struct pk_api_request *q);
int pk_capture_get(struct pk_api_request *q);
