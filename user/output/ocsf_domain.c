/* SPDX-License-Identifier: Apache-2.0 */
/* Refused queries and cut connections: each record says which name of which list was the cause. */
#include "output/ocsf_domain.h"

#include "base/ip.h"
#include "base/json.h"
#include "decode/dns.h"
#include "decode/record.h"
#include "enrich/enrich.h"
#include "flow/link.h"
#include "flow/table.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

static void write_end(struct pk_json *j, const char *key, const uint8_t addr[16], __be16 port)
{
	char ip[PK_IP_TEXT];

	pk_json_obj(j, key);
	pk_json_str(j, "ip", pk_ip_format(addr, ip));
	if (port)
		pk_json_i64(j, "port", ntohs(port));
	pk_json_end(j);
}

static void write_action(struct pk_json *j, bool drop)
{
	pk_json_i64(j, "action_id", drop ? 2 : 3);
	pk_json_str(j, "action", drop ? "Denied" : "Observed");
	pk_json_i64(j, "disposition_id", drop ? 2 : 17);
	pk_json_str(j, "disposition", drop ? "Blocked" : "Logged");
}

static void write_actor(struct pk_json *j, const struct pk_ocsf *o, const struct pk_owner *own)
{
	const struct pk_process *p = NULL;

	if (!own->user.tgid)
		return;
	if (o->enrich)
		p = pk_process_get(&o->enrich->processes, own->user.tgid, own->user.start_ns);
	pk_json_obj(j, "actor");
	if (p)
		pk_ocsf_process(j, "process", o, p);
	else
		pk_ocsf_identity(j, "process", o, &own->user, own->comm, own->comm_len);
	pk_json_end(j);
}

/* Opens unmapped.picket, which the caller ends. */
static void write_cause(struct pk_json *j, const struct pk_ocsf_listed *l, const char *where)
{
	pk_json_obj(j, "unmapped");
	pk_json_obj(j, "picket");
	pk_json_str(j, "kind", l->drop ? "blocked" : "observed");
	pk_json_str(j, "where", where);
	pk_json_str(j, "list", l->list);
	if (l->entry)
		pk_json_u64(j, "entry", l->entry);
	pk_json_str(j, "name", l->name);
	pk_json_str(j, "reason", l->reason && *l->reason ? l->reason : NULL);
}

void pk_ocsf_query(struct pk_json *j, const struct pk_ocsf *o, const struct pk_event *ev,
		   const struct pk_ocsf_listed *listed, uint64_t sequence)
{
	const struct pk_query *q = ev->query;
	const struct pk_link *link = pk_links_find(o->links, q->netns, q->ifindex);
	const char *type = pk_dns_type_name(q->qtype);
	char uid[64], number[16];

	snprintf(uid, sizeof(uid), "%s-q-%" PRIu64, o->boot, sequence);
	snprintf(number, sizeof(number), "TYPE%u", q->qtype);
	pk_json_obj(j, NULL);
	pk_ocsf_head(j, 4003, 1, "Query", uid, sequence, q->hdr.ts);
	write_action(j, listed->drop);
	pk_ocsf_device(j, o);
	write_end(j, "src_endpoint", q->src, q->sport);
	write_end(j, "dst_endpoint", q->dst, q->dport);
	pk_json_obj(j, "query");
	if (q->name_len)
		pk_json_strn(j, "hostname", q->text, q->name_len);
	pk_json_str(j, "type", type ? type : number);
	pk_json_end(j);
	write_actor(j, o, &q->owner);
	write_cause(j, listed, "query");
	pk_json_bool(j, "answered", q->answered);
	if (link)
		pk_json_str(j, "iface", link->name);
	pk_json_end(j);
	pk_json_end(j);
	pk_json_end(j);
}

void pk_ocsf_cut(struct pk_json *j, const struct pk_ocsf *o, const struct pk_flow_entry *e,
		 uint64_t ts_ns, const char *what, const char *carried,
		 const struct pk_ocsf_listed *listed, uint64_t sequence)
{
	const struct pk_flow_key *k = &e->flow.key;
	const struct pk_link *link = pk_links_find(o->links, k->netns, k->ifindex);
	unsigned from = e->flow.meta.initiator & 1;
	int actor = pk_ocsf_actor(e);
	char uid[64];

	snprintf(uid, sizeof(uid), "%s-n-%" PRIu64, o->boot, sequence);
	pk_json_obj(j, NULL);
	pk_ocsf_head(j, 4001, listed->drop ? 5 : 6, listed->drop ? "Refuse" : "Traffic", uid,
		     sequence, ts_ns);
	write_action(j, listed->drop);
	pk_ocsf_device(j, o);
	pk_json_obj(j, "connection_info");
	pk_json_i64(j, "protocol_num", k->proto);
	pk_json_str(j, "protocol_name", pk_ip_proto_name(k->proto));
	pk_json_end(j);
	write_end(j, "src_endpoint", k->addr[from], k->port[from]);
	write_end(j, "dst_endpoint", k->addr[!from], k->port[!from]);
	if (*what == 's') {
		pk_json_obj(j, "tls");
		pk_json_str(j, "sni", carried);
		pk_json_end(j);
	}
	if (actor >= 0)
		write_actor(j, o, &e->flow.own[actor]);
	write_cause(j, listed, what);
	pk_json_str(j, "carried", carried);
	pk_json_u64(j, "flow", e->flow.meta.id);
	if (link)
		pk_json_str(j, "iface", link->name);
	pk_json_end(j);
	pk_json_end(j);
	pk_json_end(j);
}
