/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that asks for many registered names which do not exist: a program that tries the names
 * its author may have registered today (DGA), if they look made by one; else something broken.
 * Answers whose question was not seen could be anybody's: of them one name is told, as low. Names
 * made of words, and lookups over TLS or HTTPS, are out of reach.
 */
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "decode/dns.h"
#include "detect/count.h"
#include "detect/detect.h"
#include "detect/label.h"
#include "detect/memo.h"
#include "detect/owner.h"
#include "detect/registry.h"
#include "name/news.h"
#include "name/registered.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RCODE_NXDOMAIN 3
#define SAMPLES        4
#define SAMPLE_MAX     48
#define ALONE_PERCENT  60 /* of rare pairs: one such name is told by itself, as low */
#define ALONE_MIN      12 /* its length */
#define AGE_NS         (600 * 1000000000ull)

struct client {
	struct pk_count failed, made; /* registered domains */
	uint64_t since_ns;
	uint32_t next[3]; /* counts at which each kind is told again */
	uint32_t samples;
	char sample[SAMPLES][SAMPLE_MAX]; /* the last ones that look made */
};

enum kind { KIND_MADE, KIND_FAILED, KIND_ALONE };

static const struct {
	enum pk_severity severity;
	uint8_t confidence;
	const char *title, *plain;
} kinds[] = {
	[KIND_MADE] = { PK_HIGH, 75, "Names made by a program",
			"A program tries many made-up addresses, as malware does to find its "
			"master." },
	[KIND_FAILED] = { PK_LOW, 40, "Many names that do not exist",
			  "A computer asks for many addresses that do not exist; something may "
			  "be broken." },
	[KIND_ALONE] = { PK_LOW, 25, "Name that looks made by a program",
			 "A computer asked for a made-up looking address that does not exist." },
};

struct state {
	struct pk_memo *clients;
	struct pk_hash_key hash;
	uint64_t window_ns, names, failed;
};

static void tell(struct pk_detect *d, const struct pk_see *s, const struct client *c,
		 const char *domain, enum kind kind)
{
	const struct pk_news *n = s->news;
	unsigned failed = pk_count_get(&c->failed, &c->failed);
	unsigned made = pk_count_get(&c->made, &c->made);
	struct pk_finding f = { .ts_ns = s->now_ns,
				.first_ns = c->since_ns,
				.title = kinds[kind].title,
				.severity = kinds[kind].severity,
				.confidence = kinds[kind].confidence };
	char ip[PK_IP_TEXT];

	pk_finding_flow(&f, n->key, n->flow, n->client, !n->client);
	f.has_remote = false; /* a resolver */
	f.spoofable = !n->dns->believed;
	snprintf(f.name, sizeof(f.name), "%s", domain);
	pk_finding_owner(&f, pk_detect_world(d), n->key, n->flow, n->client);
	pk_finding_plain(&f, "%s", kinds[kind].plain);
	pk_ip_format(n->key->addr[n->client], ip);
	if (kind == KIND_ALONE)
		pk_finding_detail(&f,
				  "%s was told that %s, which looks random, does not exist "
				  "(NXDOMAIN).",
				  ip, domain);
	else
		pk_finding_detail(&f,
				  "%s asked for about %u registered names that do not exist "
				  "(NXDOMAIN), about %u of them look random; the last: %s.",
				  ip, failed, made, domain);
	pk_finding_field(&f, "query", "%s", n->dns->name);
	pk_finding_field(&f, "failed", "%u", failed);
	pk_finding_field(&f, "random", "%u", made);
	for (unsigned i = 0; i < SAMPLES && c->sample[i][0]; i++)
		pk_finding_field(&f, "name", "%s", c->sample[i]);
	pk_finding_fold(&f, n->key->addr[n->client], 16);
	pk_finding_fold(&f, &kind, sizeof(kind));
	pk_detect_found(d, &pk_detect_dga, &f);
}

static bool is_alone(unsigned rare, size_t len)
{
	return rare >= ALONE_PERCENT && len >= ALONE_MIN;
}

static bool is_due(struct client *c, enum kind kind, unsigned n, uint64_t least)
{
	if (n < least || n < c->next[kind])
		return false;
	c->next[kind] = n * 2;
	return true;
}

static void take(struct pk_detect *d, struct state *st, const struct pk_see *s, struct client *c,
		 const char *domain)
{
	size_t len = strcspn(domain, ".");
	unsigned rare = pk_label_rare_percent(domain, len);
	uint64_t h = pk_hash_bytes(&st->hash, domain, strlen(domain));

	if (!c->since_ns || s->now_ns - c->since_ns > st->window_ns)
		*c = (struct client){ .since_ns = s->now_ns };
	if (!s->news->dns->believed) {
		if (is_alone(rare, len) && is_due(c, KIND_ALONE, 1, 1))
			tell(d, s, c, domain, KIND_ALONE);
		return;
	}
	pk_count_add(&c->failed, h);
	if (rare >= PK_LABEL_RANDOM) {
		pk_count_add(&c->made, h);
		snprintf(c->sample[c->samples++ % SAMPLES], SAMPLE_MAX, "%s", domain);
	}
	if (is_due(c, KIND_MADE, pk_count_get(&c->made, &c->made), st->names))
		tell(d, s, c, domain, KIND_MADE);
	else if (is_due(c, KIND_FAILED, pk_count_get(&c->failed, &c->failed), st->failed))
		tell(d, s, c, domain, KIND_FAILED);
	else if (is_alone(rare, len) && is_due(c, KIND_ALONE, 1, 1))
		tell(d, s, c, domain, KIND_ALONE);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_news *n = s->news;
	struct pk_memo_key key = { 0 };
	struct state *st = state;
	const char *domain;
	struct client *c;
	bool is_new;

	if (n->kind != PK_NEWS_DNS || n->dns->kind != PK_DNS_UNICAST || !n->dns->answer ||
	    n->dns->answer->rcode != RCODE_NXDOMAIN || pk_name_is_private(n->dns->name))
		return;
	domain = pk_name_registered(n->dns->name);
	if (!domain)
		return;
	key.scope = n->key->netns;
	memcpy(key.a, n->key->addr[n->client], 16);
	c = pk_memo_take(st->clients, &key, &is_new);
	if (c) /* else there is no room for one that is seen so seldom */
		take(d, st, s, c, domain);
}

static int init(const struct pk_world *w, void **ret_state)
{
	struct state *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	st->window_ns = w->conf->dga_window_ns;
	st->names = w->conf->dga_names;
	st->failed = w->conf->dga_failed;
	pk_hash_key_init(&st->hash);
	st->clients = pk_memo_new(w->conf->dga_clients, sizeof(struct client), true);
	*ret_state = st;
	if (st->clients)
		return 0;
	free(st);
	return -ENOMEM;
}

static void done(void *state)
{
	struct state *st = state;

	pk_memo_free(st->clients);
	free(st);
}

/* What was often long ago fades. */
static void tick(struct pk_detect *d, void *state, uint64_t now_ns)
{
	const struct state *st = state;

	(void)d;
	pk_memo_age(st->clients, now_ns, AGE_NS);
}

static void memory(const void *state, struct pk_memory *sum)
{
	const struct state *st = state;

	pk_memo_memory(st->clients, sum);
	sum->bytes += sizeof(*st);
}

static size_t bytes_max(const struct pk_conf *conf)
{
	return pk_memo_bytes_max(conf->dga_clients, sizeof(struct client), true) +
	       sizeof(struct state);
}

const struct pk_detector pk_detect_dga = {
	.name = "dga",
	.title = "Names made by a program",
	.technique = { "T1568.002" },
	.severity = PK_HIGH,
	.confidence = 75,
	.doubt = "Crawlers, mail servers that check senders, and a resolver that others ask "
		 "through.",
	.next = "Find the program that asks; see whether one of the names was answered after all.",
	.wants = 1u << PK_SEE_NEWS,
	.init = init,
	.done = done,
	.see = see,
	.tick = tick,
	.memory = memory,
	.bytes_max = bytes_max,
};
