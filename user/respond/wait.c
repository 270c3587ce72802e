/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps for people: they are kept with the incident, so that the next agent knows of them, and take
 * no place among the runs. Once one is decided, a run is made that goes on where the other stopped.
 */
#include "respond/run.h"

#include "base/clock.h"
#include "incident/incidents.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct pk_incident_wait *wait_for(const struct step *s)
{
	for (size_t k = 0; k < s->i->waits; k++)
		if (strcmp(s->i->wait[k].playbook, s->run->p->id) == 0 &&
		    strcmp(s->i->wait[k].step, s->s->id) == 0)
			return &s->i->wait[k];
	return NULL;
}

static const char *whom(const struct pk_step *s)
{
	return *s->whom ? s->whom : "a person";
}

/* Written down, so that the next agent knows of it, too. */
static struct pk_incident_wait *ask_person(const struct step *s)
{
	struct pk_incident_wait *w = pk_incident_wait_add(s->i);
	char why[128];

	if (!w) {
		(void)pk_respond_note(s, PK_DEED_REFUSED, s->s->text, "",
				      "so many steps wait for people that there is no room");
		return NULL;
	}
	(void)snprintf(why, sizeof(why), "waits for %s", whom(s->s));
	(void)pk_respond_note(s, PK_DEED_ADVISED, s->s->text, "", why);
	w->number = s->i->acts_ever;
	w->since_ms = pk_clock_wall_ms(s->now_ns);
	w->until_ms = w->since_ms + (int64_t)s->s->timeout_ms;
	(void)snprintf(w->playbook, sizeof(w->playbook), "%s", s->run->p->id);
	(void)snprintf(w->step, sizeof(w->step), "%s", s->s->id);
	(void)snprintf(w->text, sizeof(w->text), "%s", s->s->text);
	(void)snprintf(w->whom, sizeof(w->whom), "%s", whom(s->s));
	for (w->depth = 0; w->depth < s->run->way.depth; w->depth++) {
		(void)snprintf(w->back[w->depth].step, sizeof(w->back[0].step), "%s",
			       s->run->p->step[s->run->way.back[w->depth].step].id);
		w->back[w->depth].branch = s->run->way.back[w->depth].branch;
	}
	return w;
}

/* By itself it asks once; a person who has it run is asked again. */
int pk_respond_ask(const struct step *s)
{
	const unsigned decided = 1u << PK_DEED_DONE | 1u << PK_DEED_FAILED | 1u << PK_DEED_REFUSED;
	struct pk_incident_wait *w = wait_for(s);
	const struct pk_incident_act *a =
		s->run->human ? NULL : pk_respond_act(s->i, s->s->text, false, decided);

	if (w && w->result) { /* decided while another playbook was at work: this one goes on */
		a = a ? a : pk_respond_act(s->i, s->s->text, false, 1u << w->result);
		pk_incident_wait_drop(s->i, (size_t)(w - s->i->wait));
		w = NULL;
	}
	if (!w && a)
		return a->result == PK_DEED_DONE ? 0 : -EPERM;
	if (!w)
		w = ask_person(s);
	if (!w)
		return -ENOSPC;
	if (!w->human) { /* what a person began goes on as his */
		w->human = s->run->human;
		(void)snprintf(w->who, sizeof(w->who), "%s", s->run->who);
		(void)snprintf(w->why, sizeof(w->why), "%s", s->run->why);
	}
	return PAUSED;
}

static const struct pk_step *step_of(const struct pk_playbook *p, const char *id)
{
	for (size_t k = 0; p && k < p->steps; k++)
		if (strcmp(p->step[k].id, id) == 0)
			return &p->step[k];
	return NULL;
}

/* The run as it was when it began to wait. false: its playbook is another one now. */
static bool take_up(const struct pk_respond *r, const struct pk_incident_wait *w,
		    struct run *ret_run)
{
	const struct pk_playbook *p = NULL;
	const struct pk_step *s;

	for (size_t k = 0; k < r->playbooks && !p; k++)
		p = strcmp(r->playbook[k].id, w->playbook) == 0 ? &r->playbook[k] : NULL;
	s = step_of(p, w->step);
	if (!s || !s->is_manual || strcmp(s->text, w->text) != 0)
		return false;
	*ret_run = (struct run){ .p = p, .human = w->human, .way.at = (uint16_t)(s - p->step) };
	(void)snprintf(ret_run->who, sizeof(ret_run->who), "%s", w->who);
	(void)snprintf(ret_run->why, sizeof(ret_run->why), "%s", w->why);
	for (; ret_run->way.depth < w->depth && ret_run->way.depth < DEEP; ret_run->way.depth++) {
		s = step_of(p, w->back[ret_run->way.depth].step);
		if (!s || w->back[ret_run->way.depth].branch >= s->branches)
			return false;
		ret_run->way.back[ret_run->way.depth].step = (uint16_t)(s - p->step);
		ret_run->way.back[ret_run->way.depth].branch = w->back[ret_run->way.depth].branch;
	}
	return true;
}

/* Its own playbook is at work, in other branches beside it, and has room for this one. */
static bool may_join(const struct run *run, const struct pk_incident_wait *w)
{
	size_t room = 0, beside = 0;

	if (!w->depth || run->human != w->human || strcmp(run->p->id, w->playbook) != 0)
		return false;
	for (size_t k = 0; k < WAYS_MAX; k++) {
		const struct way *o = &run->other[k];

		room += !o->used;
		beside += o->used && o->depth &&
			  strcmp(run->p->step[o->back[0].step].id, w->back[0].step) == 0;
	}
	return room && beside;
}

/* What is decided goes on, unless another playbook is at work on the incident, or on too many. */
static void take_on(struct pk_respond *r, struct pk_incident *i, size_t k, uint64_t now_ns)
{
	const struct pk_incident_wait w = i->wait[k];
	struct run *at_work = pk_respond_run(r, i->number), *run = pk_respond_run(r, 0), next;
	const struct pk_step *s;
	uint16_t to;

	if (at_work ? !may_join(at_work, &w) : !run)
		return;
	pk_incident_wait_drop(i, k);
	i->revision++;
	if (!take_up(r, &w, &next))
		return; /* changed since it was decided: by an agent that was begun anew */
	s = &next.p->step[next.way.at];
	to = w.result == PK_DEED_DONE ? s->on_success : s->on_failure;
	if (to == PK_STEP_NONE)
		to = s->next;
	if (at_work) /* other branches are on their way */
		memcpy(next.other, at_work->other, sizeof(next.other));
	next.way.at = to != PK_STEP_NONE ? to : pk_respond_come_back(&next, i);
	next.way.since_ns = now_ns;
	if (!at_work) {
		next.incident = i->number;
		next.remotes = i->remotes_revision;
		*run = next;
	}
	run = at_work ? at_work : run;
	(void)pk_respond_add_way(run, &next.way); /* there is room */
	pk_respond_go_on(r, run, now_ns);
}

static int decide(struct pk_respond *r, struct pk_incident *i, size_t k, enum pk_deed_result result,
		  const struct pk_incident_by *by, uint64_t now_ns)
{
	struct pk_incident_act *a =
		pk_incident_note(i, by, PK_DEED_MITIGATION, "%s", i->wait[k].text);
	struct run run;

	if (a)
		a->result = result;
	if (!take_up(r, &i->wait[k], &run)) {
		pk_incident_wait_drop(i, k);
		a = pk_incident_note(i, by, PK_DEED_MITIGATION,
				     "its playbook is another one now, or gone: nothing follows");
		if (a)
			a->result = PK_DEED_FAILED;
		return -ESTALE;
	}
	i->wait[k].result = result;
	take_on(r, i, k, now_ns);
	return 0;
}

int pk_respond_answer(struct pk_respond *r, struct pk_incident *i, uint64_t number, bool done,
		      const struct pk_incident_by *by, uint64_t now_ns)
{
	size_t found = 0, n = 0;

	for (size_t k = 0; k < i->waits; k++)
		if (!i->wait[k].result && (!number || i->wait[k].number == number)) {
			found = k;
			n++;
		}
	if (n != 1)
		return n ? -ENOTUNIQ : -ENOENT;
	return decide(r, i, found, done ? PK_DEED_DONE : PK_DEED_REFUSED, by, now_ns);
}

size_t pk_respond_drop_waits(struct pk_incident *i, const struct pk_incident_by *by)
{
	size_t n = 0;

	for (; i->waits; pk_incident_wait_drop(i, 0)) {
		struct pk_incident_act *a;

		if (i->wait[0].result)
			continue;
		a = pk_incident_note(i, by, PK_DEED_MITIGATION, "%s", i->wait[0].text);
		if (a)
			a->result = PK_DEED_REFUSED;
		n++;
	}
	return n;
}

/* One at a time: they move. */
void pk_respond_look_at_waits(struct pk_respond *r, struct pk_incident *i, uint64_t now_ns)
{
	struct pk_incident_by by = { "picket", "nobody said in time that it was done",
				     pk_clock_wall_ms(now_ns) };

	if (pk_incident_is_over(i)) {
		by.why = "the incident is over";
		(void)pk_respond_drop_waits(i, &by);
	}
	for (size_t k = 0; k < i->waits; k++) {
		if (i->wait[k].result)
			take_on(r, i, k, now_ns);
		else if (by.now_ms >= i->wait[k].until_ms)
			(void)decide(r, i, k, PK_DEED_FAILED, &by, now_ns); /* -ESTALE is noted */
		else
			continue;
		return;
	}
}
