/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of incidents and of what is done about them. A third table for the same reader. */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "conf/schema.h"

#define SEC 1000000000ull

#define AT(m)       .offset = offsetof(struct pk_conf, m)
#define RANGE(a, b) .min = (a), .max = (b)

const struct pk_conf_row pk_conf_incident[] = {
	{ "incident.max", PK_CONF_COUNT, true, AT(incidents_max), RANGE(16, 4096), "256",
	  "incidents",
	  .doc = "Incidents kept in memory; of those that are closed the oldest goes first." },
	{ "incident.window", PK_CONF_DURATION, true, AT(incident_window_ns),
	  RANGE(60 * SEC, 30ull * 86400 * SEC), "6h",
	  .doc = "An alert joins an incident with which it shares a process, remote, session, "
		 "container or file when the incident's last alert is no older." },
	{ "incident.team", PK_CONF_NAME, true, AT(incident_team), RANGE(0, 63), "on-call",
	  .doc = "Who looks after incidents that nobody was assigned to." },
};
const size_t pk_conf_incident_len = PK_ARRAY_SIZE(pk_conf_incident);
