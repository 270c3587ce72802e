/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a flow's counters and flags. It keeps nothing and decides nothing about attacks. */
#include "detect/talk.h"

#include "base/cleanup.h"
#include "base/ip.h"
#include "enrich/enrich.h"
#include "flow/local.h"
#include "flow/table.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define FIN 0x01
#define SYN 0x02
#define PSH 0x08
#define ACK 0x10
#define URG 0x20

#define TRACEROUTE_FIRST 33434 /* and one more for each probe */
#define TRACEROUTE_LAST  33625
#define RESERVED         1024 /* ports below are of servers */

struct net {
	uint8_t addr[16];
	unsigned bits;
};

#define V4(a, b, c, d)                                                                             \
	{                                                                                          \
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (a), (b), (c), (d)                       \
	}

static bool is_in(const struct net *net, size_t n, const uint8_t addr[16])
{
	for (size_t i = 0; i < n; i++)
		if (pk_ip_in(addr, net[i].addr, net[i].bits))
			return true;
	return false;
}

bool pk_addr_is_loopback(const uint8_t addr[16])
{
	static const struct net nets[] = { { V4(127, 0, 0, 0), 104 }, { { [15] = 1 }, 128 } };

	return is_in(nets, PK_ARRAY_SIZE(nets), addr);
}

/* RFC 1918, 6598, 3927, 4193, 4291. */
bool pk_addr_is_inside(const uint8_t addr[16])
{
	static const struct net nets[] = {
		{ V4(10, 0, 0, 0), 104 },    { V4(172, 16, 0, 0), 108 },
		{ V4(192, 168, 0, 0), 112 }, { V4(100, 64, 0, 0), 106 },
		{ V4(169, 254, 0, 0), 112 }, { { 0xfc }, 7 },
		{ { 0xfe, 0x80 }, 10 },
	};

	return is_in(nets, PK_ARRAY_SIZE(nets), addr) || pk_addr_is_loopback(addr);
}

bool pk_addr_is_group(const uint8_t addr[16])
{
	static const struct net nets[] = {
		{ V4(224, 0, 0, 0), 100 },
		{ V4(255, 255, 255, 255), 128 },
		{ V4(0, 0, 0, 0), 104 },
		{ { 0xff }, 8 },
		{ { 0 }, 128 },
	};

	return is_in(nets, PK_ARRAY_SIZE(nets), addr);
}

const char *pk_probe_name(enum pk_probe p)
{
	static const char *const name[] = { "none", "SYN", "FIN", "NULL", "XMAS", "UDP", "ping" };

	return p < PK_ARRAY_SIZE(name) ? name[p] : "none";
}

/* Flags of whoever opened it, all of them together. A bare ACK may be of any old conversation. */
static enum pk_probe tcp_probe(const struct pk_flow *f, uint8_t flags)
{
	if ((flags & SYN) && f->meta.syn_ns)
		return PK_PROBE_SYN;
	if (flags == 0)
		return PK_PROBE_NULL;
	if (flags == FIN)
		return PK_PROBE_FIN;
	return flags == (FIN | PSH | URG) ? PK_PROBE_XMAS : PK_PROBE_NONE;
}

/* From a server's port to a client's it is an answer whose question was not seen. */
static enum pk_probe udp_probe(const struct pk_talk *t)
{
	if (t->sport < RESERVED && t->dport >= RESERVED)
		return PK_PROBE_NONE;
	return t->dport >= TRACEROUTE_FIRST && t->dport <= TRACEROUTE_LAST ? PK_PROBE_NONE
									   : PK_PROBE_UDP;
}

static enum pk_probe icmp_probe(const struct pk_flow *f, unsigned from)
{
	static const uint8_t asks[] = { 8, 13, 17 };
	uint32_t first = f->dir[from].tcp_next;
	uint8_t type = (uint8_t)(first >> 8);

	if (!(first & PK_ICMP_KNOWN))
		return PK_PROBE_NONE;
	if (f->key.proto == IPPROTO_ICMPV6)
		return type == 128 ? PK_PROBE_PING : PK_PROBE_NONE;
	return memchr(asks, type, sizeof(asks)) ? PK_PROBE_PING : PK_PROBE_NONE;
}

static enum pk_probe probe_of(const struct pk_talk *t)
{
	const struct pk_flow *f = &t->e->flow;

	if (f->key.proto == IPPROTO_ICMP || f->key.proto == IPPROTO_ICMPV6)
		return icmp_probe(f, t->from);
	if (t->said || !t->dport) /* without ports: a fragment, or cut off */
		return PK_PROBE_NONE;
	if (f->key.proto == IPPROTO_TCP)
		return tcp_probe(f, f->dir[t->from].tcp_flags);
	return f->key.proto == IPPROTO_UDP ? udp_probe(t) : PK_PROBE_NONE;
}

void pk_talk_of(const struct pk_world *w, const struct pk_flow_entry *e, struct pk_talk *ret_talk)
{
	const struct pk_flow *f = &e->flow;
	unsigned from = f->meta.initiator & 1, to = !from;
	bool tcp = f->key.proto == IPPROTO_TCP;
	struct pk_talk t = { .e = e, .from = from, .to = to };

	t.src = f->key.addr[from];
	t.dst = f->key.addr[to];
	t.sport = ntohs(f->key.port[from]);
	t.dport = ntohs(f->key.port[to]);
	t.src_own = w->local && pk_local_is_end(w->local, f, e->joined, from);
	t.dst_own = w->local && pk_local_is_end(w->local, f, e->joined, to);
	t.answered = f->dir[0].packets && f->dir[1].packets;
	t.firm = tcp && t.answered && !(f->meta.state & PK_FLOW_HALF_OPEN) &&
		 (f->meta.rtt_us || (f->dir[from].tcp_flags & PSH));
	t.said = tcp ? t.answered && (f->dir[to].tcp_flags & PSH) : t.answered;
	t.probe = probe_of(&t);
	*ret_talk = t;
}

static uint64_t hash_text(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ull; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3ull;
	return h;
}

void pk_caller_of(const struct pk_process *p, const struct pk_owner *own,
		  struct pk_caller *ret_caller)
{
	struct pk_caller g = { .id = &own->user, .is_kernel = own->flags & PK_OWNER_KERNEL };

	if (p) {
		snprintf(g.name, sizeof(g.name), "%s", pk_process_name(p));
		g.hash = hash_text(*pk_process_path(p) ? pk_process_path(p) : g.name);
	} else if (own->user.tgid && own->comm_len) {
		snprintf(g.name, sizeof(g.name), "%.*s", (int)strnlen(own->comm, sizeof(own->comm)),
			 own->comm);
		g.hash = hash_text(g.name);
	}
	*ret_caller = g;
}

void pk_talk_caller(const struct pk_world *w, const struct pk_talk *t, unsigned end,
		    struct pk_caller *ret_caller)
{
	const struct pk_owner *own = &t->e->flow.own[end];

	pk_caller_of(w->enrich ? pk_enrich_owner(w->enrich, &own->user) : NULL, own, ret_caller);
}

void pk_talk_finding(const struct pk_talk *t, struct pk_finding *f)
{
	const struct pk_flow *flow = &t->e->flow;
	unsigned far = t->src_own && !t->dst_own ? t->to : t->from;

	pk_finding_flow(f, &flow->key, flow->meta.id, (uint8_t)t->from, far);
	f->has_remote = !(t->src_own && t->dst_own);
	pk_finding_proc(f, &flow->own[t->from].user);
	pk_finding_proc(f, &flow->own[t->to].user);
	f->spoofable = !t->firm && !t->src_own;
}
