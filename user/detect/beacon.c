/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections of one program (or host) to one port of one host that come at regular times and
 * carry the same: scored as RITA does (Active Countermeasures, versions 4 and 5): Bowley skewness
 * and median absolute deviation of the intervals and of the bytes sent, how small they are, and
 * how many of the expected ones came. What always comes from the same port is one socket that
 * keeps a conversation alive, and of low severity. Of each pair the last 48 connections are kept.
 * What is not answered is no connection.
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "detect/detect.h"
#include "detect/memo.h"
#include "detect/registry.h"
#include "detect/regular.h"
#include "detect/talk.h"
#include "flow/table.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define MS    1000000ull
#define EVERY 4 /* connections after which it is scored again */

struct row {
	uint64_t first_ns;
	uint32_t n;                     /* ever */
	uint32_t at_ms[PK_REGULAR_MAX]; /* since first_ns; of the last ones, in a ring */
	uint32_t bytes[PK_REGULAR_MAX];
	uint16_t sport; /* of the first one */
	bool moved;     /* others came from other ports */
};

static size_t bytes_max(const struct pk_conf *c)
{
	return pk_memo_bytes_max(c->detect_remember, sizeof(struct row), true);
}

static void memory(const void *state, struct pk_memory *sum)
{
	pk_memo_memory(state, sum);
}

static int init(const struct pk_world *w, void **ret_state)
{
	struct pk_memo *k = pk_memo_new(w->conf->detect_remember, sizeof(struct row), true);

	if (!k)
		return -ENOMEM;
	*ret_state = k;
	return 0;
}

static void done(void *state)
{
	pk_memo_free(state);
}

static void tell(struct pk_detect *d, const struct pk_talk *t, const struct row *r,
		 const struct pk_regular *s, const struct pk_caller *g, uint64_t now_ns)
{
	const struct pk_conf *c = pk_detect_world(d)->conf;
	struct pk_finding f = { .ts_ns = now_ns, .first_ns = r->first_ns };
	const char *who = g->hash ? g->name : "A program";
	char src[PK_IP_TEXT], dst[PK_IP_TEXT];

	pk_ip_format(t->src, src);
	pk_ip_format(t->dst, dst);
	pk_talk_finding(t, &f);
	pk_finding_remote(&f, t->dst);
	f.spoofable = false; /* both sides spoke, each time */
	f.severity = pk_addr_is_inside(t->dst) || !r->moved ? PK_LOW : PK_MEDIUM;
	pk_finding_plain(
		&f,
		"%s at %s calls %s again and again in a steady rhythm, as if it waited for "
		"orders.",
		who, src, dst);
	pk_finding_detail(&f,
			  "%s at %s connected %u times to %s port %u, every %.1f s in the median, "
			  "sending %.0f bytes; beacon score %.0f %%.",
			  who, src, r->n, dst, t->dport, s->median_ms / 1000, s->median_bytes,
			  100 * s->all);
	pk_finding_field(&f, "score_percent", "%.1f", 100 * s->all);
	pk_finding_field(&f, "score_threshold", "%ju", (uintmax_t)c->beacon_score);
	pk_finding_field(&f, "connections", "%u", r->n);
	pk_finding_field(&f, "connections_threshold", "%ju", (uintmax_t)c->beacon_connections);
	pk_finding_field(&f, "interval_s", "%.3f", s->median_ms / 1000);
	pk_finding_field(&f, "sent_bytes", "%.0f", s->median_bytes);
	pk_finding_field(&f, "time_skew_spread_share", "%.3f %.3f %.3f", s->time_skew,
			 s->time_spread, s->time_share);
	pk_finding_field(&f, "size_skew_spread_small", "%.3f %.3f %.3f", s->size_skew,
			 s->size_spread, s->size_small);
	pk_finding_field(&f, "over_s", "%.0f", s->span_ms / 1000);
	pk_finding_fold(&f, t->src, 16);
	pk_finding_fold(&f, &g->hash, sizeof(g->hash));
	pk_finding_fold(&f, t->dst, 16);
	pk_finding_fold(&f, &t->dport, sizeof(t->dport));
	pk_detect_found(d, &pk_detect_beacon, &f);
}

/* Clocks, names and addresses are asked for at regular times; who is called from outside serves. */
static bool applies(const struct pk_talk *t)
{
	static const uint16_t regular[] = { 53, 67, 123, 137, 323, 547, 853, 5353, 5355 };
	uint16_t proto = t->e->flow.key.proto;

	if (!t->said || t->dst_own || !t->dport || pk_addr_is_group(t->dst) ||
	    pk_addr_is_loopback(t->dst) || (proto != IPPROTO_TCP && proto != IPPROTO_UDP))
		return false;
	for (size_t i = 0; i < PK_ARRAY_SIZE(regular); i++)
		if (regular[i] == t->dport)
			return false;
	return t->src_own || pk_addr_is_inside(t->src) || !pk_addr_is_inside(t->dst);
}

static struct row *note(struct pk_memo *k, const struct pk_talk *t, const struct pk_caller *g)
{
	const struct pk_flow *flow = &t->e->flow;
	struct pk_memo_key key = { .scope = g->hash, .port = t->dport, .proto = flow->key.proto };
	uint64_t at = flow->meta.start_ns, sent = flow->dir[t->from].bytes;
	struct row *r;
	bool is_new;

	memcpy(key.a, t->src, sizeof(key.a));
	memcpy(key.b, t->dst, sizeof(key.b));
	r = pk_memo_take(k, &key, &is_new);
	if (!r)
		return NULL;
	if (is_new || at > r->first_ns + UINT32_MAX * MS)
		*r = (struct row){ .first_ns = at, .sport = t->sport };
	r->moved |= t->sport != r->sport;
	r->at_ms[r->n % PK_REGULAR_MAX] =
		at > r->first_ns ? (uint32_t)((at - r->first_ns) / MS) : 0;
	r->bytes[r->n % PK_REGULAR_MAX] = sent < UINT32_MAX ? (uint32_t)sent : UINT32_MAX;
	r->n++;
	return r;
}

static void see(struct pk_detect *d, void *state, const struct pk_see *see)
{
	const struct pk_world *w = pk_detect_world(d);
	struct pk_caller g;
	struct pk_talk t;
	struct pk_regular s;
	struct row *r;

	if (!see->flow->ended || see->flow->was_ended)
		return;
	pk_talk_of(w, see->flow, &t);
	if (!applies(&t))
		return;
	pk_talk_caller(w, &t, t.from, &g);
	r = note(state, &t, &g);
	if (!r || r->n < w->conf->beacon_connections || r->n % EVERY)
		return;
	pk_regular_score(r->at_ms, r->bytes, r->n < PK_REGULAR_MAX ? r->n : PK_REGULAR_MAX, &s);
	if (100 * s.all >= (double)w->conf->beacon_score &&
	    s.span_ms * (double)MS >= (double)w->conf->beacon_time_ns)
		tell(d, &t, r, &s, &g, see->now_ns);
}

const struct pk_detector pk_detect_beacon = {
	.name = "beacon",
	.title = "Beacon",
	.technique = { "T1071.001" },
	.severity = PK_MEDIUM,
	.confidence = 60,
	.doubt = "Update checks, monitoring, telemetry and chat programs call their servers in a "
		 "steady rhythm, too.",
	.next = "Find out what the program is and whose the other side is; look at the names and "
		"the "
		"fingerprint of the connection.",
	.wants = 1u << PK_SEE_FLOW,
	.bytes_max = bytes_max,
	.init = init,
	.done = done,
	.see = see,
	.memory = memory,
};
