/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many ports of one host are tried: by one source, fast or over hours, or by many sources at once.
 * Tried means opened and nothing said; with which flags tells the kind of scan. Floods that the
 * kernel only sums up by destination have no source and are the flood detectors' matter; README.md
 * says how slow a scan is hidden by that.
 */
#include "base/ip.h"
#include "conf/conf.h"
#include "detect/detect.h"
#include "detect/registry.h"
#include "detect/spread.h"
#include "detect/talk.h"
#include "flow/table.h"

#include <stdio.h>
#include <string.h>

/* pk_memo_key.what */
enum { PAIR, TARGET_PORTS, TARGET_SOURCES };

static int init(const struct pk_world *w, void **ret_state)
{
	return pk_spread_begin(w->conf, w->conf->port_scan_window_ns,
			       w->conf->port_scan_slow_window_ns, ret_state);
}

static struct pk_memo_key key_of(const struct pk_talk *t, unsigned what)
{
	struct pk_memo_key k = { .what = what, .scope = t->e->flow.key.netns };

	memcpy(k.b, t->dst, sizeof(k.b));
	if (what == PAIR)
		memcpy(k.a, t->src, sizeof(k.a));
	return k;
}

/* Kinds seen, "SYN, UDP". */
static void kinds_text(uint32_t kinds, char *out, size_t size)
{
	size_t len = 0;

	for (unsigned p = PK_PROBE_SYN; p <= PK_PROBE_UDP && len < size; p++)
		if (kinds >> p & 1)
			len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "",
						pk_probe_name(p));
}

static void fill(struct pk_finding *f, const struct pk_conf *c, const struct pk_spread_row *r,
		 const char *how, int which, unsigned ports)
{
	bool slow = which == PK_SPREAD_LONG;
	char kinds[64] = "";

	kinds_text(r->kinds, kinds, sizeof(kinds));
	f->first_ns = r->first_ns;
	pk_finding_field(f, "scan", "%s", how);
	pk_finding_field(f, "probe", "%s", kinds);
	pk_finding_field(f, "ports", "%u", ports);
	pk_finding_field(f, "ports_threshold", "%ju",
			 (uintmax_t)(slow ? c->port_scan_slow_ports : c->port_scan_ports));
	pk_finding_field(f, "window_s", "%ju",
			 (uintmax_t)((slow ? c->port_scan_slow_window_ns : c->port_scan_window_ns) /
				     1000000000));
	pk_finding_field(f, "probes", "%u", r->events);
	pk_finding_field(f, "over_s", "%ju", (uintmax_t)((r->last_ns - r->first_ns) / 1000000000));
}

static void tell_pair(struct pk_detect *d, const struct pk_talk *t, struct pk_spread_row *r,
		      uint64_t now_ns)
{
	const struct pk_conf *c = pk_detect_world(d)->conf;
	unsigned fast = pk_spread_count(r, PK_SPREAD_SHORT);
	unsigned slow = pk_spread_count(r, PK_SPREAD_LONG);
	bool is_fast = fast >= c->port_scan_ports;
	char src[PK_IP_TEXT], dst[PK_IP_TEXT];
	struct pk_finding f = { .ts_ns = now_ns };
	unsigned ports = is_fast ? fast : slow;

	if ((!is_fast && slow < c->port_scan_slow_ports) ||
	    !r->fresh[is_fast ? PK_SPREAD_SHORT : PK_SPREAD_LONG] ||
	    !pk_spread_tell(r, ports, now_ns))
		return;
	pk_ip_format(t->src, src);
	pk_ip_format(t->dst, dst);
	pk_talk_finding(t, &f);
	f.spoofable = f.spoofable && !r->firm;
	f.severity = t->src_own ? PK_HIGH : PK_MEDIUM;
	pk_finding_plain(&f,
			 "%s tried about %u entrances of %s, as somebody does who looks for one "
			 "that is open.",
			 src, ports, dst);
	pk_finding_detail(&f,
			  "%s opened about %u different ports of %s without a conversation (%s "
			  "scan, %s); the last one was %u.",
			  src, ports, dst, is_fast ? "fast" : "slow", pk_probe_name(t->probe),
			  t->dport);
	fill(&f, c, r, is_fast ? "vertical" : "vertical, slow",
	     is_fast ? PK_SPREAD_SHORT : PK_SPREAD_LONG, ports);
	pk_finding_fold(&f, t->src, 16);
	pk_detect_found(d, &pk_detect_port_scan, &f);
}

/* Nobody in particular: no source tried enough ports to be told on its own. */
static void tell_target(struct pk_detect *d, const struct pk_talk *t, struct pk_spread_row *ports,
			const struct pk_spread_row *sources, uint64_t now_ns)
{
	const struct pk_conf *c = pk_detect_world(d)->conf;
	unsigned n = pk_spread_count(ports, PK_SPREAD_SHORT);
	unsigned from = pk_spread_count(sources, PK_SPREAD_SHORT);
	struct pk_finding f = { .ts_ns = now_ns, .spoofable = true };
	char dst[PK_IP_TEXT];

	if (n < 2 * c->port_scan_ports || from < c->port_scan_sources ||
	    !pk_spread_tell(ports, n, now_ns))
		return;
	pk_ip_format(t->dst, dst);
	pk_talk_finding(t, &f);
	f.has_remote = false; /* whoever is last is not to be blocked for all of them */
	f.spoofable = true;
	pk_finding_plain(&f, "About %u computers together tried about %u entrances of %s.", from, n,
			 dst);
	pk_finding_detail(&f,
			  "About %u different ports of %s were opened by about %u sources without "
			  "a conversation (distributed scan, or a flood with forged sources).",
			  n, dst, from);
	fill(&f, c, ports, "distributed", PK_SPREAD_SHORT, n);
	pk_finding_field(&f, "sources", "%u", from);
	pk_finding_field(&f, "sources_threshold", "%ju", (uintmax_t)c->port_scan_sources);
	pk_finding_fold(&f, "distributed", 11);
	pk_finding_fold(&f, t->dst, 16);
	pk_detect_found(d, &pk_detect_port_scan, &f);
}

static struct pk_spread_row *add(struct pk_spread *s, const struct pk_talk *t, unsigned what,
				 const void *thing, size_t len, uint64_t now_ns)
{
	struct pk_memo_key k = key_of(t, what);
	struct pk_spread_row *r = pk_spread_add(s, &k, thing, len, now_ns);

	if (!r)
		return NULL;
	r->kinds |= 1u << t->probe;
	r->firm += t->firm;
	return r;
}

static void see(struct pk_detect *d, void *state, const struct pk_see *see)
{
	struct pk_spread_row *pair, *ports, *sources;
	struct pk_talk t;

	if (!see->flow->is_new && !see->flow->ended)
		return;
	pk_talk_of(pk_detect_world(d), see->flow, &t);
	if (t.probe == PK_PROBE_NONE || t.probe == PK_PROBE_PING || pk_addr_is_group(t.dst))
		return;
	pair = add(state, &t, PAIR, &t.dport, sizeof(t.dport), see->now_ns);
	if (pair)
		tell_pair(d, &t, pair, see->now_ns);
	sources = add(state, &t, TARGET_SOURCES, t.src, 16, see->now_ns);
	ports = add(state, &t, TARGET_PORTS, &t.dport, sizeof(t.dport), see->now_ns);
	if (ports && sources)
		tell_target(d, &t, ports, sources, see->now_ns);
}

const struct pk_detector pk_detect_port_scan = {
	.name = "port_scan",
	.title = "Port scan",
	.technique = { "T1046" },
	.severity = PK_MEDIUM,
	.confidence = 80,
	.doubt = "Scanners that you run yourself, health checks of many ports, and clients of a "
		 "host that just went away look the same.",
	.next = "Find out whose the source is; if it is nobody you know, block it and look which "
		"of the tried ports answered.",
	.wants = 1u << PK_SEE_FLOW,
	.bytes_max = pk_spread_bytes_max,
	.init = init,
	.done = pk_spread_done,
	.see = see,
	.tick = pk_spread_tick,
	.memory = pk_spread_memory,
};
