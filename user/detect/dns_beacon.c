/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions for names below one registered domain that come at regular times: how implants ask for
 * orders through DNS. Scored by regular.h. Clocks and caches ask regularly for one name: that is
 * told as low; other names each time, or types that carry text, are not. Local names and reverse
 * lookups are not looked at.
 */
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "decode/dns.h"
#include "detect/count.h"
#include "detect/detect.h"
#include "detect/memo.h"
#include "detect/owner.h"
#include "detect/registry.h"
#include "detect/regular.h"
#include "name/news.h"
#include "name/registered.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS        1000000ull
#define TYPE_NULL 10
#define EVERY     4   /* questions after which it is scored again */
#define SAME_MS   500 /* A and AAAA, and what a program asks in one go, are one */
#define NAMES_MIN 8   /* different ones: no cache asks so */
#define AGE_NS    (3600 * 1000000000ull) /* a slow rhythm is of hours */

struct row {
	uint64_t first_ns;
	struct pk_count names;
	uint32_t n;    /* ever */
	uint32_t text; /* of them for types that carry text */
	uint32_t next; /* count at which it is told again */
	bool answered;
	uint32_t at_ms[PK_REGULAR_MAX]; /* since first_ns; of the last ones, in a ring */
	uint32_t bytes[PK_REGULAR_MAX];
};

struct state {
	struct pk_memo *rows;
	struct pk_hash_key hash;
	uint64_t questions, score, time_ns;
};

static void tell(struct pk_detect *d, const struct pk_see *s, const struct row *r,
		 const struct pk_regular *g, const char *domain)
{
	const struct pk_news *n = s->news;
	unsigned names = pk_count_get(&r->names, &r->names);
	struct pk_finding f = { .ts_ns = s->now_ns, .first_ns = r->first_ns };
	char ip[PK_IP_TEXT];

	if (names < NAMES_MIN && r->text * 2 < r->n) {
		f.severity = PK_LOW;
		f.confidence = 30;
	}
	pk_finding_flow(&f, n->key, n->flow, n->client, !n->client);
	f.has_remote = false; /* a resolver */
	f.spoofable = !n->dns->tcp && !r->answered;
	snprintf(f.name, sizeof(f.name), "%s", domain);
	pk_finding_owner(&f, pk_detect_world(d), n->key, n->flow, n->client);
	pk_finding_plain(&f, "A program asks for the same address in a steady rhythm, as if it "
			     "waited for orders.");
	pk_finding_detail(&f,
			  "%s asked %u times for about %u names below %s, every %.1f s in the "
			  "median, %u times for TXT or NULL; beacon score %.0f %%.",
			  pk_ip_format(n->key->addr[n->client], ip), r->n, names, domain,
			  g->median_ms / 1000, r->text, 100 * g->all);
	pk_finding_field(&f, "domain", "%s", domain);
	pk_finding_field(&f, "score_percent", "%.1f", 100 * g->all);
	pk_finding_field(&f, "questions", "%u", r->n);
	pk_finding_field(&f, "names", "%u", names);
	pk_finding_field(&f, "interval_s", "%.3f", g->median_ms / 1000);
	pk_finding_field(&f, "time_skew_spread_share", "%.3f %.3f %.3f", g->time_skew,
			 g->time_spread, g->time_share);
	pk_finding_field(&f, "over_s", "%.0f", g->span_ms / 1000);
	pk_finding_fold(&f, n->key->addr[n->client], 16);
	pk_finding_fold(&f, domain, strlen(domain));
	pk_finding_fold(&f, &f.severity, sizeof(f.severity)); /* a worse one is told anew */
	pk_detect_found(d, &pk_detect_dns_beacon, &f);
}

/* NULL: no room for one that is seen so seldom. */
static struct row *row_of(struct state *st, const struct pk_see *s, const char *domain)
{
	const struct pk_news *n = s->news;
	uint64_t hash = pk_hash_bytes(&st->hash, domain, strlen(domain));
	struct pk_memo_key key = { .scope = n->key->netns };
	struct row *r;
	bool is_new;

	memcpy(key.a, n->key->addr[n->client], 16);
	memcpy(key.b, &hash, sizeof(hash));
	r = pk_memo_take(st->rows, &key, &is_new);
	if (!r)
		return NULL;
	if (is_new || s->now_ns > r->first_ns + UINT32_MAX * MS)
		*r = (struct row){ .first_ns = s->now_ns };
	return r;
}

/* False: it belongs to the question before. */
static bool note(struct state *st, struct row *r, const struct pk_see *s)
{
	const struct pk_news_dns *q = s->news->dns;
	uint32_t at = s->now_ns > r->first_ns ? (uint32_t)((s->now_ns - r->first_ns) / MS) : 0;

	if (r->n && at - r->at_ms[(r->n - 1) % PK_REGULAR_MAX] < SAME_MS)
		return false;
	pk_count_add(&r->names, pk_hash_bytes(&st->hash, q->name, strlen(q->name)));
	r->text += q->qtype == PK_DNS_TXT || q->qtype == TYPE_NULL;
	r->at_ms[r->n % PK_REGULAR_MAX] = at;
	r->bytes[r->n % PK_REGULAR_MAX] = (uint32_t)strlen(q->name);
	r->n++;
	return true;
}

static void take_question(struct pk_detect *d, struct state *st, const struct pk_see *s,
			  const char *domain)
{
	struct row *r = row_of(st, s, domain);
	struct pk_regular g;

	if (!r || !note(st, r, s) || r->n < st->questions || r->n % EVERY || r->n < r->next)
		return;
	pk_regular_score(r->at_ms, r->bytes, r->n < PK_REGULAR_MAX ? r->n : PK_REGULAR_MAX, &g);
	if (100 * g.all < (double)st->score || g.span_ms * (double)MS < (double)st->time_ns)
		return;
	r->next = r->n * 2;
	tell(d, s, r, &g, domain);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_news *n = s->news;
	const char *domain;
	struct row *r;

	if ((n->kind != PK_NEWS_QUESTION && n->kind != PK_NEWS_DNS) ||
	    n->dns->kind != PK_DNS_UNICAST || pk_name_is_private(n->dns->name))
		return;
	domain = pk_name_registered(n->dns->name);
	if (!domain)
		return;
	if (n->kind == PK_NEWS_QUESTION)
		take_question(d, state, s, domain);
	else if (n->dns->answer && n->dns->believed && (r = row_of(state, s, domain)))
		r->answered = true;
}

static int init(const struct pk_world *w, void **ret_state)
{
	struct state *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	st->questions = w->conf->dns_beacon_questions;
	st->score = w->conf->dns_beacon_score;
	st->time_ns = w->conf->dns_beacon_time_ns;
	pk_hash_key_init(&st->hash);
	st->rows = pk_memo_new(w->conf->dns_beacon_zones, sizeof(struct row), true);
	*ret_state = st;
	if (st->rows)
		return 0;
	free(st);
	return -ENOMEM;
}

static void done(void *state)
{
	struct state *st = state;

	pk_memo_free(st->rows);
	free(st);
}

/* What was often long ago fades. */
static void tick(struct pk_detect *d, void *state, uint64_t now_ns)
{
	const struct state *st = state;

	(void)d;
	pk_memo_age(st->rows, now_ns, AGE_NS);
}

static void memory(const void *state, struct pk_memory *sum)
{
	const struct state *st = state;

	pk_memo_memory(st->rows, sum);
	sum->bytes += sizeof(*st);
}

static size_t bytes_max(const struct pk_conf *conf)
{
	return pk_memo_bytes_max(conf->dns_beacon_zones, sizeof(struct row), true) +
	       sizeof(struct state);
}

const struct pk_detector pk_detect_dns_beacon = {
	.name = "dns_beacon",
	.title = "Beacon through DNS",
	.technique = { "T1071.004" },
	.severity = PK_MEDIUM,
	.confidence = 60,
	.doubt = "Monitoring, clocks and caches ask for their names in a steady rhythm, too.",
	.next = "Find the program that asks, and whose the domain is.",
	.wants = 1u << PK_SEE_NEWS,
	.init = init,
	.done = done,
	.see = see,
	.tick = tick,
	.memory = memory,
	.bytes_max = bytes_max,
};
