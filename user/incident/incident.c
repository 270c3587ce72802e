/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns names of states and clocks, which state follows which, acts and severity. Which alert
 * belongs where is incidents.c's.
 */
#include "incident/incident.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define S(x) (1u << PK_INCIDENT_##x)
#define NONE PK_CLOCKS

static const struct {
	const char *name;
	int status_id;
	unsigned next; /* states that may follow */
	enum pk_incident_clock clock;
	enum pk_verdict_id verdict; /* that the state means */
} states[PK_INCIDENT_STATES] = {
	[PK_INCIDENT_NEW] = { "new", 1,
			      S(TRIAGE) | S(DECLARED) | S(CONTAINED) | S(CLOSED) | S(DISMISSED) |
				      S(DUPLICATE) | S(DRILL),
			      NONE },
	[PK_INCIDENT_TRIAGE] = { "triage", 2,
				 S(DECLARED) | S(CONTAINED) | S(CLOSED) | S(DISMISSED) |
					 S(DUPLICATE) | S(DRILL),
				 NONE },
	[PK_INCIDENT_DECLARED] = { "declared", 2,
				   S(CONTAINED) | S(CLOSED) | S(DISMISSED) | S(DUPLICATE) |
					   S(DRILL),
				   PK_CLOCK_DECLARED },
	[PK_INCIDENT_CONTAINED] = { "contained", 2,
				    S(DECLARED) | S(ERADICATED) | S(CLOSED) | S(DISMISSED) |
					    S(DUPLICATE) | S(DRILL),
				    PK_CLOCK_CONTAINED },
	[PK_INCIDENT_ERADICATED] = { "eradicated", 2, S(CONTAINED) | S(RECOVERED) | S(CLOSED),
				     PK_CLOCK_ERADICATED },
	[PK_INCIDENT_RECOVERED] = { "recovered", 4, S(ERADICATED) | S(CLOSED), PK_CLOCK_RECOVERED },
	[PK_INCIDENT_CLOSED] = { "closed", 5, S(TRIAGE), PK_CLOCK_CLOSED },
	[PK_INCIDENT_DISMISSED] = { "dismissed", 5, S(TRIAGE), PK_CLOCK_CLOSED,
				    PK_VERDICT_FALSE_POSITIVE },
	[PK_INCIDENT_DUPLICATE] = { "duplicate", 5, S(TRIAGE), PK_CLOCK_CLOSED,
				    PK_VERDICT_DUPLICATE },
	[PK_INCIDENT_DRILL] = { "drill", 5, S(TRIAGE), PK_CLOCK_CLOSED, PK_VERDICT_TEST },
};

const char *pk_incident_state_name(enum pk_incident_state s)
{
	return s > 0 && s < PK_INCIDENT_STATES ? states[s].name : "unknown";
}

int pk_incident_state_parse(const char *s, enum pk_incident_state *ret)
{
	for (int i = PK_INCIDENT_NEW; i < PK_INCIDENT_STATES; i++)
		if (strcasecmp(states[i].name, s) == 0) {
			*ret = (enum pk_incident_state)i;
			return 0;
		}
	return -EINVAL;
}

int pk_incident_status_id(enum pk_incident_state s)
{
	return s > 0 && s < PK_INCIDENT_STATES ? states[s].status_id : 0;
}

static const struct {
	enum pk_verdict_id id;
	const char *name;
} verdicts[] = {
	{ PK_VERDICT_UNKNOWN, "unknown" },
	{ PK_VERDICT_FALSE_POSITIVE, "false-positive" },
	{ PK_VERDICT_TRUE_POSITIVE, "true-positive" },
	{ PK_VERDICT_BENIGN, "benign" },
	{ PK_VERDICT_TEST, "test" },
	{ PK_VERDICT_DUPLICATE, "duplicate" },
};

const char *pk_verdict_name(enum pk_verdict_id v)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(verdicts); i++)
		if (verdicts[i].id == v)
			return verdicts[i].name;
	return "unknown";
}

int pk_verdict_parse(const char *s, enum pk_verdict_id *ret)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(verdicts); i++)
		if (strcasecmp(verdicts[i].name, s) == 0) {
			*ret = verdicts[i].id;
			return 0;
		}
	return -EINVAL;
}

const char *pk_incident_clock_name(enum pk_incident_clock c)
{
	static const char *const names[PK_CLOCKS] = { "occurred",   "detected",  "acked",
						      "aware",      "declared",  "contained",
						      "eradicated", "recovered", "closed" };

	return c < PK_CLOCKS ? names[c] : "";
}

const char *pk_deed_type_name(enum pk_deed_type t)
{
	static const char *const names[] = { "", "observation", "status_changed",
					     "severity_changed", "mitigation" };

	return (size_t)t < PK_ARRAY_SIZE(names) ? names[t] : "";
}

const char *pk_deed_result_name(enum pk_deed_result r)
{
	static const char *const names[] = { "", "done", "failed", "refused", "advised" };

	return (size_t)r < PK_ARRAY_SIZE(names) ? names[r] : "";
}

bool pk_incident_is_over(const struct pk_incident *i)
{
	return i->state >= PK_INCIDENT_CLOSED;
}

bool pk_incident_is_in_force(const struct pk_incident *i)
{
	for (size_t k = 0; k < i->acts; k++)
		if (*i->act[k].undo)
			return true;
	return false;
}

/* The oldest that is not in force: that one is to end, or to be taken back. */
static size_t first_to_go(const struct pk_incident *i)
{
	for (size_t k = 0; k < i->acts; k++)
		if (!*i->act[k].undo)
			return k;
	return 0;
}

/* Room for one more. NULL: no memory. */
static struct pk_incident_act *make_room(struct pk_incident *i)
{
	size_t goes;

	if (!i->act)
		i->act = calloc(PK_INCIDENT_ACTS, sizeof(*i->act));
	if (!i->act || i->acts == PK_INCIDENT_ACTS)
		i->acts_lost++;
	if (!i->act)
		return NULL;
	if (i->acts == PK_INCIDENT_ACTS) {
		goes = first_to_go(i);
		memmove(&i->act[goes], &i->act[goes + 1], (--i->acts - goes) * sizeof(*i->act));
	}
	return &i->act[i->acts++];
}

struct pk_incident_act *pk_incident_note(struct pk_incident *i, const struct pk_incident_by *by,
					 enum pk_deed_type type, const char *fmt, ...)
{
	struct pk_incident_act *a = make_room(i);
	va_list ap;

	i->revision++;
	i->updated_ms = by->now_ms;
	if (!a)
		return NULL;
	*a = (struct pk_incident_act){ .number = ++i->acts_ever,
				       .ticket = PK_ACT_UNKEPT,
				       .time_ms = by->now_ms,
				       .type = type,
				       .result = PK_DEED_DONE };
	(void)snprintf(a->who, sizeof(a->who), "%s", by->who);
	(void)snprintf(a->why, sizeof(a->why), "%s", by->why ? by->why : "");
	va_start(ap, fmt);
	(void)vsnprintf(a->what, sizeof(a->what), fmt, ap);
	va_end(ap);
	return a;
}

int pk_incident_move(struct pk_incident *i, enum pk_incident_state to,
		     const struct pk_incident_by *by)
{
	enum pk_incident_state from = i->state;

	if (!(states[from].next & 1u << to))
		return -EPERM;
	i->state = to;
	if (states[to].clock != NONE)
		i->at_ms[states[to].clock] = by->now_ms;
	if (states[to].verdict)
		i->verdict = states[to].verdict;
	if (states[from].status_id == 5) { /* opened again */
		i->at_ms[PK_CLOCK_CLOSED] = 0;
		i->verdict = PK_VERDICT_UNKNOWN;
		i->merged_into = 0;
	}
	(void)pk_incident_note(i, by, PK_DEED_STATUS, "state %s, was %s",
			       pk_incident_state_name(to), pk_incident_state_name(from));
	return 0;
}

int pk_incident_ack(struct pk_incident *i, const struct pk_incident_by *by)
{
	if (i->at_ms[PK_CLOCK_ACKED])
		return -EALREADY;
	i->at_ms[PK_CLOCK_ACKED] = by->now_ms;
	(void)pk_incident_note(i, by, PK_DEED_STATUS, "acknowledged");
	if (i->state == PK_INCIDENT_NEW)
		i->state = PK_INCIDENT_TRIAGE;
	return 0;
}

void pk_incident_assign(struct pk_incident *i, const char *owner, const char *team,
			const struct pk_incident_by *by)
{
	if (owner)
		(void)snprintf(i->owner, sizeof(i->owner), "%s", owner);
	if (team)
		(void)snprintf(i->team, sizeof(i->team), "%s", team);
	(void)pk_incident_note(i, by, PK_DEED_STATUS, "assigned to %s%s%s",
			       *i->owner ? i->owner : "nobody", *i->team ? " of " : "", i->team);
}

int pk_incident_aware(struct pk_incident *i, const struct pk_incident_by *by)
{
	if (i->at_ms[PK_CLOCK_AWARE])
		return -EALREADY;
	i->at_ms[PK_CLOCK_AWARE] = by->now_ms;
	(void)pk_incident_note(i, by, PK_DEED_STATUS,
			       "known to be significant: legal clocks begin");
	return 0;
}

void pk_incident_rule(struct pk_incident *i, enum pk_verdict_id v, const struct pk_incident_by *by)
{
	i->verdict = v;
	(void)pk_incident_note(i, by, PK_DEED_STATUS, "verdict %s", pk_verdict_name(v));
}

void pk_incident_rate(struct pk_incident *i, int64_t now_ms)
{
	const struct pk_incident_by by = { "picket", NULL, now_ms };
	enum pk_severity most = PK_INFORMATIONAL;
	int tactics = __builtin_popcount(i->tactics);

	for (size_t k = 0; k < i->alerts; k++)
		if (i->alert[k].severity > most)
			most = i->alert[k].severity;
	/* one sign may be a mistake; three steps of one attack hardly are */
	if (tactics >= 3 && most < PK_CRITICAL)
		most++;
	if (most <= i->severity)
		return;
	if (i->severity)
		(void)pk_incident_note(i, &by, PK_DEED_SEVERITY, "severity %s, was %s%s",
				       pk_severity_name(most), pk_severity_name(i->severity),
				       tactics >= 3 ? ": several steps of an attack" : "");
	i->severity = most;
	i->revision++;
}

struct pk_incident_alert *pk_incident_alert_add(struct pk_incident *i)
{
	void *more;

	if (i->alerts == PK_INCIDENT_ALERTS)
		return NULL;
	if (i->alerts && i->alerts & (i->alerts - 1))
		return &i->alert[i->alerts++]; /* there is room up to a power of two */
	more = realloc(i->alert, (i->alerts ? i->alerts * 2 : 1) * sizeof(*i->alert));
	if (!more)
		return NULL;
	i->alert = more;
	return &i->alert[i->alerts++];
}

struct pk_incident_wait *pk_incident_wait_add(struct pk_incident *i)
{
	if (!i->wait)
		i->wait = calloc(PK_INCIDENT_WAITS, sizeof(*i->wait));
	if (!i->wait || i->waits == PK_INCIDENT_WAITS)
		return NULL;
	i->wait[i->waits] = (struct pk_incident_wait){ 0 };
	return &i->wait[i->waits++];
}

void pk_incident_wait_drop(struct pk_incident *i, size_t k)
{
	i->waits--;
	memmove(&i->wait[k], &i->wait[k + 1], (i->waits - k) * sizeof(*i->wait));
}

void pk_incident_done(struct pk_incident *i)
{
	free(i->assessed);
	free(i->wait);
	free(i->alert);
	free(i->act);
	free(i->graph);
	*i = (struct pk_incident){ 0 };
}
