/* SPDX-License-Identifier: Apache-2.0 */
/* The page of one incident. Everything on it is in the record; nothing is asked for. */
#include "incident_show.h"

#include "base/cleanup.h"
#include "entry.h"
#include "show.h"
#include "table.h"

#include <string.h>

#define LEVELS 12

static json_t *own(json_t *i, const char *member)
{
	return json_object_get(pk_json_at(i, "unmapped.picket"), member);
}

static json_int_t when(json_t *i, const char *clock)
{
	return json_integer_value(json_object_get(own(i, "times"), clock));
}

static void heading(struct pk_buf *out, const char *text)
{
	pk_buf_fmt(out, "\n%s\n", text);
}

static const char *owner_of(json_t *i)
{
	const char *owner = pk_json_text(i, "assignee.name");

	return *owner ? owner : "nobody";
}

void pk_incident_line(struct pk_buf *out, json_t *i)
{
	pk_buf_fmt(out, "incident %.0f: ", pk_json_num(i, "unmapped.picket.number"));
	pk_show_text(out, pk_json_text(i, "unmapped.picket.state"));
	pk_buf_str(out, ", owner ");
	pk_show_text(out, owner_of(i));
	pk_buf_char(out, '\n');
}

static void head(struct pk_buf *out, json_t *i)
{
	_cleanup_(pk_buf_done) struct pk_buf who = {};
	json_t *tactics = own(i, "tactics"), *t;
	size_t k;

	pk_buf_fmt(out, "Incident %.0f, ", pk_json_num(i, "unmapped.picket.number"));
	pk_show_text(out, pk_json_text(i, "severity"));
	pk_buf_str(out, ", ");
	pk_show_text(out, pk_json_text(i, "unmapped.picket.state"));
	pk_buf_char(out, '\n');
	pk_show_wrapped(out, 2, pk_json_text(i, "unmapped.picket.title"));
	pk_show_wrapped(out, 2, pk_json_text(i, "desc"));
	pk_buf_char(out, '\n');
	pk_show_line(out, "id", pk_json_text(i, "metadata.uid"));
	pk_buf_fmt(&who, "%s, team %s", owner_of(i), pk_json_text(i, "assignee_group.name"));
	pk_show_line(out, "owner", who.data ? who.data : "");
	if (strcmp(pk_json_text(i, "unmapped.picket.verdict"), "unknown") != 0)
		pk_show_line(out, "verdict", pk_json_text(i, "unmapped.picket.verdict"));
	if (json_array_size(tactics)) {
		pk_buf_fmt(out, "  %-10s ", "steps");
		json_array_foreach(tactics, k, t)
		{
			pk_buf_str(out, k ? ", " : "");
			pk_show_text(out, json_string_value(t) ? json_string_value(t) : "");
		}
		pk_buf_char(out, '\n');
	}
	if (own(i, "merged_into"))
		pk_buf_fmt(out, "  part of    incident %.0f: look there\n",
			   pk_json_num(i, "unmapped.picket.merged_into"));
}

static void clocks(struct pk_buf *out, json_t *i)
{
	static const char *const names[] = { "occurred",   "detected",  "acked",
					     "aware",      "declared",  "contained",
					     "eradicated", "recovered", "closed" };

	for (size_t k = 0; k < PK_ARRAY_SIZE(names); k++) {
		json_int_t ms = when(i, names[k]);

		if (!ms)
			continue;
		pk_buf_fmt(out, "  %-10s ", names[k]);
		pk_show_clock(out, ms);
		if (k > 1) {
			pk_buf_str(out, ", ");
			pk_human_ms(out, (double)(ms - when(i, "detected")));
			pk_buf_str(out, " after the first alert");
		} else {
			pk_buf_str(out, ", ");
			pk_entry_ago(out, ms);
		}
		pk_buf_char(out, '\n');
	}
}

/* What people said of it: each that was. */
static void assessed(struct pk_buf *out, json_t *i)
{
	static const struct {
		const char *member, *word;
	} lines[] = { { "services", "services" },
		      { "assets", "assets" },
		      { "personal_data", "personal data" },
		      { "root_cause", "root cause" },
		      { "cause", "cause" },
		      { "worked", "worked" },
		      { "improvements", "to improve" } };
	static const char *const impact[] = { "confidentiality", "integrity", "availability" };
	json_t *all = own(i, "assessment");
	size_t n = 0;

	if (!json_object_size(all))
		return;
	heading(out, "What people say of it");
	for (size_t k = 0; k < PK_ARRAY_SIZE(impact); k++)
		if (*pk_json_text(all, impact[k])) {
			pk_buf_fmt(out, n++ ? ", %s " : "  impact         %s ", impact[k]);
			pk_show_text(out, pk_json_text(all, impact[k]));
		}
	pk_buf_str(out, n ? "\n" : "");
	for (size_t k = 0; k < PK_ARRAY_SIZE(lines); k++)
		if (*pk_json_text(all, lines[k].member)) {
			pk_buf_fmt(out, "  %-14s ", lines[k].word);
			pk_show_text(out, pk_json_text(all, lines[k].member));
			pk_buf_char(out, '\n');
		}
}

/* One duty: done, due, or only the earliest that it can be due. */
static void one_duty(struct pk_buf *out, json_t *d, double number)
{
	json_int_t due = json_integer_value(json_object_get(d, "due"));
	json_int_t reported = json_integer_value(json_object_get(d, "reported"));
	json_int_t earliest = json_integer_value(json_object_get(d, "due_earliest"));

	pk_buf_str(out, "  ");
	pk_show_text(out, pk_json_text(d, "name"));
	pk_buf_str(out, ": ");
	if (reported) {
		pk_buf_str(out, "reported ");
		pk_show_clock(out, reported);
		if (due && reported > due) {
			pk_buf_str(out, ", late by ");
			pk_human_ms(out, (double)(reported - due));
		}
	} else if (due) {
		pk_buf_str(out, "due ");
		pk_show_clock(out, due);
		pk_buf_str(out, ", ");
		pk_entry_ago(out, due);
	} else if (earliest) {
		pk_buf_str(out, "due ");
		pk_show_clock(out, earliest);
		pk_buf_fmt(out,
			   " at the earliest, if it is significant (picket incident state %.0f "
			   "--aware)",
			   number);
	} else {
		pk_buf_str(out, "its time begins when reported: ");
		pk_show_text(out, pk_json_text(d, "after"));
	}
	pk_buf_char(out, '\n');
}

static void duties(struct pk_buf *out, json_t *i)
{
	json_t *all = own(i, "obligations"), *d;
	bool over = json_integer_value(json_object_get(i, "status_id")) == 5;
	size_t k, n = 0;

	json_array_foreach(all, k, d)
	{
		if (over && !json_object_get(d, "due") && !json_object_get(d, "reported"))
			continue; /* nobody found it significant */
		if (!n++)
			heading(out, "Who must be told");
		one_duty(out, d, pk_json_num(i, "unmapped.picket.number"));
	}
}

struct moment {
	json_int_t ms;
	json_t *finding, *own, *act;
};

static int by_time(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	return (x->ms > y->ms) - (x->ms < y->ms);
}

static void one_finding(struct pk_buf *out, const struct moment *m)
{
	json_t *attacks = json_object_get(m->finding, "attacks"), *a;
	double count = pk_json_num(m->own, "count");
	size_t k;

	pk_buf_str(out, "ALERT ");
	pk_show_text(out, pk_json_text(m->finding, "title"));
	json_array_foreach(attacks, k, a)
	{
		pk_buf_str(out, k ? ", " : " (");
		pk_show_text(out, pk_json_text(a, "technique.uid"));
	}
	pk_buf_str(out, k ? ")" : "");
	if (count > 1)
		pk_buf_fmt(out, ", %.0f times", count);
	pk_buf_char(out, '\n');
	pk_show_wrapped(out, 14, pk_json_text(m->finding, "desc"));
}

static void one_act(struct pk_buf *out, json_t *act)
{
	const char *result = pk_json_text(act, "result");
	_cleanup_(pk_buf_done) struct pk_buf text = {};

	pk_buf_fmt(&text, "%s: %s", pk_json_text(act, "who"), pk_json_text(act, "what"));
	if (strcmp(result, "done") != 0)
		pk_buf_fmt(&text, " [%s]", result);
	if (*pk_json_text(act, "why"))
		pk_buf_fmt(&text, " (%s)", pk_json_text(act, "why"));
	pk_show_text(out, text.data ? text.data : "");
	pk_buf_char(out, '\n');
}

static void timeline(struct pk_buf *out, json_t *i)
{
	json_t *findings = json_object_get(i, "finding_info_list"), *acts = own(i, "acts"), *v;
	size_t n = json_array_size(findings) + json_array_size(acts), at = 0, k;
	_cleanup_free_ struct moment *all = calloc(n + 1, sizeof(*all));

	if (!all)
		return;
	json_array_foreach(findings, k, v) all[at++] =
		(struct moment){ json_integer_value(json_object_get(v, "first_seen_time")), v,
				 json_array_get(own(i, "alerts"), k), NULL };
	json_array_foreach(acts, k, v) all[at++] =
		(struct moment){ json_integer_value(json_object_get(v, "time")), NULL, NULL, v };
	qsort(all, n, sizeof(*all), by_time);
	heading(out, "What happened");
	for (k = 0; k < n; k++) {
		pk_buf_str(out, "  ");
		pk_show_clock(out, all[k].ms);
		pk_buf_str(out, "  ");
		if (all[k].finding)
			one_finding(out, &all[k]);
		else
			one_act(out, all[k].act);
	}
	if (pk_json_num(i, "unmapped.picket.alerts_lost") > 0)
		pk_buf_fmt(out, "  %.0f more alerts are not kept\n",
			   pk_json_num(i, "unmapped.picket.alerts_lost"));
}

struct drawing {
	json_t *nodes, *edges;
	bool drawn[256];
};

static bool is_child(const struct drawing *d, size_t node)
{
	json_t *e;
	size_t k;

	json_array_foreach(d->edges, k, e) if ((size_t)pk_json_num(e, "to") == node) return true;
	return false;
}

static void one_node(struct pk_buf *out, json_t *n, const char *edge)
{
	static const struct {
		const char *edge, *word;
	} words[] = { { "connected", "talks to " },
		      { "named", "asks for " },
		      { "ran", "is file " } };
	const char *kind = pk_json_text(n, "kind");

	for (size_t k = 0; k < PK_ARRAY_SIZE(words); k++)
		if (strcmp(words[k].edge, edge) == 0 &&
		    (strcmp(kind, "process") != 0 || strcmp(edge, "ran") == 0))
			pk_buf_str(out, words[k].word);
	pk_show_text(out, pk_json_text(n, "label"));
	if (strcmp(kind, "process") == 0)
		pk_buf_fmt(out, " (%.0f)", pk_json_num(n, "pid"));
	if (*pk_json_text(n, "detail")) {
		pk_buf_str(out, "  ");
		pk_show_text(out, pk_json_text(n, "detail"));
	}
	if (pk_json_num(n, "alerts") > 0)
		pk_buf_str(out, "  <- alert");
	pk_buf_char(out, '\n');
}

static void draw(struct pk_buf *out, struct drawing *d, size_t node, unsigned depth,
		 const char *edge)
{
	json_t *n = json_array_get(d->nodes, node), *e;
	size_t k;

	if (!n || node >= sizeof(d->drawn) || depth > LEVELS)
		return;
	pk_buf_fmt(out, "  %*s", (int)depth * 3, "");
	one_node(out, n, edge);
	if (d->drawn[node])
		return; /* what is below it was drawn where it came first */
	d->drawn[node] = true;
	json_array_foreach(d->edges, k, e) if ((size_t)pk_json_num(e, "from") == node)
		draw(out, d, (size_t)pk_json_num(e, "to"), depth + 1, pk_json_text(e, "kind"));
}

static void graph(struct pk_buf *out, json_t *i)
{
	struct drawing d = { json_object_get(own(i, "graph"), "nodes"),
			     json_object_get(own(i, "graph"), "edges"),
			     { false } };
	size_t n = json_array_size(d.nodes);

	if (!n)
		return;
	heading(out, "Who and with whom");
	for (size_t k = 0; k < n; k++)
		if (!is_child(&d, k))
			draw(out, &d, k, 0, "");
	for (size_t k = 0; k < n && k < sizeof(d.drawn); k++)
		if (!d.drawn[k])
			draw(out, &d, k, 0, ""); /* part of a circle */
}

/* What is in force, and until when. */
static void undo(struct pk_buf *out, json_t *i)
{
	json_t *acts = own(i, "acts"), *a;
	size_t k, n = 0;

	json_array_foreach(acts, k, a)
	{
		json_int_t until = json_integer_value(json_object_get(a, "until"));

		if (!*pk_json_text(a, "undo"))
			continue;
		pk_buf_str(out, n++ ? ", " : "  - in force: ");
		pk_show_text(out, pk_json_text(a, "what"));
		pk_buf_str(out, until ? " until " : "");
		if (until)
			pk_show_clock(out, until);
	}
	if (n)
		pk_buf_fmt(out, "; take back with: picket incident revert %.0f --reason TEXT\n",
			   pk_json_num(i, "unmapped.picket.number"));
}

/* What playbooks wait for, for whom, how long, and how to say that it is done. */
static void waits(struct pk_buf *out, json_t *i)
{
	json_t *all = own(i, "waits"), *w;
	double number = pk_json_num(i, "unmapped.picket.number");
	size_t k, n = 0;

	json_array_foreach(all, k, w) n += !json_object_get(w, "result_id");
	json_array_foreach(all, k, w)
	{
		if (json_object_get(w, "result_id"))
			continue; /* it is decided, and goes on when another playbook is through */
		pk_buf_str(out, "  - its playbook waits for ");
		pk_show_text(out, pk_json_text(w, "whom"));
		pk_buf_str(out, " until ");
		pk_show_clock(out, json_integer_value(json_object_get(w, "until")));
		pk_buf_str(out, ":\n");
		pk_show_wrapped(out, 6, pk_json_text(w, "text"));
		pk_buf_fmt(out, "      then: picket incident done %.0f ", number);
		if (n > 1)
			pk_buf_fmt(out, "--step %.0f ", pk_json_num(w, "number"));
		pk_buf_str(out, "--reason TEXT (or skip)\n");
	}
}

/* What alerts say, each once, then what the tool can do in this state. */
static void advice(struct pk_buf *out, json_t *i)
{
	json_t *alerts = own(i, "alerts"), *a;
	double number = pk_json_num(i, "unmapped.picket.number");
	size_t k;

	heading(out, "What to do");
	waits(out, i);
	json_array_foreach(alerts, k, a)
	{
		const char *next = pk_json_text(a, "next");
		bool said = !*next;

		for (size_t n = 0; n < k && !said; n++)
			said = strcmp(pk_json_text(json_array_get(alerts, n), "next"), next) == 0;
		if (said)
			continue;
		pk_buf_str(out, "  - ");
		pk_show_text(out, next);
		pk_buf_char(out, '\n');
	}
	if (json_integer_value(json_object_get(i, "status_id")) == 5)
		return;
	if (!when(i, "acked"))
		pk_buf_fmt(out, "  - say that you look at it: picket incident ack %.0f\n", number);
	if (!when(i, "contained"))
		pk_buf_fmt(out,
			   "  - stop it: picket incident contain %.0f --dry-run shows what would "
			   "be done\n",
			   number);
	undo(out, i);
	pk_buf_fmt(out,
		   "  - it was nothing: picket incident close %.0f --verdict false-positive "
		   "--reason TEXT\n",
		   number);
}

void pk_incident_show(struct pk_buf *out, json_t *i)
{
	head(out, i);
	clocks(out, i);
	assessed(out, i);
	duties(out, i);
	timeline(out, i);
	graph(out, i);
	advice(out, i);
}
