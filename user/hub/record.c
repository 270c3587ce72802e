/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a detection finding, bounded in all that its writer chooses. It keeps nothing. */
#include "hub/record.h"

#include "base/cleanup.h"
#include "base/ip.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define EVIDENCES_MAX 16
#define JA4_MAX       4             /* of one flow */
#define TIME_MAX      4102444800000 /* 2100 */

static const char *const refusals[PK_HUB_REFUSALS] = {
	[PK_HUB_TAKEN] = "taken",
	[PK_HUB_OTHER_CLASS] = "other_class",
	[PK_HUB_SUPPRESSED] = "suppressed",
	[PK_HUB_AGAIN] = "again",
	[PK_HUB_TOO_LARGE] = "too_large",
	[PK_HUB_NOT_JSON] = "not_json",
	[PK_HUB_NOT_OCSF] = "not_ocsf",
	[PK_HUB_BAD_SUBJECT] = "bad_subject",
	[PK_HUB_TOO_MANY_HOSTS] = "too_many_hosts",
};

static const char *const kinds[PK_HUB_KINDS] = { [PK_HUB_SOURCE] = "source",
						 [PK_HUB_ADDRESS] = "address",
						 [PK_HUB_NAME] = "name",
						 [PK_HUB_JA4] = "ja4",
						 [PK_HUB_SHA256] = "sha256" };

const char *pk_hub_refusal_name(unsigned why)
{
	return why < PK_HUB_REFUSALS ? refusals[why] : NULL;
}

const char *pk_hub_kind_name(enum pk_hub_kind kind)
{
	return kinds[kind];
}

static void free_json(json_t **j)
{
	json_decref(*j);
}

/* A member of a member; NULL: there is none. */
static json_t *at(json_t *o, const char *first, const char *second)
{
	return json_object_get(json_object_get(o, first), second);
}

/* Printable ASCII without blanks, of 1 to size - 1 bytes. */
static bool take_word(json_t *j, char *ret, size_t size)
{
	const char *s = json_string_value(j);
	size_t len = json_string_length(j);

	if (!s || !len || len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	memcpy(ret, s, len + 1);
	return true;
}

static bool take_number(json_t *j, json_int_t min, json_int_t max, json_int_t *ret)
{
	if (!json_is_integer(j) || json_integer_value(j) < min || json_integer_value(j) > max)
		return false;
	*ret = json_integer_value(j);
	return true;
}

/* Written as we write it, so that one address is one text. */
static bool take_address(json_t *j, char ret[PK_HUB_VALUE_MAX])
{
	const char *s = json_string_value(j);
	char text[PK_IP_TEXT];
	uint8_t addr[16];

	if (!s || pk_ip_parse(s, addr) < 0)
		return false;
	snprintf(ret, PK_HUB_VALUE_MAX, "%s", pk_ip_format(addr, text));
	return true;
}

/* Letters in lower case, no dot at the end. */
static bool take_name(json_t *j, char ret[PK_HUB_VALUE_MAX])
{
	size_t len;

	if (!take_word(j, ret, PK_HUB_VALUE_MAX))
		return false;
	for (char *p = ret; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	len = strlen(ret);
	if (ret[len - 1] == '.')
		ret[--len] = '\0';
	return len && len <= 253;
}

static bool take_ja4(json_t *j, char ret[PK_HUB_VALUE_MAX])
{
	return take_word(j, ret, 64) &&
	       strspn(ret, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(ret);
}

/* 64 hex digits, in lower case. */
static bool take_sha256(json_t *j, char ret[PK_HUB_VALUE_MAX])
{
	if (!take_word(j, ret, 65))
		return false;
	for (char *p = ret; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return strspn(ret, "0123456789abcdef") == 64;
}

static void add(struct pk_hub_record *r, enum pk_hub_kind kind, json_t *j,
		bool (*take)(json_t *j, char ret[PK_HUB_VALUE_MAX]))
{
	struct pk_hub_value v = { .kind = kind };

	if (!j)
		return;
	if (!take(j, v.text)) {
		r->values_lost++;
		return;
	}
	for (size_t i = 0; i < r->values; i++)
		if (r->value[i].kind == kind && strcmp(r->value[i].text, v.text) == 0)
			return;
	if (r->values < PK_HUB_VALUES_MAX)
		r->value[r->values++] = v;
	else
		r->values_lost++;
}

static bool is_at(json_t *end, const char *address)
{
	char text[PK_HUB_VALUE_MAX];

	return take_address(json_object_get(end, "ip"), text) && strcmp(text, address) == 0;
}

/* Which end of the flow is the other side's? The first flow that tells decides. */
static void read_ends(json_t *e, struct pk_hub_record *r)
{
	json_t *src = json_object_get(e, "src_endpoint"), *dst = json_object_get(e, "dst_endpoint");
	bool in = is_at(src, r->remote), out = is_at(dst, r->remote);

	if (!*r->remote || *r->own || in == out)
		return;
	if (!take_address(json_object_get(in ? dst : src, "ip"), r->own))
		return;
	r->inbound = in;
}

static void read_flow(json_t *e, struct pk_hub_record *r)
{
	json_t *list = json_object_get(e, "ja4_fingerprint_list"),
	       *dst = json_object_get(e, "dst_endpoint");

	read_ends(e, r);
	for (size_t i = 0; i < json_array_size(list) && i < JA4_MAX; i++)
		add(r, PK_HUB_JA4, json_object_get(json_array_get(list, i), "value"), take_ja4);
	if (*r->remote && is_at(dst, r->remote)) {
		add(r, PK_HUB_NAME, at(e, "tls", "sni"), take_name);
		add(r, PK_HUB_NAME, json_object_get(dst, "hostname"), take_name);
	}
}

static bool has_name(const struct pk_hub_record *r)
{
	for (size_t i = 0; i < r->values; i++)
		if (r->value[i].kind == PK_HUB_NAME)
			return true;
	return false;
}

static void read_values(json_t *o, json_t *own, struct pk_hub_record *r)
{
	json_t *evidences = json_object_get(o, "evidences"),
	       *remote = json_object_get(own, "remote");

	if (remote && !take_address(remote, r->remote))
		r->values_lost++;
	for (size_t i = 0; i < json_array_size(evidences) && i < EVIDENCES_MAX; i++) {
		read_flow(json_array_get(evidences, i), r);
		add(r, PK_HUB_SHA256, at(json_array_get(evidences, i), "data", "sha256"),
		    take_sha256);
	}
	if (json_array_size(evidences) > EVIDENCES_MAX)
		r->values_lost += (unsigned)(json_array_size(evidences) - EVIDENCES_MAX);
	if (!r->inbound)
		add(r, PK_HUB_NAME, json_object_get(own, "name"), take_name);
	if (!*r->remote)
		return;
	if (r->inbound)
		add(r, PK_HUB_SOURCE, remote, take_address);
	else if (*r->own && !has_name(r))
		add(r, PK_HUB_ADDRESS, remote, take_address);
}

static bool read_head(json_t *o, struct pk_hub_record *r)
{
	json_int_t severity, time, sequence = 0;
	json_t *s = at(o, "metadata", "sequence"), *plain = json_object_get(o, "message");

	if (!take_word(at(o, "metadata", "uid"), r->uid, sizeof(r->uid)) ||
	    !take_word(json_object_get(at(o, "finding_info", "analytic"), "uid"), r->rule,
		       sizeof(r->rule)) ||
	    !take_number(json_object_get(o, "severity_id"), 0, 6, &severity) ||
	    !take_number(json_object_get(o, "time"), 1, TIME_MAX, &time) ||
	    (s && !take_number(s, 0, INT64_MAX, &sequence)) || !json_is_string(plain))
		return false;
	r->severity = (unsigned)severity;
	r->time_ms = time;
	r->sequence = (uint64_t)sequence;
	snprintf(r->plain, sizeof(r->plain), "%s", json_string_value(plain));
	return true;
}

enum pk_hub_refusal pk_hub_record_read(const char *json, size_t len, struct pk_hub_record *ret)
{
	_cleanup_(free_json) json_t *o = NULL;
	json_t *own;

	if (len > PK_HUB_RECORD_MAX)
		return PK_HUB_TOO_LARGE;
	o = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(o))
		return PK_HUB_NOT_JSON;
	if (!json_is_integer(json_object_get(o, "class_uid")))
		return PK_HUB_NOT_OCSF;
	if (json_integer_value(json_object_get(o, "class_uid")) != 2004)
		return PK_HUB_OTHER_CLASS;
	if (json_integer_value(json_object_get(o, "status_id")) == 3)
		return PK_HUB_SUPPRESSED;
	*ret = (struct pk_hub_record){ .values = 0 };
	if (!read_head(o, ret))
		return PK_HUB_NOT_OCSF;
	own = at(o, "unmapped", "picket");
	ret->spoofable = json_is_true(json_object_get(own, "spoofable"));
	read_values(o, own, ret);
	return PK_HUB_TAKEN;
}
