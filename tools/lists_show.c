/* SPDX-License-Identifier: Apache-2.0 */
/* Asks for entries page by page, so that a list of any size can be shown. */
#include "lists_show.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "client.h"
#include "entry.h"
#include "outcome.h"

#include <string.h>

#define PAGE 1000

static void add(struct pk_buf *out, const char *s)
{
	pk_escape_text(out, s, strlen(s));
}

static const struct pk_column entries[] = {
	{ "PREFIX", 20, false, false, pk_v_prefix }, { "LIMITS", 15, false, false, pk_v_limits },
	{ "HITS", 8, true, false, pk_v_hits },       { "LAST HIT", 9, false, false, pk_v_last_hit },
	{ "ENDS", 9, false, false, pk_v_expires },   { "REASON", 12, false, true, pk_v_reason },
};

static void bytes(struct pk_buf *out, const char *what, json_t *l, const char *packets,
		  const char *of, const char *n)
{
	if (pk_json_num(l, packets) < 1)
		return;
	pk_buf_fmt(out, "  %s %.0f %s, ", what, pk_json_num(l, packets), of);
	pk_human_bytes(out, pk_json_num(l, n));
	pk_buf_str(out, "B\n");
}

void pk_list_tag(struct pk_buf *out, json_t *of)
{
	json_t *tag = json_object_get(of, "etag");
	size_t n = json_string_length(tag);

	if (n > 2) /* without its quotes */
		pk_escape_text(out, json_string_value(tag) + 1, n - 2);
}

/* What one wants to know before the entries. */
void pk_list_about(struct pk_buf *out, json_t *l)
{
	const char *mode = pk_json_text(l, "mode"), *source = pk_json_text(l, "source");
	const char *who = pk_json_text(l, "who"), *fault = pk_json_text(l, "fault");

	add(out, pk_json_text(l, "name"));
	pk_buf_fmt(out, ": %s list, mode %s, %.0f entries",
		   !strcmp(pk_json_text(l, "kind"), "allow") ? "allow" : "block",
		   !strcmp(mode, "observe")   ? "observe (counts, drops nothing)"
		   : !strcmp(mode, "enforce") ? "enforce"
					      : "off",
		   pk_json_num(l, "entries"));
	if (pk_json_num(l, "names") > 0)
		pk_buf_fmt(out, " (%.0f names)", pk_json_num(l, "names"));
	if (pk_json_num(l, "processes") > 0)
		pk_buf_fmt(out, ", %.0f rules about processes", pk_json_num(l, "processes"));
	pk_buf_str(out, "\n  changed ");
	pk_entry_time(out, json_integer_value(json_object_get(l, "changed")));
	if (*source) {
		pk_buf_str(out, ", from ");
		add(out, source);
	}
	if (*who) {
		pk_buf_str(out, ", by ");
		add(out, who);
	}
	pk_buf_str(out, "\n  tag ");
	pk_list_tag(out, l);
	pk_buf_char(out, '\n');
	bytes(out, "dropped in: ", l, "in.packets", "packets", "in.bytes");
	bytes(out, "dropped out:", l, "out.packets", "packets", "out.bytes");
	if (pk_json_num(l, "calls") > 0)
		pk_buf_fmt(out, "  refused:     %.0f calls of processes\n",
			   pk_json_num(l, "calls"));
	bytes(out, "observed:   ", l, "seen.packets", "packets and calls", "seen.bytes");
	if (pk_json_num(l, "allowed") > 0)
		pk_buf_fmt(out,
			   "  kept:        %.0f packets that another list would have dropped\n",
			   pk_json_num(l, "allowed"));
	if (json_object_get(l, "confirm_by")) {
		pk_buf_str(out, "  NOT CONFIRMED: what was before comes back ");
		pk_entry_ago(out, json_integer_value(json_object_get(l, "confirm_by")));
		pk_buf_str(out, "; to keep it: picket list confirm ");
		add(out, pk_json_text(l, "name"));
		pk_buf_char(out, '\n');
	}
	if (*fault) {
		pk_buf_str(out, "  FAULT: ");
		add(out, fault);
		pk_buf_char(out, '\n');
	}
}

/* One page from after on; how many entries, or the exit status as a negative number. */
static int page(const char *path, struct pk_table *t, uint64_t limit, char after[24], bool *more)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	const char *query[] = { "limit", NULL, "after", after, NULL };
	struct pk_client client;
	json_t *body = NULL, *e;
	char number[24];
	size_t i;
	int r;

	snprintf(number, sizeof(number), "%llu", (unsigned long long)limit);
	query[1] = number;
	pk_client_init(&client, NULL);
	r = pk_client_get(&client, path, query, &body);
	if (r)
		return -r;
	if (!strcmp(after, "0") && t->format == PK_FORMAT_TABLE)
		pk_list_about(&out, json_object_get(body, "list"));
	json_array_foreach(json_object_get(body, "entries"), i, e) pk_table_row(t, &out, e);
	if (i)
		snprintf(
			after, 24, "%.0f",
			pk_json_num(json_array_get(json_object_get(body, "entries"), i - 1), "id"));
	*more = i && json_is_true(json_object_get(body, "more"));
	json_decref(body);
	pk_outcome_flush(&out);
	return (int)i;
}

int pk_list_show(const char *path, enum pk_format format, uint64_t n_max)
{
	uint64_t shown = 0;
	char after[24] = "0";
	struct pk_table t;
	bool more = true;

	pk_table_init(&t, entries, PK_ARRAY_SIZE(entries), format);
	while (more && (!n_max || shown < n_max)) {
		uint64_t limit = n_max && n_max - shown < PAGE ? n_max - shown : PAGE;
		int n = page(path, &t, limit, after, &more);

		if (n < 0)
			return -n;
		shown += (uint64_t)n;
	}
	if (more && format == PK_FORMAT_TABLE)
		fprintf(stderr,
			"picket: %llu shown; -n NUMBER shows more, -n 0 all, picket list export "
			"writes them as a list\n",
			(unsigned long long)shown);
	return 0;
}
