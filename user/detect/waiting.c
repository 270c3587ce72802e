/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the findings that wait, oldest first. Whose a flow is, owner.h knows. */
#include "detect/waiting.h"

#include "detect/owner.h"
#include "flow/local.h"
#include "flow/table.h"

#include <stdlib.h>
#include <string.h>

/* A ring: what was said before its turn leaves a gap, flow 0, until the first is behind it. */
struct pk_waiting {
	const struct pk_world *world;
	void (*found)(void *arg, struct pk_finding *f);
	void *arg;
	struct pk_finding *finding; /* PK_WAITING_MAX of them */
	uint64_t flow[PK_WAITING_MAX], due_ns[PK_WAITING_MAX];
	size_t first, n;
	uint64_t hurried;
};

struct pk_waiting *pk_waiting_new(const struct pk_world *w,
				  void (*found)(void *arg, struct pk_finding *f), void *arg)
{
	struct pk_waiting *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	*q = (struct pk_waiting){ .world = w, .found = found, .arg = arg };
	q->finding = calloc(PK_WAITING_MAX, sizeof(*q->finding));
	if (!q->finding) {
		free(q);
		return NULL;
	}
	return q;
}

void pk_waiting_free(struct pk_waiting *q)
{
	if (!q)
		return;
	free(q->finding);
	free(q);
}

static bool is_local(const struct pk_waiting *q, const struct pk_finding *f, unsigned d)
{
	return q->world->local && pk_local_has(q->world->local, f->key.netns, f->key.addr[d]);
}

/* The end that it is about: who began, if he is here, and else the other one. */
static unsigned near_end(const struct pk_waiting *q, const struct pk_finding *f)
{
	return is_local(q, f, f->initiator) ? f->initiator : !f->initiator;
}

/* Whose this end is is not known, a report of the flow may tell, and there was none yet. */
static bool may_learn(const struct pk_waiting *q, const struct pk_finding *f)
{
	struct pk_finding known = { 0 };
	unsigned near;

	if (!f->has_key || !f->flow || !q->world->flows ||
	    pk_flow_table_find(q->world->flows, f->flow))
		return false;
	near = near_end(q, f);
	if (!is_local(q, f, near))
		return false;
	pk_finding_owner(&known, q->world, &f->key, f->flow, near);
	return !known.procs;
}

/* With what is known by now, first whom it is about. */
static void say(struct pk_waiting *q, size_t at)
{
	struct pk_finding *f = &q->finding[at];
	struct pk_proc_id was[PK_FINDING_PROCS];
	size_t n = f->procs;

	q->flow[at] = 0;
	memcpy(was, f->proc, sizeof(was));
	f->procs = 0;
	pk_finding_owner(f, q->world, &f->key, f->flow, near_end(q, f));
	for (size_t i = 0; i < n; i++)
		pk_finding_proc(f, &was[i]);
	pk_finding_owner(f, q->world, &f->key, f->flow, !near_end(q, f));
	q->found(q->arg, f);
}

static void say_first(struct pk_waiting *q)
{
	if (q->flow[q->first])
		say(q, q->first);
	q->first = (q->first + 1) % PK_WAITING_MAX;
	q->n--;
}

void pk_waiting_take(struct pk_waiting *q, struct pk_finding *f, uint64_t now_ns)
{
	size_t at;

	if (!may_learn(q, f)) {
		q->found(q->arg, f);
		return;
	}
	if (q->n == PK_WAITING_MAX) {
		q->hurried += q->flow[q->first] != 0;
		say_first(q);
	}
	at = (q->first + q->n++) % PK_WAITING_MAX;
	q->finding[at] = *f;
	q->flow[at] = f->flow;
	q->due_ns[at] = now_ns + PK_WAITING_NS;
}

void pk_waiting_flow(struct pk_waiting *q, uint64_t flow)
{
	for (size_t i = 0; i < q->n; i++) {
		size_t at = (q->first + i) % PK_WAITING_MAX;

		if (flow && q->flow[at] == flow)
			say(q, at);
	}
}

void pk_waiting_tick(struct pk_waiting *q, uint64_t now_ns)
{
	while (q->n && (!q->flow[q->first] || q->due_ns[q->first] <= now_ns))
		say_first(q);
}

uint64_t pk_waiting_hurried(const struct pk_waiting *q)
{
	return q->hurried;
}
