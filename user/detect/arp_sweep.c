/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One host of the network asks by ARP for many addresses. It sees flows of ARP, whose addresses are
 * those of sender and target; who claims an address that is another's is arp_spoof's.
 */
#include "base/ip.h"
#include "conf/conf.h"
#include "detect/detect.h"
#include "detect/registry.h"
#include "detect/spread.h"
#include "detect/talk.h"
#include "flow/table.h"

#include <string.h>

#define ETHERTYPE_ARP 0x0806

static int init(const struct pk_world *w, void **ret_state)
{
	return pk_spread_begin(w->conf, w->conf->arp_sweep_window_ns,
			       16 * w->conf->arp_sweep_window_ns, ret_state);
}

static void tell(struct pk_detect *d, const struct pk_talk *t, struct pk_spread_row *r,
		 uint64_t now_ns)
{
	const struct pk_conf *c = pk_detect_world(d)->conf;
	unsigned n = pk_spread_count(r, PK_SPREAD_SHORT);
	struct pk_finding f = { .ts_ns = now_ns, .first_ns = r->first_ns };
	char src[PK_IP_TEXT];

	if (n < c->arp_sweep_hosts || !pk_spread_tell(r, n, now_ns))
		return;
	pk_ip_format(t->src, src);
	pk_talk_finding(t, &f);
	f.spoofable = true; /* ARP proves nothing, not even for this host */
	pk_finding_plain(&f,
			 "%s asked the local network for about %u addresses to find out which "
			 "computers are there.",
			 src, n);
	pk_finding_detail(&f, "%s sent ARP requests for about %u different addresses, %u in all.",
			  src, n, r->events);
	pk_finding_field(&f, "targets", "%u", n);
	pk_finding_field(&f, "targets_threshold", "%ju", (uintmax_t)c->arp_sweep_hosts);
	pk_finding_field(&f, "window_s", "%ju", (uintmax_t)(c->arp_sweep_window_ns / 1000000000));
	pk_finding_fold(&f, t->src, 16);
	pk_detect_found(d, &pk_detect_arp_sweep, &f);
}

/* A question for the own address, or from nobody, looks whether that address is free (RFC 5227). */
static void see(struct pk_detect *d, void *state, const struct pk_see *see)
{
	const struct pk_flow_key *key = &see->flow->flow.key;
	struct pk_memo_key who = { .scope = key->netns, .what = key->ifindex };
	struct pk_spread_row *r;
	struct pk_talk t;

	if (key->proto != ETHERTYPE_ARP || !see->flow->is_new)
		return;
	pk_talk_of(pk_detect_world(d), see->flow, &t);
	if (memcmp(t.src, t.dst, 16) == 0 || pk_addr_is_group(t.src))
		return;
	memcpy(who.a, t.src, sizeof(who.a));
	r = pk_spread_add(state, &who, t.dst, 16, see->now_ns);
	if (r)
		tell(d, &t, r, see->now_ns);
}

const struct pk_detector pk_detect_arp_sweep = {
	.name = "arp_sweep",
	.title = "ARP sweep",
	.technique = { "T1018" },
	.severity = PK_MEDIUM,
	.confidence = 70,
	.doubt = "Routers ask for every address that somebody outside scans, and so do inventory "
		 "and "
		 "printer discovery programs.",
	.next = "Find the device with this address on the switch and ask whose it is.",
	.wants = 1u << PK_SEE_FLOW,
	.bytes_max = pk_spread_bytes_max,
	.init = init,
	.done = pk_spread_done,
	.see = see,
	.tick = pk_spread_tick,
	.memory = pk_spread_memory,
};
