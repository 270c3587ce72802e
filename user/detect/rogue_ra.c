/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second IPv6 router in a network (RFC 4861): its advertisements become the default route of
 * every host that hears them. Routers that only say that they are none (lifetime 0) do not count.
 */
#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/frame.h"
#include "detect/kept.h"
#include "detect/registry.h"
#include "detect/servers.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define ICMP_HEAD       8 /* the first 8 of an advertisement's 16 bytes */
#define ND_ROUTER       134
#define OPTION_PREFIX   3
#define OPTION_RESOLVER 25 /* RFC 8106 */

struct state {
	struct pk_servers *servers;
	uint64_t within_ns;
};

struct advert {
	uint16_t lifetime_s;
	uint64_t terms; /* prefixes and resolvers */
	uint8_t prefix[16], prefix_bits;
};

static void read_option(struct advert *a, struct pk_finding *h, uint8_t kind, struct pk_cursor o)
{
	const uint8_t *p;

	if (kind == OPTION_RESOLVER) {
		p = pk_cursor_take(&o, 6);
		while (p && (p = pk_cursor_take(&o, 16)))
			pk_finding_fold(h, p, 16);
		return;
	}
	if (kind != OPTION_PREFIX)
		return;
	a->prefix_bits = pk_cursor_u8(&o);
	(void)pk_cursor_take(&o, 13); /* flags, lifetimes, reserved */
	p = pk_cursor_take(&o, 16);
	if (!p)
		return;
	memcpy(a->prefix, p, 16);
	pk_finding_fold(h, p, 16);
}

/* False: none, or one that is no default router. */
static bool read_advert(const struct pk_sample *s, struct advert *ret)
{
	const uint8_t *data = pk_sample_data(s);
	struct pk_finding h = { 0 };
	struct pk_cursor c;

	if (s->app != PK_APP_ICMP || s->key.proto != IPPROTO_ICMPV6 || s->payload_off < ICMP_HEAD ||
	    s->data_len <= s->payload_off)
		return false;
	c = pk_cursor_of(data + s->payload_off - ICMP_HEAD,
			 s->data_len - s->payload_off + ICMP_HEAD);
	if (pk_cursor_u8(&c) != ND_ROUTER)
		return false;
	*ret = (struct advert){ 0 };
	(void)pk_cursor_take(&c, 5); /* code, checksum, hop limit, flags */
	ret->lifetime_s = pk_cursor_u16(&c);
	(void)pk_cursor_take(&c, 8); /* reachable, retransmit */
	while (!c.short_ && pk_cursor_left(&c) >= 2) {
		uint8_t kind = pk_cursor_u8(&c);
		size_t len = (size_t)pk_cursor_u8(&c) * 8;
		const uint8_t *p = len > 2 ? pk_cursor_take(&c, len - 2) : NULL;

		if (!p)
			break;
		read_option(ret, &h, kind, pk_cursor_of(p, len - 2));
	}
	ret->terms = h.fold;
	return ret->lifetime_s > 0; /* also false where the head was not whole */
}

static void tell(struct pk_detect *d, const struct pk_see *s, const struct advert *a,
		 const struct pk_server *offer, const struct pk_server *other)
{
	struct pk_finding f = { .ts_ns = s->now_ns, .spoofable = true };
	char ip[PK_IP_TEXT], known[PK_IP_TEXT], mac[PK_MAC_TEXT], prefix[PK_IP_TEXT];

	if (offer->terms == other->terms) { /* two that share the work */
		f.severity = PK_LOW;
		f.confidence = 40;
	}
	pk_finding_flow(&f, &s->sample->key, s->sample->flow, s->sample->initiator, s->sample->dir);
	pk_finding_plain(&f, "A second machine offers to be the way out of this network, so it "
			     "could read what passes.");
	pk_finding_detail(&f,
			  "%s (%s) sends router advertisements in a network whose router has been "
			  "%s; prefixes and resolvers are %s.",
			  pk_ip_format(offer->addr, ip), pk_mac_format(offer->mac, mac),
			  pk_ip_format(other->addr, known),
			  offer->terms == other->terms ? "the same" : "others");
	pk_finding_field(&f, "router", "%s", ip);
	pk_finding_field(&f, "mac", "%s", mac);
	pk_finding_field(&f, "known_router", "%s", known);
	pk_finding_field(&f, "lifetime_s", "%u", a->lifetime_s);
	if (a->prefix_bits)
		pk_finding_field(&f, "prefix", "%s/%u", pk_ip_format(a->prefix, prefix),
				 a->prefix_bits);
	pk_finding_fold(&f, offer->addr, 16);
	pk_detect_found(d, &pk_detect_rogue_ra, &f);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_sample *p = s->sample;
	struct pk_segment where = pk_sample_segment(p);
	struct pk_server offer = { 0 }, other;
	struct state *st = state;
	struct advert a;

	if (p->key.depth || !read_advert(p, &a))
		return;
	memcpy(offer.addr, p->key.addr[p->dir & 1], 16);
	(void)pk_sample_mac(p, offer.mac); /* all 0 without one */
	offer.terms = a.terms;
	if (pk_servers_take(st->servers, &where, &offer, s->now_ns, st->within_ns, &other))
		tell(d, s, &a, &offer, &other);
}

static int init(const struct pk_world *w, void **ret_state)
{
	struct state *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	st->within_ns = w->conf->rogue_ra_within_ns;
	st->servers = pk_servers_new();
	*ret_state = st;
	if (st->servers)
		return 0;
	free(st);
	return -ENOMEM;
}

static void done(void *state)
{
	struct state *st = state;

	pk_servers_free(st->servers);
	free(st);
}

static void memory(const void *state, struct pk_memory *sum)
{
	const struct state *st = state;

	pk_servers_memory(st->servers, sum);
	sum->bytes += sizeof(*st);
}

static size_t bytes_max(const struct pk_conf *conf)
{
	(void)conf; /* a fixed size */
	return pk_servers_bytes_max() + sizeof(struct state);
}

static struct pk_memo *kept_memo(void *state, unsigned part)
{
	struct state *st = state;

	return part == 0 ? pk_servers_memo(st->servers) : NULL;
}

static const struct pk_kept kept = {
	.version = 1,
	.lasts = PK_KEPT_BOOT,
	.value_bytes = sizeof(struct pk_servers_row),
	.memo = kept_memo,
	.is_sane = pk_servers_is_sane,
};

const struct pk_detector pk_detect_rogue_ra = {
	.name = "rogue_ra",
	.title = "Second IPv6 router",
	.technique = { "T1557" },
	.severity = PK_MEDIUM,
	.confidence = 60,
	.doubt = "Networks with two routers on purpose, and hosts that share a connection by "
		 "accident.",
	.next = "Find the machine with this hardware address; let switches drop advertisements of "
		"hosts (RA guard).",
	.wants = 1u << PK_SEE_SAMPLE,
	.init = init,
	.done = done,
	.see = see,
	.memory = memory,
	.bytes_max = bytes_max,
	.kept = &kept,
};
