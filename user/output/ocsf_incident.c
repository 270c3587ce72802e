/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes incidents and acts. What OCSF has a place for is there; the rest is under
 * unmapped.picket, complete enough that an incident can be read back from its record alone.
 */
#include "output/ocsf_incident.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/json.h"
#include "conf/conf.h"
#include "incident/incident.h"
#include "output/ocsf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint64_t boot_ns(int64_t wall_ms)
{
	int64_t ns = wall_ms * 1000000 - pk_clock_offset_ns();

	return ns > 0 ? (uint64_t)ns : 0;
}

static void write_text(struct pk_json *j, const char *key, const struct pk_incident *i,
		       void (*text)(const struct pk_incident *i, struct pk_buf *out))
{
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };

	text(i, &b);
	pk_json_str(j, key, b.data ? b.data : "");
}

static void write_attack(struct pk_json *j, const char *technique)
{
	enum pk_tactic t = pk_tactic_of(technique);

	pk_json_obj(j, NULL);
	if (t < PK_TACTICS) {
		pk_json_obj(j, "tactic");
		pk_json_str(j, "uid", pk_tactic_uid(t));
		pk_json_str(j, "name", pk_tactic_name(t));
		pk_json_end(j);
	}
	pk_json_obj(j, "technique");
	pk_json_str(j, "uid", technique);
	pk_json_end(j);
	pk_json_str(j, "version", PK_ATTACK_VERSION);
	pk_json_end(j);
}

static void write_finding(struct pk_json *j, const struct pk_incident_alert *a)
{
	pk_json_obj(j, NULL);
	pk_json_str(j, "uid", a->uid);
	pk_json_str(j, "title", a->title);
	pk_json_str(j, "desc", a->plain);
	pk_json_obj(j, "analytic");
	pk_json_i64(j, "type_id", 2);
	pk_json_str(j, "type", "Behavioral");
	pk_json_str(j, "uid", a->rule);
	pk_json_end(j);
	pk_json_arr(j, "attacks");
	for (size_t k = 0; k < PK_TECHNIQUES_MAX && *a->technique[k]; k++)
		write_attack(j, a->technique[k]);
	pk_json_end(j);
	pk_json_i64(j, "first_seen_time", a->first_ms);
	pk_json_i64(j, "last_seen_time", a->last_ms);
	pk_json_end(j);
}

static bool is_kept(const struct pk_incident_act *a, const struct pk_ocsf_telling *t)
{
	return !t->asked || a->ticket <= t->kept;
}

static bool is_all_kept(const struct pk_incident *i, const struct pk_ocsf_telling *t)
{
	if (t->about)
		return t->about <= t->kept; /* a playbook may have gone on meanwhile */
	for (size_t k = 0; k < i->acts; k++)
		if (!is_kept(&i->act[k], t))
			return false;
	return true;
}

static void write_act(struct pk_json *j, const struct pk_incident_act *a,
		      const struct pk_ocsf_telling *t)
{
	pk_json_obj(j, NULL);
	pk_json_u64(j, "number", a->number);
	pk_json_i64(j, "time", a->time_ms);
	pk_json_str(j, "type", pk_deed_type_name(a->type));
	pk_json_i64(j, "type_id", a->type);
	pk_json_str(j, "result", pk_deed_result_name(a->result));
	pk_json_i64(j, "result_id", a->result);
	pk_json_str(j, "who", a->who);
	pk_json_str(j, "what", a->what);
	if (*a->why)
		pk_json_str(j, "why", a->why);
	if (*a->object)
		pk_json_str(j, "object", a->object);
	if (*a->undo)
		pk_json_str(j, "undo", a->undo);
	if (a->until_ms)
		pk_json_i64(j, "until", a->until_ms);
	if (a->class_uid) {
		pk_json_i64(j, "class_uid", a->class_uid);
		pk_json_i64(j, "activity_id", a->activity_id);
	}
	if (!is_kept(a, t))
		pk_json_bool(j, "kept", false);
	pk_json_end(j);
}

static void write_wait(struct pk_json *j, const struct pk_incident_wait *w)
{
	pk_json_obj(j, NULL);
	pk_json_u64(j, "number", w->number);
	pk_json_str(j, "playbook", w->playbook);
	pk_json_str(j, "step", w->step);
	pk_json_str(j, "text", w->text);
	pk_json_str(j, "whom", w->whom);
	pk_json_i64(j, "since", w->since_ms);
	pk_json_i64(j, "until", w->until_ms);
	if (w->result)
		pk_json_i64(j, "result_id", w->result);
	pk_json_bool(j, "by_person", w->human);
	pk_json_str(j, "who", w->who);
	pk_json_str(j, "why", w->why);
	pk_json_arr(j, "back");
	for (size_t k = 0; k < w->depth; k++) {
		pk_json_obj(j, NULL);
		pk_json_str(j, "step", w->back[k].step);
		pk_json_u64(j, "branch", w->back[k].branch);
		pk_json_end(j);
	}
	pk_json_end(j);
	pk_json_end(j);
}

static void write_node(struct pk_json *j, const struct pk_graph_node *n)
{
	pk_json_obj(j, NULL);
	pk_json_str(j, "kind", pk_node_kind_name(n->kind));
	pk_json_str(j, "label", n->label);
	if (*n->detail)
		pk_json_str(j, "detail", n->detail);
	if (n->kind == PK_NODE_PROCESS) {
		pk_json_u64(j, "pid", n->tgid);
		pk_json_u64(j, "uid", n->uid);
		pk_json_u64(j, "start_ns", n->start_ns);
	}
	pk_json_u64(j, "alerts", n->alerts);
	pk_json_end(j);
}

static void write_graph(struct pk_json *j, const struct pk_graph *g)
{
	pk_json_obj(j, "graph");
	pk_json_arr(j, "nodes");
	for (size_t k = 0; k < g->nodes; k++)
		write_node(j, &g->node[k]);
	pk_json_end(j);
	pk_json_arr(j, "edges");
	for (size_t k = 0; k < g->edges; k++) {
		pk_json_obj(j, NULL);
		pk_json_str(j, "kind", pk_edge_kind_name(g->edge[k].kind));
		pk_json_u64(j, "from", g->edge[k].from);
		pk_json_u64(j, "to", g->edge[k].to);
		pk_json_end(j);
	}
	pk_json_end(j);
	pk_json_u64(j, "lost", g->lost);
	pk_json_end(j);
}

static void write_alerts(struct pk_json *j, const struct pk_incident *i)
{
	pk_json_arr(j, "alerts");
	for (size_t k = 0; k < i->alerts; k++) {
		const struct pk_incident_alert *a = &i->alert[k];

		pk_json_obj(j, NULL);
		pk_json_str(j, "uid", a->uid);
		pk_json_i64(j, "severity_id", a->severity);
		pk_json_u64(j, "count", a->count);
		pk_json_bool(j, "spoofable", a->spoofable);
		if (*a->next)
			pk_json_str(j, "next", a->next);
		pk_json_end(j);
	}
	pk_json_end(j);
}

static void write_remotes(struct pk_json *j, const struct pk_incident *i)
{
	char ip[PK_IP_TEXT];

	pk_json_arr(j, "remotes");
	for (size_t k = 0; k < i->remotes; k++) {
		pk_json_obj(j, NULL);
		pk_json_str(j, "ip", pk_ip_format(i->remote[k].addr, ip));
		pk_json_bool(j, "spoofable", i->remote[k].spoofable);
		pk_json_end(j);
	}
	pk_json_end(j);
}

static void write_assessed(struct pk_json *j, const struct pk_incident *i)
{
	if (!i->assessed)
		return;
	pk_json_obj(j, "assessment");
	for (int k = 0; k < PK_ASSESS_KINDS; k++)
		if (*i->assessed[k])
			pk_json_str(j, pk_assess_name((enum pk_assess)k), i->assessed[k]);
	pk_json_end(j);
}

static void write_duty(struct pk_json *j, const struct pk_duty *d)
{
	pk_json_obj(j, NULL);
	pk_json_str(j, "name", d->deadline.name);
	if (*d->deadline.after)
		pk_json_str(j, "after", d->deadline.after);
	if (d->due_ms)
		pk_json_i64(j, "due", d->due_ms);
	if (d->earliest_ms)
		pk_json_i64(j, "due_earliest", d->earliest_ms);
	if (d->told_ms)
		pk_json_i64(j, "reported", d->told_ms);
	pk_json_end(j);
}

/* Those of the configuration, then what was reported and is not among them (any more). */
static void write_duties(struct pk_json *j, const struct pk_ocsf *o, const struct pk_incident *i)
{
	size_t n = o->deadlines ? o->deadlines->n : 0;
	bool known[PK_CONF_DEADLINES] = { 0 };
	struct pk_duty d;

	if (!n && !i->reports)
		return;
	pk_json_arr(j, "obligations");
	for (size_t k = 0; k < n; k++) {
		if (pk_duty_of(i, o->deadlines->v[k], &d) < 0)
			continue; /* refused when it was read */
		write_duty(j, &d);
		for (size_t m = 0; m < i->reports; m++)
			known[m] |= strcmp(i->report[m].to, d.deadline.name) == 0;
	}
	for (size_t m = 0; m < i->reports; m++) {
		if (known[m])
			continue;
		d = (struct pk_duty){ .told_ms = i->report[m].at_ms };
		(void)snprintf(d.deadline.name, sizeof(d.deadline.name), "%s", i->report[m].to);
		write_duty(j, &d);
	}
	pk_json_end(j);
}

static void write_impact(struct pk_json *j, const struct pk_incident *i)
{
	static const char *const names[] = { "Unknown", "Low", "Medium", "High" };
	int id = pk_incident_impact_id(i);

	if (!id)
		return;
	pk_json_i64(j, "impact_id", id);
	pk_json_str(j, "impact", names[id]);
}

static void write_tactics(struct pk_json *j, const struct pk_incident *i)
{
	pk_json_arr(j, "tactics");
	for (int t = 0; t < PK_TACTICS; t++)
		if (i->tactics & 1u << t)
			pk_json_str(j, NULL, pk_tactic_name((enum pk_tactic)t));
	pk_json_end(j);
}

static void write_own(struct pk_json *j, const struct pk_ocsf *o, const struct pk_incident *i,
		      const struct pk_ocsf_telling *t)
{
	pk_json_obj(j, "unmapped");
	pk_json_obj(j, "picket");
	pk_json_u64(j, "number", i->number);
	pk_json_str(j, "state", pk_incident_state_name(i->state));
	pk_json_str(j, "verdict", pk_verdict_name(i->verdict));
	if (i->merged_into)
		pk_json_u64(j, "merged_into", i->merged_into);
	write_text(j, "title", i, pk_incident_title);
	write_text(j, "summary", i, pk_incident_paragraph);
	pk_json_obj(j, "times");
	for (int c = 0; c < PK_CLOCKS; c++)
		if (i->at_ms[c])
			pk_json_i64(j, pk_incident_clock_name((enum pk_incident_clock)c),
				    i->at_ms[c]);
	pk_json_end(j);
	write_assessed(j, i);
	write_duties(j, o, i);
	write_tactics(j, i);
	write_remotes(j, i);
	if (i->suspect.tgid) {
		pk_json_obj(j, "suspect");
		pk_json_u64(j, "pid", i->suspect.tgid);
		pk_json_u64(j, "start_ns", i->suspect.start_ns);
		pk_json_u64(j, "uid", i->suspect.uid);
		pk_json_i64(j, "severity_id", i->suspect_severity);
		pk_json_end(j);
	}
	write_alerts(j, i);
	pk_json_u64(j, "alerts_lost", i->alerts_lost);
	pk_json_u64(j, "remotes_lost", i->remotes_lost);
	pk_json_arr(j, "acts");
	for (size_t k = 0; k < i->acts; k++)
		write_act(j, &i->act[k], t);
	pk_json_end(j);
	pk_json_arr(j, "waits");
	for (size_t k = 0; k < i->waits; k++)
		write_wait(j, &i->wait[k]);
	pk_json_end(j);
	pk_json_u64(j, "acts_ever", i->acts_ever);
	pk_json_u64(j, "acts_lost", i->acts_lost);
	if (t->asked)
		pk_json_bool(j, "kept", is_all_kept(i, t));
	if (i->graph)
		write_graph(j, i->graph);
	pk_json_end(j);
	pk_json_end(j);
}

/* The record needs somebody who looks after it. */
static void write_assignee(struct pk_json *j, const struct pk_incident *i)
{
	if (*i->owner) {
		pk_json_obj(j, "assignee");
		pk_json_str(j, "name", i->owner);
		pk_json_end(j);
	}
	pk_json_obj(j, "assignee_group");
	pk_json_str(j, "name", *i->team ? i->team : "unassigned");
	pk_json_end(j);
}

static void write_status(struct pk_json *j, const struct pk_incident *i)
{
	static const char *const names[] = { "Unknown", "New",      "In Progress",
					     "On Hold", "Resolved", "Closed" };
	int id = pk_incident_status_id(i->state);

	pk_json_i64(j, "status_id", id);
	pk_json_str(j, "status", (size_t)id < PK_ARRAY_SIZE(names) ? names[id] : "Unknown");
	pk_json_i64(j, "verdict_id", i->verdict);
}

static int activity_of(const struct pk_incident *i)
{
	if (pk_incident_is_over(i))
		return 3;
	return i->told ? 2 : 1;
}

void pk_ocsf_incident(struct pk_json *j, const struct pk_ocsf *o, const struct pk_incident *i,
		      const struct pk_ocsf_telling *t)
{
	static const char *const names[] = { "", "Create", "Update", "Close" };
	int activity = activity_of(i);

	pk_json_obj(j, NULL);
	pk_ocsf_head_rated(j, 2005, activity, names[activity], i->uid, t->sequence,
			   boot_ns(i->updated_ms), i->severity);
	write_text(j, "message", i, pk_incident_title);
	write_text(j, "desc", i, pk_incident_sentence);
	write_status(j, i);
	write_impact(j, i);
	write_assignee(j, i);
	if (i->tactics & 1u << PK_TACTIC_EXFILTRATION)
		pk_json_bool(j, "is_suspected_breach", true);
	pk_json_i64(j, "start_time", i->at_ms[PK_CLOCK_OCCURRED]);
	if (i->at_ms[PK_CLOCK_CLOSED])
		pk_json_i64(j, "end_time", i->at_ms[PK_CLOCK_CLOSED]);
	pk_json_arr(j, "finding_info_list");
	for (size_t k = 0; k < i->alerts; k++)
		write_finding(j, &i->alert[k]);
	pk_json_end(j);
	pk_ocsf_device(j, o);
	write_own(j, o, i, t);
	pk_json_end(j);
}

const char *pk_ocsf_act_uid(const struct pk_incident *i, const struct pk_incident_act *a,
			    char out[PK_ACT_UID])
{
	(void)snprintf(out, PK_ACT_UID, "%s-act-%" PRIu64, i->uid, a->number);
	return out;
}

/* What the class requires: the connection, the process, or the finding that it updates. */
static void write_object(struct pk_json *j, const struct pk_incident *i,
			 const struct pk_incident_act *a)
{
	if (a->class_uid == 7004) {
		pk_json_obj(j, "connection_info");
		pk_json_i64(j, "direction_id", 0);
		pk_json_str(j, "uid", a->object);
		pk_json_end(j);
		return;
	}
	if (a->class_uid == 7003) {
		pk_json_obj(j, "process");
		pk_json_u64(j, "pid", i->suspect.tgid);
		pk_json_str(j, "name", a->object);
		pk_json_end(j);
		return;
	}
	write_status(j, i);
	write_assignee(j, i);
	pk_json_arr(j, "finding_info_list");
	pk_json_obj(j, NULL);
	pk_json_str(j, "uid", i->uid);
	write_text(j, "title", i, pk_incident_title);
	pk_json_end(j);
	pk_json_end(j);
}

void pk_ocsf_act(struct pk_json *j, const struct pk_ocsf *o, const struct pk_incident *i,
		 const struct pk_incident_act *a)
{
	static const char *const names[] = { "", "Isolate", "Evict", "Restore" };
	bool response = a->class_uid != 0;
	char uid[PK_ACT_UID];

	pk_json_obj(j, NULL);
	pk_ocsf_head_rated(j, response ? a->class_uid : 2005, response ? a->activity_id : 2,
			   response ? names[a->activity_id & 3] : "Update",
			   pk_ocsf_act_uid(i, a, uid), 0, boot_ns(a->time_ms), PK_INFORMATIONAL);
	pk_json_str(j, "message", a->what);
	if (*a->why)
		pk_json_str(j, "comment", a->why);
	if (response) {
		pk_json_str(j, "command_uid", uid);
		pk_json_i64(j, "status_id", a->result == PK_DEED_DONE ? 1 : 2);
	}
	write_object(j, i, a);
	pk_json_obj(j, "actor");
	pk_json_obj(j, "user");
	pk_json_str(j, "name", a->who);
	pk_json_end(j);
	pk_json_end(j);
	pk_ocsf_device(j, o);
	pk_json_obj(j, "unmapped");
	pk_json_obj(j, "picket");
	pk_json_str(j, "incident", i->uid);
	pk_json_str(j, "result", pk_deed_result_name(a->result));
	pk_json_str(j, "type", pk_deed_type_name(a->type));
	pk_json_end(j);
	pk_json_end(j);
	pk_json_end(j);
}
