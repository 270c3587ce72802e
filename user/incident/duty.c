/* SPDX-License-Identifier: Apache-2.0 */
/* Counts when somebody must be told of an incident. Whether the law says so it does not know. */
#include "incident/duty.h"

#include "incident/incident.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int64_t told_at(const struct pk_incident *i, const char *to)
{
	for (size_t k = 0; k < i->reports; k++)
		if (strcmp(i->report[k].to, to) == 0)
			return i->report[k].at_ms;
	return 0;
}

int pk_duty_of(const struct pk_incident *i, const char *item, struct pk_duty *ret)
{
	struct pk_duty d = { 0 };
	int r = pk_conf_deadline_parse(item, &d.deadline);
	int64_t from;

	if (r < 0)
		return r;
	from = *d.deadline.after ? told_at(i, d.deadline.after) : i->at_ms[PK_CLOCK_AWARE];
	if (from)
		d.due_ms = pk_conf_deadline_due(&d.deadline, from);
	if (!*d.deadline.after)
		d.earliest_ms = pk_conf_deadline_due(&d.deadline, i->at_ms[PK_CLOCK_DETECTED]);
	d.told_ms = told_at(i, d.deadline.name);
	*ret = d;
	return 0;
}

int pk_incident_report_add(struct pk_incident *i, const char *to, int64_t at_ms)
{
	if (told_at(i, to))
		return -EALREADY;
	if (i->reports == PK_CONF_DEADLINES)
		return -ENOSPC;
	(void)snprintf(i->report[i->reports].to, sizeof(i->report[0].to), "%s", to);
	i->report[i->reports++].at_ms = at_ms;
	return 0;
}

int pk_incident_report(struct pk_incident *i, const char *to, const struct pk_incident_by *by)
{
	int r = pk_incident_report_add(i, to, by->now_ms);

	if (r == 0)
		(void)pk_incident_note(i, by, PK_DEED_OBSERVATION, "reported: %s", to);
	return r;
}
