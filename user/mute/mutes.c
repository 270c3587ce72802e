/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the suppressions, in an array sorted by number: they are few, and asked about seldom. */
#include "mute/mutes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct pk_mutes {
	struct pk_mute m[PK_MUTES_MAX];
	size_t n;
	uint64_t last_number, hits;
};

struct pk_mutes *pk_mutes_new(void)
{
	return calloc(1, sizeof(struct pk_mutes));
}

void pk_mutes_free(struct pk_mutes *t)
{
	free(t);
}

/* Is there a place, when what ended longest ago goes? False: all are in force. */
static bool make_room(struct pk_mutes *t)
{
	size_t gone = 0;

	if (t->n < PK_MUTES_MAX)
		return true;
	for (size_t i = 1; i < t->n; i++)
		if (t->m[gone].state == PK_MUTE_ACTIVE ||
		    (t->m[i].state != PK_MUTE_ACTIVE && t->m[i].ended_ms < t->m[gone].ended_ms))
			gone = i;
	if (t->m[gone].state == PK_MUTE_ACTIVE)
		return false;
	memmove(&t->m[gone], &t->m[gone + 1], (--t->n - gone) * sizeof(*t->m));
	return true;
}

static void make_uid(struct pk_mute *m)
{
	time_t s = (time_t)(m->created_ms / 1000);
	char when[24] = "";
	struct tm tm;

	if (gmtime_r(&s, &tm))
		(void)strftime(when, sizeof(when), "%Y%m%dT%H%M%S", &tm);
	(void)snprintf(m->uid, sizeof(m->uid), "mute-%s-%" PRIu64, when, m->number);
}

int pk_mutes_add(struct pk_mutes *t, const struct pk_mute *wish, const char *who, int64_t now_ms,
		 struct pk_mute **ret)
{
	struct pk_mute *m;

	if (!make_room(t))
		return -ENOSPC;
	m = &t->m[t->n++];
	*m = *wish;
	m->number = ++t->last_number;
	m->state = PK_MUTE_ACTIVE;
	m->created_ms = now_ms;
	m->ended_ms = m->last_hit_ms = 0;
	m->hits = m->acts = m->acts_ever = m->acts_kept = 0;
	make_uid(m);
	pk_mute_note(m, who, "created", m->reason, now_ms);
	*ret = m;
	return 0;
}

int pk_mutes_restore(struct pk_mutes *t, const struct pk_mute *m)
{
	struct pk_mute *to;
	size_t at = 0;

	if (pk_mutes_find(t, m->number))
		return -EEXIST;
	if (m->state != PK_MUTE_ACTIVE ? t->n == PK_MUTES_MAX : !make_room(t))
		return -ENOSPC;
	while (at < t->n && t->m[at].number < m->number)
		at++;
	to = &t->m[at];
	memmove(to + 1, to, (t->n++ - at) * sizeof(*to));
	*to = *m;
	if (m->number > t->last_number)
		t->last_number = m->number;
	return 0;
}

struct pk_mute *pk_mutes_find(const struct pk_mutes *t, uint64_t number)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->m[i].number == number)
			return (struct pk_mute *)&t->m[i];
	return NULL;
}

struct pk_mute *pk_mutes_by_uid(const struct pk_mutes *t, const char *uid)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->m[i].uid, uid) == 0)
			return (struct pk_mute *)&t->m[i];
	return NULL;
}

struct pk_mute *pk_mutes_next(const struct pk_mutes *t, const struct pk_mute *m)
{
	size_t i = m ? (size_t)(m - t->m) + 1 : 0;

	return i < t->n ? (struct pk_mute *)&t->m[i] : NULL;
}

bool pk_mutes_name(const struct pk_mutes *t, const char *rule)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; t->m[i].state == PK_MUTE_ACTIVE && k < t->m[i].rules; k++)
			if (strcmp(t->m[i].rule[k], rule) == 0)
				return true;
	return false;
}

struct pk_mute *pk_mutes_take(struct pk_mutes *t, const struct pk_finding *f,
			      const struct pk_filter_subject *s, int64_t now_ms)
{
	for (size_t i = 0; i < t->n; i++) {
		struct pk_mute *m = &t->m[i];

		if (now_ms >= m->expires_ms || !pk_mute_fits(m, f, s))
			continue;
		m->hits++;
		m->last_hit_ms = now_ms;
		t->hits++;
		return m;
	}
	return NULL;
}

int pk_mutes_remove(struct pk_mute *m, const char *who, const char *why, int64_t now_ms)
{
	if (m->state != PK_MUTE_ACTIVE)
		return -EALREADY;
	m->state = PK_MUTE_REMOVED;
	m->ended_ms = now_ms;
	pk_mute_note(m, who, "removed", why, now_ms);
	return 0;
}

static void until(int64_t ms, char *out, size_t size, const char *what)
{
	time_t s = (time_t)(ms / 1000);
	char when[32] = "";
	struct tm tm;

	if (gmtime_r(&s, &tm))
		(void)strftime(when, sizeof(when), "%FT%TZ", &tm);
	(void)snprintf(out, size, "%s until %s", what, when);
}

int pk_mutes_extend(struct pk_mute *m, int64_t expires_ms, const char *who, const char *why,
		    int64_t now_ms)
{
	char what[64];

	if (m->state == PK_MUTE_REMOVED)
		return -EALREADY;
	until(expires_ms, what, sizeof(what), m->state == PK_MUTE_ACTIVE ? "extended" : "renewed");
	m->state = PK_MUTE_ACTIVE;
	m->ended_ms = 0;
	m->expires_ms = expires_ms;
	pk_mute_note(m, who, what, why, now_ms);
	return 0;
}

struct pk_mute *pk_mutes_expire(struct pk_mutes *t, int64_t now_ms)
{
	for (size_t i = 0; i < t->n; i++) {
		struct pk_mute *m = &t->m[i];

		if (m->state != PK_MUTE_ACTIVE || now_ms < m->expires_ms)
			continue;
		m->state = PK_MUTE_EXPIRED;
		m->ended_ms = now_ms;
		pk_mute_note(m, "picketd", "expired", NULL, now_ms);
		return m;
	}
	return NULL;
}

void pk_mutes_counts(const struct pk_mutes *t, struct pk_mutes_count *ret_count)
{
	*ret_count = (struct pk_mutes_count){ .max = PK_MUTES_MAX, .hits = t->hits };
	for (size_t i = 0; i < t->n; i++) {
		ret_count->active += t->m[i].state == PK_MUTE_ACTIVE;
		ret_count->expired += t->m[i].state == PK_MUTE_EXPIRED;
		ret_count->removed += t->m[i].state == PK_MUTE_REMOVED;
	}
}
