/* SPDX-License-Identifier: Apache-2.0 */
/* An incident back from its own record (output/ocsf_incident.h), after a restart. */
#pragma once

#include <stddef.h>

struct pk_incident;

/* -EBADMSG: not such a record, nothing is in *ret; -ENOMEM. To be freed by pk_incident_done(). */
int pk_incident_read(const char *json, size_t len, struct pk_incident *ret);
