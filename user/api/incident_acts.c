/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people do about an incident: each is written down with who it was (by the socket's
 * credentials), when and why. Where somebody decides, a reason is required.
 */
#include "api/incident_ask.h"
#include "api/incidents.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/view.h"
#include "base/cleanup.h"
#include "incident/incidents.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

static int moved(struct pk_api_request *q, const struct pk_incident_ask *a, int r,
		 enum pk_incident_state to)
{
	char detail[128];

	if (r == 0) {
		pk_incident_reply_kept(q, a->incident);
		return 0;
	}
	(void)snprintf(detail, sizeof(detail), "an incident that is %s can not become %s",
		       pk_incident_state_name(a->incident->state), pk_incident_state_name(to));
	return pk_api_problem(q, 409, detail);
}

int pk_incident_ack_post(struct pk_api_request *q)
{
	_cleanup_(pk_incident_ask_done) struct pk_incident_ask a = { 0 };

	if (pk_incident_ask_begin(q, "reason", false, &a) < 0)
		return 0;
	if (pk_incident_ack(a.incident, &a.by) == -EALREADY)
		return pk_api_problem(q, 409, "it was acknowledged before");
	pk_incident_reply_kept(q, a.incident);
	return 0;
}

int pk_incident_assign_post(struct pk_api_request *q)
{
	_cleanup_(pk_incident_ask_done) struct pk_incident_ask a = { 0 };

	if (pk_incident_ask_begin(q, "reason owner team", false, &a) < 0)
		return 0;
	if (!pk_incident_ask_text(&a, "owner") && !pk_incident_ask_text(&a, "team"))
		return pk_api_problem(q, 400, "owner or team is required");
	pk_incident_assign(a.incident, pk_incident_ask_text(&a, "owner"),
			   pk_incident_ask_text(&a, "team"), &a.by);
	pk_incident_reply_kept(q, a.incident);
	return 0;
}

int pk_incident_note_post(struct pk_api_request *q)
{
	_cleanup_(pk_incident_ask_done) struct pk_incident_ask a = { 0 };

	if (pk_incident_ask_begin(q, "text", false, &a) < 0)
		return 0;
	if (!pk_incident_ask_text(&a, "text") || !*pk_incident_ask_text(&a, "text"))
		return pk_api_problem(q, 400, "text is required");
	a.by.why = pk_incident_ask_text(&a, "text");
	(void)pk_incident_note(a.incident, &a.by, PK_DEED_OBSERVATION, "note");
	pk_incident_reply_kept(q, a.incident);
	return 0;
}

static int rule(struct pk_api_request *q, const struct pk_incident_ask *a)
{
	enum pk_verdict_id v;

	if (!pk_incident_ask_text(a, "verdict"))
		return 0;
	if (pk_verdict_parse(pk_incident_ask_text(a, "verdict"), &v) < 0) {
		(void)pk_api_problem(q, 400,
				     "verdict: expected true-positive, false-positive, benign, "
				     "test or duplicate");
		return -EINVAL;
	}
	pk_incident_rule(a->incident, v, &a->by);
	return 0;
}

int pk_incident_close_post(struct pk_api_request *q)
{
	_cleanup_(pk_incident_ask_done) struct pk_incident_ask a = { 0 };
	enum pk_incident_state to = PK_INCIDENT_CLOSED;

	if (pk_incident_ask_begin(q, "reason verdict", true, &a) < 0)
		return 0;
	if (pk_incident_is_over(a.incident))
		return moved(q, &a, -EPERM, to);
	if (rule(q, &a) < 0)
		return 0;
	if (pk_incident_ask_text(&a, "verdict") && a.incident->verdict != PK_VERDICT_TRUE_POSITIVE)
		to = PK_INCIDENT_DISMISSED;
	if (a.incident->verdict == PK_VERDICT_TEST)
		to = PK_INCIDENT_DRILL;
	if (a.incident->state > PK_INCIDENT_CONTAINED)
		to = PK_INCIDENT_CLOSED; /* it was worked on: that is not taken back */
	return moved(q, &a, pk_incident_move(a.incident, to, &a.by), to);
}

int pk_incident_state_post(struct pk_api_request *q)
{
	_cleanup_(pk_incident_ask_done) struct pk_incident_ask a = { 0 };
	enum pk_incident_state to = PK_INCIDENT_NEW;
	const char *name;
	int r = 0;

	if (pk_incident_ask_begin(q, "reason state verdict aware", true, &a) < 0)
		return 0;
	name = pk_incident_ask_text(&a, "state");
	if (name && pk_incident_state_parse(name, &to) < 0)
		return pk_api_problem(q, 400,
				      "state: expected triage, declared, contained, eradicated, "
				      "recovered, closed, dismissed, duplicate or drill");
	if (name)
		r = pk_incident_move(a.incident, to, &a.by);
	if (r < 0)
		return moved(q, &a, r, to);
	if (rule(q, &a) < 0)
		return 0;
	if (json_is_true(json_object_get(a.body, "aware")))
		(void)pk_incident_aware(a.incident, &a.by); /* it may have been known before */
	pk_incident_reply_kept(q, a.incident);
	return 0;
}
