/* SPDX-License-Identifier: Apache-2.0 */
/* Values that several tables show the same way. */
#include "column.h"

#include "table.h"

#include <string.h>
#include <time.h>

void pk_column_time(struct pk_buf *out, json_t *record, bool human)
{
	json_int_t ms = json_integer_value(json_object_get(record, "time"));
	time_t s = (time_t)(ms / 1000);
	char text[32] = "";
	struct tm tm;

	if (!human)
		pk_buf_fmt(out, "%lld", (long long)ms);
	else if (localtime_r(&s, &tm) && strftime(text, sizeof(text), "%H:%M:%S", &tm))
		pk_buf_fmt(out, "%s.%03d", text, (int)(ms % 1000));
}

void pk_column_server(struct pk_buf *out, json_t *record, bool human)
{
	const char *ip = pk_json_text(record, "dst_endpoint.ip");

	(void)human;
	if (*ip)
		pk_buf_fmt(out, strchr(ip, ':') ? "[%s]:%.0f" : "%s:%.0f", ip,
			   pk_json_num(record, "dst_endpoint.port"));
}

void pk_column_pid(struct pk_buf *out, json_t *record, bool human)
{
	json_t *pid = pk_json_at(record, "actor.process.pid");

	if (pid)
		pk_buf_fmt(out, "%lld", (long long)json_integer_value(pid));
	else if (human)
		pk_buf_char(out, '-');
}

void pk_column_program(struct pk_buf *out, json_t *record, bool human)
{
	json_t *name = pk_json_at(record, "actor.process.name");

	if (json_string_length(name))
		pk_buf_add(out, json_string_value(name), json_string_length(name));
	else if (human)
		pk_buf_char(out, '-');
}

void pk_column_strings(struct pk_buf *out, json_t *record, const char *path)
{
	json_t *v = pk_json_at(record, path), *s;
	size_t i;

	json_array_foreach(v, i, s)
	{
		if (i)
			pk_buf_char(out, ',');
		pk_buf_add(out, json_string_value(s), json_string_length(s));
	}
}

void pk_column_dns_text(struct pk_buf *out, json_t *text)
{
	const char *s = json_string_value(text);
	size_t n = json_string_length(text);

	for (size_t i = 0; i < n; i++) {
		pk_buf_char(out, s[i]);
		i += s[i] == '\\' && i + 1 < n && s[i + 1] == '\\';
	}
}
