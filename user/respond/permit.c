/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done without a person: so many runs an hour, of their steps those that are enabled, and
 * of a playbook whose impact is large none before a person did a step of it. All else is advised,
 * once.
 */
#include "respond/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HOUR_NS 3600000000000ull

/* A bucket that holds an hour's worth. */
bool pk_respond_take_credit(struct pk_respond *r, uint64_t now_ns)
{
	uint64_t each = HOUR_NS / r->conf.rate;

	r->credit_ns += now_ns - r->credit_at_ns;
	if (!r->credit_at_ns || r->credit_ns > HOUR_NS)
		r->credit_ns = HOUR_NS;
	r->credit_at_ns = now_ns;
	if (r->credit_ns < each)
		return false;
	r->credit_ns -= each;
	return true;
}

static bool is_own(const char *who)
{
	return strcmp(who, "picket") == 0 || strncmp(who, "picket:", 7) == 0;
}

/* Has a person done a step of this playbook? It is among the acts, so the next agent knows, too. */
static bool is_decided(const struct step *s)
{
	for (size_t k = 0; k < s->i->acts; k++) {
		const struct pk_incident_act *a = &s->i->act[k];

		if (a->type != PK_DEED_MITIGATION || a->result != PK_DEED_DONE || is_own(a->who))
			continue;
		for (size_t n = 0; n < s->run->p->steps; n++)
			if (s->run->p->step[n].is_manual &&
			    strcmp(s->run->p->step[n].text, a->what) == 0)
				return true;
	}
	return false;
}

int pk_respond_may(const struct step *s, const char *what, char *why, size_t size)
{
	bool grave = s->run->p->impact > PK_PLAYBOOK_IMPACT, advised;
	int activity;

	if (pk_respond_act(s->i, what, true, 0))
		return -EALREADY;
	if (s->run->human)
		return 0;
	if (pk_respond_act(s->i, what, false, 1u << PK_DEED_DONE))
		return -EALREADY; /* it ended, or a person took it back */
	advised = pk_respond_act(s->i, what, false, 1u << PK_DEED_ADVISED);
	if (!s->r->conf.enabled[s->s->command.verb])
		(void)snprintf(why, size, "not in respond.enabled");
	else if (grave && pk_verb_class(s->s->command.verb, &activity) && !is_decided(s))
		(void)snprintf(why, size, "its playbook's impact is %u: a person decides first",
			       s->run->p->impact);
	else if (grave || !advised)
		return 0; /* grave: it was advised to whoever decided since */
	return advised ? -EALREADY : -EPERM;
}
