/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the incidents, what their keys are, and alerts too small to begin one, which wait here until
 * something that shares a key with them does.
 */
#include "incident/incidents.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "detect/alert.h"
#include "incident/index.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOOSE_MAX     128
#define TELL_EACH_NS  1000000000ull
#define SAME_CAUSE_MS (183ll * 86400 * 1000)
#define AFTER_MS      2000 /* an event so long after containment says that there is none */

struct loose {
	struct pk_finding finding; /* its texts behind pointers may be gone */
	struct pk_incident_alert alert;
	struct pk_link_set links;
	uint64_t seen_ns; /* 0: free */
};

struct pk_incidents {
	struct pk_incidents_conf conf;
	struct pk_hash_key hash;
	struct pk_index index;
	struct pk_incident *slot; /* number 0: free */
	struct loose *loose;
	size_t loose_at;
	uint64_t last_number;
	struct pk_incidents_count count;
};

struct pk_incidents *pk_incidents_new(const struct pk_incidents_conf *conf)
{
	struct pk_incidents *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->conf = *conf;
	t->count.max = conf->max;
	pk_hash_key_init(&t->hash);
	t->slot = calloc(conf->max, sizeof(*t->slot));
	t->loose = calloc(LOOSE_MAX, sizeof(*t->loose));
	if (!t->slot || !t->loose || pk_index_init(&t->index, (uint32_t)conf->max * 64) < 0) {
		pk_incidents_free(t);
		return NULL;
	}
	return t;
}

void pk_incidents_free(struct pk_incidents *t)
{
	if (!t)
		return;
	for (size_t i = 0; t->slot && i < t->conf.max; i++)
		pk_incident_done(&t->slot[i]);
	pk_index_done(&t->index);
	free(t->slot);
	free(t->loose);
	free(t);
}

static void copy(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from ? from : "");
}

static void describe(struct pk_incident_alert *to, const struct pk_alert *a, const char *uid)
{
	const struct pk_finding *f = &a->finding;

	*to = (struct pk_incident_alert){ .count = a->count,
					  .first_ms = pk_clock_wall_ms(f->first_ns ? f->first_ns
										   : f->ts_ns),
					  .last_ms = pk_clock_wall_ms(a->last_ns),
					  .severity = f->severity,
					  .spoofable = f->spoofable };
	copy(to->uid, sizeof(to->uid), uid);
	copy(to->rule, sizeof(to->rule), f->rule);
	copy(to->title, sizeof(to->title), f->title);
	copy(to->plain, sizeof(to->plain), f->plain);
	copy(to->next, sizeof(to->next), f->next);
	for (size_t i = 0; i < PK_TECHNIQUES_MAX && f->technique[i]; i++)
		copy(to->technique[i], sizeof(to->technique[i]), f->technique[i]);
}

static struct pk_incident_alert *alert_of(const struct pk_incident *i, const char *uid)
{
	for (size_t k = 0; k < i->alerts; k++)
		if (strcmp(i->alert[k].uid, uid) == 0)
			return &i->alert[k];
	return NULL;
}

static void add_tactics(struct pk_incident *i, const struct pk_incident_alert *a)
{
	for (size_t k = 0; k < PK_TECHNIQUES_MAX && *a->technique[k]; k++) {
		enum pk_tactic t = pk_tactic_of(a->technique[k]);

		if (t < PK_TACTICS && a->severity > PK_INFORMATIONAL)
			i->tactics |= 1u << t;
	}
}

/* Where one more goes. Who is sure takes the place of one that may be forged: else an attacker
 * could fill them with forged ones before he comes himself. */
static struct pk_incident_remote *remote_place(struct pk_incident *i, bool spoofable)
{
	if (i->remotes < PK_INCIDENT_REMOTES)
		return &i->remote[i->remotes++];
	i->remotes_lost++;
	for (size_t k = 0; k < i->remotes && !spoofable; k++)
		if (i->remote[k].spoofable)
			return &i->remote[k];
	return NULL;
}

static void add_remote(struct pk_incident *i, const uint8_t addr[16], bool spoofable)
{
	struct pk_incident_remote *r;

	for (size_t k = 0; k < i->remotes; k++) {
		r = &i->remote[k];
		if (memcmp(r->addr, addr, 16) != 0)
			continue;
		i->remotes_revision += r->spoofable && !spoofable;
		r->spoofable &= spoofable;
		return;
	}
	r = remote_place(i, spoofable);
	if (!r)
		return;
	memcpy(r->addr, addr, 16);
	r->spoofable = spoofable;
	i->remotes_revision++;
}

static uint32_t slot_of(const struct pk_incidents *t, const struct pk_incident *i)
{
	return (uint32_t)(i - t->slot);
}

static void add_keys(struct pk_incidents *t, struct pk_incident *i, const struct pk_link_set *s)
{
	for (size_t k = 0; k < s->n; k++) {
		uint32_t slot = slot_of(t, i);

		if (pk_index_find(&t->index, s->key[k]) == slot)
			continue;
		if (i->keys == PK_INCIDENT_KEYS || pk_index_set(&t->index, s->key[k], slot) < 0)
			t->count.keys_lost++;
		else
			i->key[i->keys++] = s->key[k];
	}
}

/* Events after it was contained: then it is not. */
static void reopen(struct pk_incident *i, const struct pk_incident_alert *a)
{
	const struct pk_incident_by by = { "picket", a->title, a->last_ms };

	if (i->state != PK_INCIDENT_CONTAINED || a->severity < PK_MEDIUM ||
	    a->first_ms < i->at_ms[PK_CLOCK_CONTAINED] + AFTER_MS)
		return;
	i->at_ms[PK_CLOCK_CONTAINED] = 0;
	(void)pk_incident_move(i, PK_INCIDENT_DECLARED, &by); /* allowed from contained */
}

static int by_time(const void *a, const void *b)
{
	const struct pk_incident_alert *x = a, *y = b;

	return (x->first_ms > y->first_ms) - (x->first_ms < y->first_ms);
}

static void put_alert(struct pk_incident *i, const struct pk_incident_alert *a,
		      const struct pk_finding *f, struct pk_enrich *enrich)
{
	struct pk_incident_alert *to = alert_of(i, a->uid);

	if (to) {
		*to = *a;
	} else if ((to = pk_incident_alert_add(i))) {
		*to = *a;
		qsort(i->alert, i->alerts, sizeof(*i->alert), by_time);
	} else {
		i->alerts_lost++;
	}
	add_tactics(i, a);
	if (f->has_remote)
		add_remote(i, f->remote, f->spoofable);
	if (f->procs && f->severity >= i->suspect_severity) {
		i->suspect = f->proc[0];
		i->suspect_severity = f->severity;
	}
	if (i->graph)
		pk_graph_finding(i->graph, enrich, f);
	if (!i->at_ms[PK_CLOCK_OCCURRED] || a->first_ms < i->at_ms[PK_CLOCK_OCCURRED])
		i->at_ms[PK_CLOCK_OCCURRED] = a->first_ms;
	i->updated_ms = a->last_ms;
	i->revision++;
	i->is_ready = false;
	reopen(i, a);
	pk_incident_rate(i, a->last_ms);
}

static bool is_current(const struct pk_incidents *t, const struct pk_incident *i, uint64_t now_ns)
{
	return i->number && !pk_incident_is_over(i) &&
	       (int64_t)now_ns <= i->seen_ns + (int64_t)t->conf.window_ns;
}

/* Worse to lose comes later: over for longest first, else not seen longest; and last of all the one
 * with something in force, since nobody else ends that: a process would stay stopped. */
static bool goes_before(const struct pk_incident *a, const struct pk_incident *b)
{
	bool a_over = pk_incident_is_over(a), b_over = pk_incident_is_over(b);
	bool a_force = pk_incident_is_in_force(a), b_force = pk_incident_is_in_force(b);

	if (a_force != b_force)
		return b_force;
	if (a_over != b_over)
		return a_over;
	return a_over ? a->updated_ms < b->updated_ms : a->seen_ns < b->seen_ns;
}

static void drop(struct pk_incidents *t, struct pk_incident *i)
{
	for (size_t k = 0; k < i->keys; k++)
		if (pk_index_find(&t->index, i->key[k]) == slot_of(t, i))
			pk_index_remove(&t->index, i->key[k]);
	pk_incident_done(i);
	t->count.used--;
	t->count.evicted++;
}

static struct pk_incident *make_room(struct pk_incidents *t)
{
	struct pk_incident *goes = &t->slot[0];

	for (size_t i = 0; i < t->conf.max; i++) {
		if (!t->slot[i].number)
			return &t->slot[i];
		if (goes_before(&t->slot[i], goes))
			goes = &t->slot[i];
	}
	drop(t, goes);
	return goes;
}

static struct pk_incident *begin(struct pk_incidents *t, const struct pk_incident_alert *a)
{
	struct pk_graph *graph = calloc(1, sizeof(*graph));
	time_t s = (time_t)(a->last_ms / 1000);
	struct pk_incident *i;
	struct tm tm;
	char at[24];

	if (!graph) {
		t->count.refused++;
		return NULL;
	}
	i = make_room(t);
	*i = (struct pk_incident){ .number = ++t->last_number,
				   .state = PK_INCIDENT_NEW,
				   .graph = graph,
				   .slot = slot_of(t, i) };
	(void)gmtime_r(&s, &tm);
	(void)strftime(at, sizeof(at), "%Y%m%dT%H%M%S", &tm);
	(void)snprintf(i->uid, sizeof(i->uid), "inc-%s-%" PRIu64, at, i->number);
	copy(i->team, sizeof(i->team), t->conf.team);
	i->at_ms[PK_CLOCK_DETECTED] = a->last_ms;
	t->count.used++;
	t->count.begun++;
	return i;
}

/* What waits for a person goes on doing so. */
static void merge_waits(struct pk_incident *into, struct pk_incident *from,
			const struct pk_incident_by *by)
{
	for (size_t k = 0; k < from->waits; k++) {
		struct pk_incident_wait *to = pk_incident_wait_add(into);
		struct pk_incident_act *a;

		a = pk_incident_note(into, by, PK_DEED_MITIGATION, "%s", from->wait[k].text);
		if (a)
			a->result = !to                    ? PK_DEED_REFUSED
				    : from->wait[k].result ? from->wait[k].result
							   : PK_DEED_ADVISED;
		if (!to)
			continue;
		*to = from->wait[k];
		to->number = into->acts_ever;
	}
	from->waits = 0;
}

/* Moves alerts, acts, keys and graph; what is left is a duplicate that names the other. */
static void merge(struct pk_incidents *t, struct pk_incident *into, struct pk_incident *from,
		  int64_t now_ms)
{
	const struct pk_incident_by by = { "picket", "they share a process, remote or file",
					   now_ms };

	for (size_t k = 0; k < from->alerts; k++) {
		struct pk_incident_alert *to = pk_incident_alert_add(into);

		if (to)
			*to = from->alert[k];
		else
			into->alerts_lost++;
	}
	qsort(into->alert, into->alerts, sizeof(*into->alert), by_time);
	for (size_t k = 0; k < from->remotes; k++)
		add_remote(into, from->remote[k].addr, from->remote[k].spoofable);
	for (size_t k = 0; k < from->keys; k++) {
		const struct pk_link_set one = { .key = { from->key[k] }, .n = 1 };

		if (pk_index_find(&t->index, from->key[k]) == slot_of(t, from))
			add_keys(t, into, &one);
	}
	from->keys = 0;
	pk_graph_merge(into->graph, from->graph);
	into->tactics |= from->tactics;
	if (from->suspect_severity > into->suspect_severity) {
		into->suspect = from->suspect;
		into->suspect_severity = from->suspect_severity;
	}
	for (int c = PK_CLOCK_OCCURRED; c <= PK_CLOCK_DECLARED; c++)
		if (from->at_ms[c] && (!into->at_ms[c] || from->at_ms[c] < into->at_ms[c]))
			into->at_ms[c] = from->at_ms[c];
	if (from->seen_ns > into->seen_ns)
		into->seen_ns = from->seen_ns;
	(void)pk_incident_note(into, &by, PK_DEED_OBSERVATION, "incident %" PRIu64 " is part of it",
			       from->number);
	pk_incident_assess_merge(into, from);
	for (size_t k = 0; k < from->reports; k++) /* those of both: once is enough */
		(void)pk_incident_report_add(into, from->report[k].to, from->report[k].at_ms);
	merge_waits(into, from, &by);
	from->merged_into = into->number;
	(void)pk_incident_move(from, PK_INCIDENT_DUPLICATE, &by); /* from every open state */
	from->alerts = 0;
	t->count.merged++;
}

/* The incident that shares a key; two of them become one, the older. */
static struct pk_incident *lookup(struct pk_incidents *t, const struct pk_link_set *s, bool weak,
				  uint64_t now_ns)
{
	struct pk_incident *found = NULL;

	for (size_t k = 0; k < s->n; k++) {
		uint32_t slot = pk_index_find(&t->index, s->key[k]);
		struct pk_incident *i = slot == PK_INDEX_NONE ? NULL : &t->slot[slot];

		if (!i || i == found || s->weak[k] != weak || !is_current(t, i, now_ns))
			continue;
		if (found && weak)
			continue;
		if (found && i->number < found->number) {
			merge(t, i, found, pk_clock_wall_ms(now_ns));
			found = i;
		} else if (found) {
			merge(t, found, i, pk_clock_wall_ms(now_ns));
		} else {
			found = i;
		}
	}
	return found;
}

static void keep_loose(struct pk_incidents *t, const struct pk_alert *a,
		       const struct pk_incident_alert *told, const struct pk_link_set *s)
{
	struct loose *l = NULL;

	for (size_t k = 0; k < LOOSE_MAX && !l; k++)
		if (t->loose[k].seen_ns && strcmp(t->loose[k].alert.uid, told->uid) == 0)
			l = &t->loose[k];
	if (!l) {
		l = &t->loose[t->loose_at++ % LOOSE_MAX];
		t->count.loose += !l->seen_ns;
	}
	*l = (struct loose){ a->finding, *told, *s, a->last_ns };
}

static bool shares(const struct pk_incidents *t, const struct pk_incident *i,
		   const struct pk_link_set *s)
{
	for (size_t k = 0; k < s->n; k++)
		if (pk_index_find(&t->index, s->key[k]) == slot_of(t, i))
			return true;
	return false;
}

/* Small alerts of before that belong to it; each may bring keys that others share. */
static void gather(struct pk_incidents *t, struct pk_incident *i, uint64_t now_ns)
{
	for (bool more = true; more;) {
		more = false;
		for (size_t k = 0; k < LOOSE_MAX; k++) {
			struct loose *l = &t->loose[k];

			if (!l->seen_ns || now_ns > l->seen_ns + t->conf.window_ns ||
			    !shares(t, i, &l->links))
				continue;
			put_alert(i, &l->alert, &l->finding, t->conf.world.enrich);
			add_keys(t, i, &l->links);
			l->seen_ns = 0;
			t->count.loose--;
			more = true;
		}
	}
}

/* Where it was put, also when that became part of another one since. */
static struct pk_incident *known(struct pk_incidents *t, const struct pk_alert *a)
{
	struct pk_incident *i = a->incident ? pk_incidents_find(t, a->incident) : NULL;

	for (int n = 0; i && i->merged_into && n < 16; n++)
		i = pk_incidents_find(t, i->merged_into);
	return i && !pk_incident_is_over(i) ? i : NULL;
}

struct pk_incident *pk_incidents_take(struct pk_incidents *t, struct pk_alert *a, const char *uid)
{
	struct pk_incident *i = known(t, a);
	struct pk_incident_alert told;
	struct pk_link_set links;

	describe(&told, a, uid);
	t->count.alerts++;
	pk_link_finding(&t->hash, &t->conf.world, &a->finding, &links);
	if (!i)
		i = lookup(t, &links, false, a->last_ns);
	if (!i)
		i = lookup(t, &links, true, a->last_ns);
	if (!i && a->finding.severity < t->conf.begin) {
		keep_loose(t, a, &told, &links);
		return NULL;
	}
	if (!i)
		i = begin(t, &told);
	if (!i)
		return NULL;
	if ((int64_t)a->last_ns > i->seen_ns)
		i->seen_ns = (int64_t)a->last_ns;
	a->incident = i->number;
	put_alert(i, &told, &a->finding, t->conf.world.enrich);
	add_keys(t, i, &links);
	gather(t, i, a->last_ns);
	return i;
}

/* Records tell the wall clock's time, the window of those that may still grow is of boottime. */
static int64_t seen_of(const struct pk_incident *i)
{
	int64_t ms = i->at_ms[PK_CLOCK_DETECTED];

	for (size_t k = 0; k < i->alerts; k++)
		if (i->alert[k].last_ms > ms)
			ms = i->alert[k].last_ms;
	return pk_clock_boot_of(ms);
}

int pk_incidents_restore(struct pk_incidents *t, struct pk_incident *i)
{
	struct pk_incident *to;
	struct pk_link_set links;

	if (pk_incidents_find(t, i->number))
		return -EEXIST;
	if (t->count.used == t->conf.max)
		return -ENOSPC;
	to = make_room(t);
	*to = *i;
	to->slot = slot_of(t, to);
	to->keys = 0;
	to->told = to->revision;
	to->acts_kept = to->acts_ever;
	to->is_ready = true;
	to->seen_ns = seen_of(to);
	*i = (struct pk_incident){ 0 };
	t->count.used++;
	if (to->number > t->last_number)
		t->last_number = to->number;
	for (size_t k = 0; to->graph && k < to->graph->nodes && !pk_incident_is_over(to); k++) {
		pk_link_node(&t->hash, &to->graph->node[k], &links);
		add_keys(t, to, &links);
	}
	return 0;
}

struct pk_incident *pk_incidents_find(const struct pk_incidents *t, uint64_t number)
{
	for (size_t i = 0; number && i < t->conf.max; i++)
		if (t->slot[i].number == number)
			return &t->slot[i];
	return NULL;
}

struct pk_incident *pk_incidents_by_uid(const struct pk_incidents *t, const char *uid)
{
	for (size_t i = 0; i < t->conf.max; i++)
		if (t->slot[i].number && strcmp(t->slot[i].uid, uid) == 0)
			return &t->slot[i];
	return NULL;
}

struct pk_incident *pk_incidents_same_cause(const struct pk_incidents *t,
					    const struct pk_incident *i)
{
	const char *cause = pk_incident_assessed(i, PK_ASSESS_ROOT_CAUSE);

	for (size_t k = 0; *cause && k < t->conf.max; k++) {
		struct pk_incident *o = &t->slot[k];
		int64_t apart = o->at_ms[PK_CLOCK_DETECTED] - i->at_ms[PK_CLOCK_DETECTED];

		if (o->number && o != i && o->state < PK_INCIDENT_DISMISSED &&
		    strcmp(pk_incident_assessed(o, PK_ASSESS_ROOT_CAUSE), cause) == 0 &&
		    (apart < 0 ? -apart : apart) <= SAME_CAUSE_MS)
			return o;
	}
	return NULL;
}

struct pk_incident *pk_incidents_next(const struct pk_incidents *t, const struct pk_incident *i)
{
	uint64_t after = i ? i->number : 0;
	struct pk_incident *next = NULL;

	for (size_t k = 0; k < t->conf.max; k++)
		if (t->slot[k].number > after && (!next || t->slot[k].number < next->number))
			next = &t->slot[k];
	return next;
}

void pk_incidents_counts(const struct pk_incidents *t, struct pk_incidents_count *ret_count)
{
	*ret_count = t->count;
	for (size_t i = 0; i < t->conf.max; i++)
		ret_count->open += t->slot[i].number && !pk_incident_is_over(&t->slot[i]);
}

struct pk_incident *pk_incidents_untold(const struct pk_incidents *t, uint64_t now_ns)
{
	for (size_t i = 0; i < t->conf.max; i++) {
		struct pk_incident *k = &t->slot[i];

		if (k->number && k->told != k->revision &&
		    (!k->told || now_ns >= k->told_ns + TELL_EACH_NS))
			return k;
	}
	return NULL;
}

void pk_incidents_told(struct pk_incident *i, uint64_t now_ns)
{
	i->told = i->revision;
	i->told_ns = now_ns;
}
