/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/alerts of the store; user/api/alerts.c asks for them. */
#pragma once

#include <stdbool.h>

struct pk_api_request;
struct pk_filter;

/* What the columns of the store can not answer. */
struct pk_alert_wish {
	const char *rule;               /* NULL: any */
	const struct pk_filter *filter; /* NULL: any */
	bool muted;                     /* those that are suppressed, and no others */
};

/* Answers /v1/alerts?since=MS. */
int pk_alerts_kept_get(struct pk_api_request *q, const struct pk_alert_wish *wish);
/* Answers /v1/alerts/UID, or -ENOENT and has not answered. */
int pk_alert_kept_get(struct pk_api_request *q);
