/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/alerts of the store; user/api/alerts.c asks for them. */
#pragma once

struct pk_api_request;

/* Answers /v1/alerts?since=MS. */
int pk_alerts_kept_get(struct pk_api_request *q);
/* Answers /v1/alerts/UID, or -ENOENT and has not answered. */
int pk_alert_kept_get(struct pk_api_request *q);
