/* SPDX-License-Identifier: Apache-2.0 */
/* An act that somebody asks for: which incident, what he says, who he is. */
#pragma once

#include "base/buf.h"
#include "incident/incident.h"

#include <jansson.h>
#include <stdbool.h>

struct pk_api_request;

struct pk_incident_ask {
	struct pk_incident *incident;
	json_t *body;
	struct pk_buf who;
	struct pk_incident_by by;
};

/*
 * 0, or -EINVAL: a problem was answered. known: members that the body may have, with blanks
 * between. To be freed by pk_incident_ask_done() in both cases.
 */
int pk_incident_ask_begin(struct pk_api_request *q, const char *known, bool reason,
			  struct pk_incident_ask *ret);
void pk_incident_ask_done(struct pk_incident_ask *a);
const char *pk_incident_ask_text(const struct pk_incident_ask *a, const char *key); /* NULL */
