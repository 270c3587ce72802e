/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second DHCP server in a network: whoever answers first says where all traffic of a client goes.
 * Known are the servers that were seen; the first one heard of is taken for the right one.
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "decode/dhcp.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/frame.h"
#include "detect/kept.h"
#include "detect/registry.h"
#include "detect/servers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DHCP4_OFFER     2
#define DHCP4_ACK       5
#define DHCP6_ADVERTISE 2
#define DHCP6_REPLY     7
#define PORT_DHCP6_S    547

struct state {
	struct pk_servers *v4, *v6;
	uint64_t within_ns;
};

static bool is_offer(const struct pk_dhcp *m)
{
	if (!m->reply)
		return false;
	if (m->version == 4)
		return m->type == DHCP4_OFFER || m->type == DHCP4_ACK;
	return m->type == DHCP6_ADVERTISE || m->type == DHCP6_REPLY;
}

/* Gateway and resolvers: what an attacker would change. */
static uint64_t terms_of(const struct pk_dhcp *m)
{
	struct pk_finding h = { 0 };

	for (unsigned i = 0; i < m->n_routers; i++)
		pk_finding_fold(&h, m->routers[i], 16);
	for (unsigned i = 0; i < m->n_dns; i++)
		pk_finding_fold(&h, m->dns[i], 16);
	return h.fold;
}

static void add_addresses(struct pk_finding *f, const char *name, const uint8_t v[][16], unsigned n)
{
	char ip[PK_IP_TEXT];

	for (unsigned i = 0; i < n; i++)
		pk_finding_field(f, name, "%s", pk_ip_format(v[i], ip));
}

static void tell(struct pk_detect *d, const struct pk_see *s, const struct pk_dhcp *m,
		 const struct pk_server *offer, const struct pk_server *other)
{
	struct pk_finding f = { .ts_ns = s->now_ns, .spoofable = true };
	char ip[PK_IP_TEXT], known[PK_IP_TEXT], mac[PK_MAC_TEXT];

	if (offer->terms == other->terms) { /* two that share the work */
		f.severity = PK_LOW;
		f.confidence = 40;
	}
	pk_finding_flow(&f, &s->sample->key, s->sample->flow, s->sample->initiator, s->sample->dir);
	pk_finding_plain(&f, "A second machine tells computers here how to reach the network, "
			     "which can lead their traffic through it.");
	pk_finding_detail(&f,
			  "%s (%s) answered DHCP requests in a network whose server has been %s; "
			  "gateway and resolvers are %s.",
			  pk_ip_format(offer->addr, ip), pk_mac_format(offer->mac, mac),
			  pk_ip_format(other->addr, known),
			  offer->terms == other->terms ? "the same" : "others");
	pk_finding_field(&f, "server", "%s", ip);
	pk_finding_field(&f, "mac", "%s", mac);
	pk_finding_field(&f, "known_server", "%s", known);
	add_addresses(&f, "router", m->routers, m->n_routers);
	add_addresses(&f, "resolver", m->dns, m->n_dns);
	pk_finding_fold(&f, offer->addr, 16);
	pk_detect_found(d, &pk_detect_rogue_dhcp, &f);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_sample *p = s->sample;
	struct pk_segment where = pk_sample_segment(p);
	struct pk_server offer = { 0 }, other;
	static const uint8_t none[16];
	struct state *st = state;
	const uint8_t *data;
	struct pk_dhcp m;
	size_t len;
	bool v6;

	if (p->app != PK_APP_DHCP || p->key.depth)
		return;
	data = pk_sample_payload(p, &len);
	v6 = ntohs(p->key.port[p->dir & 1]) == PORT_DHCP6_S;
	if (pk_dhcp_decode(&m, v6 ? 6 : 4, data, len) < 0 || !is_offer(&m) || m.relayed)
		return;
	memcpy(offer.addr, memcmp(m.server, none, 16) != 0 ? m.server : p->key.addr[p->dir & 1],
	       16);
	(void)pk_sample_mac(p, offer.mac); /* all 0 without one */
	offer.terms = terms_of(&m);
	if (pk_servers_take(v6 ? st->v6 : st->v4, &where, &offer, s->now_ns, st->within_ns, &other))
		tell(d, s, &m, &offer, &other);
}

static void done(void *state)
{
	struct state *st = state;

	pk_servers_free(st->v4);
	pk_servers_free(st->v6);
	free(st);
}

static int init(const struct pk_world *w, void **ret_state)
{
	struct state *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	st->within_ns = w->conf->rogue_dhcp_within_ns;
	st->v4 = pk_servers_new();
	st->v6 = pk_servers_new();
	*ret_state = st;
	if (st->v4 && st->v6)
		return 0;
	done(st);
	return -ENOMEM;
}

static void memory(const void *state, struct pk_memory *sum)
{
	const struct state *st = state;

	pk_servers_memory(st->v4, sum);
	pk_servers_memory(st->v6, sum);
	sum->bytes += sizeof(*st);
}

static size_t bytes_max(const struct pk_conf *conf)
{
	(void)conf; /* a fixed size */
	return 2 * pk_servers_bytes_max() + sizeof(struct state);
}

static struct pk_memo *kept_memo(void *state, unsigned part)
{
	struct state *st = state;

	return part == 0 ? pk_servers_memo(st->v4) : part == 1 ? pk_servers_memo(st->v6) : NULL;
}

static const struct pk_kept kept = {
	.version = 1,
	.lasts = PK_KEPT_BOOT,
	.value_bytes = sizeof(struct pk_servers_row),
	.memo = kept_memo,
	.is_sane = pk_servers_is_sane,
};

const struct pk_detector pk_detect_rogue_dhcp = {
	.name = "rogue_dhcp",
	.title = "Second DHCP server",
	.technique = { "T1557.003" },
	.severity = PK_MEDIUM,
	.confidence = 60,
	.doubt = "Networks with two servers on purpose, or one that just moved to another address.",
	.next = "Find the machine with this hardware address, and compare the gateway it hands "
		"out.",
	.wants = 1u << PK_SEE_SAMPLE,
	.init = init,
	.done = done,
	.see = see,
	.memory = memory,
	.bytes_max = bytes_max,
	.kept = &kept,
};
