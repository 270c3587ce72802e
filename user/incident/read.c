/* SPDX-License-Identifier: Apache-2.0 */
/* Reads by jansson. The record comes from a file: every text is cut, every number bounded. */
#include "incident/read.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/ip.h"
#include "incident/incident.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void text(json_t *o, const char *key, char *to, size_t size)
{
	const char *s = json_string_value(json_object_get(o, key));

	(void)snprintf(to, size, "%s", s ? s : "");
	pk_unescape_json(to);
}

static int64_t number(json_t *o, const char *key, int64_t max)
{
	int64_t v = json_integer_value(json_object_get(o, key));

	return v < 0 ? 0 : v > max ? max : v;
}

static void read_techniques(json_t *attacks, struct pk_incident_alert *a)
{
	json_t *one;
	size_t i;

	json_array_foreach(attacks, i, one) if (i < PK_TECHNIQUES_MAX) text(
		json_object_get(one, "technique"), "uid", a->technique[i], sizeof(a->technique[i]));
}

static int read_alert(json_t *info, json_t *own, struct pk_incident *i)
{
	struct pk_incident_alert *a = pk_incident_alert_add(i);

	if (!a)
		return -ENOMEM;
	*a = (struct pk_incident_alert){
		.count = (uint64_t)number(own, "count", INT64_MAX),
		.first_ms = number(info, "first_seen_time", INT64_MAX),
		.last_ms = number(info, "last_seen_time", INT64_MAX),
		.severity = (enum pk_severity)number(own, "severity_id", PK_CRITICAL),
		.spoofable = json_is_true(json_object_get(own, "spoofable"))
	};
	text(info, "uid", a->uid, sizeof(a->uid));
	text(info, "title", a->title, sizeof(a->title));
	text(info, "desc", a->plain, sizeof(a->plain));
	text(json_object_get(info, "analytic"), "uid", a->rule, sizeof(a->rule));
	text(own, "next", a->next, sizeof(a->next));
	read_techniques(json_object_get(info, "attacks"), a);
	for (size_t k = 0; k < PK_TECHNIQUES_MAX && *a->technique[k]; k++)
		if (pk_tactic_of(a->technique[k]) < PK_TACTICS && a->severity > PK_INFORMATIONAL)
			i->tactics |= 1u << pk_tactic_of(a->technique[k]);
	return 0;
}

static int read_alerts(json_t *record, json_t *own, struct pk_incident *i)
{
	json_t *list = json_object_get(record, "finding_info_list"), *info;
	json_t *more = json_object_get(own, "alerts");
	size_t k;

	json_array_foreach(list, k, info)
	{
		if (k >= PK_INCIDENT_ALERTS)
			break;
		if (read_alert(info, json_array_get(more, k), i) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_acts(json_t *acts, struct pk_incident *i)
{
	json_t *one;
	size_t k;

	json_array_foreach(acts, k, one)
	{
		struct pk_incident_by by = { .now_ms = number(one, "time", INT64_MAX) };
		struct pk_incident_act *a;
		int type = (int)number(one, "type_id", PK_DEED_MITIGATION);

		if (k >= PK_INCIDENT_ACTS)
			break;
		by.who = "";
		a = pk_incident_note(i, &by, (enum pk_deed_type)type, "%s", "");
		if (!a)
			return -ENOMEM;
		a->number = (uint64_t)number(one, "number", INT64_MAX);
		a->ticket = 0; /* it was kept: there it was read */
		a->result = (enum pk_deed_result)number(one, "result_id", PK_DEED_ADVISED);
		a->class_uid = (int)number(one, "class_uid", 7004);
		a->activity_id = (int)number(one, "activity_id", 3);
		text(one, "who", a->who, sizeof(a->who));
		text(one, "what", a->what, sizeof(a->what));
		text(one, "why", a->why, sizeof(a->why));
		text(one, "object", a->object, sizeof(a->object));
		text(one, "undo", a->undo, sizeof(a->undo));
		a->until_ms = number(one, "until", INT64_MAX);
	}
	return 0;
}

static void read_wait(json_t *o, struct pk_incident_wait *w)
{
	json_t *back = json_object_get(o, "back"), *one;
	size_t k;

	w->number = (uint64_t)number(o, "number", INT64_MAX);
	text(o, "playbook", w->playbook, sizeof(w->playbook));
	text(o, "step", w->step, sizeof(w->step));
	text(o, "text", w->text, sizeof(w->text));
	text(o, "whom", w->whom, sizeof(w->whom));
	w->since_ms = number(o, "since", INT64_MAX);
	w->until_ms = number(o, "until", INT64_MAX);
	w->result = (enum pk_deed_result)number(o, "result_id", PK_DEED_ADVISED);
	w->human = json_is_true(json_object_get(o, "by_person"));
	text(o, "who", w->who, sizeof(w->who));
	text(o, "why", w->why, sizeof(w->why));
	json_array_foreach(back, k, one)
	{
		if (k == PK_INCIDENT_WAIT_DEPTH)
			break;
		text(one, "step", w->back[k].step, sizeof(w->back[k].step));
		w->back[k].branch = (size_t)number(one, "branch", UINT16_MAX);
		w->depth = k + 1;
	}
}

static int read_waits(json_t *list, struct pk_incident *i)
{
	json_t *one;
	size_t k;

	json_array_foreach(list, k, one)
	{
		struct pk_incident_wait *w;

		if (k == PK_INCIDENT_WAITS)
			break;
		w = pk_incident_wait_add(i);
		if (!w)
			return -ENOMEM;
		read_wait(one, w);
	}
	return 0;
}

/* What it may not be is left out: the file is not to be believed. */
static int read_assessed(json_t *o, struct pk_incident *i)
{
	for (int k = 0; o && k < PK_ASSESS_KINDS; k++) {
		char value[PK_ASSESS_TEXT];

		text(o, pk_assess_name((enum pk_assess)k), value, sizeof(value));
		if (pk_incident_assess_set(i, (enum pk_assess)k, value) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

static void read_reports(json_t *list, struct pk_incident *i)
{
	json_t *one;
	size_t k;

	json_array_foreach(list, k, one)
	{
		char to[PK_CONF_DEADLINE_NAME];

		text(one, "name", to, sizeof(to));
		if (*to && number(one, "reported", INT64_MAX)) /* else it is yet to be */
			(void)pk_incident_report_add(i, to, number(one, "reported", INT64_MAX));
	}
}

static enum pk_node_kind node_kind(const char *name)
{
	for (int k = PK_NODE_PROCESS; k <= PK_NODE_FILE; k++)
		if (strcmp(pk_node_kind_name((enum pk_node_kind)k), name) == 0)
			return (enum pk_node_kind)k;
	return PK_NODE_NAME;
}

static void read_node(json_t *o, struct pk_graph *g)
{
	struct pk_graph_node n = { .tgid = (uint32_t)number(o, "pid", UINT32_MAX),
				   .uid = (uint32_t)number(o, "uid", UINT32_MAX),
				   .start_ns = (uint64_t)number(o, "start_ns", INT64_MAX),
				   .alerts = (uint32_t)number(o, "alerts", UINT32_MAX) };
	char kind[16];

	text(o, "kind", kind, sizeof(kind));
	text(o, "label", n.label, sizeof(n.label));
	text(o, "detail", n.detail, sizeof(n.detail));
	n.kind = node_kind(kind);
	if (n.kind == PK_NODE_REMOTE)
		(void)pk_ip_parse(n.label, n.addr); /* else nobody's address */
	(void)pk_graph_add_node(g, &n);             /* counted when full */
}

static int read_graph(json_t *o, struct pk_incident *i)
{
	json_t *one;
	size_t k;

	i->graph = calloc(1, sizeof(*i->graph));
	if (!i->graph)
		return -ENOMEM;
	json_array_foreach(json_object_get(o, "nodes"), k, one) read_node(one, i->graph);
	json_array_foreach(json_object_get(o, "edges"), k, one)
	{
		char kind[16];

		text(one, "kind", kind, sizeof(kind));
		for (int e = PK_EDGE_STARTED; e <= PK_EDGE_RAN; e++)
			if (strcmp(pk_edge_kind_name((enum pk_edge_kind)e), kind) == 0)
				(void)pk_graph_add_edge(i->graph, (enum pk_edge_kind)e,
							(size_t)number(one, "from", 65535),
							(size_t)number(one, "to", 65535));
	}
	i->graph->lost = (uint64_t)number(o, "lost", INT64_MAX);
	return 0;
}

static void read_remotes(json_t *list, struct pk_incident *i)
{
	json_t *one;
	size_t k;

	json_array_foreach(list, k, one)
	{
		char ip[PK_IP_TEXT];

		text(one, "ip", ip, sizeof(ip));
		if (i->remotes == PK_INCIDENT_REMOTES ||
		    pk_ip_parse(ip, i->remote[i->remotes].addr) < 0)
			continue;
		i->remote[i->remotes++].spoofable = json_is_true(json_object_get(one, "spoofable"));
	}
}

static void read_suspect(json_t *o, struct pk_incident *i)
{
	i->suspect = (struct pk_proc_id){ .tgid = (uint32_t)number(o, "pid", UINT32_MAX),
					  .start_ns = (uint64_t)number(o, "start_ns", INT64_MAX),
					  .uid = (uint32_t)number(o, "uid", UINT32_MAX) };
	i->suspect_severity = (enum pk_severity)number(o, "severity_id", PK_CRITICAL);
}

static int read_head(json_t *record, json_t *own, struct pk_incident *i)
{
	char word[32];

	text(json_object_get(record, "metadata"), "uid", i->uid, sizeof(i->uid));
	i->sequence = (uint64_t)number(json_object_get(record, "metadata"), "sequence", INT64_MAX);
	i->number = (uint64_t)number(own, "number", INT64_MAX);
	text(own, "state", word, sizeof(word));
	if (!*i->uid || !i->number || pk_incident_state_parse(word, &i->state) < 0)
		return -EBADMSG;
	text(own, "verdict", word, sizeof(word));
	(void)pk_verdict_parse(word, &i->verdict); /* else unknown */
	i->severity = (enum pk_severity)number(record, "severity_id", PK_CRITICAL);
	i->merged_into = (uint64_t)number(own, "merged_into", INT64_MAX);
	i->updated_ms = number(record, "time", INT64_MAX);
	text(json_object_get(record, "assignee"), "name", i->owner, sizeof(i->owner));
	text(json_object_get(record, "assignee_group"), "name", i->team, sizeof(i->team));
	for (int c = 0; c < PK_CLOCKS; c++)
		i->at_ms[c] = number(json_object_get(own, "times"),
				     pk_incident_clock_name((enum pk_incident_clock)c), INT64_MAX);
	return 0;
}

static int read_all(json_t *record, struct pk_incident *i)
{
	json_t *own = json_object_get(json_object_get(record, "unmapped"), "picket");
	int64_t updated;
	int r = json_integer_value(json_object_get(record, "class_uid")) == 2005
			? read_head(record, own, i)
			: -EBADMSG;

	updated = i->updated_ms;
	if (r == 0)
		r = read_alerts(record, own, i);
	if (r == 0)
		r = read_assessed(json_object_get(own, "assessment"), i);
	if (r == 0)
		r = read_acts(json_object_get(own, "acts"), i);
	if (r == 0)
		r = read_waits(json_object_get(own, "waits"), i);
	if (r == 0)
		r = read_graph(json_object_get(own, "graph"), i);
	if (r < 0)
		return r;
	read_reports(json_object_get(own, "obligations"), i);
	read_remotes(json_object_get(own, "remotes"), i);
	read_suspect(json_object_get(own, "suspect"), i);
	i->alerts_lost = (uint64_t)number(own, "alerts_lost", INT64_MAX);
	i->remotes_lost = (uint64_t)number(own, "remotes_lost", INT64_MAX);
	i->acts_lost = (uint64_t)number(own, "acts_lost", INT64_MAX);
	i->acts_ever = (uint64_t)number(own, "acts_ever", INT64_MAX);
	i->updated_ms = updated;
	i->revision = 1;
	return 0;
}

int pk_incident_read(const char *json, size_t len, struct pk_incident *ret)
{
	json_t *record = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	struct pk_incident i = { 0 };
	int r = json_is_object(record) ? read_all(record, &i) : -EBADMSG;

	json_decref(record);
	if (r < 0)
		pk_incident_done(&i);
	else
		*ret = i;
	return r;
}
