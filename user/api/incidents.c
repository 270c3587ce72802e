/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents to be read. What people do about them is incident_acts.c's. */
#include "api/incidents.h"

#include "api/kept.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/json.h"
#include "incident/incidents.h"
#include "output/ocsf_incident.h"
#include "store/store.h"

#include <picket/api.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT     100
#define LIMIT_MAX 10000
#define BODY_MAX  (64u << 20)

struct pk_incident *pk_incident_asked(struct pk_api_request *q)
{
	const struct pk_incidents *all = q->view->incidents;
	struct pk_incident *i = NULL;
	char *end;
	unsigned long long n = strtoull(q->rest, &end, 10);

	if (all && *q->rest)
		i = *end ? pk_incidents_by_uid(all, q->rest) : pk_incidents_find(all, n);
	if (!i)
		(void)pk_api_problem(q, 404, "no such incident is in memory"); /* always 0 */
	return i;
}

/* For somebody who asks now. */
static struct pk_ocsf_telling asked_now(const struct pk_view *v, uint64_t about)
{
	return (struct pk_ocsf_telling){ .asked = true,
					 .kept = v->store ? pk_store_done(v->store) : 0,
					 .about = about };
}

static void reply_about(struct pk_api_request *q, const struct pk_incident *i, uint64_t ticket)
{
	struct pk_ocsf_telling now = asked_now(q->view, ticket);
	struct pk_buf body = { 0 };
	struct pk_json j;

	pk_json_init(&j, &body);
	pk_ocsf_incident(&j, &q->view->ocsf, i, &now);
	pk_buf_char(&body, '\n');
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
}

void pk_incident_reply(struct pk_api_request *q, const struct pk_incident *i)
{
	reply_about(q, i, 0);
}

static void reply_later(struct pk_api_request *q, union pk_kept_what what)
{
	const struct pk_incident *i = pk_incidents_find(q->view->incidents, what.number);

	if (i)
		reply_about(q, i, what.ticket);
	else
		(void)pk_api_problem(q, 404, "it was done, and has gone from memory since");
}

void pk_incident_reply_kept(struct pk_api_request *q, struct pk_incident *i)
{
	struct pk_view *v = q->view;
	uint64_t ticket = 0;
	int r = v->keep ? v->keep(v, i, &ticket) : -ENODATA;

	if (r == 0)
		r = pk_kept_wait(q, ticket, reply_later,
				 (union pk_kept_what){ .number = i->number, .ticket = ticket });
	if (r < 0)
		pk_incident_reply(q, i); /* which says that it is not kept */
}

int pk_incident_get(struct pk_api_request *q)
{
	const struct pk_incident *i = pk_incident_asked(q);

	if (i)
		pk_incident_reply(q, i);
	return 0;
}

/* "open", "all", or one state. */
static bool wanted(const struct pk_incident *i, const char *state)
{
	if (!state || strcmp(state, "open") == 0)
		return !pk_incident_is_over(i);
	return strcmp(state, "all") == 0 || strcmp(state, pk_incident_state_name(i->state)) == 0;
}

static bool is_state(const char *s)
{
	enum pk_incident_state state;

	return !s || strcmp(s, "open") == 0 || strcmp(s, "all") == 0 ||
	       pk_incident_state_parse(s, &state) == 0;
}

static void write_counts(struct pk_json *j, const struct pk_incidents *all)
{
	struct pk_incidents_count n;

	pk_incidents_counts(all, &n);
	pk_json_obj(j, "counts");
	pk_json_u64(j, "used", n.used);
	pk_json_u64(j, "max", n.max);
	pk_json_u64(j, "open", n.open);
	pk_json_u64(j, "begun", n.begun);
	pk_json_u64(j, "merged", n.merged);
	pk_json_u64(j, "evicted", n.evicted);
	pk_json_u64(j, "refused", n.refused);
	pk_json_u64(j, "alerts", n.alerts);
	pk_json_u64(j, "waiting_alerts", n.loose);
	pk_json_u64(j, "links_lost", n.keys_lost);
	pk_json_end(j);
}

int pk_incidents_get(struct pk_api_request *q)
{
	const struct pk_incidents *all = q->view->incidents;
	const char *state = pk_api_param(q, "state");
	struct pk_ocsf_telling now = asked_now(q->view, 0);
	struct pk_buf body = { .max = BODY_MAX };
	uint64_t limit = LIMIT, matched = 0, n = 0;
	const struct pk_incident *i = NULL;
	struct pk_json j;

	if (pk_api_param_u64(q, "limit", LIMIT_MAX, &limit) < 0)
		return 0;
	if (!is_state(state))
		return pk_api_problem(q, 400, "state: expected open, all, or the name of a state");
	if (!all)
		return pk_api_problem(q, 503, "no incidents are kept here");
	while ((i = pk_incidents_next(all, i)))
		matched += wanted(i, state);
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_arr(&j, "incidents");
	while ((i = pk_incidents_next(all, i)))
		if (wanted(i, state) && n++ + limit >= matched)
			pk_ocsf_incident(&j, &q->view->ocsf, i, &now);
	pk_json_end(&j);
	pk_json_u64(&j, "matched", matched);
	pk_json_u64(&j, "limit", limit);
	write_counts(&j, all);
	pk_json_end(&j);
	pk_buf_char(&body, '\n');
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}
