/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the runs: one an incident at most, each at one step, or at one in each branch of a parallel
 * step. A step that was asked for is asked for again at each tick until it is done or its time is
 * over; then the way leads on as the playbook says.
 */
#include "respond/run.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ip.h"
#include "incident/incidents.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ACT_WAIT_MS 3000  /* a step that says nothing else */
#define PROVE_MS    10000 /* the same of verify */

struct pk_respond *pk_respond_new(const struct pk_respond_conf *conf,
				  const struct pk_respond_ops *ops, struct pk_incidents *incidents,
				  const struct pk_playbook *playbooks, size_t n)
{
	struct pk_respond *r = calloc(1, sizeof(*r));

	if (r)
		*r = (struct pk_respond){ .conf = *conf,
					  .ops = *ops,
					  .incidents = incidents,
					  .playbook = playbooks,
					  .playbooks = n };
	return r;
}

void pk_respond_free(struct pk_respond *r)
{
	free(r);
}

static bool is_for(const struct pk_playbook *p, const struct pk_incident_alert *a)
{
	if (pk_playbook_is_for(p, NULL, a->rule))
		return true;
	for (size_t k = 0; k < PK_TECHNIQUES_MAX && *a->technique[k]; k++)
		if (pk_playbook_is_for(p, a->technique[k], NULL))
			return true;
	return false;
}

static bool goes_before(const struct pk_playbook *a, const struct pk_playbook *b)
{
	return !b || (a->priority && (!b->priority || a->priority < b->priority));
}

const struct pk_playbook *pk_respond_playbook(const struct pk_respond *r,
					      const struct pk_incident *i)
{
	const struct pk_playbook *found = NULL;

	for (int s = PK_CRITICAL; s >= PK_MEDIUM && !found; s--)
		for (size_t k = 0; k < i->alerts; k++)
			for (size_t n = 0; n < r->playbooks; n++)
				if ((int)i->alert[k].severity == s &&
				    is_for(&r->playbook[n], &i->alert[k]) &&
				    goes_before(&r->playbook[n], found))
					found = &r->playbook[n];
	return found;
}

struct run *pk_respond_run(struct pk_respond *r, uint64_t incident)
{
	for (size_t k = 0; k < RUNS_MAX; k++)
		if (r->run[k].incident == incident)
			return &r->run[k];
	return NULL;
}

static bool begins(const char *text, const char *with)
{
	size_t n = strlen(with);

	return strncmp(text, with, n) == 0 && (!text[n] || text[n] == ' ');
}

struct pk_incident_act *pk_respond_act(const struct pk_incident *i, const char *what, bool in_force,
				       unsigned results)
{
	for (size_t k = 0; k < i->acts; k++)
		if (i->act[k].type == PK_DEED_MITIGATION && begins(i->act[k].what, what) &&
		    (in_force ? *i->act[k].undo != 0 : results >> i->act[k].result & 1))
			return &i->act[k];
	return NULL;
}

struct pk_incident_act *pk_respond_note(const struct step *s, enum pk_deed_result result,
					const char *what, const char *object, const char *why)
{
	const struct pk_incident_by by = { s->run->who, why, pk_clock_wall_ms(s->now_ns) };
	struct pk_incident_act *a;
	int activity = 0;

	a = pk_incident_note(s->i, &by, PK_DEED_MITIGATION, "%s", what);
	if (!a)
		return NULL;
	a->result = result;
	a->class_uid = s->s->is_manual ? 0 : pk_verb_class(s->s->command.verb, &activity);
	a->activity_id = activity;
	(void)snprintf(a->object, sizeof(a->object), "%s", object);
	s->r->count.steps += result == PK_DEED_DONE;
	s->r->count.failed += result == PK_DEED_FAILED || result == PK_DEED_REFUSED;
	s->r->count.advised += result == PK_DEED_ADVISED;
	return a;
}

static void remember(const struct step *s, const uint8_t *addr, const struct pk_proc_id *id)
{
	struct did d = { .verb = s->s->command.verb, .at_ns = s->now_ns };

	if (addr)
		memcpy(d.addr, addr, sizeof(d.addr));
	if (id)
		d.id = *id;
	if (s->run->dids < DIDS_MAX)
		s->run->did[s->run->dids++] = d;
}

/* One step on one object: asks, and writes down what became of it. */
static int do_one(const struct step *s, const char *object, const uint8_t *addr,
		  const struct pk_proc_id *id, const char *undo)
{
	const struct pk_command_step *c = &s->s->command;
	uint64_t ttl_ns = c->ttl_ns ? c->ttl_ns : s->r->conf.ttl_ns;
	struct pk_command_step own = *c;
	char what[160], why[160] = "";
	struct pk_incident_act *a;
	int e;

	(void)snprintf(what, sizeof(what), "%s %s", pk_verb_name(c->verb), object);
	e = pk_respond_may(s, what, why, sizeof(why));
	if (e == -EALREADY && pk_respond_act(s->i, what, true, 0))
		remember(s, addr, id);
	if (e == -EALREADY) /* only advised, again: as it was the first time */
		return pk_respond_act(s->i, what, false, 1u << PK_DEED_DONE) ? 0 : -EPERM;
	if (e == -EPERM) {
		(void)pk_respond_note(s, PK_DEED_ADVISED, what, object, why);
		return -EPERM;
	}
	own.ttl_ns = ttl_ns;
	e = c->verb == PK_VERB_BLOCK
		    ? s->r->ops.block(s->r->ops.arg, s->i, addr, &own, why, sizeof(why))
	    : c->verb == PK_VERB_CUT ? s->r->ops.cut(s->r->ops.arg, addr, why, sizeof(why))
	    : c->verb == PK_VERB_SUSPEND
		    ? s->r->ops.suspend(s->r->ops.arg, id, true, why, sizeof(why))
	    : c->verb == PK_VERB_SNAPSHOT
		    ? s->r->ops.snapshot(s->r->ops.arg, s->i, why, sizeof(why))
		    : s->r->ops.isolate(s->r->ops.arg, true, ttl_ns, why, sizeof(why));
	if (e == -EINPROGRESS)
		(void)snprintf(s->run->way.waiting, sizeof(s->run->way.waiting), "%s", why);
	if (e == -EINPROGRESS)
		return e;
	if (e < 0) {
		if (!pk_respond_act(s->i, what, false,
				    1u << PK_DEED_FAILED | 1u << PK_DEED_REFUSED))
			(void)pk_respond_note(s, e == -EPERM ? PK_DEED_REFUSED : PK_DEED_FAILED,
					      what, object, *why ? why : strerror(-e));
		return e;
	}
	a = pk_respond_note(s, PK_DEED_DONE, what, object, *why ? why : s->run->why);
	if (a && undo) {
		(void)snprintf(a->undo, sizeof(a->undo), "%s", undo);
		a->until_ms = a->time_ms + (int64_t)(ttl_ns / 1000000);
	}
	remember(s, addr, id);
	return 0;
}

/* Worst of two results: waiting beats failing, which beats success. */
static int worse(int a, int b)
{
	if (a == -EINPROGRESS || b == -EINPROGRESS)
		return -EINPROGRESS;
	return a < 0 ? a : b;
}

/* Evidence that may be forged is evidence against nobody. */
static int do_remotes(const struct step *s, const char *undo)
{
	char ip[PK_IP_TEXT], what[96];
	int r = s->i->remotes ? 0 : -ENOENT;
	size_t done = 0;

	for (size_t k = 0; k < s->i->remotes; k++) {
		const struct pk_incident_remote *m = &s->i->remote[k];

		(void)pk_ip_format(m->addr, ip);
		(void)snprintf(what, sizeof(what), "%s %s", pk_verb_name(s->s->command.verb), ip);
		if (!m->spoofable) {
			r = worse(r, do_one(s, ip, m->addr, NULL, undo));
			done++;
		} else if (!pk_respond_act(s->i, what, false, 1u << PK_DEED_REFUSED)) {
			(void)pk_respond_note(s, PK_DEED_REFUSED, what, ip,
					      "all that points to it may be forged");
		}
	}
	return done ? r : -EPERM;
}

static int do_suspend(const struct step *s)
{
	char object[64];

	if (!s->i->suspect.tgid)
		return -ENOENT;
	(void)snprintf(object, sizeof(object), "pid %u", s->i->suspect.tgid);
	return do_one(s, object, NULL, &s->i->suspect, "resume");
}

static bool is_proven(const struct step *s, struct did *d, char *why, size_t size)
{
	if (!d->proven)
		d->proven = s->r->ops.proof(s->r->ops.arg, d->verb, d->addr, &d->id, d->at_ns, why,
					    size) == 0;
	return d->proven;
}

/* All that was done works: then, and only then, it is contained. */
static int do_verify(const struct step *s)
{
	const struct pk_incident_by by = { s->run->who, "proven: what was done works",
					   pk_clock_wall_ms(s->now_ns) };
	char why[160] = "", proven[256] = "";
	size_t n = 0;

	if (s->i->state == PK_INCIDENT_CONTAINED)
		return 0; /* an earlier step proved it */
	for (size_t k = 0; k < s->run->dids; k++) {
		struct did *d = &s->run->did[k];

		if (d->verb == PK_VERB_SNAPSHOT || d->verb == PK_VERB_CUT)
			continue; /* a cut is proven by the block behind it */
		n++;
		if (!is_proven(s, d, why, sizeof(why)))
			return -EINPROGRESS;
	}
	if (!n)
		return -ENOENT;
	(void)snprintf(proven, sizeof(proven), "verify: %zu step%s in force and proven", n,
		       n > 1 ? "s" : "");
	(void)pk_respond_note(s, PK_DEED_DONE, proven, "",
			      *why ? why : "counters and states were looked at");
	if (s->i->state < PK_INCIDENT_CONTAINED)
		(void)pk_incident_move(s->i, PK_INCIDENT_CONTAINED, &by); /* from each of them */
	return 0;
}

static int do_command(const struct step *s)
{
	char why[160] = "";

	switch (s->s->command.verb) {
	case PK_VERB_BLOCK:
		return do_remotes(s, "unblock");
	case PK_VERB_CUT:
		return do_remotes(s, NULL);
	case PK_VERB_SUSPEND:
		return do_suspend(s);
	case PK_VERB_SNAPSHOT:
		return do_one(s, s->i->uid, NULL, NULL, NULL);
	case PK_VERB_ISOLATE:
		return do_one(s, "this host", NULL, NULL, "rejoin");
	case PK_VERB_VERIFY:
		return do_verify(s);
	case PK_VERB_TELL:
	case PK_VERBS:
		break;
	}
	if (pk_respond_act(s->i, "tell a person", false, 1u << PK_DEED_DONE))
		return 0;
	if (s->r->ops.tell(s->r->ops.arg, s->i, why, sizeof(why)) == 0)
		(void)pk_respond_note(s, PK_DEED_DONE, "tell a person", "", why);
	return 0;
}

static long long value_of(const struct pk_incident *i, const char *variable)
{
	bool spoofable = true;

	for (size_t k = 0; k < i->remotes; k++)
		spoofable &= i->remote[k].spoofable;
	if (strcmp(variable, "__severity__") == 0)
		return i->severity;
	if (strcmp(variable, "__pid__") == 0)
		return i->suspect.tgid;
	if (strcmp(variable, "__remote__") == 0)
		return (long long)i->remotes;
	if (strcmp(variable, "__spoofable__") == 0)
		return i->remotes && spoofable;
	return (long long)i->alerts;
}

/* Severity by its name, truth by true and false, the rest as numbers. */
static bool holds(const struct pk_step *s, const struct pk_incident *i)
{
	long long have = value_of(i, s->variable), want = strtoll(s->value, NULL, 10);
	enum pk_severity severity;

	if (pk_severity_parse(s->value, &severity) == 0)
		want = severity;
	if (strcmp(s->value, "true") == 0)
		want = 1;
	return s->op == PK_OP_EQUAL       ? have == want
	       : s->op == PK_OP_NOT_EQUAL ? have != want
					  : have >= want;
}

bool pk_respond_add_way(struct run *run, const struct way *way)
{
	for (size_t k = 0; k < WAYS_MAX; k++) {
		if (run->other[k].used)
			continue;
		run->other[k] = *way;
		run->other[k].used = run->other[k].fresh = true;
		return true;
	}
	return false;
}

/* Is another branch of this parallel step on its way, or does it wait for a person? */
static bool is_open(const struct run *run, const struct pk_incident *i, uint16_t step)
{
	for (size_t k = 0; k < WAYS_MAX; k++)
		for (size_t d = 0; run->other[k].used && d < run->other[k].depth; d++)
			if (run->other[k].back[d].step == step)
				return true;
	for (size_t k = 0; k < i->waits; k++)
		for (size_t d = 0; d < i->wait[k].depth; d++)
			if (strcmp(i->wait[k].playbook, run->p->id) == 0 &&
			    strcmp(i->wait[k].back[d].step, run->p->step[step].id) == 0)
				return true;
	return false;
}

uint16_t pk_respond_come_back(struct run *run, const struct pk_incident *i)
{
	struct way *w = &run->way;

	while (w->depth) {
		uint16_t step = w->back[w->depth - 1].step;
		const struct pk_step *p = &run->p->step[step];

		if (++w->back[w->depth - 1].branch < p->branches)
			return p->branch[w->back[w->depth - 1].branch];
		w->depth--;
		if (is_open(run, i, step))
			return PK_STEP_NONE;
		if (p->next != PK_STEP_NONE)
			return p->next;
	}
	return PK_STEP_NONE;
}

/* All branches begin now. Where there is no room for so many, they follow one another. */
static uint16_t fork_ways(struct run *run, const struct pk_step *s, uint64_t now_ns)
{
	struct way w = run->way;
	size_t room = 0;

	for (size_t k = 0; k < WAYS_MAX; k++)
		room += !run->other[k].used;
	w.back[w.depth].step = w.at;
	w.back[w.depth++].branch = room < s->branches ? 0 : s->branches - 1;
	run->way = w;
	w.waiting[0] = '\0';
	w.since_ns = now_ns;
	for (size_t k = 1; k < s->branches && room >= s->branches; k++) {
		w.at = s->branch[k];
		(void)pk_respond_add_way(run, &w); /* there is room */
	}
	return s->branch[0];
}

static void isolate_no_more(const struct step *s)
{
	char why[160];

	/* what is left of it ends in the kernel, at the time that it was given */
	(void)s->r->ops.isolate(s->r->ops.arg, false, 0, why, sizeof(why));
}

/* Its time is over: told once, however often it is tried. */
static void give_up(const struct step *s)
{
	const char *verb = pk_verb_name(s->s->command.verb), *why = s->run->way.waiting;
	const unsigned failed = 1u << PK_DEED_FAILED | 1u << PK_DEED_REFUSED;

	if (s->s->command.verb == PK_VERB_ISOLATE)
		isolate_no_more(s); /* a part of it may be in force, and nothing would say so */
	if (!pk_respond_act(s->i, verb, false, failed))
		(void)pk_respond_note(s, *why ? PK_DEED_REFUSED : PK_DEED_FAILED, verb, "",
				      *why ? why : "nothing showed in time that it was done");
}

/* The step after this one; -EINPROGRESS: not yet; PAUSED. */
static int next_of(const struct step *s, uint16_t *ret)
{
	uint64_t limit_ms = s->s->timeout_ms                       ? s->s->timeout_ms
			    : s->s->command.verb == PK_VERB_VERIFY ? PROVE_MS
								   : ACT_WAIT_MS;
	int e;

	switch (s->s->type) {
	case PK_STEP_IF:
		*ret = holds(s->s, s->i) ? s->s->on_true : s->s->on_false;
		break;
	case PK_STEP_PARALLEL:
		if (s->run->way.depth == DEEP)
			break;
		*ret = fork_ways(s->run, s->s, s->now_ns);
		return 0;
	case PK_STEP_ACTION:
		e = s->s->is_manual ? pk_respond_ask(s) : do_command(s);
		if (e == PAUSED)
			return e;
		if (e == -EINPROGRESS && s->now_ns - s->run->way.since_ns < limit_ms * 1000000)
			return e;
		if (e == -EINPROGRESS)
			give_up(s);
		*ret = e < 0 ? s->s->on_failure : s->s->on_success;
		break;
	case PK_STEP_START:
	case PK_STEP_END:
		break;
	}
	if (*ret == PK_STEP_NONE)
		*ret = s->s->next;
	return 0;
}

/* Somebody else showed up in the incident while the playbook is at work: what it did about the
 * others is done about him at once, not when it is through. */
static void catch_up(struct step *s)
{
	int r = 0;

	for (uint16_t k = 0; k < s->run->p->steps; k++) {
		s->s = &s->run->p->step[k];
		if (s->run->passed[k] && s->s->type == PK_STEP_ACTION && !s->s->is_manual &&
		    (s->s->command.verb == PK_VERB_BLOCK || s->s->command.verb == PK_VERB_CUT))
			r = worse(r, do_command(s));
	}
	s->run->behind = r == -EINPROGRESS;
}

/* One of its ways, as far as it goes. True: it goes on later. */
static bool walk(struct step *s)
{
	struct run *run = s->run;

	while (run->way.at != PK_STEP_NONE && run->steps++ < 4 * PK_PLAYBOOK_STEPS) {
		uint16_t to = PK_STEP_NONE;
		int e;

		s->s = &run->p->step[run->way.at];
		e = next_of(s, &to);
		if (e == -EINPROGRESS) {
			run->steps--; /* it is looked at often */
			return true;
		}
		if (e == PAUSED)
			return false; /* it takes no place while it waits */
		run->passed[s->s - run->p->step] = true;
		run->way.at = to != PK_STEP_NONE ? to : pk_respond_come_back(run, s->i);
		run->way.since_ns = s->now_ns;
		run->way.waiting[0] = '\0';
	}
	return false;
}

/* The first way that was not gone yet, taken out of its place; false: none. */
static bool take_way(struct run *run)
{
	for (size_t k = 0; k < WAYS_MAX; k++) {
		if (!run->other[k].fresh)
			continue;
		run->way = run->other[k];
		run->other[k].used = run->other[k].fresh = false;
		return true;
	}
	return false;
}

/* There is a place, for only one way is out of its own at a time. */
static void put_back(struct run *run)
{
	size_t k = 0;

	while (k < WAYS_MAX - 1 && run->other[k].used)
		k++;
	run->other[k] = run->way;
	run->other[k].used = true;
	run->other[k].fresh = false;
}

void pk_respond_go_on(struct pk_respond *r, struct run *run, uint64_t now_ns)
{
	struct step s = { .r = r,
			  .run = run,
			  .i = pk_incidents_find(r->incidents, run->incident),
			  .now_ns = now_ns };
	bool more = false;

	if (s.i && run->behind)
		catch_up(&s);
	for (size_t k = 0; k < WAYS_MAX; k++)
		run->other[k].fresh = run->other[k].used;
	while (s.i && take_way(run))
		if (walk(&s)) {
			put_back(run);
			more = true;
		}
	if (!more)
		*run = (struct run){ 0 };
}

static int begin(struct pk_respond *r, struct pk_incident *i, const struct pk_playbook *p,
		 const struct pk_incident_by *by, bool human, uint64_t now_ns)
{
	struct run *run = pk_respond_run(r, 0);

	if (pk_respond_run(r, i->number) || !run)
		return -EBUSY;
	*run = (struct run){
		.incident = i->number, .p = p, .human = human, .remotes = i->remotes_revision
	};
	(void)pk_respond_add_way(run, &(struct way){ .at = p->start, .since_ns = now_ns });
	(void)snprintf(run->who, sizeof(run->who), "%s", by->who);
	(void)snprintf(run->why, sizeof(run->why), "%s", by->why ? by->why : "");
	r->count.runs++;
	pk_respond_go_on(r, run, now_ns);
	return 0;
}

/* Its playbook is at work; whether it has others besides is asked when that is through. */
static void join(struct pk_respond *r, struct run *run, const struct pk_incident *i,
		 uint64_t now_ns)
{
	if (i->remotes_revision == run->remotes)
		return;
	run->remotes = i->remotes_revision;
	if (!run->human && !pk_respond_take_credit(r, now_ns)) {
		r->count.refused_rate++;
		return;
	}
	run->behind = true;
	pk_respond_go_on(r, run, now_ns);
}

void pk_respond_look(struct pk_respond *r, struct pk_incident *i, uint64_t now_ns)
{
	const struct pk_playbook *p;
	struct pk_incident_by by = { .now_ms = pk_clock_wall_ms(now_ns) };
	struct run *run;
	char who[PK_INCIDENT_WHO];

	if (i->is_ready || pk_incident_is_over(i))
		return;
	if ((run = pk_respond_run(r, i->number))) {
		join(r, run, i, now_ns);
		return;
	}
	i->is_ready = true;
	p = pk_respond_playbook(r, i);
	if (!p)
		return;
	if (!pk_respond_take_credit(r, now_ns)) {
		r->count.refused_rate++;
		return;
	}
	(void)snprintf(who, sizeof(who), "picket: playbook %.64s", p->name);
	by.who = who;
	by.why = p->name;
	if (begin(r, i, p, &by, false, now_ns) == -EBUSY)
		i->is_ready = false; /* when a place is free */
}

int pk_respond_contain(struct pk_respond *r, struct pk_incident *i, const struct pk_playbook *p,
		       const struct pk_incident_by *by, uint64_t now_ns)
{
	if (!p)
		p = pk_respond_playbook(r, i);
	return p ? begin(r, i, p, by, true, now_ns) : -ENOENT;
}

/* Whom an act names by number: the incident knows when he began, so that nobody else is meant who
 * has his number now. */
static int named_by(const struct pk_incident *i, const struct pk_incident_act *a,
		    struct pk_proc_id *ret)
{
	uint32_t tgid = 0;

	if (sscanf(a->object, "pid %" SCNu32, &tgid) != 1 || !tgid)
		return -EINVAL;
	if (i->suspect.tgid == tgid) {
		*ret = i->suspect;
		return 0;
	}
	for (size_t k = 0; i->graph && k < i->graph->nodes; k++) {
		const struct pk_graph_node *n = &i->graph->node[k];

		if (n->kind != PK_NODE_PROCESS || n->tgid != tgid)
			continue;
		*ret = (struct pk_proc_id){ .tgid = tgid, .start_ns = n->start_ns };
		return 0;
	}
	return -ESRCH;
}

static int undo_one(const struct pk_respond *r, const struct pk_incident *i,
		    const struct pk_incident_act *a, char *why, size_t size)
{
	struct pk_proc_id id;
	uint8_t addr[16];
	int e;

	if (strcmp(a->undo, "resume") == 0) {
		e = named_by(i, a, &id);
		return e < 0 ? e : r->ops.suspend(r->ops.arg, &id, false, why, size);
	}
	if (strcmp(a->undo, "rejoin") == 0)
		return r->ops.isolate(r->ops.arg, false, 0, why, size);
	return pk_ip_parse(a->object, addr) < 0 ? -EINVAL
						: r->ops.unblock(r->ops.arg, addr, why, size);
}

/* The one after this number: places move when acts are noted. NULL: none. */
static struct pk_incident_act *next_in_force(struct pk_incident *i, uint64_t number)
{
	for (size_t k = 0; k < i->acts; k++)
		if (i->act[k].number > number && *i->act[k].undo)
			return &i->act[k];
	return NULL;
}

size_t pk_respond_revert(struct pk_respond *r, struct pk_incident *i,
			 const struct pk_incident_by *by)
{
	struct run *run = pk_respond_run(r, i->number);
	struct pk_incident_act was = { 0 }, *a;
	size_t n = 0;

	if (run)
		*run = (struct run){ 0 }; /* what a person takes back is not to go on */
	while ((a = next_in_force(i, was.number))) {
		char why[160] = "";
		int e;

		was = *a;
		e = undo_one(r, i, &was, why, sizeof(why));
		if (e == 0 || e == -EINPROGRESS || e == -ENOENT)
			a->undo[0] = '\0';
		a = pk_incident_note(i, by, PK_DEED_MITIGATION, "%s %s", was.undo, was.object);
		if (a) {
			a->class_uid = was.class_uid;
			a->activity_id = 3; /* Restore */
			(void)snprintf(a->object, sizeof(a->object), "%s", was.object);
			a->result = e == 0 || e == -EINPROGRESS || e == -ENOENT ? PK_DEED_DONE
										: PK_DEED_FAILED;
		}
		n++;
	}
	return n + pk_respond_drop_waits(i, by);
}

/* The kernel ends blocks; a process that was stopped only goes on when it is let. 0: it is over. */
static int end_one(const struct pk_respond *r, const struct pk_incident *i,
		   const struct pk_incident_act *a, char *why, size_t size)
{
	(void)snprintf(why, size, "its time is over");
	return strcmp(a->undo, "resume") == 0 ? undo_one(r, i, a, why, size) : 0;
}

/* What ended by itself is in force no more. */
static void expire(const struct pk_respond *r, struct pk_incident *i, uint64_t now_ns)
{
	for (size_t k = 0; k < i->acts; k++) {
		struct pk_incident_act *a = &i->act[k];
		char why[160];
		struct pk_incident_by by = { "picket", why, pk_clock_wall_ms(now_ns) };
		int e;

		if (!*a->undo || !a->until_ms || by.now_ms < a->until_ms)
			continue;
		e = end_one(r, i, a, why, sizeof(why));
		if (e == -EINPROGRESS || e == -EAGAIN)
			continue; /* the broker is asked, or has no time: at the next tick */
		a->undo[0] = '\0';
		a = pk_incident_note(i, &by, PK_DEED_MITIGATION, "end of %.150s", a->what);
		if (a)
			a->result = e == 0 || e == -ESRCH ? PK_DEED_DONE : PK_DEED_FAILED;
		return; /* the acts may have moved: the rest at the next tick */
	}
}

bool pk_respond_hurry(struct pk_respond *r, uint64_t now_ns)
{
	bool any = false;

	for (size_t k = 0; k < RUNS_MAX; k++) {
		if (!r->run[k].incident)
			continue;
		any = true;
		pk_respond_go_on(r, &r->run[k], now_ns);
	}
	return any;
}

void pk_respond_tick(struct pk_respond *r, uint64_t now_ns)
{
	struct pk_incident *i = NULL;

	(void)pk_respond_hurry(r, now_ns); /* the rest is looked at anyway */
	while ((i = pk_incidents_next(r->incidents, i))) {
		expire(r, i, now_ns);
		pk_respond_look_at_waits(r, i, now_ns);
		pk_respond_look(r, i, now_ns);
	}
}

void pk_respond_counts(const struct pk_respond *r, struct pk_respond_count *ret_count)
{
	const struct pk_incident *i = NULL;

	*ret_count = r->count;
	while ((i = pk_incidents_next(r->incidents, i)))
		for (size_t k = 0; k < i->waits; k++)
			ret_count->waiting += !i->wait[k].result;
	for (size_t k = 0; k < RUNS_MAX; k++)
		ret_count->active += r->run[k].incident != 0;
}
