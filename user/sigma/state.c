/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What correlations remember: groups in a hash table of fixed size, each with a list of marks
 * (times of events, values, rules seen) from a pool of fixed size. The group touched last is at the
 * end of one list of all. When room is needed one at its other end is forgotten that comes no more
 * often than the newcomer: groups made up in passing do not wash out a slow one.
 */
#include "sigma/correlation.h"

#include "base/cleanup.h"
#include "base/often.h"
#include "sigma/field.h"
#include "sigma/set.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define NONE      UINT32_MAX
#define GROUP_LEN 128

#define CANDIDATES 4                    /* that a newcomer is compared with */
#define FADE_AFTER (4 * PK_OFTEN_CELLS) /* hits: four in each counter if all were others */

struct mark {
	uint64_t ts_ns;
	uint64_t value; /* hash of a value, or a position */
	uint32_t next;
};

struct group {
	uint64_t digest;                      /* of the correlation */
	uint64_t key;                         /* hash of digest and values */
	uint64_t first_ns, last_ns, until_ns; /* until: when it is over, by itself */
	uint64_t count;                       /* of a window: events; else marks */
	uint32_t head, tail;                  /* marks, oldest first */
	uint32_t next;                        /* hash chain, or free list */
	uint32_t older, newer;
	char text[GROUP_LEN];
};

struct pk_sigma_state {
	struct group *group;
	struct mark *mark;
	uint32_t *bucket;
	uint32_t mask, groups_max, marks_max;
	uint32_t groups_used, marks_used; /* of the arrays, ever */
	uint32_t free_group, free_mark, oldest, newest;
	uint64_t seed, hits;
	struct pk_often *often; /* by key of the group */
	struct pk_sigma_state_counts counts;
};

/* A hit on its way to one correlation. */
struct feed {
	struct pk_sigma_state *s;
	const struct pk_sigma_set *set;
	const struct pk_sigma_hit *hit;
	const struct pk_sigma_ref *ref;
	const struct pk_sigma_correlation *c;
	pk_sigma_hit_fn fn;
	void *arg;
};

void pk_sigma_state_free(struct pk_sigma_state *s)
{
	if (!s)
		return;
	free(s->group);
	free(s->mark);
	free(s->bucket);
	pk_often_free(s->often);
	free(s);
}

/* One that was freed, or never used: what nobody needed was never touched. NONE: none is left. */
static uint32_t take_group(struct pk_sigma_state *s)
{
	uint32_t i = s->free_group;

	if (i == NONE)
		return s->groups_used < s->groups_max ? s->groups_used++ : NONE;
	s->free_group = s->group[i].next;
	return i;
}

static uint32_t take_mark(struct pk_sigma_state *s)
{
	uint32_t i = s->free_mark;

	if (i == NONE)
		return s->marks_used < s->marks_max ? s->marks_used++ : NONE;
	s->free_mark = s->mark[i].next;
	return i;
}

static uint32_t buckets_for(uint32_t groups)
{
	uint32_t buckets = 16;

	while (buckets < groups)
		buckets *= 2;
	return buckets;
}

size_t pk_sigma_state_bytes(uint32_t groups, uint32_t marks)
{
	return sizeof(struct pk_sigma_state) + groups * sizeof(struct group) +
	       marks * sizeof(struct mark) + buckets_for(groups) * sizeof(uint32_t) +
	       PK_OFTEN_BYTES;
}

struct pk_sigma_state *pk_sigma_state_new(uint32_t groups, uint32_t marks)
{
	struct pk_sigma_state *s = calloc(1, sizeof(*s));
	uint32_t buckets = buckets_for(groups);

	if (!s)
		return NULL;
	s->groups_max = groups;
	s->marks_max = marks;
	s->mask = buckets - 1;
	s->oldest = s->newest = s->free_group = s->free_mark = NONE;
	s->group = calloc(groups, sizeof(*s->group));
	s->mark = calloc(marks, sizeof(*s->mark));
	s->bucket = malloc(buckets * sizeof(*s->bucket));
	s->often = pk_often_new();
	if (!s->group || !s->mark || !s->bucket || !s->often || !groups || !marks) {
		pk_sigma_state_free(s);
		return NULL;
	}
	memset(s->bucket, 0xff, buckets * sizeof(*s->bucket));
	if (getrandom(&s->seed, sizeof(s->seed), GRND_NONBLOCK) != sizeof(s->seed))
		s->seed = 0; /* it works, only its order can be guessed */
	s->counts.bytes = pk_sigma_state_bytes(groups, marks);
	s->counts.groups_max = groups;
	s->counts.marks_max = marks;
	return s;
}

void pk_sigma_state_counts(const struct pk_sigma_state *s, struct pk_sigma_state_counts *ret)
{
	*ret = s->counts;
}

static void clear_marks(struct pk_sigma_state *s, struct group *g)
{
	if (g->head != NONE) {
		s->mark[g->tail].next = s->free_mark;
		s->free_mark = g->head;
	}
	for (uint32_t i = g->head; i != NONE; i = i == g->tail ? NONE : s->mark[i].next)
		s->counts.marks--;
	g->head = g->tail = NONE;
	g->count = 0;
}

static void lru_take(struct pk_sigma_state *s, struct group *g)
{
	*(g->older == NONE ? &s->oldest : &s->group[g->older].newer) = g->newer;
	*(g->newer == NONE ? &s->newest : &s->group[g->newer].older) = g->older;
}

static void lru_put(struct pk_sigma_state *s, struct group *g)
{
	uint32_t i = g - s->group;

	g->older = s->newest;
	g->newer = NONE;
	*(s->newest == NONE ? &s->oldest : &s->group[s->newest].newer) = i;
	s->newest = i;
}

static void forget(struct pk_sigma_state *s, struct group *g)
{
	uint32_t *at = &s->bucket[g->key & s->mask], i = g - s->group;

	clear_marks(s, g);
	lru_take(s, g);
	while (*at != i)
		at = &s->group[*at].next;
	*at = g->next;
	g->next = s->free_group;
	s->free_group = i;
	s->counts.groups--;
}

static struct group *find(struct pk_sigma_state *s, uint64_t digest, uint64_t key)
{
	for (uint32_t i = s->bucket[key & s->mask]; i != NONE; i = s->group[i].next)
		if (s->group[i].key == key && s->group[i].digest == digest)
			return &s->group[i];
	return NULL;
}

/* One of the oldest groups goes that comes no more often than n; those that do stay, as if touched.
 * False: all looked at do. */
static bool make_room(struct pk_sigma_state *s, unsigned n)
{
	for (unsigned i = 0; i < CANDIDATES; i++) {
		struct group *g = &s->group[s->oldest];

		if (pk_often_get(s->often, g->key) <= n) {
			forget(s, g);
			s->counts.evicted++;
			return true;
		}
		lru_take(s, g);
		lru_put(s, g);
	}
	s->counts.refused++;
	return false;
}

/* NULL: no room for one that comes as seldom. */
static struct group *make(struct pk_sigma_state *s, uint64_t digest, uint64_t key, unsigned n)
{
	uint32_t *bucket = &s->bucket[key & s->mask], i = take_group(s);

	if (i == NONE) {
		if (!make_room(s, n))
			return NULL;
		i = take_group(s);
	}
	s->group[i] = (struct group){
		.digest = digest, .key = key, .head = NONE, .tail = NONE, .next = *bucket
	};
	*bucket = i;
	lru_put(s, &s->group[i]);
	s->counts.groups++;
	return &s->group[i];
}

/* A free mark, at the cost of the oldest group; NULL: all marks are g's own. */
static struct mark *mark_new(struct pk_sigma_state *s, const struct group *g)
{
	uint32_t i;

	while ((i = take_mark(s)) == NONE) {
		struct group *old = &s->group[s->oldest];

		if (old == g)
			return NULL;
		forget(s, old);
		s->counts.evicted++;
	}
	s->counts.marks++;
	s->mark[i].next = NONE;
	return &s->mark[i];
}

static void unlink_mark(struct pk_sigma_state *s, struct group *g, uint32_t before, uint32_t i)
{
	*(before == NONE ? &g->head : &s->mark[before].next) = s->mark[i].next;
	if (g->tail == i)
		g->tail = before;
	s->mark[i].next = s->free_mark;
	s->free_mark = i;
	g->count--;
	s->counts.marks--;
}

static void add_mark(struct pk_sigma_state *s, struct group *g, uint64_t ts_ns, uint64_t value)
{
	struct mark *m = mark_new(s, g);
	uint32_t i = m ? (uint32_t)(m - s->mark) : NONE;

	if (!m) { /* the pool is g's: its own oldest makes room */
		unlink_mark(s, g, NONE, g->head);
		m = mark_new(s, g);
		i = m - s->mark;
	}
	m->ts_ns = ts_ns;
	m->value = value;
	*(g->tail == NONE ? &g->head : &s->mark[g->tail].next) = i;
	g->tail = i;
	g->count++;
}

static void drop_value(struct pk_sigma_state *s, struct group *g, uint64_t value)
{
	for (uint32_t i = g->head, before = NONE; i != NONE; before = i, i = s->mark[i].next)
		if (s->mark[i].value == value) {
			unlink_mark(s, g, before, i);
			return;
		}
}

static void drop_before(struct pk_sigma_state *s, struct group *g, uint64_t ts_ns)
{
	while (g->head != NONE && s->mark[g->head].ts_ns < ts_ns)
		unlink_mark(s, g, NONE, g->head);
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static bool is_windowed(const struct pk_sigma_correlation *c)
{
	return c->bounds.high != UINT64_MAX || c->bounds.has_not;
}

static bool is_met(const struct pk_sigma_bounds *b, uint64_t count)
{
	return count >= b->low && count <= b->high && !(b->has_not && count == b->not );
}

static void feed_all(struct pk_sigma_state *s, const struct pk_sigma_set *set,
		     const struct pk_sigma_hit *hit, const struct pk_sigma_rule *leaf,
		     pk_sigma_hit_fn fn, void *arg);

static void tell(const struct group *g, const struct pk_sigma_rule *rule,
		 const struct pk_sigma_hit *of, uint64_t first_ns, pk_sigma_hit_fn fn, void *arg,
		 struct pk_sigma_hit *ret_hit)
{
	*ret_hit = (struct pk_sigma_hit){
		.rule = rule, .group = g->text, .count = g->count, .first_ns = first_ns
	};
	if (of) {
		ret_hit->event = of->event;
		ret_hit->found = of->found;
		ret_hit->n_found = of->n_found;
	}
	fn(arg, ret_hit);
}

/* It is true now: tell, start anew, and feed what is above. */
static void fire(const struct feed *f, struct group *g, uint64_t first_ns)
{
	struct pk_sigma_hit hit;
	char text[GROUP_LEN];

	tell(g, f->ref->correlation, f->hit, first_ns, f->fn, f->arg, &hit);
	memcpy(text, g->text, sizeof(text)); /* g may be forgotten above */
	hit.group = text;
	clear_marks(f->s, g);
	feed_all(f->s, f->set, &hit, f->ref->leaf, f->fn, f->arg);
}

/* A window that has ended is judged; the group begins again with the next event. */
static void close_window(struct pk_sigma_state *s, struct group *g,
			 const struct pk_sigma_rule *rule, pk_sigma_hit_fn fn, void *arg)
{
	struct pk_sigma_hit hit;

	if (is_met(&rule->correlation->bounds, g->count))
		tell(g, rule, NULL, g->first_ns, fn, arg, &hit);
	clear_marks(s, g);
}

/* Distinct values, or rules: the newest time of each. */
static void add_value(const struct feed *f, struct group *g, uint64_t ts, uint64_t value)
{
	drop_value(f->s, g, value);
	if (g->count <= PK_SIGMA_VALUES_MAX)
		add_mark(f->s, g, ts, value);
}

static void feed_window(const struct feed *f, struct group *g, uint64_t ts, uint64_t value)
{
	if (g->count && ts > g->first_ns + f->c->timespan_ns)
		close_window(f->s, g, f->ref->correlation, f->fn, f->arg);
	if (!g->count)
		g->first_ns = ts;
	if (f->c->type == PK_SIGMA_EVENT_COUNT)
		g->count++;
	else
		add_value(f, g, ts, value);
	g->until_ns = g->first_ns + f->c->timespan_ns;
}

static void feed_sliding(const struct feed *f, struct group *g, uint64_t ts, uint64_t value)
{
	drop_before(f->s, g, minus(ts, f->c->timespan_ns));
	if (f->c->type == PK_SIGMA_EVENT_COUNT)
		add_mark(f->s, g, ts, value);
	else
		add_value(f, g, ts, value);
	if (g->count >= f->c->bounds.low)
		fire(f, g, f->s->mark[g->head].ts_ns);
}

/* The mark of a position holds when the newest sequence that has got so far began. */
static struct mark *position(struct pk_sigma_state *s, const struct group *g, uint64_t value)
{
	for (uint32_t i = g->head; i != NONE; i = s->mark[i].next)
		if (s->mark[i].value == value)
			return &s->mark[i];
	return NULL;
}

static void feed_ordered(const struct feed *f, struct group *g, uint64_t ts, uint64_t at)
{
	const struct mark *before = at ? position(f->s, g, at - 1) : NULL;
	uint64_t began = at ? (before ? before->ts_ns : 0) : ts;
	struct mark *here = position(f->s, g, at);

	if (at && (!before || ts > began + f->c->timespan_ns))
		return;
	if (here && here->ts_ns < began)
		here->ts_ns = began;
	else if (!here)
		add_mark(f->s, g, began, at);
	if (at + 1 == f->c->rules.n)
		fire(f, g, began);
}

static uint64_t hash_text(uint64_t h, struct pk_sigma_text t)
{
	return XXH3_64bits_withSeed(t.s, t.len, h + t.len);
}

/* The group's key; false: the event lacks a field. */
static bool key_of(const struct feed *f, uint64_t *ret)
{
	uint64_t h = f->s->seed ^ f->ref->correlation->digest;

	for (size_t i = 0; i < f->c->group_by.n; i++) {
		struct pk_sigma_text t = f->hit->event->field[f->ref->group[i]];

		if (!t.s)
			return false;
		h = hash_text(h, t);
	}
	*ret = h;
	return true;
}

static void add_text(char *to, size_t *at, const char *s, size_t len)
{
	if (len > GROUP_LEN - 1 - *at)
		len = GROUP_LEN - 1 - *at;
	memcpy(to + *at, s, len);
	*at += len;
}

static void describe(const struct feed *f, struct group *g)
{
	size_t at = 0;

	for (size_t i = 0; i < f->c->group_by.n; i++) {
		struct pk_sigma_text t = f->hit->event->field[f->ref->group[i]];

		if (i)
			add_text(g->text, &at, ", ", 2);
		add_text(g->text, &at, f->c->group_by.v[i], strlen(f->c->group_by.v[i]));
		add_text(g->text, &at, "=", 1);
		add_text(g->text, &at, t.s, t.len);
	}
	g->text[at] = '\0';
}

/* NULL: there is none, and no room. */
static struct group *group_of(const struct feed *f, uint64_t key)
{
	uint64_t digest = f->ref->correlation->digest;
	unsigned n = pk_often_add(f->s->often, key);
	struct group *g = find(f->s, digest, key);

	if (++f->s->hits % FADE_AFTER == 0)
		pk_often_halve(f->s->often);
	if (g) {
		lru_take(f->s, g);
		lru_put(f->s, g);
		return g;
	}
	g = make(f->s, digest, key, n);
	if (g)
		describe(f, g);
	return g;
}

static void feed_one(const struct feed *f)
{
	struct pk_sigma_text t = f->hit->event->field[f->ref->field];
	uint64_t ts = f->hit->event->ts_ns, key, value = f->ref->position;
	bool counts_values = f->c->type == PK_SIGMA_VALUE_COUNT;
	struct group *g;

	if (!key_of(f, &key) || (counts_values && !t.s)) {
		f->s->counts.ungrouped++;
		return;
	}
	if (counts_values)
		value = hash_text(f->s->seed, t);
	g = group_of(f, key);
	if (!g)
		return;
	g->last_ns = ts > g->last_ns ? ts : g->last_ns;
	g->until_ns = g->last_ns + f->c->timespan_ns;
	if (f->c->type == PK_SIGMA_TEMPORAL_ORDERED)
		feed_ordered(f, g, ts, value);
	else if (is_windowed(f->c))
		feed_window(f, g, ts, value);
	else
		feed_sliding(f, g, ts, value);
}

static void feed_all(struct pk_sigma_state *s, const struct pk_sigma_set *set,
		     const struct pk_sigma_hit *hit, const struct pk_sigma_rule *leaf,
		     pk_sigma_hit_fn fn, void *arg)
{
	for (uint32_t i = 0; i < hit->rule->n_refs; i++) {
		const struct pk_sigma_ref *ref = hit->rule->ref[i];
		struct feed f = { s, set, hit, ref, ref->correlation->correlation, fn, arg };

		if (ref->leaf == leaf)
			feed_one(&f);
	}
}

void pk_sigma_state_feed(struct pk_sigma_state *s, const struct pk_sigma_set *set,
			 const struct pk_sigma_hit *hit, pk_sigma_hit_fn fn, void *arg)
{
	feed_all(s, set, hit, hit->rule, fn, arg);
}

static const struct pk_sigma_rule *rule_of(const struct pk_sigma_set *set, uint64_t digest)
{
	for (size_t i = 0; i < set->rules.n; i++)
		if (set->rules.v[i]->digest == digest && set->rules.v[i]->correlation &&
		    !set->rules.v[i]->problem)
			return set->rules.v[i];
	return NULL;
}

void pk_sigma_state_tick(struct pk_sigma_state *s, const struct pk_sigma_set *set, uint64_t now_ns,
			 pk_sigma_hit_fn fn, void *arg)
{
	for (uint32_t i = s->oldest, newer; i != NONE; i = newer) {
		struct group *g = &s->group[i];
		const struct pk_sigma_rule *rule;

		newer = g->newer;
		if (now_ns <= g->until_ns)
			continue;
		rule = g->count ? rule_of(set, g->digest) : NULL;
		if (rule && is_windowed(rule->correlation))
			close_window(s, g, rule, fn, arg);
		forget(s, g);
	}
}
