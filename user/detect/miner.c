/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mining of coins: Stratum, the JSON lines between a miner and its pool, told by content on any
 * port. Pools over TLS are for lists of names. It remembers which flows were told.
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "decode/app.h"
#include "detect/detect.h"
#include "detect/owner.h"
#include "detect/recent.h"
#include "detect/registry.h"
#include "flow/table.h"
#include "name/fact.h"

#include <arpa/inet.h>
#include <errno.h>

#define TOLD_MAX 4096

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
	    pk_recent_is_first(state, &s->flow->flow.meta.id))
		tell(d, s);
}

static int init(const struct pk_world *w, void **ret_state)
{
	(void)w; /* nothing to look up */
	*ret_state = pk_recent_new(TOLD_MAX, sizeof(uint64_t), 0);
	return *ret_state ? 0 : -ENOMEM;
}

static void done(void *state)
{
	pk_recent_free(state);
}

static size_t bytes(const void *state)
{
	return pk_recent_bytes(state);
}

static size_t bytes_max(const struct pk_conf *conf)
{
	(void)conf; /* a fixed size */
	return pk_recent_bytes_max(TOLD_MAX, sizeof(uint64_t), 0);
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
	.init = init,
	.done = done,
	.see = see,
	.bytes = bytes,
	.bytes_max = bytes_max,
};
