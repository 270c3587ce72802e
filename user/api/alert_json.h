/* SPDX-License-Identifier: Apache-2.0 */
/* What a filter asks about an alert, out of the alert's own record. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct pk_filter_subject;
struct pk_flow;

bool pk_alert_json_is_of(json_t *alert, const char *rule);
/*
 * The flow and up to four processes of the evidence, and the names. Texts are borrowed from the
 * record, and turned back there from what they were escaped to.
 */
void pk_alert_json_subject(json_t *alert, struct pk_flow *ret_flow,
			   struct pk_filter_subject *ret_subject);
