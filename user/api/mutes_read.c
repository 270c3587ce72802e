/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests about suppressions. A member that is not known is an error, for it was meant.
 */
#include "api/mutes.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/conf.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define SEC 1000000000ull

struct reading {
	enum pk_mute_asked what;
	const struct pk_conf *conf;
	struct pk_mute_ask *to;
	struct pk_buf *error;
};

static int wrong(struct reading *r, const char *key, const char *why)
{
	pk_buf_fmt(r->error, "%s: %s", key, why);
	return -EINVAL;
}

/* A text without control characters, which has a place to be shown in. */
static int text(struct reading *r, const char *key, json_t *v, char *to, size_t size)
{
	const char *s = json_string_value(v);

	if (!s || !*s)
		return wrong(r, key, "expected a text");
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return wrong(r, key, "expected a text of one line");
	if ((size_t)snprintf(to, size, "%s", s) >= size)
		return wrong(r, key, "is too long");
	return 0;
}

static int read_rules(struct reading *r, const char *key, json_t *v)
{
	char rule[PK_MUTE_RULE];
	json_t *one;
	size_t i;

	if (!json_array_size(v))
		return wrong(r, key, "expected an array of names of detectors or ids of rules");
	json_array_foreach(v, i, one)
	{
		if (text(r, key, one, rule, sizeof(rule)) < 0)
			return -EINVAL;
		if (pk_mute_add_rule(&r->to->mute, rule) < 0)
			return wrong(r, key, "are too many for one suppression");
	}
	return 0;
}

static int read_match(struct reading *r, const char *key, json_t *v)
{
	char want[PK_MUTE_TEXT];
	const char *name, *why;
	json_t *one;
	int f;

	if (!json_is_object(v))
		return wrong(r, key, "expected an object of conditions");
	json_object_foreach(v, name, one)
	{
		for (f = 0; f < PK_MUTE_FIELDS && strcmp(pk_mute_field_name(f), name) != 0;)
			f++;
		if (f == PK_MUTE_FIELDS)
			return wrong(r, name,
				     "is no condition; there are process, exe, cmd, user, "
				     "container, remote and name");
		if (text(r, name, one, want, sizeof(want)) < 0)
			return -EINVAL;
		if (pk_mute_want(&r->to->mute, f, want, &why) < 0)
			return wrong(r, name, why);
	}
	return 0;
}

static int read_owner(struct reading *r, const char *key, json_t *v)
{
	return text(r, key, v, r->to->mute.owner, sizeof(r->to->mute.owner));
}

static int read_reason(struct reading *r, const char *key, json_t *v)
{
	return text(r, key, v, r->to->reason, sizeof(r->to->reason));
}

static int read_ttl(struct reading *r, const char *key, json_t *v)
{
	uint64_t max_s = r->conf->mute_ttl_max_ns / SEC;
	json_int_t s = json_integer_value(v);

	if (s < 1 || (uint64_t)s > max_s) {
		pk_buf_fmt(r->error, "%s: expected 1 to %llu seconds (mute.ttl_max)", key,
			   (unsigned long long)max_s);
		return -EINVAL;
	}
	r->to->ttl_ns = (uint64_t)s * SEC;
	return 0;
}

static int read_wide(struct reading *r, const char *key, json_t *v)
{
	if (!json_is_boolean(v))
		return wrong(r, key, "expected true or false");
	r->to->wide = json_is_true(v);
	return 0;
}

#define NEW    (1u << PK_MUTE_ASK_NEW)
#define EXTEND (1u << PK_MUTE_ASK_EXTEND)
#define REMOVE (1u << PK_MUTE_ASK_REMOVE)

static const struct member {
	const char *name;
	unsigned may, must; /* sets of what is asked */
	int (*read)(struct reading *r, const char *key, json_t *v);
} members[] = {
	{ "rules", NEW, NEW, read_rules },
	{ "match", NEW, 0, read_match },
	{ "owner", NEW, 0, read_owner },
	{ "reason", NEW | EXTEND | REMOVE, NEW | EXTEND, read_reason },
	{ "ttl", NEW | EXTEND, EXTEND, read_ttl },
	{ "wide", NEW, 0, read_wide },
};

static int read_members(struct reading *r, json_t *body)
{
	unsigned what = 1u << r->what;
	const char *key;
	json_t *v;

	json_object_foreach(body, key, v)
	{
		size_t i = 0;

		while (i < PK_ARRAY_SIZE(members) && strcmp(members[i].name, key) != 0)
			i++;
		if (i == PK_ARRAY_SIZE(members) || !(members[i].may & what))
			return wrong(r, key, "is not known here");
		if (members[i].read(r, key, v) < 0)
			return -EINVAL;
	}
	for (size_t i = 0; i < PK_ARRAY_SIZE(members); i++)
		if ((members[i].must & what) && !json_object_get(body, members[i].name))
			return wrong(r, members[i].name, "is required");
	return 0;
}

int pk_mute_ask_read(enum pk_mute_asked what, const struct pk_conf *conf, const char *bytes,
		     size_t len, struct pk_mute_ask *ret, struct pk_buf *error)
{
	struct reading r = { .what = what, .conf = conf, .to = ret, .error = error };
	json_t *body = len ? json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL) : json_object();
	int e;

	*ret = (struct pk_mute_ask){ 0 };
	if (json_is_object(body))
		e = read_members(&r, body);
	else
		e = wrong(&r, "the body", "must be a JSON object");
	json_decref(body);
	memcpy(ret->mute.reason, ret->reason, sizeof(ret->reason));
	return e;
}
