/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the alerts: slots found by rule and fold number, in lists by when they were seen last. Those
 * that are suppressed have a list of their own and, when all slots are taken, go before others do
 * while they have more than a quarter. It writes no JSON; what must be written at the first finding
 * is given to it as text.
 */
#include "detect/alert.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE    UINT32_MAX
#define TELL_NS 60000000000ull

struct pk_alerts {
	struct pk_alert *slot;
	uint32_t *bucket;
	size_t max, mask;
	uint64_t fold_ns, last_number;
	struct list {
		uint32_t oldest, newest;
		size_t n;
	} list[2]; /* of alerts that are told, of those that are suppressed */
	struct pk_alerts_count count;
};

static struct list *list_of(struct pk_alerts *t, const struct pk_alert *a)
{
	return &t->list[a->finding.mute != 0];
}

struct pk_alerts *pk_alerts_new(size_t max, uint64_t fold_ns)
{
	struct pk_alerts *t = calloc(1, sizeof(*t));
	size_t buckets = 16;

	while (buckets < max)
		buckets *= 2;
	if (!t)
		return NULL;
	*t = (struct pk_alerts){ .slot = calloc(max, sizeof(*t->slot)),
				 .bucket = malloc(buckets * sizeof(*t->bucket)),
				 .max = max,
				 .mask = buckets - 1,
				 .fold_ns = fold_ns,
				 .list = { { NONE, NONE, 0 }, { NONE, NONE, 0 } },
				 .count.max = max };
	if (!t->slot || !t->bucket) {
		pk_alerts_free(t);
		return NULL;
	}
	memset(t->bucket, 0xff, buckets * sizeof(*t->bucket));
	return t;
}

static void drop_texts(struct pk_alert *a)
{
	free(a->evidence);
	free(a->subject);
	free(a->texts);
}

void pk_alerts_free(struct pk_alerts *t)
{
	if (!t)
		return;
	for (size_t i = 0; t->slot && i < t->count.used; i++)
		drop_texts(&t->slot[i]);
	free(t->slot);
	free(t->bucket);
	free(t);
}

static uint32_t *bucket_of(const struct pk_alerts *t, const struct pk_finding *f)
{
	uint64_t h = f->fold;

	for (const char *c = f->rule; *c; c++)
		h = (h ^ (uint8_t)*c) * 0x100000001b3ull;
	return &t->bucket[(h ^ h >> 32) & t->mask];
}

static struct pk_alert *find(const struct pk_alerts *t, const struct pk_finding *f)
{
	for (uint32_t i = *bucket_of(t, f); i != NONE; i = t->slot[i].next) {
		struct pk_alert *a = &t->slot[i];

		if (a->finding.fold == f->fold && strcmp(a->finding.rule, f->rule) == 0)
			return a;
	}
	return NULL;
}

static void leave_list(struct pk_alerts *t, struct pk_alert *a)
{
	struct list *l = list_of(t, a);

	*(a->older != NONE ? &t->slot[a->older].newer : &l->oldest) = a->newer;
	*(a->newer != NONE ? &t->slot[a->newer].older : &l->newest) = a->older;
	l->n--;
}

static void enter_list(struct pk_alerts *t, struct pk_alert *a)
{
	uint32_t i = (uint32_t)(a - t->slot);
	struct list *l = list_of(t, a);

	a->older = l->newest;
	a->newer = NONE;
	*(l->newest != NONE ? &t->slot[l->newest].newer : &l->oldest) = i;
	l->newest = i;
	l->n++;
}

static void leave_bucket(struct pk_alerts *t, struct pk_alert *a)
{
	uint32_t *at = bucket_of(t, &a->finding), i = (uint32_t)(a - t->slot);

	while (*at != i)
		at = &t->slot[*at].next;
	*at = a->next;
}

/* A slot in no list: an unused one, or the one seen longest ago of the list that is to give. */
static struct pk_alert *make_room(struct pk_alerts *t)
{
	struct pk_alert *a;
	bool quiet;

	if (t->count.used < t->max)
		return &t->slot[t->count.used++];
	quiet = t->list[1].n > t->max / 4 || !t->list[0].n;
	a = &t->slot[t->list[quiet].oldest];
	leave_bucket(t, a);
	leave_list(t, a);
	drop_texts(a);
	t->count.evicted++;
	return a;
}

/* All texts behind the finding's pointers in one piece of memory; the pointers then point into it.
 * NULL: out of memory, nothing changed. */
static char *own_texts(struct pk_finding *f)
{
	const char **field[5 + PK_TECHNIQUES_MAX] = { &f->rule, &f->title, &f->author, &f->doubt,
						      &f->next };
	size_t n = 5, len = 1;
	char *texts, *to;

	for (size_t i = 0; i < PK_TECHNIQUES_MAX; i++)
		field[n++] = &f->technique[i];
	for (size_t i = 0; i < n; i++)
		len += *field[i] ? strlen(*field[i]) + 1 : 0;
	texts = to = malloc(len);
	for (size_t i = 0; texts && i < n; i++) {
		if (!*field[i])
			continue;
		*field[i] = strcpy(to, *field[i]);
		to += strlen(to) + 1;
	}
	return texts;
}

static struct pk_alert *add(struct pk_alerts *t, const struct pk_finding *f)
{
	struct pk_finding own = *f;
	char *texts = own_texts(&own);
	struct pk_alert *a;
	uint32_t *at;

	if (!texts) {
		t->count.refused++;
		return NULL;
	}
	a = make_room(t);
	at = bucket_of(t, &own);
	*a = (struct pk_alert){ .finding = own,
				.number = ++t->last_number,
				.count = 1,
				.last_ns = f->ts_ns,
				.next = *at,
				.texts = texts };
	*at = (uint32_t)(a - t->slot);
	enter_list(t, a);
	return a;
}

/* Too long ago to be counted up: it stays to be read, under a number that no finding has. */
static void settle(struct pk_alerts *t, struct pk_alert *a)
{
	uint32_t *at;

	leave_bucket(t, a);
	a->finding.fold = ~a->number;
	at = bucket_of(t, &a->finding);
	a->next = *at;
	*at = (uint32_t)(a - t->slot);
}

struct pk_alert *pk_alerts_take(struct pk_alerts *t, const struct pk_finding *f, bool *ret_is_new)
{
	struct pk_alert *a = find(t, f);

	t->count.findings++;
	*ret_is_new = true;
	if (a && f->ts_ns > a->last_ns + t->fold_ns) {
		settle(t, a);
		a = NULL;
	}
	if (!a)
		return add(t, f);
	*ret_is_new = false;
	t->count.folded++;
	a->count++;
	if (f->ts_ns > a->last_ns)
		a->last_ns = f->ts_ns;
	if (f->severity > a->finding.severity)
		a->finding.severity = f->severity;
	leave_list(t, a);
	enter_list(t, a);
	return a;
}

static char *copy(const char *s, size_t len)
{
	char *c = s ? malloc(len) : NULL;

	return c ? memcpy(c, s, len) : NULL;
}

int pk_alert_keep(struct pk_alert *a, const char *evidence, size_t evidence_len,
		  const char *subject, size_t subject_len)
{
	free(a->evidence);
	free(a->subject);
	a->evidence = copy(evidence, evidence_len);
	a->evidence_len = a->evidence ? evidence_len : 0;
	a->subject = copy(subject, subject_len);
	a->subject_len = a->subject ? subject_len : 0;
	return (evidence && !a->evidence) || (subject && !a->subject) ? -ENOMEM : 0;
}

bool pk_alert_is_due(const struct pk_alert *a, uint64_t now_ns)
{
	return a->count > a->told && (a->count >= a->told * 10 || now_ns > a->told_ns + TELL_NS);
}

struct pk_alert *pk_alerts_find(const struct pk_alerts *t, uint64_t number)
{
	for (struct pk_alert *a = NULL; (a = pk_alerts_next(t, a));)
		if (a->number == number)
			return a;
	return NULL;
}

struct pk_alert *pk_alerts_next(const struct pk_alerts *t, const struct pk_alert *after)
{
	uint32_t i = after ? after->newer : t->list[0].oldest;

	if (i == NONE && (!after || !after->finding.mute))
		i = t->list[1].oldest; /* behind all that are told */
	return i == NONE ? NULL : &t->slot[i];
}

void pk_alerts_counts(const struct pk_alerts *t, struct pk_alerts_count *ret_count)
{
	*ret_count = t->count;
}
