/* SPDX-License-Identifier: Apache-2.0 */
/* A suppression as a row, as a line, as a page. */
#include "base/cleanup.h"
#include "column.h"
#include "mute.h"
#include "show.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static json_int_t integer(json_t *m, const char *key)
{
	return json_integer_value(json_object_get(m, key));
}

static void v_number(struct pk_buf *out, json_t *m, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%lld", (long long)integer(m, "number"));
}

static void v_state(struct pk_buf *out, json_t *m, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(m, "state"));
}

static void v_rules(struct pk_buf *out, json_t *m, bool human)
{
	(void)human;
	pk_column_strings(out, m, "rules");
}

static void v_match(struct pk_buf *out, json_t *m, bool human)
{
	json_t *match = json_object_get(m, "match"), *v;
	const char *key, *sep = "";

	json_object_foreach(match, key, v)
	{
		pk_buf_fmt(out, "%s%s %s", sep, key,
			   json_string_value(v) ? json_string_value(v) : "");
		sep = ", ";
	}
	if (!*sep && human)
		pk_buf_str(out, "all of it");
}

static void v_owner(struct pk_buf *out, json_t *m, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(m, "owner"));
}

static void v_hits(struct pk_buf *out, json_t *m, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%lld", (long long)integer(m, "hits"));
}

static void clock_of(struct pk_buf *out, json_int_t ms, bool human)
{
	if (!human)
		pk_buf_fmt(out, "%lld", (long long)ms);
	else if (ms)
		pk_show_clock(out, ms);
	else
		pk_buf_char(out, '-');
}

static void v_last_hit(struct pk_buf *out, json_t *m, bool human)
{
	clock_of(out, integer(m, "last_hit"), human);
}

static void v_expires(struct pk_buf *out, json_t *m, bool human)
{
	clock_of(out, integer(m, "expires"), human);
}

static void v_reason(struct pk_buf *out, json_t *m, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(m, "reason"));
}

const struct pk_column pk_mute_columns[] = {
	{ "ID", 3, true, false, v_number },           { "STATE", 7, false, false, v_state },
	{ "RULES", 14, false, false, v_rules },       { "MATCH", 20, false, false, v_match },
	{ "OWNER", 8, false, false, v_owner },        { "HITS", 5, true, false, v_hits },
	{ "LAST_HIT", 19, false, false, v_last_hit }, { "EXPIRES", 19, false, false, v_expires },
	{ "REASON", 20, false, true, v_reason },
};
const size_t pk_mute_columns_n = PK_ARRAY_SIZE(pk_mute_columns);

void pk_mute_line(struct pk_buf *out, json_t *m)
{
	_cleanup_(pk_buf_done) struct pk_buf rules = {};

	v_rules(&rules, m, true);
	pk_buf_fmt(out, "suppression %lld of ", (long long)integer(m, "number"));
	pk_show_text(out, rules.data ? rules.data : "");
	pk_buf_fmt(out, " is %s", pk_json_text(m, "state"));
	if (!strcmp(pk_json_text(m, "state"), "active")) {
		pk_buf_str(out, " until ");
		pk_show_clock(out, integer(m, "expires"));
	}
	pk_buf_fmt(out, ", %lld hits\n", (long long)integer(m, "hits"));
}

static void line(struct pk_buf *out, json_t *m, const char *name,
		 void (*value)(struct pk_buf *, json_t *, bool))
{
	_cleanup_(pk_buf_done) struct pk_buf text = {};

	value(&text, m, true);
	pk_show_line(out, name, text.data ? text.data : "");
}

static void v_created(struct pk_buf *out, json_t *m, bool human)
{
	clock_of(out, integer(m, "created"), human);
}

void pk_mute_page(struct pk_buf *out, json_t *m)
{
	json_t *acts = json_object_get(m, "acts"), *a;
	size_t k;

	pk_mute_line(out, m);
	line(out, m, "match", v_match);
	line(out, m, "reason", v_reason);
	line(out, m, "owner", v_owner);
	line(out, m, "created", v_created);
	line(out, m, "expires", v_expires);
	line(out, m, "last hit", v_last_hit);
	pk_show_line(out, "id", pk_json_text(m, "uid"));
	pk_buf_str(out, "\nWho did what\n");
	json_array_foreach(acts, k, a)
	{
		pk_buf_str(out, "  ");
		pk_show_clock(out, integer(a, "time"));
		pk_buf_str(out, "  ");
		pk_show_text(out, pk_json_text(a, "what"));
		pk_buf_str(out, " by ");
		pk_show_text(out, pk_json_text(a, "who"));
		if (*pk_json_text(a, "why")) {
			pk_buf_str(out, ": ");
			pk_show_text(out, pk_json_text(a, "why"));
		}
		pk_buf_char(out, '\n');
	}
}

void pk_mute_print_json(struct pk_buf *out, json_t *m)
{
	_cleanup_free_ char *text = json_dumps(m, JSON_COMPACT | JSON_ENSURE_ASCII);

	pk_buf_fmt(out, "%s\n", text ? text : "{}");
}
