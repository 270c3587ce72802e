/* SPDX-License-Identifier: Apache-2.0 */
/* One incident, one alert, for somebody who was woken up by it. */
#pragma once

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>

/* What it is, whom it concerns, what happened when, who did what, and what to do now. */
void pk_incident_show(struct pk_buf *out, json_t *incident);
/* One line of what became of it. */
void pk_incident_line(struct pk_buf *out, json_t *incident);
/* Asks for the playbook to be run (NULL: the one for it), or only told. The exit status. */
int pk_incident_contain(const char *id, const char *playbook, const char *reason, bool dry);
/* What it means, the evidence as a tree, what it may be instead, what to do. */
void pk_alert_show(struct pk_buf *out, json_t *alert);
