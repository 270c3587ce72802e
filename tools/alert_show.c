/* SPDX-License-Identifier: Apache-2.0 */
/* The page of one alert: a sentence, a paragraph, the evidence, doubts, what to do. */
#include "base/cleanup.h"
#include "incident_show.h"
#include "show.h"
#include "table.h"

#include <string.h>

static void one_process(struct pk_buf *out, json_t *p, unsigned depth)
{
	pk_buf_fmt(out, "  %*s", (int)depth * 3, "");
	pk_show_text(out, pk_json_text(p, "name"));
	pk_buf_fmt(out, " (%.0f", pk_json_num(p, "pid"));
	if (*pk_json_text(p, "user.name")) {
		pk_buf_str(out, ", user ");
		pk_show_text(out, pk_json_text(p, "user.name"));
	}
	pk_buf_char(out, ')');
	if (*pk_json_text(p, "cmd_line")) {
		pk_buf_str(out, "  ");
		pk_show_text(out, pk_json_text(p, "cmd_line"));
	}
	pk_buf_char(out, '\n');
}

/* Who started it first, then it. */
static void process(struct pk_buf *out, json_t *p)
{
	json_t *line = json_object_get(p, "ancestry");
	size_t n = json_array_size(line), depth = 0;

	for (size_t k = n; k > 0; k--)
		one_process(out, json_array_get(line, k - 1), (unsigned)depth++);
	if (!n && json_is_object(json_object_get(p, "parent_process")))
		one_process(out, json_object_get(p, "parent_process"), (unsigned)depth++);
	one_process(out, p, (unsigned)depth);
}

static void flow(struct pk_buf *out, json_t *e)
{
	pk_buf_str(out, "  ");
	pk_show_text(out, pk_json_text(e, "src_endpoint.ip"));
	pk_buf_fmt(out, " port %.0f to ", pk_json_num(e, "src_endpoint.port"));
	pk_show_text(out, pk_json_text(e, "dst_endpoint.ip"));
	pk_buf_fmt(out, " port %.0f, %s", pk_json_num(e, "dst_endpoint.port"),
		   pk_json_text(e, "connection_info.protocol_name"));
	if (json_object_get(e, "traffic")) {
		pk_buf_str(out, ", sent ");
		pk_human_bytes(out, pk_json_num(e, "traffic.bytes_out"));
		pk_buf_str(out, "B, received ");
		pk_human_bytes(out, pk_json_num(e, "traffic.bytes_in"));
		pk_buf_char(out, 'B');
	}
	pk_buf_char(out, '\n');
}

static void data(struct pk_buf *out, json_t *d)
{
	const char *key;
	json_t *v;

	json_object_foreach(d, key, v)
	{
		pk_buf_str(out, "  ");
		pk_show_text(out, key);
		pk_buf_str(out, ": ");
		pk_show_text(out, json_string_value(v) ? json_string_value(v) : "");
		pk_buf_char(out, '\n');
	}
}

static void evidence(struct pk_buf *out, json_t *a)
{
	json_t *all = json_object_get(a, "evidences"), *e;
	size_t k;

	if (json_array_size(all))
		pk_buf_str(out, "\nEvidence\n");
	json_array_foreach(all, k, e)
	{
		if (json_object_get(e, "process"))
			process(out, json_object_get(e, "process"));
		else if (json_object_get(e, "src_endpoint"))
			flow(out, e);
		else
			data(out, json_object_get(e, "data"));
	}
}

static void section(struct pk_buf *out, const char *title, const char *text)
{
	if (!*text)
		return;
	pk_buf_fmt(out, "\n%s\n", title);
	pk_show_wrapped(out, 2, text);
}

static void techniques(struct pk_buf *out, json_t *a)
{
	json_t *attacks = pk_json_at(a, "finding_info.attacks"), *t;
	size_t k;

	json_array_foreach(attacks, k, t)
	{
		pk_buf_str(out, k ? ", " : "  technique  ");
		pk_show_text(out, pk_json_text(t, "technique.uid"));
	}
	pk_buf_str(out, k ? "\n" : "");
}

void pk_alert_show(struct pk_buf *out, json_t *a)
{
	pk_show_text(out, pk_json_text(a, "finding_info.title"));
	pk_buf_str(out, ", ");
	pk_show_text(out, pk_json_text(a, "severity"));
	pk_buf_char(out, '\n');
	pk_show_wrapped(out, 2, pk_json_text(a, "message"));
	pk_buf_char(out, '\n');
	pk_show_line(out, "id", pk_json_text(a, "finding_info.uid"));
	pk_show_line(out, "rule", pk_json_text(a, "finding_info.analytic.uid"));
	techniques(out, a);
	pk_buf_str(out, "  first      ");
	pk_show_clock(out, json_integer_value(pk_json_at(a, "finding_info.first_seen_time")));
	pk_buf_str(out, "\n  last       ");
	pk_show_clock(out, json_integer_value(pk_json_at(a, "finding_info.last_seen_time")));
	pk_buf_fmt(out, ", seen %.0f time%s\n", pk_json_num(a, "count"),
		   pk_json_num(a, "count") > 1 ? "s" : "");
	pk_buf_fmt(out, "  sure       %.0f %%", pk_json_num(a, "confidence_score"));
	pk_buf_str(out, json_is_true(pk_json_at(a, "unmapped.picket.spoofable"))
				? "; its address may be forged\n"
				: "\n");
	if (pk_json_num(a, "unmapped.picket.incident") > 0)
		pk_buf_fmt(out, "  incident   %.0f\n", pk_json_num(a, "unmapped.picket.incident"));
	section(out, "In detail", pk_json_text(a, "finding_info.desc"));
	evidence(out, a);
	section(out, "It may also be", pk_json_text(a, "unmapped.picket.false_positives"));
	section(out, "What to do", pk_json_text(a, "remediation.desc"));
}
