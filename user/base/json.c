/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes JSON into a buffer. Owns commas, nesting and escaping; it does not validate that keys are
 * unique, and it never reads JSON.
 */
#include "base/json.h"

#include "base/buf.h"
#include "base/escape.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pk_json_init(struct pk_json *j, struct pk_buf *out)
{
	*j = (struct pk_json){ .out = out };
	j->first[0] = true;
}

/* Comma and key of the next value. */
static void json_lead(struct pk_json *j, const char *key)
{
	if (!j->first[j->depth])
		pk_buf_char(j->out, ',');
	j->first[j->depth] = false;
	if (!key)
		return;
	pk_buf_char(j->out, '"');
	pk_escape_json(j->out, key, strlen(key));
	pk_buf_add(j->out, "\":", 2);
}

static void json_open(struct pk_json *j, const char *key, bool arr)
{
	json_lead(j, key);
	if (j->depth + 1 >= PK_JSON_DEPTH) {
		if (!j->out->error)
			j->out->error = -EOVERFLOW;
		return;
	}
	j->depth++;
	j->first[j->depth] = true;
	j->arr[j->depth] = arr;
	pk_buf_char(j->out, arr ? '[' : '{');
}

void pk_json_obj(struct pk_json *j, const char *key)
{
	json_open(j, key, false);
}

void pk_json_arr(struct pk_json *j, const char *key)
{
	json_open(j, key, true);
}

void pk_json_end(struct pk_json *j)
{
	if (j->depth == 0) {
		if (!j->out->error)
			j->out->error = -EOVERFLOW;
		return;
	}
	pk_buf_char(j->out, j->arr[j->depth] ? ']' : '}');
	j->depth--;
}

void pk_json_strn(struct pk_json *j, const char *key, const char *s, size_t len)
{
	if (!s)
		return;
	json_lead(j, key);
	pk_buf_char(j->out, '"');
	pk_escape_json(j->out, s, len);
	pk_buf_char(j->out, '"');
}

void pk_json_str(struct pk_json *j, const char *key, const char *s)
{
	if (s)
		pk_json_strn(j, key, s, strlen(s));
}

void pk_json_u64(struct pk_json *j, const char *key, uint64_t v)
{
	char text[20];
	size_t at = sizeof(text);

	json_lead(j, key);
	do
		text[--at] = '0' + v % 10;
	while (v /= 10);
	pk_buf_add(j->out, text + at, sizeof(text) - at);
}

void pk_json_i64(struct pk_json *j, const char *key, int64_t v)
{
	if (v >= 0)
		return pk_json_u64(j, key, (uint64_t)v);
	json_lead(j, key);
	pk_buf_fmt(j->out, "%lld", (long long)v);
}

void pk_json_dbl(struct pk_json *j, const char *key, double v)
{
	char text[32];
	size_t at;

	if (!isfinite(v))
		return pk_json_null(j, key);
	json_lead(j, key);
	at = j->out->len;
	snprintf(text, sizeof(text), "%.15g", v);
	pk_buf_fmt(j->out, "%.*g", strtod(text, NULL) == v ? 15 : 17, v);
	if (j->out->error)
		return;
	for (char *p = j->out->data + at; *p; p++) /* whatever the locale says */
		if (*p == ',')
			*p = '.';
}

void pk_json_bool(struct pk_json *j, const char *key, bool v)
{
	json_lead(j, key);
	pk_buf_str(j->out, v ? "true" : "false");
}

void pk_json_null(struct pk_json *j, const char *key)
{
	json_lead(j, key);
	pk_buf_add(j->out, "null", 4);
}

void pk_json_raw(struct pk_json *j, const char *key, const char *json, size_t len)
{
	json_lead(j, key);
	pk_buf_add(j->out, json, len);
}
