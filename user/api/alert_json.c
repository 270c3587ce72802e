/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what output/ocsf_finding.c wrote. A member that is missing or odd is unknown, as it is for
 * a filter of alerts in memory.
 */
#include "api/alert_json.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/ip.h"
#include "flow/filter.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static json_t *at(json_t *o, const char *a, const char *b)
{
	o = json_object_get(o, a);
	return b ? json_object_get(o, b) : o;
}

/* The record is ours alone: its text may be changed. NULL: none, or empty. */
static const char *text(json_t *v)
{
	char *s = (char *)json_string_value(v);

	if (!s || !*s)
		return NULL;
	pk_unescape_json(s);
	return s;
}

bool pk_alert_json_is_of(json_t *alert, const char *rule)
{
	const char *uid = text(json_object_get(at(alert, "finding_info", "analytic"), "uid"));

	return uid && strcmp(uid, rule) == 0;
}

static uint32_t digits(const char *s)
{
	return s ? (uint32_t)strtoul(s, NULL, 10) : 0;
}

static void add_process(json_t *p, struct pk_filter_subject *s)
{
	if (s->procs == PK_ARRAY_SIZE(s->proc))
		return;
	s->proc[s->procs++] = (struct pk_filter_proc){
		.pid = (uint32_t)json_integer_value(json_object_get(p, "pid")),
		.uid = digits(json_string_value(at(p, "user", "uid"))),
		.name = text(json_object_get(p, "name")),
		.exe = text(at(p, "file", "path")),
		.cmd = text(json_object_get(p, "cmd_line")),
		.user = text(at(p, "user", "name")),
		.container = text(at(p, "container", "name")),
		.container_id = text(at(p, "container", "uid")),
	};
}

static void add_name(const char *name, struct pk_filter_subject *s)
{
	for (size_t i = 0; name && i < PK_ARRAY_SIZE(s->name); i++)
		if (!s->name[i] || strcmp(s->name[i], name) == 0) {
			s->name[i] = name;
			return;
		}
}

static void add_end(json_t *e, unsigned d, struct pk_flow *flow, struct pk_filter_subject *s)
{
	const char *ip = json_string_value(json_object_get(e, "ip"));

	if (ip && pk_ip_parse(ip, flow->key.addr[d]) < 0)
		return;
	flow->key.port[d] = htons((uint16_t)json_integer_value(json_object_get(e, "port")));
	add_name(text(json_object_get(e, "hostname")), s);
	s->asn[d] = (uint32_t)json_integer_value(at(e, "autonomous_system", "number"));
	s->as_name[d] = text(at(e, "autonomous_system", "name"));
	s->country[d] = text(at(e, "location", "country"));
}

static uint64_t count(json_t *e, const char *name)
{
	json_int_t n = json_integer_value(at(e, "traffic", name));

	return n > 0 ? (uint64_t)n : 0;
}

/* The initiator is end 0. */
static void add_flow(json_t *e, struct pk_flow *flow, struct pk_filter_subject *s)
{
	*flow = (struct pk_flow){
		.key.proto = (uint16_t)json_integer_value(at(e, "connection_info", "protocol_num")),
		.dir = { { .bytes = count(e, "bytes_out"), .packets = count(e, "packets_out") },
			 { .bytes = count(e, "bytes_in"), .packets = count(e, "packets_in") } },
	};
	s->flow = flow;
	add_end(json_object_get(e, "src_endpoint"), 0, flow, s);
	add_end(json_object_get(e, "dst_endpoint"), 1, flow, s);
	s->app = text(json_object_get(e, "app_name"));
	s->sni = text(at(e, "tls", "sni"));
	add_name(s->sni, s);
	s->ja4 = text(json_object_get(json_array_get(json_object_get(e, "ja4_fingerprint_list"), 0),
				      "value"));
}

void pk_alert_json_subject(json_t *alert, struct pk_flow *flow, struct pk_filter_subject *s)
{
	json_t *all = json_object_get(alert, "evidences"), *e;
	size_t i;

	*s = (struct pk_filter_subject){ 0 };
	json_array_foreach(all, i, e)
	{
		if (json_object_get(e, "process"))
			add_process(json_object_get(e, "process"), s);
		else if (json_object_get(e, "src_endpoint") && !s->flow)
			add_flow(e, flow, s);
	}
	add_name(text(json_object_get(at(alert, "unmapped", "picket"), "name")), s);
}
