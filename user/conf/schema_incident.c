/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of incidents and of what is done about them. A third table for the same reader. */
#include "base/cleanup.h"
#include "conf/conf.h"
#include "conf/deadline.h"
#include "conf/schema.h"

#define SEC 1000000000ull

#define AT(m)       .offset = offsetof(struct pk_conf, m)
#define RANGE(a, b) .min = (a), .max = (b)

const char *const pk_conf_responses[] = { "block", "cut", "suspend", "snapshot", "isolate", NULL };

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
	{ "incident.deadlines", PK_CONF_LIST, true, AT(incident_deadlines),
	  RANGE(0, PK_CONF_DEADLINES), "",
	  .doc = "Who must be told of a significant incident in what time, as your law or contract "
		 "says: from when a person says that it is significant, or after another one was "
		 "told. None applies unless it is here.",
	  .deadlines = true },
	{ "mute.ttl", PK_CONF_DURATION, true, AT(mute_ttl_ns), RANGE(SEC, 366ull * 86400 * SEC),
	  "720h",
	  .doc = "A suppression of alerts ends after this long when nothing else is said." },
	{ "mute.ttl_max", PK_CONF_DURATION, true, AT(mute_ttl_max_ns),
	  RANGE(SEC, 366ull * 86400 * SEC), "2160h",
	  .doc = "No suppression is made or extended for longer than this." },
	{ "mute.sinks", PK_CONF_BOOL, true, AT(mute_sinks), .def = "false",
	  .doc = "Send suppressed alerts to sinks, too, with status Suppressed." },
	{ "respond.enabled", PK_CONF_LIST, true, AT(respond_enabled), RANGE(0, 8), "",
	  .doc = "Steps that playbooks take without a person; all others are only advised. Of a "
		 "playbook with an impact above 50 none is before a person did a step of it.",
	  .choices = pk_conf_responses },
	{ "respond.ttl", PK_CONF_DURATION, true, AT(respond_ttl_ns), RANGE(60 * SEC, 86400 * SEC),
	  "1h",
	  .doc = "Blocks and isolation by a response end after this long, and a process that it "
		 "stopped goes on." },
	{ "respond.rate", PK_CONF_COUNT, true, AT(respond_rate), RANGE(1, 10000), "60", "an hour",
	  .doc = "Runs of playbooks that no person asked for; one that is at work on an incident "
		 "when another address joins it counts again." },
	{ "respond.playbooks", PK_CONF_PATH, true, AT(respond_playbooks), RANGE(0, 200),
	  "/usr/share/picket/playbooks",
	  .doc = "Directory of playbooks (*.json, CACAO 2.0); \"\": none." },
};
const size_t pk_conf_incident_len = PK_ARRAY_SIZE(pk_conf_incident);
