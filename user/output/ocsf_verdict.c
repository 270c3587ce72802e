/* SPDX-License-Identifier: Apache-2.0 */
/* What a block list did, as network activity (4001) that was refused, or only seen. */
#include "output/ocsf.h"

#include "base/ip.h"
#include "base/json.h"
#include "decode/record.h"
#include "enrich/enrich.h"
#include "flow/link.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

static const char *const wheres[] = { "", "ingress", "egress", "connect", "sendmsg" };

static void write_end(struct pk_json *j, const char *key, const uint8_t addr[16], __be16 port)
{
	char ip[PK_IP_TEXT];

	pk_json_obj(j, key);
	pk_json_str(j, "ip", pk_ip_format(addr, ip));
	if (port)
		pk_json_i64(j, "port", ntohs(port));
	pk_json_end(j);
}

static void write_actor(struct pk_json *j, const struct pk_ocsf *o, const struct pk_task *t)
{
	const struct pk_process *p = NULL;

	if (o->enrich)
		p = pk_process_get(&o->enrich->processes, t->id.tgid, t->id.start_ns);
	pk_json_obj(j, "actor");
	if (p)
		pk_ocsf_process(j, "process", o, p);
	else
		pk_ocsf_identity(j, "process", o, &t->id, t->comm, sizeof(t->comm));
	pk_json_end(j);
}

static void write_prefix(struct pk_json *j, const struct pk_verdict *v)
{
	bool v4 = v->bits >= 96 && pk_ip_is_v4(v->prefix);
	char ip[PK_IP_TEXT], text[PK_IP_TEXT + 8];

	(void)snprintf(text, sizeof(text), "%s/%d", pk_ip_format(v->prefix, ip),
		       v4 ? v->bits - 96 : v->bits);
	pk_json_str(j, "prefix", text);
}

void pk_ocsf_verdict(struct pk_json *j, const struct pk_ocsf *o, const struct pk_event *ev,
		     const struct pk_ocsf_rule *rule, uint64_t sequence)
{
	const struct pk_verdict *v = ev->verdict;
	const struct pk_link *link = pk_links_find(o->links, v->netns, v->ifindex);
	bool drop = v->act == PK_VERDICT_DROP, in = v->where == PK_VERDICT_INGRESS;
	char uid[64];

	snprintf(uid, sizeof(uid), "%s-v-%" PRIu64, o->boot, sequence);
	pk_json_obj(j, NULL);
	pk_ocsf_head(j, 4001, drop ? 5 : 6, drop ? "Refuse" : "Traffic", uid, sequence, v->hdr.ts);
	pk_json_i64(j, "action_id", drop ? 2 : 3);
	pk_json_str(j, "action", drop ? "Denied" : "Observed");
	pk_json_i64(j, "disposition_id", drop ? 2 : 17);
	pk_json_str(j, "disposition", drop ? "Blocked" : "Logged");
	pk_ocsf_device(j, o);
	pk_json_obj(j, "connection_info");
	pk_json_i64(j, "direction_id", in ? 1 : 2);
	pk_json_str(j, "direction", in ? "Inbound" : "Outbound");
	pk_json_i64(j, "protocol_num", v->proto);
	pk_json_str(j, "protocol_name", pk_ip_proto_name(v->proto));
	pk_json_end(j);
	if (v->where == PK_VERDICT_INGRESS || v->where == PK_VERDICT_EGRESS)
		write_end(j, "src_endpoint", v->src, v->sport); /* a call has no address yet */
	write_end(j, "dst_endpoint", v->dst, v->dport);
	if (ev->task)
		write_actor(j, o, ev->task);
	pk_json_obj(j, "unmapped");
	pk_json_obj(j, "picket");
	pk_json_str(j, "kind", drop ? "blocked" : "observed");
	pk_json_str(j, "where", wheres[v->where]);
	pk_json_str(j, "list", rule->list);
	if (rule->entry)
		pk_json_u64(j, "entry", rule->entry);
	write_prefix(j, v);
	pk_json_str(j, "reason", rule->reason);
	if (rule->packets)
		pk_json_u64(j, "packets", rule->packets);
	if (link)
		pk_json_str(j, "iface", link->name);
	pk_json_bool(j, "inner", v->depth);
	pk_json_end(j);
	pk_json_end(j);
	pk_json_end(j);
}
