/* SPDX-License-Identifier: Apache-2.0 */
/* Says an entry in the words one would block it with. */
#include "entry.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "table.h"

#include <string.h>
#include <time.h>

void pk_entry_time(struct pk_buf *out, json_int_t ms)
{
	time_t s = (time_t)(ms / 1000);
	char text[32];
	struct tm tm;

	if (localtime_r(&s, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		pk_buf_str(out, text);
}

void pk_entry_ago(struct pk_buf *out, json_int_t ms)
{
	struct timespec now;
	double away;

	clock_gettime(CLOCK_REALTIME, &now);
	away = (double)ms - ((double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6);
	if (away > 0)
		pk_buf_str(out, "in ");
	pk_human_ms(out, away > 0 ? away : -away);
	if (away <= 0)
		pk_buf_str(out, " ago");
}

void pk_v_prefix(struct pk_buf *out, json_t *e, bool human)
{
	json_t *who = json_object_get(e, "who"), *v;
	const char *prefix = pk_json_text(e, "prefix"), *name;

	(void)human;
	if (json_object_get(e, "name"))
		prefix = pk_json_text(e, "name");
	json_object_foreach(who, name, v)
	{
		if (!json_is_string(v))
			continue;
		pk_buf_fmt(out, "%s %s%s", name, json_string_value(v), *prefix ? " to " : "");
	}
	pk_buf_str(out, prefix);
}

static void word(struct pk_buf *out, const char *before, const char *s)
{
	if (*s)
		pk_buf_fmt(out, "%s%s%s", out->len ? " " : "", before, s);
}

void pk_v_limits(struct pk_buf *out, json_t *e, bool human)
{
	_cleanup_(pk_buf_done) struct pk_buf text = {};
	json_t *v;
	size_t i;

	(void)human;
	word(&text, "", pk_json_text(e, "dir"));
	word(&text, "", pk_json_text(e, "proto"));
	word(&text, "port ", pk_json_text(e, "port"));
	word(&text, "iface ", pk_json_text(e, "iface"));
	json_array_foreach(json_object_get(e, "how"), i, v) word(&text, "", json_string_value(v));
	if (text.len)
		pk_buf_add(out, text.data, text.len);
	else if (human)
		pk_buf_char(out, '-');
}

static void time_of(struct pk_buf *out, json_t *e, const char *name, bool human)
{
	json_t *v = json_object_get(e, name);

	if (!v)
		pk_buf_str(out, human ? "-" : "");
	else if (human)
		pk_entry_ago(out, json_integer_value(v));
	else
		pk_buf_fmt(out, "%lld", (long long)json_integer_value(v));
}

void pk_v_expires(struct pk_buf *out, json_t *e, bool human)
{
	time_of(out, e, "expires", human);
}

void pk_v_list(struct pk_buf *out, json_t *e, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(e, "list"));
}

void pk_v_reason(struct pk_buf *out, json_t *e, bool human)
{
	json_t *s = json_object_get(e, "reason");

	(void)human;
	if (json_string_length(s))
		pk_buf_add(out, json_string_value(s), json_string_length(s));
}

void pk_v_hits(struct pk_buf *out, json_t *e, bool human)
{
	double n = pk_json_num(e, "packets");

	if (json_object_get(e, "name"))
		n = pk_json_num(e, "answers") + pk_json_num(e, "hellos_cut") +
		    pk_json_num(e, "queries_refused");
	if (human && n < 1)
		pk_buf_char(out, '-');
	else
		pk_buf_fmt(out, "%.0f", n);
}

void pk_v_last_hit(struct pk_buf *out, json_t *e, bool human)
{
	time_of(out, e, "last_hit", human);
}

void pk_v_last_peer(struct pk_buf *out, json_t *e, bool human)
{
	const char *s = pk_json_text(e, "last_peer");

	pk_buf_str(out, human && !*s ? "-" : s);
}

void pk_entry_text(struct pk_buf *out, json_t *e)
{
	_cleanup_(pk_buf_done) struct pk_buf raw = {};
	_cleanup_(pk_buf_done) struct pk_buf limits = {};

	pk_v_prefix(&raw, e, false);
	pk_v_limits(&limits, e, false);
	if (limits.len)
		pk_buf_fmt(&raw, " %s", limits.data);
	pk_escape_text(out, raw.data ? raw.data : "", raw.len);
}
