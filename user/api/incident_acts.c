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
#include "conf/conf.h"
#include "incident/incidents.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

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

static int refuse_assessed(struct pk_api_request *q, enum pk_assess k, int r)
{
	const char *choices = pk_assess_choices(k);
	char detail[160] = "no memory";

	if (r == -EINVAL)
		(void)snprintf(detail, sizeof(detail), "%s: expected %s%s, or an empty text",
			       pk_assess_name(k), choices ? "one of " : "a text",
			       choices ? choices : "");
	else if (r == -EMSGSIZE)
		(void)snprintf(detail, sizeof(detail), "%s: at most %d bytes", pk_assess_name(k),
			       PK_ASSESS_TEXT - 1);
	return pk_api_problem(q, r == -ENOMEM ? 503 : 400, detail);
}

static int assess(struct pk_api_request *q, const struct pk_incident_ask *a, enum pk_assess k)
{
	const char *value = pk_incident_ask_text(a, pk_assess_name(k));
	bool is_cause = k == PK_ASSESS_ROOT_CAUSE &&
			strcmp(value, pk_incident_assessed(a->incident, k)) != 0;
	const struct pk_incident *o;
	int r = pk_incident_assess(a->incident, k, value, &a->by);

	o = r == 0 && is_cause ? pk_incidents_same_cause(q->view->incidents, a->incident) : NULL;
	if (o) /* twice the same is something that a person is to know of */
		(void)pk_incident_note(a->incident, &a->by, PK_DEED_OBSERVATION,
				       "the same root cause as incident %" PRIu64
				       ", within half a year",
				       o->number);
	return r;
}

/* 0, or a problem was answered. */
static int check_assessed(struct pk_api_request *q, const struct pk_incident_ask *a)
{
	struct pk_incident trial = { 0 };
	size_t n = 0;
	int r = 0;

	for (int k = 0; k < PK_ASSESS_KINDS && r == 0; k++) {
		json_t *value = json_object_get(a->body, pk_assess_name((enum pk_assess)k));

		n += value != NULL;
		if (value)
			r = json_is_string(value)
				    ? pk_incident_assess_set(&trial, (enum pk_assess)k,
							     json_string_value(value))
				    : -EINVAL;
		if (r < 0)
			(void)refuse_assessed(q, (enum pk_assess)k, r);
	}
	pk_incident_done(&trial);
	if (r == 0 && !n)
		(void)pk_api_problem(q, 400, "nothing is said of it");
	return n ? r : -EINVAL;
}

/* All of it is good, or nothing is changed. */
int pk_incident_assess_post(struct pk_api_request *q)
{
	_cleanup_(pk_incident_ask_done) struct pk_incident_ask a = { 0 };
	int r = 0;

	if (pk_incident_ask_begin(q,
				  "reason confidentiality integrity availability services assets "
				  "personal_data root_cause cause worked improvements",
				  true, &a) < 0 ||
	    check_assessed(q, &a) < 0)
		return 0;
	for (int k = 0; k < PK_ASSESS_KINDS && r == 0; k++)
		if (json_object_get(a.body, pk_assess_name((enum pk_assess)k)))
			r = assess(q, &a, (enum pk_assess)k);
	if (r < 0)
		return pk_api_problem(q, 503, "no memory");
	pk_incident_reply_kept(q, a.incident);
	return 0;
}

static bool is_duty(const struct pk_api_request *q, const char *name)
{
	const struct pk_conf_list *l = &q->view->conf->incident_deadlines;
	struct pk_conf_deadline d;

	for (size_t k = 0; k < l->n; k++)
		if (pk_conf_deadline_parse(l->v[k], &d) == 0 && strcmp(d.name, name) == 0)
			return true;
	return false;
}

int pk_incident_reported_post(struct pk_api_request *q)
{
	_cleanup_(pk_incident_ask_done) struct pk_incident_ask a = { 0 };
	const char *to;
	int r;

	if (pk_incident_ask_begin(q, "reason to", true, &a) < 0)
		return 0;
	to = pk_incident_ask_text(&a, "to");
	if (!to || !is_duty(q, to))
		return pk_api_problem(q, 400, "to: expected a name of incident.deadlines");
	r = pk_incident_report(a.incident, to, &a.by);
	if (r < 0)
		return pk_api_problem(q, 409,
				      r == -EALREADY ? "that was reported before"
						     : "no room for more reports");
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
