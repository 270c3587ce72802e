/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mining of coins: Stratum, the JSON lines between a miner and its pool, told by content on any
 * port. Pools over TLS are for lists of names. It remembers which flows were told.
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

static void tell(struct pk_detect *d, const struct pk_see *s)
{
	const struct pk_flow *flow = &s->flow->flow;
	unsigned server = !(s->fact->client & 1);
	struct pk_finding f = { .ts_ns = s->now_ns, .first_ns = flow->meta.start_ns };
	char ip[PK_IP_TEXT];

	pk_finding_flow(&f, &flow->key, flow->meta.id, flow->meta.initiator, server);
	pk_finding_owners(&f, pk_detect_world(d), &flow->key, flow->meta.id, !server);
	pk_finding_plain(&f, "A program uses this computer to earn digital coins for somebody.");
	pk_finding_detail(&f, "Stratum, a miner's protocol, was spoken with %s port %u%s%s.",
			  pk_ip_format(flow->key.addr[server], ip), ntohs(flow->key.port[server]),
			  s->fact->user ? " as " : "", s->fact->user ? s->fact->user : "");
	if (s->fact->user)
		pk_finding_field(&f, "account", "%s", s->fact->user);
	pk_finding_field(&f, "port", "%u", ntohs(flow->key.port[server]));
	pk_finding_fold(&f, flow->key.addr[server], 16);
	pk_finding_fold(&f, flow->key.addr[!server], 16);
	pk_detect_found(d, &pk_detect_miner, &f);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	if (s->fact && s->fact->app == PK_PROTO_STRATUM &&
	    pk_once_is_first(state, s->flow->flow.meta.id))
		tell(d, s);
}

const struct pk_detector pk_detect_miner = {
	.name = "miner",
	.title = "Coin mining",
	.technique = { "T1496.001" },
	.severity = PK_HIGH,
	.confidence = 95,
	.doubt = "Somebody mines on purpose.",
	.next = "End the program and find out what started it.",
	.wants = 1u << PK_SEE_FLOW,
	.init = pk_once_init,
	.done = pk_once_done,
	.see = see,
	.memory = pk_once_memory,
	.bytes_max = pk_once_bytes_max,
};
