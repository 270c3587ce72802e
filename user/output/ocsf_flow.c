/* SPDX-License-Identifier: Apache-2.0 */
/* One flow as network_activity. It writes JSON and keeps nothing. */
#include "output/ocsf.h"

#include "base/clock.h"
#include "base/ip.h"
#include "base/json.h"
#include "decode/record.h"
#include "enrich/enrich.h"
#include "flow/community.h"
#include "flow/link.h"
#include "flow/table.h"
#include "name/name.h"
#include "output/ocsf_name.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define ETH_ARP    0x0806
#define L4_UDPLITE 136

struct activity {
	int id;
	const char *name;
};

static struct activity activity_of(const struct pk_flow_entry *e)
{
	if (e->ended)
		return e->flow.meta.state & PK_FLOW_RST ? (struct activity){ 3, "Reset" }
							: (struct activity){ 2, "Close" };
	return e->why == PK_REPORT_START ? (struct activity){ 1, "Open" }
					 : (struct activity){ 6, "Traffic" };
}

static bool has_ports(uint16_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP ||
	       proto == L4_UDPLITE || proto == IPPROTO_DCCP;
}

static void write_connection(struct pk_json *j, const struct pk_ocsf *o, const struct pk_flow *f,
			     enum pk_direction dir)
{
	/* OCSF: 1 inbound, 2 outbound, 3 lateral, 4 local */
	static const char *const name[] = { "Unknown", "Inbound", "Outbound", "Lateral", "Local" };
	bool v4 = pk_ip_is_v4(f->key.addr[0]) && pk_ip_is_v4(f->key.addr[1]);
	const char *proto = f->key.proto == ETH_ARP ? "arp" : pk_ip_proto_name(f->key.proto);
	char text[PK_COMMUNITY_LEN], id[17];

	(void)o; /* nothing of the host is in it */
	snprintf(id, sizeof(id), "%016" PRIx64, (uint64_t)f->meta.id);
	pk_community_id(f, text);
	pk_json_obj(j, "connection_info");
	pk_json_str(j, "uid", id);
	if (text[0])
		pk_json_str(j, "community_uid", text);
	pk_json_i64(j, "direction_id", dir);
	pk_json_str(j, "direction", name[dir]);
	if (f->key.proto < 256)
		pk_json_i64(j, "protocol_num", f->key.proto);
	if (proto)
		pk_json_str(j, "protocol_name", proto);
	if (f->key.proto < 256)
		pk_json_i64(j, "protocol_ver_id", v4 ? 4 : 6);
	if (f->key.proto == IPPROTO_TCP)
		pk_json_u64(j, "tcp_flags", f->dir[0].tcp_flags | f->dir[1].tcp_flags);
	pk_json_end(j);
}

static void write_endpoint(struct pk_json *j, const char *key, const struct pk_ocsf *o,
			   const struct pk_flow_entry *e, unsigned d, const struct pk_link *link,
			   const struct pk_fact *fact)
{
	const struct pk_flow *f = &e->flow;
	struct pk_side side;
	char ip[PK_IP_TEXT], uid[16];

	pk_json_obj(j, key);
	pk_json_str(j, "ip", pk_ip_format(f->key.addr[d], ip));
	if (has_ports(f->key.proto))
		pk_json_i64(j, "port", ntohs(f->key.port[d]));
	pk_ocsf_side(o, e, d, &side);
	if (link && f->dir[d].where == PK_AT_EGRESS)
		pk_json_str(j, "interface_name", link->name);
	pk_ocsf_fact_endpoint(j, fact, d);
	if (side.owner && side.owner->user.tgid) {
		uint32_t user = side.user ? side.user->id.uid : side.owner->user.uid;

		snprintf(uid, sizeof(uid), "%u", user);
		pk_json_obj(j, "owner");
		if (o->enrich)
			pk_json_str(j, "name", pk_user_name(&o->enrich->users, user));
		pk_json_str(j, "uid", uid);
		pk_json_end(j);
	}
	pk_json_end(j);
}

static void write_traffic(struct pk_json *j, const struct pk_flow *f)
{
	const struct pk_flow_dir *out = &f->dir[f->meta.initiator & 1];
	const struct pk_flow_dir *in = &f->dir[!(f->meta.initiator & 1)];

	pk_json_obj(j, "traffic");
	pk_json_u64(j, "bytes", out->bytes + in->bytes);
	pk_json_u64(j, "packets", out->packets + in->packets);
	pk_json_u64(j, "bytes_out", out->bytes);
	pk_json_u64(j, "packets_out", out->packets);
	pk_json_u64(j, "bytes_in", in->bytes);
	pk_json_u64(j, "packets_in", in->packets);
	pk_json_end(j);
}

/* The letters tcpdump and Zeek use, lowest bit first. */
static void write_tcp_flags(struct pk_json *j, const char *key, uint32_t flags)
{
	char text[9];
	int n = 0;

	for (int b = 0; b < 8; b++)
		if (flags & (1u << b))
			text[n++] = "FSRPAUEC"[b];
	pk_json_strn(j, key, text, n);
}

static void write_owner(struct pk_json *j, const struct pk_ocsf *o, const struct pk_flow_entry *e,
			unsigned d)
{
	struct pk_side s;

	pk_ocsf_side(o, e, d, &s);
	if (!s.owner)
		return;
	pk_json_obj(j, "owner");
	pk_json_u64(j, "socket", s.owner->cookie);
	pk_json_bool(j, "accepted", s.owner->flags & PK_OWNER_ACCEPTED);
	pk_json_bool(j, "snapshot", s.owner->flags & PK_OWNER_SNAPSHOT);
	pk_json_bool(j, "kernel", s.owner->flags & PK_OWNER_KERNEL);
	pk_json_bool(j, "io_uring", s.owner->flags & PK_OWNER_IO_URING);
	pk_json_bool(j, "joined", e->joined & PK_FLOW_JOINED(d));
	if (s.user)
		pk_ocsf_process_brief(j, "user", o, s.user);
	else if (s.owner->user.tgid)
		pk_ocsf_identity(j, "user", o, &s.owner->user, s.owner->comm,
				 sizeof(s.owner->comm));
	if (s.creator)
		pk_ocsf_process_brief(j, "creator", o, s.creator);
	else if (s.owner->creator.tgid)
		pk_ocsf_identity(j, "creator", o, &s.owner->creator, NULL, 0);
	pk_json_end(j);
}

static void write_side(struct pk_json *j, const char *key, const struct pk_ocsf *o,
		       const struct pk_flow_entry *e, unsigned d)
{
	const struct pk_flow_dir *dir = &e->flow.dir[d];

	pk_json_obj(j, key);
	pk_json_u64(j, "packets", dir->packets);
	pk_json_u64(j, "bytes", dir->bytes);
	if (dir->started) {
		pk_json_i64(j, "first", pk_clock_wall_ms(dir->first_ns));
		pk_json_i64(j, "last", pk_clock_wall_ms(dir->last_ns));
		pk_json_str(j, "counted_at", dir->where == PK_AT_EGRESS ? "egress" : "ingress");
		pk_json_u64(j, "ttl", dir->ttl);
		pk_json_u64(j, "dscp", dir->dscp);
	}
	if (dir->tcp_next & PK_ICMP_KNOWN &&
	    (e->flow.key.proto == IPPROTO_ICMP || e->flow.key.proto == IPPROTO_ICMPV6)) {
		pk_json_u64(j, "icmp_type", dir->tcp_next >> 8 & 0xff);
		pk_json_u64(j, "icmp_code", dir->tcp_next & 0xff);
	}
	if (e->flow.key.proto == IPPROTO_TCP) {
		write_tcp_flags(j, "tcp_flags", dir->tcp_flags);
		pk_json_u64(j, "retransmits", dir->retransmits);
	}
	pk_json_u64(j, "fragments", dir->fragments);
	pk_json_bool(j, "local", o->local && pk_local_is_end(o->local, &e->flow, e->joined, d));
	write_owner(j, o, e, d);
	pk_json_end(j);
}

static void write_state(struct pk_json *j, const struct pk_flow_meta *m)
{
	unsigned from = m->initiator & 1;

	pk_json_arr(j, "state");
	if (m->state & PK_FLOW_HALF_OPEN)
		pk_json_str(j, NULL, "half_open");
	if (m->state & (from ? PK_FLOW_FIN1 : PK_FLOW_FIN0))
		pk_json_str(j, NULL, "fin_src");
	if (m->state & (from ? PK_FLOW_FIN0 : PK_FLOW_FIN1))
		pk_json_str(j, NULL, "fin_dst");
	if (m->state & PK_FLOW_RST)
		pk_json_str(j, NULL, "reset");
	if (m->state & PK_FLOW_MIDSTREAM)
		pk_json_str(j, NULL, "midstream");
	pk_json_end(j);
}

static void write_where(struct pk_json *j, const struct pk_ocsf *o, const struct pk_flow_key *k,
			const struct pk_link *link)
{
	static const char *const encap[] = { NULL, "vxlan", "geneve", "gre", "ipip", "sixin4" };
	const struct pk_link *ns = link;

	if (!ns && o->links)
		ns = pk_links_of(o->links, k->netns);
	pk_json_obj(j, "iface");
	pk_json_str(j, "name", link ? link->name : NULL);
	pk_json_u64(j, "index", k->ifindex);
	pk_json_end(j);
	pk_json_obj(j, "netns");
	pk_json_u64(j, "cookie", k->netns);
	if (ns) {
		pk_json_u64(j, "inum", ns->netns_inum);
		pk_json_str(j, "name", ns->netns_name);
	}
	pk_json_end(j);
	if (k->vlan[0] || k->vlan[1]) {
		pk_json_arr(j, "vlan");
		pk_json_u64(j, NULL, k->vlan[0]);
		if (k->vlan[1])
			pk_json_u64(j, NULL, k->vlan[1]);
		pk_json_end(j);
	}
	if (k->encap && k->encap < sizeof(encap) / sizeof(encap[0])) {
		pk_json_str(j, "encap", encap[k->encap]);
		pk_json_u64(j, "vni", k->vni);
	}
}

static void write_rate(struct pk_json *j, const struct pk_ocsf *o, const struct pk_flow_entry *e,
		       uint64_t now_ns)
{
	unsigned out = e->flow.meta.initiator & 1, in = !out;

	pk_json_obj(j, "rate");
	pk_json_dbl(j, "bytes_out", pk_flow_rate_bytes(e, out, now_ns, o->stale_ns));
	pk_json_dbl(j, "bytes_in", pk_flow_rate_bytes(e, in, now_ns, o->stale_ns));
	pk_json_dbl(j, "packets_out", pk_flow_rate_packets(e, out, now_ns, o->stale_ns));
	pk_json_dbl(j, "packets_in", pk_flow_rate_packets(e, in, now_ns, o->stale_ns));
	pk_json_end(j);
}

static void write_own(struct pk_json *j, const struct pk_ocsf *o, const struct pk_flow_entry *e,
		      const struct pk_link *link, enum pk_direction dir, uint64_t now_ns,
		      const struct pk_fact *fact)
{
	static const char *const why[] = { "unknown", "start", "active", "end", "idle", "stop" };
	const struct pk_flow *f = &e->flow;
	unsigned from = f->meta.initiator & 1;
	char id[17];

	snprintf(id, sizeof(id), "%016" PRIx64, (uint64_t)f->meta.id);
	pk_json_obj(j, "unmapped");
	pk_json_obj(j, "picket");
	pk_json_str(j, "flow", id);
	pk_json_str(j, "why", why[e->why < sizeof(why) / sizeof(why[0]) ? e->why : 0]);
	pk_json_bool(j, "final", e->ended);
	pk_json_str(j, "status", e->ended ? "ended" : "live");
	pk_json_str(j, "direction", pk_direction_name(dir));
	write_state(j, &f->meta);
	pk_json_u64(j, "start_ns", f->meta.start_ns);
	write_where(j, o, &f->key, link);
	if (f->meta.rtt_us)
		pk_json_u64(j, "rtt_us", f->meta.rtt_us);
	pk_ocsf_fact_own(j, fact, from);
	write_rate(j, o, e, now_ns);
	write_side(j, "src", o, e, from);
	write_side(j, "dst", o, e, !from);
	pk_json_end(j);
	pk_json_end(j);
}

static void write_actor(struct pk_json *j, const struct pk_ocsf *o, const struct pk_flow_entry *e)
{
	int d = pk_ocsf_actor(e);
	struct pk_side s;

	if (d < 0)
		return;
	pk_ocsf_side(o, e, d, &s);
	if (!s.user && !s.owner->user.tgid) {
		if (!(s.owner->flags & PK_OWNER_KERNEL))
			return;
		pk_json_obj(j, "actor");
		pk_json_str(j, "app_name", "[kernel]");
		pk_json_end(j);
		return;
	}
	pk_json_obj(j, "actor");
	if (s.user)
		pk_ocsf_process(j, "process", o, s.user);
	else
		pk_ocsf_identity(j, "process", o, &s.owner->user, s.owner->comm,
				 sizeof(s.owner->comm));
	pk_json_end(j);
}

void pk_ocsf_flow(struct pk_json *j, const struct pk_ocsf *o, struct pk_flow_entry *e,
		  uint64_t now_ns, uint64_t sequence)
{
	const struct pk_flow *f = &e->flow;
	unsigned from = f->meta.initiator & 1;
	const struct pk_link *link;
	const struct pk_fact *fact = o->names ? pk_names_fact(o->names, f->meta.id) : NULL;
	struct activity act = activity_of(e);
	enum pk_direction dir;
	uint64_t end =
		f->dir[0].last_ns > f->dir[1].last_ns ? f->dir[0].last_ns : f->dir[1].last_ns;
	char uid[64];

	pk_ocsf_join(o, e);
	dir = o->local ? pk_local_direction(o->local, f, e->joined) : PK_DIR_UNKNOWN;
	link = o->links ? pk_links_find(o->links, f->key.netns, f->key.ifindex) : NULL;
	snprintf(uid, sizeof(uid), "%s-%016" PRIx64 "-%u", o->boot, (uint64_t)f->meta.id,
		 f->meta.reports);
	pk_json_obj(j, NULL);
	pk_ocsf_head(j, 4001, act.id, act.name, uid, sequence, e->updated_ns);
	pk_json_i64(j, "start_time", pk_clock_wall_ms(f->meta.start_ns));
	pk_json_i64(j, "end_time", pk_clock_wall_ms(end));
	pk_json_u64(j, "duration", end > f->meta.start_ns ? (end - f->meta.start_ns) / 1000000 : 0);
	pk_json_bool(j, "is_src_dst_assignment_known", !(f->meta.state & PK_FLOW_MIDSTREAM));
	pk_ocsf_device(j, o);
	write_connection(j, o, f, dir);
	write_endpoint(j, "src_endpoint", o, e, from, link, fact);
	write_endpoint(j, "dst_endpoint", o, e, !from, link, fact);
	write_traffic(j, f);
	pk_ocsf_fact(j, fact);
	write_actor(j, o, e);
	write_own(j, o, e, link, dir, now_ns, fact);
	pk_json_end(j);
}

void pk_ocsf_listen(struct pk_json *j, const struct pk_ocsf *o, const struct pk_event *ev,
		    uint64_t sequence)
{
	const struct pk_sock *s = ev->sock;
	const struct pk_process *p = NULL;
	const char *proto = pk_ip_proto_name(s->l4);
	char uid[64], ip[PK_IP_TEXT];

	if (o->enrich && s->owner.user.tgid)
		p = pk_process_get(&o->enrich->processes, s->owner.user.tgid,
				   s->owner.user.start_ns);
	snprintf(uid, sizeof(uid), "%s-s-%" PRIu64, o->boot, sequence);
	pk_json_obj(j, NULL);
	pk_ocsf_head(j, 4001, 7, "Listen", uid, sequence, s->hdr.ts);
	pk_ocsf_device(j, o);
	pk_json_obj(j, "connection_info");
	pk_json_i64(j, "direction_id", 1);
	pk_json_str(j, "direction", "Inbound");
	pk_json_i64(j, "protocol_num", s->l4);
	pk_json_str(j, "protocol_name", proto);
	pk_json_end(j);
	pk_json_obj(j, "dst_endpoint");
	pk_json_str(j, "ip", pk_ip_format(s->laddr, ip));
	pk_json_i64(j, "port", ntohs(s->lport));
	pk_json_end(j);
	if (p || s->owner.user.tgid) {
		pk_json_obj(j, "actor");
		if (p)
			pk_ocsf_process(j, "process", o, p);
		else
			pk_ocsf_identity(j, "process", o, &s->owner.user, s->owner.comm,
					 sizeof(s->owner.comm));
		pk_json_end(j);
	}
	pk_json_obj(j, "unmapped");
	pk_json_obj(j, "picket");
	pk_json_str(j, "kind", "listen");
	pk_json_bool(j, "snapshot", s->hdr.flags & PK_EVF_SNAPSHOT);
	pk_json_u64(j, "socket", s->owner.cookie);
	pk_json_obj(j, "netns");
	pk_json_u64(j, "cookie", s->netns);
	pk_json_end(j);
	pk_json_end(j);
	pk_json_end(j);
	pk_json_end(j);
}
