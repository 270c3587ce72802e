/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements to text and back. Reading is strict: a member that is missing, unknown or of another
 * kind refuses the whole, for what one version does not understand it must not take as understood.
 */
#include "sign/statement.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "base/json.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VERSION_MAX ((1ull << 53) - 1) /* what every reader of JSON holds exactly */
#define TIME_TEXT   21                 /* "2026-01-02T03:04:05Z" and NUL */
#define YEAR_MAX    9999

static const char *const options[] = { "column",       "dir",      "force_cover", "format", "kind",
				       "mode",         "port",     "proto",       "ttl",    "wide",
				       "refuse_query", "skip_bad", "sni_only" };

static void json_freep(json_t **j)
{
	json_decref(*j);
}

static bool is_name(const char *s)
{
	size_t n = strlen(s);

	return n && n < PK_SIGNED_NAME && *s != '.' &&
	       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

static bool is_option(const char *name)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(options); i++)
		if (strcmp(options[i], name) == 0)
			return true;
	return false;
}

static bool is_value(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return n && n < PK_SIGNED_VALUE;
}

/* RFC 3339 in UTC, whole seconds: the one spelling that we write. */
static int read_time(const char *s, int64_t *ret_s)
{
	struct tm tm = { 0 };
	char again[TIME_TEXT];
	time_t t;

	if (!s || strlen(s) != TIME_TEXT - 1 || !strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return -EINVAL;
	t = timegm(&tm);
	/* a 31st of June is told by what comes out of it */
	if (t <= 0 || !gmtime_r(&t, &tm) ||
	    !strftime(again, sizeof(again), "%Y-%m-%dT%H:%M:%SZ", &tm) || strcmp(again, s) != 0)
		return -EINVAL;
	*ret_s = t;
	return 0;
}

static int write_time(struct pk_json *j, const char *key, int64_t s)
{
	char text[TIME_TEXT];
	time_t t = (time_t)s;
	struct tm tm;

	if (s <= 0 || !gmtime_r(&t, &tm) || tm.tm_year + 1900 > YEAR_MAX ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return -EINVAL;
	pk_json_str(j, key, text);
	return 0;
}

static bool is_sane(const struct pk_statement *s)
{
	return is_name(s->list) && s->version && s->version <= VERSION_MAX && s->created_s > 0 &&
	       s->expires_s > s->created_s && s->count <= VERSION_MAX && s->size <= VERSION_MAX;
}

const char *pk_statement_option(const struct pk_statement *s, const char *name)
{
	for (size_t i = 0; i < s->options; i++)
		if (strcmp(s->option[i].name, name) == 0)
			return s->option[i].value;
	return NULL;
}

int pk_statement_set_option(struct pk_statement *s, const char *name, const char *value)
{
	size_t at = 0;

	if (!is_option(name) || !is_value(value))
		return -EINVAL;
	while (at < s->options && strcmp(s->option[at].name, name) < 0)
		at++;
	if (at == s->options || strcmp(s->option[at].name, name) != 0) {
		if (s->options == PK_SIGNED_OPTIONS)
			return -E2BIG;
		memmove(&s->option[at + 1], &s->option[at],
			(s->options - at) * sizeof(s->option[0]));
		s->options++;
	}
	snprintf(s->option[at].name, sizeof(s->option[at].name), "%s", name);
	snprintf(s->option[at].value, sizeof(s->option[at].value), "%s", value);
	return 0;
}

int pk_statement_write(const struct pk_statement *s, struct pk_buf *out)
{
	char hex[2 * sizeof(s->sha256) + 1];
	struct pk_json j;
	int r;

	if (!is_sane(s))
		return -EINVAL;
	pk_hex(s->sha256, sizeof(s->sha256), hex);
	pk_json_init(&j, out);
	pk_json_obj(&j, NULL);
	pk_json_u64(&j, "count", s->count);
	r = write_time(&j, "created", s->created_s);
	if (r == 0)
		r = write_time(&j, "expires", s->expires_s);
	pk_json_str(&j, "list", s->list);
	pk_json_obj(&j, "options");
	for (size_t i = 0; i < s->options; i++)
		pk_json_str(&j, s->option[i].name, s->option[i].value);
	pk_json_end(&j);
	pk_json_u64(&j, "schema", PK_STATEMENT_SCHEMA);
	pk_json_str(&j, "sha256", hex);
	pk_json_u64(&j, "size", s->size);
	pk_json_u64(&j, "version", s->version);
	pk_json_end(&j);
	return r < 0 ? r : out->error;
}

static int read_number(const json_t *o, const char *key, uint64_t *ret)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return -EINVAL;
	*ret = (uint64_t)json_integer_value(v);
	return 0;
}

static enum pk_refusal read_options(json_t *o, struct pk_statement *s)
{
	const char *name;
	json_t *v;

	if (!json_is_object(o))
		return PK_REFUSED_MALFORMED;
	json_object_foreach(o, name, v)
	{
		if (!json_is_string(v))
			return PK_REFUSED_MALFORMED;
		if (pk_statement_set_option(s, name, json_string_value(v)) < 0)
			return PK_REFUSED_OPTION;
	}
	return PK_SIGNED_OK;
}

static enum pk_refusal read_members(json_t *o, struct pk_statement *s)
{
	const char *list = json_string_value(json_object_get(o, "list"));
	uint64_t schema;

	/* nine members, and all of them are read below: so there is no other */
	if (!json_is_object(o) || json_object_size(o) != 9 ||
	    read_number(o, "schema", &schema) < 0 || schema != PK_STATEMENT_SCHEMA || !list ||
	    !is_name(list) || read_number(o, "version", &s->version) < 0 ||
	    read_number(o, "count", &s->count) < 0 || read_number(o, "size", &s->size) < 0 ||
	    read_time(json_string_value(json_object_get(o, "created")), &s->created_s) < 0 ||
	    read_time(json_string_value(json_object_get(o, "expires")), &s->expires_s) < 0 ||
	    pk_hex_parse(json_string_value(json_object_get(o, "sha256")), s->sha256,
			 sizeof(s->sha256)) < 0)
		return PK_REFUSED_MALFORMED;
	snprintf(s->list, sizeof(s->list), "%s", list);
	return is_sane(s) ? read_options(json_object_get(o, "options"), s) : PK_REFUSED_MALFORMED;
}

enum pk_refusal pk_statement_read(const void *text, size_t len, struct pk_statement *ret)
{
	_cleanup_(json_freep) json_t *o = NULL;
	struct pk_statement s = { 0 };
	enum pk_refusal r;

	if (len > PK_STATEMENT_MAX)
		return PK_REFUSED_TOO_LARGE;
	o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	r = read_members(o, &s);
	if (r == PK_SIGNED_OK)
		*ret = s;
	return r;
}

static void digest(const void *content, size_t len, uint8_t ret[32])
{
	if (EVP_Digest(content, len, ret, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* SHA-256 is built in: without it nothing signed means anything */
}

void pk_statement_set_content(struct pk_statement *s, const void *content, size_t len)
{
	s->size = len;
	digest(content, len, s->sha256);
}

enum pk_refusal pk_statement_fits(const struct pk_statement *s, const void *content, size_t len)
{
	uint8_t is[32];

	if (len != s->size)
		return PK_REFUSED_DIGEST;
	digest(content, len, is);
	return memcmp(is, s->sha256, sizeof(is)) == 0 ? PK_SIGNED_OK : PK_REFUSED_DIGEST;
}
