/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One source tries the same port of many hosts, or pings many. Hosts with which it has a real
 * conversation on that port excuse it: who looks for something finds little.
 */
#include "base/ip.h"
#include "conf/conf.h"
#include "decode/app.h"
#include "detect/detect.h"
#include "detect/registry.h"
#include "detect/spread.h"
#include "detect/talk.h"
#include "flow/table.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* pk_memo_key.what */
enum { TRIED, SPOKE };

static int init(const struct pk_world *w, void **ret_state)
{
	return pk_spread_begin(w->conf, w->conf->host_sweep_window_ns,
			       w->conf->host_sweep_slow_window_ns, ret_state);
}

/* The identifier of a ping is no port. */
static struct pk_memo_key key_of(const struct pk_talk *t, unsigned what)
{
	struct pk_memo_key k = { .what = what, .scope = t->e->flow.key.netns };

	k.proto = t->e->flow.key.proto;
	k.port = t->probe == PK_PROBE_PING ? 0 : t->dport;
	memcpy(k.a, t->src, sizeof(k.a));
	return k;
}

/* Browsers try QUIC with every host, and networks that let none through are common. */
static bool is_common(const struct pk_talk *t)
{
	return t->e->flow.key.proto == IPPROTO_UDP && t->dport == 443;
}

static void port_text(const struct pk_talk *t, char *out, size_t size)
{
	const char *name = pk_app_port_name((uint8_t)t->e->flow.key.proto, t->dport);

	if (t->probe == PK_PROBE_PING)
		snprintf(out, size, "ping");
	else if (name)
		snprintf(out, size, "port %u, %s", t->dport, name);
	else
		snprintf(out, size, "port %u", t->dport);
}

static void tell(struct pk_detect *d, const struct pk_talk *t, const struct pk_spread_row *r,
		 int which, unsigned hosts, unsigned spoke, uint64_t now_ns)
{
	const struct pk_conf *c = pk_detect_world(d)->conf;
	struct pk_finding f = { .ts_ns = now_ns, .first_ns = r->first_ns };
	bool slow = which == PK_SPREAD_LONG;
	char src[PK_IP_TEXT], port[64];

	pk_ip_format(t->src, src);
	port_text(t, port, sizeof(port));
	pk_talk_finding(t, &f);
	f.spoofable = f.spoofable && !r->firm;
	f.severity = t->src_own ? PK_HIGH : PK_MEDIUM;
	if (t->probe == PK_PROBE_PING) {
		f.technique[0] = "T1018";
		f.severity = t->src_own ? PK_MEDIUM : PK_LOW;
	}
	pk_finding_plain(&f,
			 "%s knocked at about %u computers one after the other to find out which "
			 "are there.",
			 src, hosts);
	pk_finding_detail(&f,
			  "%s tried about %u hosts with the same probe (%s, %s) without a "
			  "conversation, %s; it had one with %u hosts there.",
			  src, hosts, pk_probe_name(t->probe), port, slow ? "slowly" : "fast",
			  spoke);
	pk_finding_field(&f, "probe", "%s", pk_probe_name(t->probe));
	pk_finding_field(&f, "port", "%u", t->probe == PK_PROBE_PING ? 0 : t->dport);
	pk_finding_field(&f, "hosts", "%u", hosts);
	pk_finding_field(&f, "hosts_threshold", "%ju",
			 (uintmax_t)(slow ? c->host_sweep_slow_hosts : c->host_sweep_hosts));
	pk_finding_field(
		&f, "window_s", "%ju",
		(uintmax_t)((slow ? c->host_sweep_slow_window_ns : c->host_sweep_window_ns) /
			    1000000000));
	pk_finding_field(&f, "hosts_spoken_with", "%u", spoke);
	pk_finding_fold(&f, t->probe == PK_PROBE_PING ? "ping" : "port", 4);
	pk_finding_fold(&f, t->src, 16);
	pk_detect_found(d, &pk_detect_host_sweep, &f);
}

static void judge(struct pk_detect *d, struct pk_spread *s, const struct pk_talk *t,
		  struct pk_spread_row *r, uint64_t now_ns)
{
	const struct pk_conf *c = pk_detect_world(d)->conf;
	const uint64_t enough[] = { c->host_sweep_hosts, c->host_sweep_slow_hosts };
	struct pk_memo_key key = key_of(t, SPOKE);
	const struct pk_spread_row *good = pk_spread_find(s, &key);

	for (int w = PK_SPREAD_SHORT; w <= PK_SPREAD_LONG; w++) {
		unsigned hosts = pk_spread_count(r, w), spoke = good ? pk_spread_count(good, w) : 0;

		if (hosts < enough[w] || 2 * spoke >= hosts)
			continue;
		if (r->fresh[w] && pk_spread_tell(r, hosts, now_ns))
			tell(d, t, r, w, hosts, spoke, now_ns);
		return;
	}
}

static void see(struct pk_detect *d, void *state, const struct pk_see *see)
{
	struct pk_memo_key key;
	struct pk_spread_row *r;
	struct pk_talk t;

	if (!see->flow->is_new && !see->flow->ended)
		return;
	pk_talk_of(pk_detect_world(d), see->flow, &t);
	if ((t.probe == PK_PROBE_NONE && !t.said) || pk_addr_is_group(t.dst) || is_common(&t))
		return;
	key = key_of(&t, t.probe == PK_PROBE_NONE ? SPOKE : TRIED);
	r = pk_spread_add(state, &key, t.dst, 16, see->now_ns);
	if (!r || t.probe == PK_PROBE_NONE)
		return;
	r->firm += t.firm;
	judge(d, state, &t, r, see->now_ns);
}

const struct pk_detector pk_detect_host_sweep = {
	.name = "host_sweep",
	.title = "Host sweep",
	.technique = { "T1046", "T1018", "T1595.001" },
	.severity = PK_MEDIUM,
	.confidence = 75,
	.doubt = "Monitoring that pings many hosts, scanners of your own, and programs whose "
		 "servers "
		 "are all unreachable at once look the same.",
	.next = "Find out whose the source is; if this host is the source, look at the program and "
		"at what started it.",
	.wants = 1u << PK_SEE_FLOW,
	.bytes_max = pk_spread_bytes_max,
	.init = init,
	.done = pk_spread_done,
	.see = see,
	.tick = pk_spread_tick,
	.memory = pk_spread_memory,
};
