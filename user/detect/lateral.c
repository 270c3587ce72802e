/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One program, or one host where programs are not known, has sessions with many inside hosts on the
 * ports by which hosts are managed. Those that only knock are host_sweep's.
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "detect/detect.h"
#include "detect/registry.h"
#include "detect/spread.h"
#include "detect/talk.h"
#include "flow/table.h"

#include <netinet/in.h>
#include <string.h>

static const struct {
	uint16_t port;
	const char *name, *technique;
} ways[] = {
	{ 22, "SSH", "T1021.004" }, { 23, "Telnet", "T1021" },  { 135, "RPC", "T1021" },
	{ 445, "SMB", "T1021" },    { 3389, "RDP", "T1021" },   { 5900, "VNC", "T1021" },
	{ 5985, "WinRM", "T1021" }, { 5986, "WinRM", "T1021" },
};

static int init(const struct pk_world *w, void **ret_state)
{
	return pk_spread_begin(w->conf, w->conf->lateral_window_ns, 16 * w->conf->lateral_window_ns,
			       ret_state);
}

static int way_of(const struct pk_talk *t)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(ways); i++)
		if (ways[i].port == t->dport)
			return (int)i;
	return -1;
}

static void tell(struct pk_detect *d, const struct pk_talk *t, struct pk_spread_row *r, int way,
		 const struct pk_caller *g, uint64_t now_ns)
{
	const struct pk_conf *c = pk_detect_world(d)->conf;
	unsigned n = pk_spread_count(r, PK_SPREAD_SHORT);
	struct pk_finding f = { .ts_ns = now_ns, .first_ns = r->first_ns };
	char src[PK_IP_TEXT];

	if (n < c->lateral_hosts || !pk_spread_tell(r, n, now_ns))
		return;
	pk_ip_format(t->src, src);
	pk_talk_finding(t, &f);
	f.technique[0] = ways[way].technique;
	pk_finding_plain(&f,
			 "%s went from %s into about %u other computers of the own network within "
			 "minutes.",
			 g->hash ? g->name : "Somebody", src, n);
	pk_finding_detail(&f,
			  "%s at %s had sessions with about %u inside hosts on ports for "
			  "management, the last one with %s (port %u).",
			  g->hash ? g->name : "A program", src, n, ways[way].name, t->dport);
	pk_finding_field(&f, "hosts", "%u", n);
	pk_finding_field(&f, "hosts_threshold", "%ju", (uintmax_t)c->lateral_hosts);
	pk_finding_field(&f, "window_s", "%ju", (uintmax_t)(c->lateral_window_ns / 1000000000));
	pk_finding_field(&f, "service", "%s", ways[way].name);
	pk_finding_fold(&f, t->src, 16);
	pk_finding_fold(&f, &g->hash, sizeof(g->hash));
	pk_detect_found(d, &pk_detect_lateral, &f);
}

/* In a session both sides have spoken: who pretends to be another host never gets there. */
static void see(struct pk_detect *d, void *state, const struct pk_see *see)
{
	const struct pk_world *w = pk_detect_world(d);
	struct pk_memo_key who = { .scope = see->flow->flow.key.netns };
	struct pk_spread_row *r;
	struct pk_caller g;
	struct pk_talk t;
	int way;

	if (see->flow->flow.key.proto != IPPROTO_TCP)
		return;
	pk_talk_of(w, see->flow, &t);
	way = way_of(&t);
	if (way < 0 || !t.said || !t.firm || t.dst_own || pk_addr_is_loopback(t.dst) ||
	    !pk_addr_is_inside(t.src) || !pk_addr_is_inside(t.dst))
		return;
	pk_talk_caller(w, &t, t.from, &g);
	memcpy(who.a, t.src, sizeof(who.a));
	memcpy(who.b, &g.hash, sizeof(g.hash));
	r = pk_spread_add(state, &who, t.dst, 16, see->now_ns);
	if (r)
		tell(d, &t, r, way, &g, see->now_ns);
}

const struct pk_detector pk_detect_lateral = {
	.name = "lateral",
	.title = "Lateral fan-out",
	.technique = { "T1021" },
	.severity = PK_MEDIUM,
	.confidence = 55,
	.doubt = "Configuration management, backup and an administrator at work do the same every "
		 "day.",
	.next = "Ask who ran the program; if nobody did, look at what it left on the hosts that it "
		"reached.",
	.wants = 1u << PK_SEE_FLOW,
	.bytes_max = pk_spread_bytes_max,
	.init = init,
	.done = pk_spread_done,
	.see = see,
	.tick = pk_spread_tick,
	.memory = pk_spread_memory,
};
