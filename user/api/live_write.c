/* SPDX-License-Identifier: Apache-2.0 */
/* Writes rows; what is in them and which there are, live_rows.c decides. */
#include "api/live_write.h"

#include "api/live_rows.h"
#include "api/view.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "base/json.h"
#include "block/show.h"
#include "enrich/enrich.h"
#include "flow/link.h"
#include "flow/local.h"
#include "flow/table.h"
#include "output/who.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MS 1000000

struct writer {
	struct pk_json *j;
	struct pk_view *v;
	struct pk_block_answer *answer; /* NULL: nobody to ask about blocks */
};

static void write_age(const struct writer *w, const char *key, uint64_t start_ns)
{
	uint64_t now = w->v->now_ns;

	pk_json_u64(w->j, key, now > start_ns ? (now - start_ns) / NS_PER_MS : 0);
}

static void write_process(const struct writer *w, const struct pk_process *p)
{
	const char *name, *id;
	char uid[PK_PROCESS_UID], num[16];
	const char *user = pk_user_name(&w->v->ocsf.enrich->users, p->id.uid);

	snprintf(num, sizeof(num), "%u", p->id.uid);
	pk_who_container(w->v->ocsf.enrich, p, &name, &id);
	pk_json_u64(w->j, "pid", p->id.tgid);
	pk_json_str(w->j, "process", pk_process_uid(&w->v->ocsf, &p->id, uid));
	pk_json_str(w->j, "name", pk_process_name(p));
	pk_json_str(w->j, "user", user ? user : num);
	pk_json_str(w->j, "container", name);
}

/* What tells a process in the tree: who began it, since when. */
static void write_place(const struct writer *w, const struct pk_process *p)
{
	const struct pk_process *parent = pk_live_parent(w->v, p);
	char uid[PK_PROCESS_UID];

	if (parent)
		pk_json_str(w->j, "parent", pk_process_uid(&w->v->ocsf, &parent->id, uid));
	write_age(w, "running_ms", p->id.start_ns);
	if (p->end_ns)
		pk_json_str(w->j, "status", "ended");
}

/* Who the flow's local side is: a process in the tree, one that is only a number, or the kernel. */
static void write_actor(const struct writer *w, const struct pk_flow_entry *e)
{
	const struct pk_view *v = w->v;
	int d = pk_ocsf_actor(e);
	struct pk_side s;
	char uid[PK_PROCESS_UID];

	if (d < 0)
		return;
	pk_ocsf_side(&v->ocsf, e, (unsigned)d, &s);
	if (s.user) {
		write_process(w, s.user);
	} else if (s.owner->user.tgid) {
		const char *user = pk_user_name(&v->ocsf.enrich->users, s.owner->user.uid);

		pk_json_u64(w->j, "pid", s.owner->user.tgid);
		pk_json_str(w->j, "process", pk_process_uid(&v->ocsf, &s.owner->user, uid));
		if (s.owner->comm_len)
			pk_json_strn(w->j, "name", s.owner->comm,
				     strnlen(s.owner->comm, sizeof(s.owner->comm)));
		pk_json_str(w->j, "user", user);
	} else if (s.owner->flags & PK_OWNER_KERNEL) {
		pk_json_str(w->j, "name", "[kernel]");
	}
}

static bool has_ports(uint16_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

/* What a list says to the remote side now: "drop", "observe"; nothing is the usual case. */
static void write_blocked(const struct writer *w, const struct pk_flow_entry *e, unsigned here)
{
	const struct pk_flow_key *k = &e->flow.key;
	struct pk_block_query q = { .dir = PK_BLK_IN | PK_BLK_OUT,
				    .proto = k->proto < 256 ? (uint8_t)k->proto : 0,
				    .ifindex = k->ifindex };

	if (!w->answer || k->proto > 255)
		return;
	if (has_ports(k->proto))
		q.port = ntohs(k->port[!(e->flow.meta.initiator & 1)]);
	memcpy(q.addr, k->addr[!here], sizeof(q.addr));
	pk_block_check(w->v->block, &q, w->answer);
	if (w->answer->verdict == PK_BLOCK_DROP)
		pk_json_str(w->j, "blocked", "drop");
	else if (w->answer->verdict == PK_BLOCK_OBSERVE)
		pk_json_str(w->j, "blocked", "observe");
	else
		return;
	for (size_t i = 0; i < w->answer->n; i++)
		if (w->answer->v[i].decides)
			pk_json_str(w->j, "list", w->answer->v[i].list);
}

static const char *state_of(const struct pk_flow_entry *e)
{
	uint32_t state = e->flow.meta.state;

	if (state & PK_FLOW_RST)
		return "reset";
	if (e->ended)
		return "closed";
	if (state & (PK_FLOW_FIN0 | PK_FLOW_FIN1))
		return "closing";
	return state & PK_FLOW_HALF_OPEN ? "unanswered" : "open";
}

/* What the flow is with, and what it speaks. */
static void write_with(const struct writer *w, const struct pk_flow_entry *e, unsigned here)
{
	bool is_name;
	const char *name = pk_live_name(w->v, e, !here, &is_name);

	if (is_name)
		pk_json_str(w->j, "with", name);
	pk_json_str(w->j, "app", pk_live_app(w->v, e));
	if (pk_live_is_odd(w->v, e))
		pk_json_bool(w->j, "odd", true);
}

static void write_flow(const struct writer *w, const struct pk_live_row *row)
{
	const struct pk_flow_entry *e = row->flow;
	const struct pk_flow *f = &e->flow;
	unsigned from = f->meta.initiator & 1, here = row->end;
	const struct pk_link *link = pk_links_find(w->v->ocsf.links, f->key.netns, f->key.ifindex);
	const char *proto = f->key.proto == 0x0806 ? "arp" : pk_ip_proto_name(f->key.proto);
	char id[17], ip[PK_IP_TEXT], num[8];
	struct pk_json *j = w->j;

	snprintf(id, sizeof(id), "%016" PRIx64, (uint64_t)f->meta.id);
	snprintf(num, sizeof(num), "%u", f->key.proto);
	pk_json_str(j, "id", id);
	pk_json_str(j, "protocol", proto ? proto : num);
	pk_json_str(j, "src", pk_ip_format(f->key.addr[from], ip));
	if (has_ports(f->key.proto))
		pk_json_u64(j, "src_port", ntohs(f->key.port[from]));
	pk_json_str(j, "dst", pk_ip_format(f->key.addr[!from], ip));
	if (has_ports(f->key.proto))
		pk_json_u64(j, "dst_port", ntohs(f->key.port[!from]));
	pk_json_str(j, "remote", pk_ip_format(f->key.addr[!here], ip));
	if (has_ports(f->key.proto))
		pk_json_u64(j, "remote_port", ntohs(f->key.port[!here]));
	write_with(w, e, here);
	pk_json_str(j, "direction",
		    pk_direction_name(pk_local_direction(w->v->ocsf.local, f, e->joined)));
	pk_json_str(j, "status", e->ended ? "ended" : "live");
	pk_json_str(j, "state", state_of(e));
	write_blocked(w, e, here);
	pk_json_str(j, "iface", link ? link->name : NULL);
	if (link && link->netns_name[0])
		pk_json_str(j, "netns", link->netns_name);
	pk_json_u64(j, "packets", f->dir[0].packets + f->dir[1].packets);
	if (f->meta.rtt_us)
		pk_json_u64(j, "rtt_us", f->meta.rtt_us);
	pk_json_u64(j, "retransmits", (uint64_t)f->dir[0].retransmits + f->dir[1].retransmits);
	write_actor(w, e);
}

/* The busiest flow tells who and with whom; "more" says that there are others. */
static void write_top(const struct writer *w, const struct pk_live_row *row)
{
	char ip[PK_IP_TEXT];

	pk_json_str(w->j, "remote", pk_ip_format(row->top->flow.key.addr[!row->end], ip));
	write_with(w, row->top, row->end);
	pk_json_bool(w->j, "more_remotes", row->more_remotes);
}

static void write_by(const struct writer *w, const struct pk_live_row *row)
{
	char uid[PK_PROCESS_UID];

	if (row->who) {
		pk_json_str(w->j, "by", pk_process_name(row->who));
		pk_json_u64(w->j, "by_pid", row->who->id.tgid);
		pk_json_str(w->j, "by_process", pk_process_uid(&w->v->ocsf, &row->who->id, uid));
	}
	pk_json_bool(w->j, "more_by", row->more_who);
}

static void write_group(const struct writer *w, const struct pk_live_row *row)
{
	const struct pk_container *c =
		row->who ? pk_enrich_container(w->v->ocsf.enrich, row->who) : NULL;
	char name[PK_CONTAINER_ID_LEN];

	if (!c)
		return;
	if (c->cgroup.runtime == PK_RUNTIME_NONE) {
		pk_json_str(w->j, "name", c->cgroup.unit);
		pk_json_str(w->j, "kind", "service");
		return;
	}
	pk_json_str(w->j, "name", pk_container_name(c, name));
	pk_json_str(w->j, "id", c->cgroup.id);
	pk_json_str(w->j, "kind", pk_runtime_name(c->cgroup.runtime));
}

static void write_name(const struct writer *w, const struct pk_live_row *row)
{
	bool is_name;

	pk_json_str(w->j, "name", pk_live_name(w->v, row->top, !row->end, &is_name));
	pk_json_bool(w->j, "named", is_name);
	write_top(w, row);
	write_blocked(w, row->top, row->end);
	write_by(w, row);
}

static void write_key(const struct writer *w, enum pk_live_list list, const struct pk_live_row *row)
{
	const char *proto = row->proto == 0x0806 ? "arp" : pk_ip_proto_name(row->proto);
	char ip[PK_IP_TEXT], num[8];

	snprintf(num, sizeof(num), "%u", row->proto);
	switch (list) {
	case PK_LIVE_FLOWS:
		write_flow(w, row);
		break;
	case PK_LIVE_PROCESSES:
		write_process(w, row->process);
		write_place(w, row->process);
		write_top(w, row);
		pk_json_u64(w->j, "sent", row->process->net.bytes_out);
		pk_json_u64(w->j, "received", row->process->net.bytes_in);
		pk_json_u64(w->j, "flows_ended", row->process->net.flows_ended);
		break;
	case PK_LIVE_TREE:
		write_process(w, row->process);
		write_place(w, row->process);
		break;
	case PK_LIVE_NAMES:
		write_name(w, row);
		break;
	case PK_LIVE_REMOTES:
		pk_json_str(w->j, "ip", pk_ip_format(row->addr, ip));
		write_with(w, row->top, row->end);
		write_blocked(w, row->top, row->end);
		write_by(w, row);
		break;
	case PK_LIVE_CONTAINERS:
		write_group(w, row);
		write_top(w, row);
		write_by(w, row);
		break;
	case PK_LIVE_APPS:
		pk_json_str(w->j, "app", pk_live_app(w->v, row->top));
		pk_json_str(w->j, "protocol", proto ? proto : num);
		write_by(w, row);
		break;
	default:
		pk_json_str(w->j, "protocol", proto ? proto : num);
		pk_json_u64(w->j, "port", row->port);
		pk_json_str(w->j, "app", pk_live_app(w->v, row->top));
		write_by(w, row);
	}
}

static void write_row(const struct writer *w, enum pk_live_list list, const struct pk_live_row *row)
{
	pk_json_obj(w->j, NULL);
	write_key(w, list, row);
	if (list != PK_LIVE_FLOWS)
		pk_json_u64(w->j, "flows", row->flows);
	pk_json_u64(w->j, "bytes_out", row->bytes_out);
	pk_json_u64(w->j, "bytes_in", row->bytes_in);
	pk_json_dbl(w->j, "rate_out", row->rate_out);
	pk_json_dbl(w->j, "rate_in", row->rate_in);
	write_age(w, "age_ms", row->start_ns);
	pk_json_end(w->j);
}

void pk_live_write(struct pk_json *j, struct pk_view *v, struct pk_live_rows *rows, size_t n)
{
	static const char *const name[] = { "flows",   "processes",  "tree", "names",
					    "remotes", "containers", "apps", "ports" };
	_cleanup_free_ struct pk_block_answer *answer =
		v->block ? malloc(sizeof(*answer)) : NULL; /* too much for the stack */
	struct writer w = { .j = j, .v = v, .answer = answer };
	const struct pk_live_row *row;

	for (int i = 0; i < PK_LIVE_LISTS; i++) {
		size_t shown = pk_live_rows_top(rows, i, n, &row);

		pk_json_arr(j, name[i]);
		for (size_t k = 0; k < shown; k++)
			write_row(&w, i, &row[k]);
		pk_json_end(j);
	}
}
