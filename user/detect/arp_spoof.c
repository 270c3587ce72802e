/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody claims another one's address by ARP. It remembers which hardware address each address
 * had, and says when two take turns, or when answers nobody asked for go on after a change. One
 * change alone may be a new card or a failover, and is told as that. ARP has no proof of anything:
 * whoever is named may be the victim.
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "decode/arp.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/frame.h"
#include "detect/kept.h"
#include "detect/memo.h"
#include "detect/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ASKED_NS 5000000000ull /* an answer so long after its question is an answer */

struct binding {
	uint8_t mac[6], before[6]; /* all 0: not known */
	uint64_t seen_ns, before_ns;
	uint64_t asked_ns;
	uint32_t turns;   /* back to the one before */
	uint32_t unasked; /* answers nobody asked for, since the last change */
};

struct state {
	struct pk_memo
		*bindings; /* holds on: who makes up addresses does not wash the gateway out */
	uint64_t within_ns, turns, unasked;
};

enum why { WHY_CHANGED, WHY_TURNS, WHY_UNASKED };

static const struct {
	enum pk_severity severity;
	uint8_t confidence;
	const char *text;
} whys[] = {
	[WHY_CHANGED] = { PK_LOW, 30, "it changed" },
	[WHY_TURNS] = { PK_HIGH, 80, "two machines take turns" },
	[WHY_UNASKED] = { PK_HIGH, 75, "it changed, and answers go on that nobody asked for" },
};

static void tell(struct pk_detect *d, const struct pk_see *s, const struct pk_arp *a,
		 const struct binding *b, enum why why)
{
	struct pk_finding f = { .ts_ns = s->now_ns,
				.first_ns = b->before_ns,
				.severity = whys[why].severity,
				.confidence = whys[why].confidence,
				.spoofable = true };
	char ip[PK_IP_TEXT], now[PK_MAC_TEXT], before[PK_MAC_TEXT], sender[PK_MAC_TEXT];
	uint8_t mac[6];

	pk_finding_flow(&f, &s->sample->key, s->sample->flow, s->sample->initiator, s->sample->dir);
	pk_finding_plain(&f, "A machine here answers for an address that belongs to another one, "
			     "so it may read its traffic.");
	pk_finding_detail(&f, "ARP says that %s is at %s; it was at %s: %s.",
			  pk_ip_format(a->sender, ip), pk_mac_format(b->mac, now),
			  pk_mac_format(b->before, before), whys[why].text);
	pk_finding_field(&f, "address", "%s", ip);
	pk_finding_field(&f, "mac", "%s", now);
	pk_finding_field(&f, "mac_before", "%s", before);
	pk_finding_field(&f, "turns", "%u", b->turns);
	pk_finding_field(&f, "unasked", "%u", b->unasked);
	if (pk_sample_mac(s->sample, mac) && memcmp(mac, a->sender_mac, 6) != 0)
		pk_finding_field(&f, "sent_by", "%s", pk_mac_format(mac, sender));
	pk_finding_fold(&f, a->sender, 16);
	pk_finding_fold(&f, &f.severity, sizeof(f.severity)); /* a worse one is told anew */
	pk_detect_found(d, &pk_detect_arp_spoof, &f);
}

/* NULL: no room, see pk_memo_take(). */
static struct binding *binding_of(struct state *st, const struct pk_sample *s,
				  const uint8_t addr[16])
{
	struct pk_segment where = pk_sample_segment(s);
	struct pk_memo_key key = pk_segment_key(&where);
	bool is_new;

	memcpy(key.a, addr, 16);
	return pk_memo_take(st->bindings, &key, &is_new);
}

/* Somebody else has the address now. True: that is to be told, and as what. */
static bool change(struct state *st, struct binding *b, const uint8_t mac[6], uint64_t now_ns,
		   enum why *ret_why)
{
	bool was_here = now_ns - b->seen_ns < st->within_ns;
	bool back = !memcmp(mac, b->before, 6) && now_ns - b->before_ns < st->within_ns;

	b->turns = back ? b->turns + 1 : 0;
	b->unasked = 0;
	memcpy(b->before, b->mac, 6);
	b->before_ns = b->seen_ns;
	memcpy(b->mac, mac, 6);
	*ret_why = b->turns >= st->turns ? WHY_TURNS : WHY_CHANGED;
	return was_here && !pk_mac_is_virtual(mac) && !pk_mac_is_virtual(b->before);
}

static void take_claim(struct pk_detect *d, struct state *st, const struct pk_see *s,
		       const struct pk_arp *a)
{
	struct binding *b = binding_of(st, s->sample, a->sender);
	bool told = false;
	enum why why;

	if (!b)
		return;
	if (pk_mac_is_host(b->mac) && memcmp(b->mac, a->sender_mac, 6) != 0)
		told = change(st, b, a->sender_mac, s->now_ns, &why);
	memcpy(b->mac, a->sender_mac, 6);
	b->seen_ns = s->now_ns;
	if (a->op == PK_ARP_REPLY && pk_mac_is_host(b->before) &&
	    s->now_ns - b->before_ns < st->within_ns && s->now_ns - b->asked_ns > ASKED_NS &&
	    ++b->unasked >= st->unasked && !pk_mac_is_virtual(b->mac)) {
		why = WHY_UNASKED;
		told = true;
	}
	if (told)
		tell(d, s, a, b, why);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_sample *p = s->sample;
	struct state *st = state;
	struct binding *b;
	struct pk_arp a;

	if (p->app != PK_APP_ARP || p->key.depth || p->data_len <= p->l3_off ||
	    pk_arp_decode(&a, pk_sample_data(p) + p->l3_off, p->data_len - p->l3_off) < 0)
		return;
	if (a.op == PK_ARP_REQUEST && !a.gratuitous && (b = binding_of(st, p, a.target)))
		b->asked_ns = s->now_ns;
	if (!a.probe && pk_mac_is_host(a.sender_mac))
		take_claim(d, st, s, &a);
}

static void tick(struct pk_detect *d, void *state, uint64_t now_ns)
{
	const struct state *st = state;

	(void)d;
	pk_memo_age(st->bindings, now_ns, st->within_ns / 2);
}

static int init(const struct pk_world *w, void **ret_state)
{
	struct state *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	st->within_ns = w->conf->arp_spoof_within_ns;
	st->turns = w->conf->arp_spoof_turns;
	st->unasked = w->conf->arp_spoof_unasked;
	st->bindings = pk_memo_new(w->conf->arp_spoof_addresses, sizeof(struct binding), true);
	*ret_state = st;
	if (st->bindings)
		return 0;
	free(st);
	return -ENOMEM;
}

static void done(void *state)
{
	struct state *st = state;

	pk_memo_free(st->bindings);
	free(st);
}

static void memory(const void *state, struct pk_memory *sum)
{
	const struct state *st = state;

	pk_memo_memory(st->bindings, sum);
	sum->bytes += sizeof(*st);
}

static size_t bytes_max(const struct pk_conf *conf)
{
	return pk_memo_bytes_max(conf->arp_spoof_addresses, sizeof(struct binding), true) +
	       sizeof(struct state);
}

static struct pk_memo *kept_memo(void *state, unsigned part)
{
	return part == 0 ? ((struct state *)state)->bindings : NULL;
}

static bool is_sane(const void *value, int64_t now_ns)
{
	const struct binding *b = value;
	uint64_t now = (uint64_t)now_ns;

	return b->seen_ns <= now && b->before_ns <= now && b->asked_ns <= now;
}

static const struct pk_kept kept = {
	.version = 1,
	.lasts = PK_KEPT_BOOT,
	.value_bytes = sizeof(struct binding),
	.memo = kept_memo,
	.is_sane = is_sane,
};

const struct pk_detector pk_detect_arp_spoof = {
	.name = "arp_spoof",
	.title = "Address claimed by ARP",
	.technique = { "T1557.002" },
	.severity = PK_HIGH,
	.confidence = 75,
	.doubt = "Clusters that move an address, proxy ARP, and two machines set to one address.",
	.next = "Find the machine with the new hardware address at the switch, and pin the address "
		"of "
		"the gateway.",
	.wants = 1u << PK_SEE_SAMPLE,
	.init = init,
	.done = done,
	.see = see,
	.tick = tick,
	.memory = memory,
	.bytes_max = bytes_max,
	.kept = &kept,
};
