/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts as detection_finding. Evidence is written once, at the first finding, while processes and
 * flow can be looked up; the rest is written each time from the alert.
 */
#include "output/ocsf_finding.h"

#include "base/clock.h"
#include "base/ip.h"
#include "base/json.h"
#include "decode/app.h"
#include "detect/alert.h"
#include "enrich/enrich.h"
#include "flow/filter.h"
#include "flow/table.h"
#include "name/name.h"
#include "output/ocsf.h"
#include "output/ocsf_name.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *pk_alert_uid(const struct pk_ocsf *o, uint64_t number, char out[PK_ALERT_UID])
{
	snprintf(out, PK_ALERT_UID, "%s%s%s-a-%" PRIu64, o->boot, o->run[0] ? "-" : "", o->run,
		 number);
	return out;
}

static const struct pk_process *process_of(const struct pk_ocsf *o, const struct pk_proc_id *id)
{
	return o->enrich ? pk_process_get(&o->enrich->processes, id->tgid, id->start_ns) : NULL;
}

static void write_process(struct pk_json *j, const struct pk_ocsf *o, const struct pk_proc_id *id)
{
	const struct pk_process *p = process_of(o, id);

	pk_json_obj(j, NULL);
	if (p)
		pk_ocsf_process(j, "process", o, p);
	else
		pk_ocsf_identity(j, "process", o, id, NULL, 0);
	pk_json_end(j);
}

static void write_end(struct pk_json *j, const char *key, const struct pk_flow_key *k, unsigned d,
		      const struct pk_fact *fact)
{
	char ip[PK_IP_TEXT];

	pk_json_obj(j, key);
	pk_json_str(j, "ip", pk_ip_format(k->addr[d], ip));
	if (k->port[d])
		pk_json_i64(j, "port", ntohs(k->port[d]));
	pk_ocsf_fact_endpoint(j, fact, d);
	pk_json_end(j);
}

static void write_traffic(struct pk_json *j, const struct pk_flow *f, unsigned from)
{
	pk_json_obj(j, "traffic");
	pk_json_u64(j, "bytes_out", f->dir[from].bytes);
	pk_json_u64(j, "packets_out", f->dir[from].packets);
	pk_json_u64(j, "bytes_in", f->dir[!from].bytes);
	pk_json_u64(j, "packets_in", f->dir[!from].packets);
	pk_json_end(j);
}

static void write_flow(struct pk_json *j, const struct pk_ocsf *o, const struct pk_finding *f)
{
	const struct pk_fact *fact = o->names ? pk_names_fact(o->names, f->flow) : NULL;
	const struct pk_flow_entry *e = o->flows ? pk_flow_table_find(o->flows, f->flow) : NULL;
	const char *proto = pk_ip_proto_name(f->key.proto);
	char id[17];

	snprintf(id, sizeof(id), "%016" PRIx64, f->flow);
	pk_json_obj(j, NULL);
	write_end(j, "src_endpoint", &f->key, f->initiator, fact);
	write_end(j, "dst_endpoint", &f->key, !f->initiator, fact);
	pk_json_obj(j, "connection_info");
	if (f->flow)
		pk_json_str(j, "uid", id);
	if (f->key.proto < 256)
		pk_json_i64(j, "protocol_num", f->key.proto);
	pk_json_str(j, "protocol_name", proto);
	pk_json_end(j);
	if (e)
		write_traffic(j, &e->flow, f->initiator);
	pk_ocsf_fact(j, fact);
	pk_json_end(j);
}

void pk_ocsf_evidence(struct pk_json *j, const struct pk_ocsf *o, const struct pk_finding *f)
{
	pk_json_arr(j, NULL);
	for (size_t i = 0; i < f->procs; i++)
		write_process(j, o, &f->proc[i]);
	if (f->has_key)
		write_flow(j, o, f);
	if (f->fields) {
		pk_json_obj(j, NULL);
		pk_json_obj(j, "data");
		for (size_t i = 0; i < f->fields; i++)
			pk_json_str(j, f->field[i].name, f->field[i].value);
		pk_json_end(j);
		pk_json_end(j);
	}
	pk_json_end(j);
}

/* OCSF: 1 low, 2 medium, 3 high */
static int confidence_id(unsigned percent)
{
	return percent < 40 ? 1 : percent < 75 ? 2 : 3;
}

static void write_info(struct pk_json *j, const struct pk_alert *a, const char *uid)
{
	const struct pk_finding *f = &a->finding;

	pk_json_obj(j, "finding_info");
	pk_json_str(j, "uid", uid);
	pk_json_str(j, "title", f->title);
	pk_json_str(j, "desc", f->detail);
	pk_json_obj(j, "analytic");
	pk_json_i64(j, "type_id", f->is_rule ? 1 : 2);
	pk_json_str(j, "type", f->is_rule ? "Rule" : "Behavioral");
	pk_json_str(j, "uid", f->rule);
	pk_json_str(j, "name", f->title);
	pk_json_end(j);
	pk_json_arr(j, "attacks");
	for (size_t i = 0; i < PK_TECHNIQUES_MAX && f->technique[i]; i++) {
		pk_json_obj(j, NULL);
		pk_json_obj(j, "technique");
		pk_json_str(j, "uid", f->technique[i]);
		pk_json_end(j);
		pk_json_str(j, "version", PK_ATTACK_VERSION);
		pk_json_end(j);
	}
	pk_json_end(j);
	pk_json_i64(j, "first_seen_time", pk_clock_wall_ms(f->first_ns));
	pk_json_i64(j, "last_seen_time", pk_clock_wall_ms(a->last_ns));
	pk_json_end(j);
}

static void write_own(struct pk_json *j, const struct pk_alert *a)
{
	const struct pk_finding *f = &a->finding;
	char ip[PK_IP_TEXT];

	pk_json_obj(j, "unmapped");
	pk_json_obj(j, "picket");
	pk_json_str(j, "false_positives", f->doubt);
	pk_json_str(j, "author", f->author);
	if (f->has_remote)
		pk_json_str(j, "remote", pk_ip_format(f->remote, ip));
	if (f->name[0])
		pk_json_str(j, "name", f->name);
	pk_json_bool(j, "spoofable", f->spoofable);
	if (f->mute)
		pk_json_u64(j, "mute", f->mute);
	if (a->incident)
		pk_json_u64(j, "incident", a->incident);
	pk_json_end(j);
	pk_json_end(j);
}

void pk_ocsf_alert(struct pk_json *j, const struct pk_ocsf *o, const struct pk_alert *a,
		   uint64_t sequence)
{
	static const char *const confidences[] = { "", "Low", "Medium", "High" };
	const struct pk_finding *f = &a->finding;
	bool again = a->count > 1;
	char uid[PK_ALERT_UID];

	pk_json_obj(j, NULL);
	pk_ocsf_head_rated(j, 2004, again ? 2 : 1, again ? "Update" : "Create",
			   pk_alert_uid(o, a->number, uid), sequence, f->ts_ns, f->severity);
	pk_json_str(j, "message", f->plain);
	pk_json_bool(j, "is_alert", true);
	pk_json_u64(j, "count", a->count);
	pk_json_i64(j, "confidence_id", confidence_id(f->confidence));
	pk_json_str(j, "confidence", confidences[confidence_id(f->confidence)]);
	pk_json_i64(j, "confidence_score", f->confidence);
	pk_json_i64(j, "status_id", f->mute ? 3 : 1);
	pk_json_str(j, "status", f->mute ? "Suppressed" : "New");
	write_info(j, a, uid);
	pk_ocsf_device(j, o);
	if (a->evidence)
		pk_json_raw(j, "evidences", a->evidence, a->evidence_len);
	if (f->next) {
		pk_json_obj(j, "remediation");
		pk_json_str(j, "desc", f->next);
		pk_json_end(j);
	}
	write_own(j, a);
	pk_json_end(j);
}

void pk_ocsf_finding_subject(const struct pk_ocsf *o, const struct pk_finding *f,
			     struct pk_flow *flow, struct pk_filter_subject *s)
{
	const struct pk_flow_entry *e = o->flows ? pk_flow_table_find(o->flows, f->flow) : NULL;

	*s = (struct pk_filter_subject){ 0 };
	if (f->has_key) {
		*flow = e ? e->flow : (struct pk_flow){ .key = f->key };
		flow->meta.initiator = f->initiator;
		s->flow = flow;
		s->now_ns = f->ts_ns;
		if (o->names)
			pk_ocsf_fact_subject(pk_names_fact(o->names, f->flow), s);
	}
	if (!s->name[0] && f->name[0])
		s->name[0] = f->name;
	for (size_t i = 0; i < f->procs; i++) {
		const struct pk_process *p = process_of(o, &f->proc[i]);
		struct pk_proc_id id = f->proc[i];
		struct pk_owner owner = { .user = id };
		struct pk_side side = { .user = p, .owner = &owner };

		pk_ocsf_subject_side(o, &side, s);
	}
}
