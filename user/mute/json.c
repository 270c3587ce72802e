/* SPDX-License-Identifier: Apache-2.0 */
/* Writes with the writer, reads by jansson. What is read comes from a file: all is checked again.
 */
#include "mute/json.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/json.h"
#include "mute/mutes.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void write_act(struct pk_json *j, const struct pk_mute_act *a)
{
	pk_json_u64(j, "number", a->number);
	pk_json_i64(j, "time", a->time_ms);
	pk_json_str(j, "who", a->who);
	pk_json_str(j, "what", a->what);
	if (a->why[0])
		pk_json_str(j, "why", a->why);
}

static void write_what(struct pk_json *j, const struct pk_mute *m)
{
	pk_json_arr(j, "rules");
	for (size_t i = 0; i < m->rules; i++)
		pk_json_str(j, NULL, m->rule[i]);
	pk_json_end(j);
	pk_json_obj(j, "match");
	for (int i = 0; i < PK_MUTE_FIELDS; i++)
		if (m->want[i][0])
			pk_json_str(j, pk_mute_field_name(i), m->want[i]);
	pk_json_end(j);
}

void pk_mute_write(struct pk_json *j, const struct pk_mute *m, const bool *kept)
{
	pk_json_obj(j, NULL);
	pk_json_str(j, "uid", m->uid);
	pk_json_u64(j, "number", m->number);
	pk_json_str(j, "state", pk_mute_state_name(m->state));
	write_what(j, m);
	pk_json_str(j, "owner", m->owner);
	pk_json_str(j, "reason", m->reason);
	pk_json_i64(j, "created", m->created_ms);
	pk_json_i64(j, "expires", m->expires_ms);
	if (m->ended_ms)
		pk_json_i64(j, "ended", m->ended_ms);
	pk_json_u64(j, "hits", m->hits);
	if (m->last_hit_ms)
		pk_json_i64(j, "last_hit", m->last_hit_ms);
	if (kept)
		pk_json_bool(j, "kept", *kept);
	pk_json_u64(j, "acts_ever", m->acts_ever);
	pk_json_arr(j, "acts");
	for (size_t i = 0; i < m->acts; i++) {
		pk_json_obj(j, NULL);
		write_act(j, &m->act[i]);
		pk_json_end(j);
	}
	pk_json_end(j);
	pk_json_end(j);
}

void pk_mute_write_act(struct pk_json *j, const struct pk_mute *m, const struct pk_mute_act *a)
{
	pk_json_obj(j, NULL);
	pk_json_str(j, "mute", m->uid);
	write_act(j, a);
	write_what(j, m);
	pk_json_str(j, "owner", m->owner);
	pk_json_i64(j, "expires", m->expires_ms);
	pk_json_end(j);
}

void pk_mute_write_counts(struct pk_json *j, const char *key, const struct pk_mutes *all)
{
	struct pk_mutes_count n;

	pk_mutes_counts(all, &n);
	pk_json_obj(j, key);
	pk_json_u64(j, "active", n.active);
	pk_json_u64(j, "expired", n.expired);
	pk_json_u64(j, "removed", n.removed);
	pk_json_u64(j, "max", n.max);
	pk_json_u64(j, "hits", n.hits);
	pk_json_end(j);
}

/* False: no such text, or it is too long. */
static bool text(json_t *v, char *to, size_t size)
{
	_cleanup_free_ char *s = json_is_string(v) ? strdup(json_string_value(v)) : NULL;

	if (!s)
		return false;
	pk_unescape_json(s);
	return (size_t)snprintf(to, size, "%s", s) < size;
}

static int64_t number(json_t *o, const char *key)
{
	int64_t v = json_integer_value(json_object_get(o, key));

	return v < 0 ? 0 : v;
}

static bool read_what(json_t *o, struct pk_mute *m)
{
	json_t *rules = json_object_get(o, "rules"), *match = json_object_get(o, "match"), *v;
	char s[PK_MUTE_TEXT];
	const char *why;
	size_t i;

	json_array_foreach(rules, i, v)
	{
		if (!text(v, s, PK_MUTE_RULE) || pk_mute_add_rule(m, s) < 0)
			return false;
	}
	for (int f = 0; f < PK_MUTE_FIELDS; f++) {
		v = json_object_get(match, pk_mute_field_name(f));
		if (v && (!text(v, s, sizeof(s)) || pk_mute_want(m, f, s, &why) < 0))
			return false;
	}
	return true;
}

static bool read_acts(json_t *acts, struct pk_mute *m)
{
	json_t *o;
	size_t i;

	json_array_foreach(acts, i, o)
	{
		struct pk_mute_act *a = &m->act[m->acts];

		if (m->acts == PK_MUTE_ACTS ||
		    !text(json_object_get(o, "who"), a->who, sizeof(a->who)) ||
		    !text(json_object_get(o, "what"), a->what, sizeof(a->what)))
			return false;
		if (json_object_get(o, "why") &&
		    !text(json_object_get(o, "why"), a->why, sizeof(a->why)))
			return false;
		a->number = (uint64_t)number(o, "number");
		a->time_ms = number(o, "time");
		m->acts++;
	}
	return true;
}

static bool read_mute(json_t *o, struct pk_mute *m)
{
	const char *state = json_string_value(json_object_get(o, "state")), *why;

	if (!state || pk_mute_state_parse(state, &m->state) < 0 ||
	    !text(json_object_get(o, "uid"), m->uid, sizeof(m->uid)) ||
	    !text(json_object_get(o, "owner"), m->owner, sizeof(m->owner)) ||
	    !text(json_object_get(o, "reason"), m->reason, sizeof(m->reason)) || !read_what(o, m) ||
	    !read_acts(json_object_get(o, "acts"), m))
		return false;
	m->number = (uint64_t)number(o, "number");
	m->created_ms = number(o, "created");
	m->expires_ms = number(o, "expires");
	m->ended_ms = number(o, "ended");
	m->hits = m->hits_kept = (uint64_t)number(o, "hits");
	m->last_hit_ms = number(o, "last_hit");
	m->acts_ever = m->acts_kept = (uint64_t)number(o, "acts_ever");
	/* who was allowed to make it wide said so then */
	return m->number && m->expires_ms && pk_mute_check(m, true, &why) == 0;
}

int pk_mute_read(const char *json, size_t len, struct pk_mute *ret)
{
	json_t *o = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	struct pk_mute *m = calloc(1, sizeof(*m));
	bool ok = o && m && read_mute(o, m);

	json_decref(o);
	if (ok)
		*ret = *m;
	free(m);
	return ok ? 0 : -EBADMSG;
}
