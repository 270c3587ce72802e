/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A protocol on a port that is another one's: told by content (name/ says so), and streams to the
 * TLS port that hold nothing of TLS. Ports that stand for nothing are nobody's wrong port. It
 * remembers which flows were told, so that each counts once.
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "decode/app.h"
#include "detect/detect.h"
#include "detect/once.h"
#include "detect/owner.h"
#include "detect/registry.h"
#include "flow/table.h"
#include "name/fact.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define PORT_TLS  443
#define SPOKE_MIN 2 /* packets with payload that the kernel looked at, of each end */

static bool is_odd(const struct pk_see *s)
{
	return s->fact && s->fact->app && (s->fact->flags & PK_FACT_ODD);
}

/* Both ends spoke from the start on, and neither of them anything that is known. */
static bool is_unknown_on_tls(const struct pk_flow_entry *e, unsigned server)
{
	const struct pk_flow *f = &e->flow;

	if (f->key.proto != IPPROTO_TCP || ntohs(f->key.port[server]) != PORT_TLS ||
	    (f->meta.state & (PK_FLOW_HALF_OPEN | PK_FLOW_MIDSTREAM)) || (e->is_new && !e->ended))
		return false;
	return f->dir[0].looked_at >= SPOKE_MIN && f->dir[1].looked_at >= SPOKE_MIN &&
	       f->meta.app[0] == PK_APP_NONE && f->meta.app[1] == PK_APP_NONE;
}

static void tell(struct pk_detect *d, const struct pk_see *s, unsigned server, const char *spoken)
{
	const struct pk_flow *flow = &s->flow->flow;
	uint16_t port = ntohs(flow->key.port[server]);
	const char *meant = pk_app_port_name((uint8_t)flow->key.proto, port);
	struct pk_finding f = { .ts_ns = s->now_ns, .first_ns = flow->meta.start_ns };
	char ip[PK_IP_TEXT];

	if (!spoken) {
		f.severity = PK_LOW;
		f.confidence = 50;
	}
	pk_finding_flow(&f, &flow->key, flow->meta.id, flow->meta.initiator, server);
	pk_finding_owners(&f, pk_detect_world(d), &flow->key, flow->meta.id, !server);
	pk_finding_plain(&f,
			 "A connection is not of the kind that its entrance is meant for, which "
			 "can hide it from filters.");
	pk_finding_detail(&f, "%s was spoken with %s port %u, which is for %s.",
			  spoken ? spoken : "No protocol that is known",
			  pk_ip_format(flow->key.addr[server], ip), port, meant ? meant : "others");
	pk_finding_field(&f, "app", "%s", spoken ? spoken : "unknown");
	pk_finding_field(&f, "port", "%u", port);
	if (meant)
		pk_finding_field(&f, "port_app", "%s", meant);
	pk_finding_fold(&f, flow->key.addr[server], 16);
	pk_finding_fold(&f, &port, sizeof(port));
	pk_finding_fold(&f, flow->key.addr[!server], 16);
	f.spoofable = flow->key.proto == IPPROTO_UDP && (flow->meta.state & PK_FLOW_HALF_OPEN);
	pk_detect_found(d, &pk_detect_wrong_port, &f);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	unsigned server = !(s->flow->flow.meta.initiator & 1);
	bool odd = is_odd(s);

	if (odd)
		server = !(s->fact->client & 1);
	if (!odd && !is_unknown_on_tls(s->flow, server))
		return;
	if (pk_once_is_first(state, s->flow->flow.meta.id))
		tell(d, s, server, odd ? pk_app_name(s->fact->app) : NULL);
}

const struct pk_detector pk_detect_wrong_port = {
	.name = "wrong_port",
	.title = "Protocol on another one's port",
	.technique = { "T1571" },
	.severity = PK_MEDIUM,
	.confidence = 70,
	.doubt = "Administrators put services on ports that firewalls leave open, such as SSH or a "
		 "VPN on 443.",
	.next = "Ask who runs the service there, and look at the process that opened the "
		"connection.",
	.wants = 1u << PK_SEE_FLOW,
	.init = pk_once_init,
	.done = pk_once_done,
	.see = see,
	.memory = pk_once_memory,
	.bytes_max = pk_once_bytes_max,
};
