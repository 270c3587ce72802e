/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people do about an incident: each is written down with who it was (by the socket's
 * credentials), when and why. Where somebody decides, a reason is required.
 */
#include "api/incidents.h"

#include "api/peer.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "incident/incidents.h"

#include <errno.h>
#include <event2/buffer.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct ask {
	struct pk_incident *incident;
	json_t *body;
	struct pk_buf who;
	struct pk_incident_by by;
};

static void ask_done(struct ask *a)
{
	json_decref(a->body);
	pk_buf_done(&a->who);
}

static const char *text(const struct ask *a, const char *key)
{
	return json_string_value(json_object_get(a->body, key));
}

static json_t *read_body(struct pk_api_request *q)
{
	struct evbuffer *in = pk_api_body(q);
	size_t len = evbuffer_get_length(in);
	const char *bytes = len ? (const char *)evbuffer_pullup(in, -1) : NULL;

	return bytes ? json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL) : json_object();
}

/* Members that the act does not know are an error: what is misspelt must not be lost. */
static bool knows_all(json_t *body, const char *known)
{
	const char *key;
	json_t *value;

	json_object_foreach(body, key, value)
	{
		const char *at = strstr(known, key);
		size_t n = strlen(key);

		if (!at || (at > known && at[-1] != ' ') || (at[n] && at[n] != ' '))
			return false;
		if (!json_is_string(value) && !json_is_boolean(value))
			return false;
	}
	return true;
}

/* 0; -EINVAL: a problem was answered. known: members of the body, with blanks between. */
static int begin(struct pk_api_request *q, const char *known, bool reason, struct ask *a)
{
	char detail[160];

	*a = (struct ask){ .incident = pk_incident_asked(q) };
	if (!a->incident)
		return -EINVAL;
	a->body = read_body(q);
	if (!json_is_object(a->body) || !knows_all(a->body, known)) {
		(void)snprintf(detail, sizeof(detail),
			       "the body must be a JSON object with, as texts, of: %s", known);
		(void)pk_api_problem(q, 400, detail); /* always 0 */
		return -EINVAL;
	}
	if (reason && (!text(a, "reason") || !*text(a, "reason"))) {
		(void)pk_api_problem(q, 400, "a reason is required: it stays with the incident");
		return -EINVAL;
	}
	pk_api_peer_actor(q, &a->who);
	a->by = (struct pk_incident_by){ a->who.data ? a->who.data : "", text(a, "reason"),
					 pk_clock_wall_ms(pk_clock_boot_ns()) };
	return 0;
}

static int moved(struct pk_api_request *q, const struct ask *a, int r, enum pk_incident_state to)
{
	char detail[128];

	if (r == 0) {
		pk_incident_reply(q, a->incident);
		return 0;
	}
	(void)snprintf(detail, sizeof(detail), "an incident that is %s can not become %s",
		       pk_incident_state_name(a->incident->state), pk_incident_state_name(to));
	return pk_api_problem(q, 409, detail);
}

int pk_incident_ack_post(struct pk_api_request *q)
{
	_cleanup_(ask_done) struct ask a = { 0 };

	if (begin(q, "reason", false, &a) < 0)
		return 0;
	if (pk_incident_ack(a.incident, &a.by) == -EALREADY)
		return pk_api_problem(q, 409, "it was acknowledged before");
	pk_incident_reply(q, a.incident);
	return 0;
}

int pk_incident_assign_post(struct pk_api_request *q)
{
	_cleanup_(ask_done) struct ask a = { 0 };

	if (begin(q, "reason owner team", false, &a) < 0)
		return 0;
	if (!text(&a, "owner") && !text(&a, "team"))
		return pk_api_problem(q, 400, "owner or team is required");
	pk_incident_assign(a.incident, text(&a, "owner"), text(&a, "team"), &a.by);
	pk_incident_reply(q, a.incident);
	return 0;
}

int pk_incident_note_post(struct pk_api_request *q)
{
	_cleanup_(ask_done) struct ask a = { 0 };

	if (begin(q, "text", false, &a) < 0)
		return 0;
	if (!text(&a, "text") || !*text(&a, "text"))
		return pk_api_problem(q, 400, "text is required");
	a.by.why = text(&a, "text");
	(void)pk_incident_note(a.incident, &a.by, PK_DEED_OBSERVATION, "note");
	pk_incident_reply(q, a.incident);
	return 0;
}

static int rule(struct pk_api_request *q, const struct ask *a)
{
	enum pk_verdict_id v;

	if (!text(a, "verdict"))
		return 0;
	if (pk_verdict_parse(text(a, "verdict"), &v) < 0) {
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
	_cleanup_(ask_done) struct ask a = { 0 };
	enum pk_incident_state to = PK_INCIDENT_CLOSED;

	if (begin(q, "reason verdict", true, &a) < 0)
		return 0;
	if (pk_incident_is_over(a.incident))
		return moved(q, &a, -EPERM, to);
	if (rule(q, &a) < 0)
		return 0;
	if (text(&a, "verdict") && a.incident->verdict != PK_VERDICT_TRUE_POSITIVE)
		to = PK_INCIDENT_DISMISSED;
	if (a.incident->verdict == PK_VERDICT_TEST)
		to = PK_INCIDENT_DRILL;
	if (a.incident->state > PK_INCIDENT_CONTAINED)
		to = PK_INCIDENT_CLOSED; /* it was worked on: that is not taken back */
	return moved(q, &a, pk_incident_move(a.incident, to, &a.by), to);
}

int pk_incident_state_post(struct pk_api_request *q)
{
	_cleanup_(ask_done) struct ask a = { 0 };
	enum pk_incident_state to = PK_INCIDENT_NEW;
	const char *name;
	int r = 0;

	if (begin(q, "reason state verdict aware", true, &a) < 0)
		return 0;
	name = text(&a, "state");
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
	pk_incident_reply(q, a.incident);
	return 0;
}
