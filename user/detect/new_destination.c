/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service calls somebody it never called: another network (operator, else country, else address
 * range) or another kind of port. A service is a program that listens or accepts. For
 * detect.learning_time after it was first seen everything is usual; who calls more than 64 kinds of
 * others calls anybody, and nothing is told. Programs made up to be forgotten in do not wash out
 * what was learned of one that serves (memo.h), nor does a restart (kept.h).
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "detect/detect.h"
#include "detect/kept.h"
#include "detect/memo.h"
#include "detect/registry.h"
#include "detect/talk.h"
#include "flow/table.h"
#include "name/fact.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define KNOWN     64
#define EPHEMERAL 32768

struct row {
	int64_t first_ns;
	uint32_t n; /* of known; KNOWN + 1: too many */
	uint32_t known[KNOWN];
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

/* The row of a program; those that are no service yet become one only if it serves. */
static struct row *row_of(struct pk_memo *k, const struct pk_caller *g, bool serves,
			  uint64_t now_ns)
{
	struct pk_memo_key key = { .scope = g->hash };
	struct row *r;
	bool is_new;

	if (!g->hash)
		return NULL;
	r = pk_memo_find(k, &key);
	if (!r && !serves)
		return NULL;
	r = pk_memo_take(k, &key, &is_new); /* touched */
	if (r && is_new)
		r->first_ns = (int64_t)now_ns;
	return r;
}

/* Where it goes to, in words that stay the same. */
static void kind_of(const struct pk_talk *t, const struct pk_fact *fact, char *out, size_t size)
{
	const struct pk_place *p = fact ? &fact->place[t->to] : NULL;
	unsigned port = t->dport < EPHEMERAL ? t->dport : EPHEMERAL;
	uint8_t net[16] = { 0 };
	char addr[PK_IP_TEXT];

	if (p && p->asn)
		snprintf(out, size, "AS%u, port %u", p->asn, port);
	else if (p && p->country[0])
		snprintf(out, size, "country %.2s, port %u", p->country, port);
	else {
		memcpy(net, t->dst, pk_ip_is_v4(t->dst) ? 14 : 4);
		snprintf(out, size, "%s/%u, port %u", pk_ip_format(net, addr),
			 pk_ip_is_v4(t->dst) ? 16 : 32, port);
	}
}

/* Is it new to the row? Then the row knows it from now on. */
static bool learn(struct row *r, uint32_t hash)
{
	for (uint32_t i = 0; i < r->n && i < KNOWN; i++)
		if (r->known[i] == hash)
			return false;
	if (r->n >= KNOWN) {
		r->n = KNOWN + 1;
		return false;
	}
	r->known[r->n++] = hash;
	return true;
}

static void tell(struct pk_detect *d, const struct pk_talk *t, const struct row *r,
		 const struct pk_caller *g, const char *kind, uint64_t now_ns)
{
	struct pk_finding f = { .ts_ns = now_ns };
	char dst[PK_IP_TEXT];

	pk_ip_format(t->dst, dst);
	pk_talk_finding(t, &f);
	pk_finding_plain(&f,
			 "%s, which answers calls on this computer, itself called %s, where it "
			 "never called before.",
			 g->name, dst);
	pk_finding_detail(&f,
			  "The service %s (pid %u) opened a connection to %s port %u (%s); it is "
			  "known to contact %u other kinds of destinations.",
			  g->name, g->id->tgid, dst, t->dport, kind, r->n - 1);
	pk_finding_field(&f, "program", "%s", g->name);
	pk_finding_field(&f, "destination", "%s", kind);
	pk_finding_field(&f, "known", "%u", r->n - 1);
	pk_finding_field(&f, "learning_s", "%ju",
			 (uintmax_t)(pk_detect_world(d)->conf->detect_learning_ns / 1000000000));
	pk_finding_fold(&f, &g->hash, sizeof(g->hash));
	pk_finding_fold(&f, kind, strlen(kind));
	pk_detect_found(d, &pk_detect_new_destination, &f);
}

static void see_flow(struct pk_detect *d, struct pk_memo *k, const struct pk_see *see)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_flow *flow = &see->flow->flow;
	struct pk_caller g;
	struct pk_talk t;
	struct row *r;
	char kind[64];
	uint64_t hash = 0;

	if (!see->flow->is_new ||
	    (flow->key.proto != IPPROTO_TCP && flow->key.proto != IPPROTO_UDP))
		return;
	pk_talk_of(w, see->flow, &t);
	for (unsigned end = 0; end < 2; end++)
		if (flow->own[end].flags & PK_OWNER_ACCEPTED) {
			pk_talk_caller(w, &t, end, &g);
			(void)row_of(k, &g, true, see->now_ns); /* NULL: unknown program */
			return;
		}
	if (!t.src_own || t.dst_own || pk_addr_is_loopback(t.dst) || pk_addr_is_group(t.dst) ||
	    t.dport == 53)
		return;
	pk_talk_caller(w, &t, t.from, &g);
	r = row_of(k, &g, false, see->now_ns);
	if (!r)
		return;
	kind_of(&t, see->fact, kind, sizeof(kind));
	hash = pk_memo_hash(k, kind, strlen(kind));
	if (learn(r, (uint32_t)hash) &&
	    (int64_t)see->now_ns >= r->first_ns + (int64_t)w->conf->detect_learning_ns)
		tell(d, &t, r, &g, kind, see->now_ns);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *see)
{
	struct pk_caller g;

	if (see->kind == PK_SEE_FLOW) {
		see_flow(d, state, see);
		return;
	}
	if (see->ev->sock->op != PK_SOCK_LISTEN)
		return;
	pk_caller_of(see->proc, &see->ev->sock->owner, &g);
	(void)row_of(state, &g, true, see->now_ns); /* NULL: unknown program */
}

static void tick(struct pk_detect *d, void *state, uint64_t now_ns)
{
	pk_memo_age(state, now_ns, pk_detect_world(d)->conf->detect_learning_ns);
}

static struct pk_memo *kept_memo(void *state, unsigned part)
{
	return part == 0 ? state : NULL;
}

static bool is_sane(const void *value, int64_t now_ns)
{
	(void)now_ns;
	return ((const struct row *)value)->n <= KNOWN + 1;
}

static const struct pk_kept kept = {
	.version = 1,
	.lasts = PK_KEPT_ALWAYS,
	.value_bytes = sizeof(struct row),
	.stamp = { offsetof(struct row, first_ns) },
	.stamps = 1,
	.memo = kept_memo,
	.is_sane = is_sane,
};

const struct pk_detector pk_detect_new_destination = {
	.name = "new_destination",
	.title = "New destination of a service",
	.technique = { "T1071.001", "T1571" },
	.severity = PK_LOW,
	.confidence = 45,
	.doubt = "Updates, new configuration and servers that move to another network look the "
		 "same.",
	.next = "Ask who changed the service; if nobody did, look at what it started lately.",
	.wants = 1u << PK_SEE_FLOW | 1u << PK_SEE_SOCK,
	.bytes_max = bytes_max,
	.init = init,
	.done = done,
	.see = see,
	.tick = tick,
	.memory = memory,
	.kept = &kept,
};
