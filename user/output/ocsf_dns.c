/* SPDX-License-Identifier: Apache-2.0 */
/* One DNS transaction as dns_activity. It writes JSON and keeps nothing. */
#include "output/ocsf_dns.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/json.h"
#include "decode/app.h"
#include "decode/dns.h"
#include "enrich/enrich.h"
#include "flow/community.h"
#include "flow/filter.h"
#include "flow/link.h"
#include "flow/socket.h"
#include "flow/table.h"
#include "name/name.h"
#include "output/ocsf.h"
#include "output/ocsf_name.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool pk_ocsf_dns_side(const struct pk_ocsf *o, const struct pk_ocsf_dns *d,
		      struct pk_side *ret_side)
{
	struct pk_flow_entry *e =
		o->flows && d->flow ? pk_flow_table_find(o->flows, d->flow) : NULL;
	const struct pk_sock_entry *s;

	*ret_side = (struct pk_side){ 0 };
	if (e) {
		pk_ocsf_join(o, e);
		pk_ocsf_side(o, e, d->client, ret_side);
		return ret_side->owner && (ret_side->owner->user.tgid || ret_side->owner->flags);
	}
	if (!o->socks || !o->local ||
	    !pk_local_has(o->local, d->key->netns, d->key->addr[d->client]))
		return false;
	s = pk_sock_table_owner(o->socks, d->key, d->client);
	if (!s || !s->owner.user.tgid)
		return false;
	ret_side->owner = &s->owner;
	if (o->enrich)
		ret_side->user = pk_process_get(&o->enrich->processes, s->owner.user.tgid,
						s->owner.user.start_ns);
	return true;
}

static const char *app_of(const struct pk_news_dns *n)
{
	return pk_app_name(n->kind == PK_DNS_MULTICAST ? PK_PROTO_MDNS
			   : n->kind == PK_DNS_LLMNR   ? PK_PROTO_LLMNR
						       : PK_PROTO_DNS);
}

/* Captions of OCSF's rcode_id, which is the number itself up to 23. */
static const char *rcode_caption(uint16_t rcode, int *ret_id)
{
	static const char *const name[] = {
		"NoError",  "FormError", "ServError", "NXDomain", "NotImp",   "Refused",
		"YXDomain", "YXRRSet",   "NXRRSet",   "NotAuth",  "NotZone",  "DSOTYPENI",
		NULL,       NULL,        NULL,        NULL,       "BADVERS",  "BADKEY",
		"BADTIME",  "BADMODE",   "BADNAME",   "BADALG",   "BADTRUNC", "BADCOOKIE",
	};

	*ret_id = rcode;
	if (rcode < PK_ARRAY_SIZE(name) && name[rcode])
		return name[rcode];
	*ret_id = 24;
	return "Unassigned";
}

/* IANA's name, or as RFC 3597 writes those without. */
static void write_number(struct pk_json *j, const char *key, const char *name, const char *prefix,
			 unsigned n)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%s%u", prefix, n);
	pk_json_str(j, key, name ? name : text);
}

static void write_id(struct pk_json *j, uint16_t id)
{
	pk_json_u64(j, "packet_uid", id);
}

static void write_query(struct pk_json *j, const struct pk_news_dns *n)
{
	unsigned opcode = n->answer ? n->answer->opcode : 0;

	pk_json_obj(j, "query");
	pk_json_str(j, "hostname", n->name);
	write_number(j, "type", pk_dns_type_name(n->qtype), "TYPE", n->qtype);
	write_number(j, "class", pk_dns_class_name(n->qclass), "CLASS", n->qclass);
	pk_json_u64(j, "opcode_id", opcode);
	write_number(j, "opcode", pk_dns_opcode_name((uint8_t)opcode), "OPCODE", opcode);
	write_id(j, n->id);
	pk_json_end(j);
}

static void write_answers(struct pk_json *j, const struct pk_news_dns *n)
{
	const struct pk_dns *m = n->answer;
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };

	pk_json_arr(j, "answers");
	for (unsigned i = 0; i < m->n_rrs; i++) {
		const struct pk_dns_rr *r = &m->rrs[i];

		if (r->section != PK_DNS_ANSWER)
			continue;
		pk_buf_reset(&text);
		pk_dns_rdata_text(&text, r);
		pk_json_obj(j, NULL);
		pk_json_strn(j, "rdata", text.data ? text.data : "", text.len);
		write_number(j, "type", pk_dns_type_name(r->type), "TYPE", r->type);
		write_number(j, "class", pk_dns_class_name(r->class), "CLASS", r->class);
		pk_json_u64(j, "ttl", r->ttl);
		write_id(j, n->id);
		pk_json_end(j);
	}
	pk_json_end(j);
}

static void write_result(struct pk_json *j, const struct pk_news_dns *n)
{
	int id;
	const char *caption;

	if (!n->answer)
		return;
	caption = rcode_caption(n->answer->rcode, &id);
	write_answers(j, n);
	pk_json_i64(j, "rcode_id", id);
	pk_json_str(j, "rcode", caption);
	pk_json_i64(j, "status_id", n->answer->rcode ? 2 : 1);
	pk_json_str(j, "status", n->answer->rcode ? "Failure" : "Success");
}

static void write_ends(struct pk_json *j, const struct pk_ocsf *o, const struct pk_ocsf_dns *d)
{
	const struct pk_flow_key *k = d->key;
	const struct pk_fact *fact = o->names ? pk_names_fact(o->names, d->flow) : NULL;
	struct pk_flow f = { .key = *k, .meta = { .initiator = d->client } };
	char ip[PK_IP_TEXT], id[17], community[PK_COMMUNITY_LEN];

	snprintf(id, sizeof(id), "%016" PRIx64, d->flow);
	pk_community_id(&f, community);
	pk_json_obj(j, "connection_info");
	if (d->flow)
		pk_json_str(j, "uid", id);
	if (community[0])
		pk_json_str(j, "community_uid", community);
	pk_json_u64(j, "protocol_num", k->proto);
	pk_json_str(j, "protocol_name", pk_ip_proto_name(k->proto));
	pk_json_i64(j, "protocol_ver_id",
		    pk_ip_is_v4(k->addr[0]) && pk_ip_is_v4(k->addr[1]) ? 4 : 6);
	pk_json_end(j);
	for (unsigned i = 0; i < 2; i++) {
		unsigned e = i ? !d->client : d->client;

		pk_json_obj(j, i ? "dst_endpoint" : "src_endpoint");
		pk_json_str(j, "ip", pk_ip_format(k->addr[e], ip));
		pk_json_i64(j, "port", ntohs(k->port[e]));
		pk_ocsf_fact_endpoint(j, fact, e);
		pk_json_end(j);
	}
}

static void write_actor(struct pk_json *j, const struct pk_ocsf *o, const struct pk_side *s)
{
	if (!s->owner || (!s->user && !s->owner->user.tgid))
		return;
	pk_json_obj(j, "actor");
	if (s->user)
		pk_ocsf_process(j, "process", o, s->user);
	else
		pk_ocsf_identity(j, "process", o, &s->owner->user, s->owner->comm,
				 sizeof(s->owner->comm));
	pk_json_end(j);
}

static void write_flags(struct pk_json *j, const struct pk_dns *m)
{
	const struct {
		bool set;
		const char *name;
	} flag[] = { { m->authoritative, "AA" },     { m->truncated, "TC" },
		     { m->recursion_desired, "RD" }, { m->recursion_available, "RA" },
		     { m->authentic, "AD" },         { m->checking_off, "CD" } };

	pk_json_arr(j, "flags");
	for (size_t i = 0; i < PK_ARRAY_SIZE(flag); i++)
		if (flag[i].set)
			pk_json_str(j, NULL, flag[i].name);
	pk_json_end(j);
}

static void write_own(struct pk_json *j, const struct pk_ocsf *o, const struct pk_ocsf_dns *d)
{
	const struct pk_news_dns *n = d->dns;
	const struct pk_link *link =
		o->links ? pk_links_find(o->links, d->key->netns, d->key->ifindex) : NULL;
	char id[17];

	pk_json_obj(j, "unmapped");
	pk_json_obj(j, "picket");
	pk_json_str(j, "kind", "dns");
	snprintf(id, sizeof(id), "%016" PRIx64, d->flow);
	if (d->flow)
		pk_json_str(j, "flow", id);
	pk_json_bool(j, "believed", n->believed);
	pk_json_u64(j, "asked", n->asked);
	if (n->asked_ns && n->answered_ns > n->asked_ns)
		pk_json_u64(j, "latency_us", (n->answered_ns - n->asked_ns) / 1000);
	if (n->answer) {
		write_number(j, "rcode", pk_dns_rcode_name(n->answer->rcode), "RCODE",
			     n->answer->rcode);
		write_flags(j, n->answer);
		if (n->answer->edns.seen)
			pk_json_u64(j, "edns_udp_size", n->answer->edns.udp_size);
		if (n->answer->why)
			pk_json_str(j, "malformed", pk_dns_why_name(n->answer->why));
	}
	pk_json_u64(j, "bytes", n->len);
	if (link)
		pk_json_str(j, "iface", link->name);
	pk_json_obj(j, "netns");
	pk_json_u64(j, "cookie", d->key->netns);
	pk_json_end(j);
	pk_json_end(j);
	pk_json_end(j);
}

void pk_ocsf_dns(struct pk_json *j, const struct pk_ocsf *o, const struct pk_ocsf_dns *d,
		 uint64_t sequence)
{
	const struct pk_news_dns *n = d->dns;
	uint64_t ts = n->asked_ns ? n->asked_ns : n->answered_ns;
	struct pk_side side;
	char uid[64];

	snprintf(uid, sizeof(uid), "%s-d-%" PRIu64, o->boot, sequence);
	(void)pk_ocsf_dns_side(o, d, &side);
	pk_json_obj(j, NULL);
	if (!n->answer)
		pk_ocsf_head(j, 4003, 1, "Query", uid, sequence, ts);
	else if (!n->asked_ns)
		pk_ocsf_head(j, 4003, 2, "Response", uid, sequence, ts);
	else
		pk_ocsf_head(j, 4003, 6, "Traffic", uid, sequence, ts);
	pk_json_str(j, "app_name", app_of(n));
	if (n->asked_ns)
		pk_json_i64(j, "query_time", pk_clock_wall_ms(n->asked_ns));
	if (n->answered_ns)
		pk_json_i64(j, "response_time", pk_clock_wall_ms(n->answered_ns));
	pk_ocsf_device(j, o);
	write_ends(j, o, d);
	write_query(j, n);
	write_result(j, n);
	write_actor(j, o, &side);
	write_own(j, o, d);
	pk_json_end(j);
}

void pk_ocsf_dns_subject(const struct pk_ocsf *o, const struct pk_ocsf_dns *d, struct pk_flow *flow,
			 struct pk_filter_subject *s)
{
	struct pk_flow_entry *e =
		o->flows && d->flow ? pk_flow_table_find(o->flows, d->flow) : NULL;
	struct pk_side side;

	*flow = (struct pk_flow){ .key = *d->key, .meta = { .initiator = d->client } };
	if (e) {
		pk_ocsf_subject(o, e, ~0u, e->updated_ns, s);
		*flow = e->flow;
	} else {
		*s = (struct pk_filter_subject){ 0 };
		if (pk_ocsf_dns_side(o, d, &side))
			pk_ocsf_subject_side(o, &side, s);
	}
	s->flow = flow;
	/* asked for; what the resolver's own address was resolved from is another matter */
	memset(s->name, 0, sizeof(s->name));
	s->name[0] = d->dns->name;
	s->app = app_of(d->dns);
}
