/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What threat intelligence names: addresses at the ends of flows and in DNS answers, names that are
 * asked for or carried by hellos and HTTP, JA4 fingerprints of clients, SHA-256 of programs. The
 * table is somebody else's and may be another one at each call. It remembers nothing itself.
 */
#include "base/clock.h"
#include "base/ip.h"
#include "decode/dns.h"
#include "detect/detect.h"
#include "detect/indicators.h"
#include "detect/owner.h"
#include "detect/registry.h"
#include "enrich/digest.h"
#include "enrich/process.h"
#include "flow/local.h"
#include "flow/table.h"
#include "name/fact.h"
#include "name/news.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* A hit: what matched, where it was seen, and whose conversation it was in. */
struct hit {
	struct pk_indicator i;
	const char *text;  /* as it was seen */
	const char *where; /* "destination", "query", ... */
	const struct pk_flow_key *key;
	uint64_t flow;
	unsigned client, far;
	bool spoofable;
	bool is_remote; /* far is the one it is about */
	enum pk_severity severity;
};

static const struct pk_indicators *table(const struct pk_detect *d)
{
	const struct pk_world *w = pk_detect_world(d);

	return w->intel ? *w->intel : NULL;
}

static void tell(struct pk_detect *d, const struct pk_see *s, const struct hit *h)
{
	static const char *const kinds[] = { [PK_INDICATOR_ADDR] = "address",
					     [PK_INDICATOR_NAME] = "name",
					     [PK_INDICATOR_JA4] = "ja4",
					     [PK_INDICATOR_SHA256] = "sha256" };
	struct pk_finding f = { .ts_ns = s->now_ns,
				.severity = h->severity,
				.spoofable = h->spoofable };
	char ip[PK_IP_TEXT];

	pk_finding_flow(&f, h->key, h->flow, (uint8_t)h->client, h->far);
	f.has_remote = h->is_remote;
	if (h->i.kind == PK_INDICATOR_NAME)
		snprintf(f.name, sizeof(f.name), "%s", h->text);
	pk_finding_owners(&f, pk_detect_world(d), h->key, h->flow, !h->far);
	pk_finding_plain(&f,
			 "A computer dealt with something that is known to be used by attackers.");
	pk_finding_detail(&f, "%s: %s %s is in the list %s%s%s%s.",
			  pk_ip_format(h->key->addr[!(h->far & 1)], ip), h->where, h->text,
			  h->i.source, *h->i.reason ? " (" : "", h->i.reason,
			  *h->i.reason ? ")" : "");
	pk_finding_field(&f, "indicator", "%s", h->text);
	pk_finding_field(&f, "kind", "%s", kinds[h->i.kind]);
	pk_finding_field(&f, "where", "%s", h->where);
	pk_finding_field(&f, "list", "%s", h->i.source);
	if (*h->i.reason)
		pk_finding_field(&f, "reason", "%s", h->i.reason);
	pk_finding_fold(&f, h->text, strlen(h->text));
	pk_finding_fold(&f, h->key->addr[!(h->far & 1)], 16);
	pk_detect_found(d, &pk_detect_intel, &f);
}

/* Once a flow, at its first report. Whoever knocks at a door may have forged who he is. */
static void see_flow(struct pk_detect *d, const struct pk_indicators *t, const struct pk_see *s)
{
	const struct pk_flow *flow = &s->flow->flow;
	unsigned from = flow->meta.initiator & 1;
	bool answered = flow->dir[0].packets && flow->dir[1].packets;
	int64_t now_ms = pk_clock_wall_ms(s->now_ns);
	char ip[PK_IP_TEXT];

	if (!s->flow->is_new)
		return;
	for (unsigned k = 0; k < 2; k++) {
		unsigned end = k ? from : !from;
		struct hit h = { .key = &flow->key,
				 .flow = flow->meta.id,
				 .client = from,
				 .far = end,
				 .is_remote = true,
				 .where = end == from ? "source" : "destination" };

		if (!pk_indicators_addr(t, flow->key.addr[end], ntohs(flow->key.port[end]), now_ms,
					&h.i))
			continue;
		h.text = pk_ip_format(flow->key.addr[end], ip);
		h.spoofable = end == from && (!answered || (flow->meta.state & PK_FLOW_HALF_OPEN));
		h.severity = h.spoofable ? PK_MEDIUM : PK_HIGH;
		tell(d, s, &h);
	}
}

static struct hit hit_of(const struct pk_news *n, const char *text, const char *where)
{
	return (struct hit){ .key = n->key,
			     .flow = n->flow,
			     .client = n->client,
			     .far = !n->client,
			     .text = text,
			     .where = where,
			     .severity = PK_HIGH };
}

static void see_text(struct pk_detect *d, const struct pk_indicators *t, const struct pk_see *s,
		     const char *name, const char *where)
{
	struct hit h = hit_of(s->news, name, where);

	h.spoofable = s->news->dns && !s->news->dns->tcp && !s->news->dns->believed;
	h.is_remote = !s->news->dns; /* else it is a resolver */
	if (name && pk_indicators_name(t, name, pk_clock_wall_ms(s->now_ns), &h.i))
		tell(d, s, &h);
}

static void see_ja4(struct pk_detect *d, const struct pk_indicators *t, const struct pk_see *s)
{
	const char *ja4 = s->fact ? s->fact->ja4 : NULL;
	struct hit h = hit_of(s->news, ja4, "client hello");

	h.is_remote = true;
	if (ja4 && pk_indicators_ja4(t, ja4, pk_clock_wall_ms(s->now_ns), &h.i))
		tell(d, s, &h);
}

static void see_answer(struct pk_detect *d, const struct pk_indicators *t, const struct pk_see *s)
{
	const struct pk_news_dns *dns = s->news->dns;
	struct hit h = hit_of(s->news, NULL, "answer");
	char ip[PK_IP_TEXT];

	h.spoofable = !dns->tcp && !dns->believed;
	h.severity = h.spoofable ? PK_MEDIUM : PK_HIGH;
	for (unsigned i = 0; i < dns->answer->n_rrs; i++) {
		const struct pk_dns_rr *r = &dns->answer->rrs[i];

		if (r->section != PK_DNS_ANSWER || r->why ||
		    (r->type != PK_DNS_A && r->type != PK_DNS_AAAA) ||
		    !pk_indicators_addr(t, r->addr, 0, pk_clock_wall_ms(s->now_ns), &h.i))
			continue;
		h.text = pk_ip_format(r->addr, ip);
		tell(d, s, &h);
	}
}

static void see_news(struct pk_detect *d, const struct pk_indicators *t, const struct pk_see *s)
{
	switch (s->news->kind) {
	case PK_NEWS_QUESTION:
		see_text(d, t, s, s->news->dns->name, "query");
		break;
	case PK_NEWS_DNS:
		if (s->news->dns->answer)
			see_answer(d, t, s);
		break;
	case PK_NEWS_HELLO:
		see_text(d, t, s, s->news->sni, "TLS name");
		see_ja4(d, t, s);
		break;
	case PK_NEWS_HTTP:
		see_text(d, t, s, s->fact ? s->fact->http_host : NULL, "HTTP host");
		break;
	default:
		break;
	}
}

/* The program runs already when its file has been read. */
static void see_digest(struct pk_detect *d, const struct pk_indicators *t, const struct pk_see *s)
{
	const struct pk_digest *g = s->digest;
	struct pk_finding f = {
		.ts_ns = s->now_ns,
		.title = "Program known to be used by attackers",
		.technique = { "T1204.002" },
		.severity = PK_CRITICAL,
		.confidence = 90,
		.doubt = "Lists name tools that administrators use, too, and now and then a "
			 "file of a distribution by mistake.",
		.next = "Keep the file (/proc/PID/exe) and stop the process; look at what "
			"started it and how the file came here."
	};
	struct pk_indicator i;

	if (!pk_indicators_sha256(t, g->sha256, pk_clock_wall_ms(s->now_ns), &i))
		return;
	pk_finding_proc(&f, &g->id);
	if (s->proc) {
		pk_finding_proc(&f, &s->proc->parent);
		f.netns = s->proc->netns;
	}
	pk_finding_plain(&f, "A program was started that is known to be used by attackers: %s.",
			 g->path);
	pk_finding_detail(&f,
			  "%s (pid %u) runs a file of %ju bytes whose SHA-256 %s is in the list "
			  "%s%s%s%s.",
			  g->path, g->id.tgid, (uintmax_t)g->size, g->sha256, i.source,
			  *i.reason ? " (" : "", i.reason, *i.reason ? ")" : "");
	pk_finding_field(&f, "indicator", "%s", g->sha256);
	pk_finding_field(&f, "kind", "sha256");
	pk_finding_field(&f, "where", "program");
	pk_finding_field(&f, "path", "%s", g->path);
	pk_finding_field(&f, "size", "%ju", (uintmax_t)g->size);
	pk_finding_field(&f, "sha256", "%s", g->sha256); /* incidents and the hub look for it */
	pk_finding_field(&f, "list", "%s", i.source);
	if (*i.reason)
		pk_finding_field(&f, "reason", "%s", i.reason);
	pk_finding_fold(&f, g->sha256, sizeof(g->sha256));
	pk_finding_fold(&f, g->path, strlen(g->path));
	pk_detect_found(d, &pk_detect_intel, &f);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_indicators *t = table(d);

	(void)state; /* none */
	if (!t)
		return;
	if (s->kind == PK_SEE_FLOW)
		see_flow(d, t, s);
	else if (s->kind == PK_SEE_DIGEST)
		see_digest(d, t, s);
	else
		see_news(d, t, s);
}

const struct pk_detector pk_detect_intel = {
	.name = "intel",
	.title = "Known to be used by attackers",
	.technique = { "T1071" },
	.severity = PK_HIGH,
	.confidence = 70,
	.doubt = "Lists grow old, and many names share the address of a large host.",
	.next = "Read what the list says of it, and look at the process and what it did before and "
		"after.",
	.wants = 1u << PK_SEE_FLOW | 1u << PK_SEE_NEWS | 1u << PK_SEE_DIGEST,
	.see = see,
};
