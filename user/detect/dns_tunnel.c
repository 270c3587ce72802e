/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data carried in DNS names: many different names below one registered domain that look made by a
 * program and are long, and answers of types that carry anything (TXT, NULL). Counted for each
 * client and registered domain, over a window. Who resolves for others shows their tunnels as its
 * own. Reverse lookups and names of local networks are not looked at.
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
#include <stdlib.h>
#include <string.h>

#define TYPE_NULL  10
#define CODED_MIN  20 /* bytes below the registered domain */
#define LONG_NAME  60 /* bytes a name: few names carry as much as many */
#define LONG_SHARE 4
#define ZONE_MAX   64 /* of a registered domain, kept to be told */
#define AGE_NS     (600 * 1000000000ull)

struct zone {
	struct pk_count names; /* different ones that look coded */
	uint64_t since_ns, last_ns;
	uint64_t up_bytes, down_bytes;
	uint32_t questions, coded, bulk; /* bulk: questions for TXT and NULL */
	uint32_t next;                   /* names at which it is told (again) */
	uint16_t longest;
	bool answered; /* by somebody who saw the question */
	char domain[ZONE_MAX];
};

struct state {
	struct pk_memo *zones;
	struct pk_hash_key hash;
	uint64_t window_ns, names, bytes;
	struct pk_conf_list allowed;
};

/* Nibbles of an IPv6 address, as lists of senders of mail are asked. */
static bool is_nibbles(const char *s, size_t len)
{
	size_t single = 0;

	for (size_t i = 0; i + 1 < len; i++)
		single += s[i] != '.' && s[i + 1] == '.' && (i == 0 || s[i - 1] == '.');
	return single >= 16;
}

static bool is_coded(const char *s, size_t len)
{
	return len >= CODED_MIN && pk_label_rare_percent(s, len) >= PK_LABEL_RANDOM &&
	       !is_nibbles(s, len);
}

static bool is_bulk(uint16_t type)
{
	return type == PK_DNS_TXT || type == TYPE_NULL;
}

static bool is_allowed(const struct state *st, const char *domain)
{
	for (size_t i = 0; i < st->allowed.n; i++)
		if (!strcmp(st->allowed.v[i], domain))
			return true;
	return false;
}

/* NULL: no room for one that is seen so seldom. */
static struct zone *zone_of(struct state *st, const struct pk_see *s, const char *domain)
{
	const struct pk_news *n = s->news;
	uint64_t hash = pk_hash_bytes(&st->hash, domain, strlen(domain));
	struct pk_memo_key key = { .scope = n->key->netns };
	struct zone *z;
	bool is_new;

	memcpy(key.a, n->key->addr[n->client], 16);
	memcpy(key.b, &hash, sizeof(hash));
	z = pk_memo_take(st->zones, &key, &is_new);
	if (!z)
		return NULL;
	if (is_new || s->now_ns - z->since_ns > st->window_ns) {
		*z = (struct zone){ .since_ns = s->now_ns, .answered = z->answered };
		strncpy(z->domain, domain, ZONE_MAX - 1);
	}
	z->last_ns = s->now_ns;
	return z;
}

static void tell(struct pk_detect *d, const struct pk_see *s, const struct zone *z, unsigned names)
{
	const struct pk_news *n = s->news;
	struct pk_finding f = { .ts_ns = s->now_ns, .first_ns = z->since_ns };
	char ip[PK_IP_TEXT];

	pk_finding_flow(&f, n->key, n->flow, n->client, !n->client);
	f.has_remote = false; /* a resolver, which only passes it on */
	f.spoofable = !n->dns->tcp && !z->answered;
	snprintf(f.name, sizeof(f.name), "%s", z->domain);
	pk_finding_owner(&f, pk_detect_world(d), n->key, n->flow, n->client);
	pk_finding_plain(
		&f,
		"Somebody may be smuggling data out inside questions for addresses below %.64s.",
		z->domain);
	pk_finding_detail(&f,
			  "%s asked for about %u different coded names below %s (%llu bytes in "
			  "them, the longest %u; %u of %u questions for TXT or NULL; %llu bytes "
			  "came back).",
			  pk_ip_format(n->key->addr[n->client], ip), names, z->domain,
			  (unsigned long long)z->up_bytes, z->longest, z->bulk, z->questions,
			  (unsigned long long)z->down_bytes);
	pk_finding_field(&f, "domain", "%s", z->domain);
	pk_finding_field(&f, "query", "%s", n->dns->name);
	pk_finding_field(&f, "names", "%u", names);
	pk_finding_field(&f, "bytes_up", "%llu", (unsigned long long)z->up_bytes);
	pk_finding_field(&f, "bytes_down", "%llu", (unsigned long long)z->down_bytes);
	pk_finding_field(&f, "longest", "%u", z->longest);
	pk_finding_field(&f, "txt_or_null", "%u", z->bulk);
	pk_finding_fold(&f, n->key->addr[n->client], 16);
	pk_finding_fold(&f, z->domain, strlen(z->domain));
	pk_detect_found(d, &pk_detect_dns_tunnel, &f);
}

/* Many names, or a part of that if they are long or ask for what carries anything. */
static bool is_tunnel(const struct state *st, const struct zone *z, unsigned names)
{
	uint64_t few = (st->names + LONG_SHARE - 1) / LONG_SHARE;

	if (z->up_bytes < st->bytes || names < few)
		return false;
	return names >= st->names || z->up_bytes / z->coded >= LONG_NAME || z->bulk >= st->names;
}

static void take_question(struct pk_detect *d, struct state *st, const struct pk_see *s,
			  const char *domain)
{
	const struct pk_news_dns *q = s->news->dns;
	size_t len = (size_t)(domain - q->name);
	struct zone *z;
	unsigned names;

	if (len < 2) /* the domain itself */
		return;
	z = zone_of(st, s, domain);
	if (!z)
		return;
	z->questions++;
	z->bulk += is_bulk(q->qtype) && q->name[0] != '_';
	if (!is_coded(q->name, len - 1))
		return;
	z->coded++;
	z->longest = len > z->longest ? (uint16_t)len : z->longest;
	names = pk_count_get(&z->names, &z->names);
	pk_count_add(&z->names, pk_hash_bytes(&st->hash, q->name, len));
	if (pk_count_get(&z->names, &z->names) == names)
		return; /* the same again carries nothing new */
	z->up_bytes += len - 1;
	names = pk_count_get(&z->names, &z->names);
	if (names < z->next || !is_tunnel(st, z, names))
		return;
	z->next = names * 2;
	tell(d, s, z, names);
}

static void take_answer(struct state *st, const struct pk_see *s, const char *domain)
{
	const struct pk_dns *a = s->news->dns->answer;
	struct zone *z = zone_of(st, s, domain);

	if (!z)
		return;
	z->answered = true;
	for (unsigned i = 0; i < a->n_rrs; i++)
		if (is_bulk(a->rrs[i].type))
			z->down_bytes += a->rrs[i].rdata.len;
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	const struct pk_news *n = s->news;
	const char *domain;

	if ((n->kind != PK_NEWS_QUESTION && n->kind != PK_NEWS_DNS) ||
	    n->dns->kind != PK_DNS_UNICAST || pk_name_is_private(n->dns->name))
		return;
	domain = pk_name_registered(n->dns->name);
	if (!domain || is_allowed(state, domain))
		return;
	if (n->kind == PK_NEWS_QUESTION)
		take_question(d, state, s, domain);
	else if (n->dns->answer && n->dns->believed)
		take_answer(state, s, domain);
}

static int init(const struct pk_world *w, void **ret_state)
{
	struct state *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	st->window_ns = w->conf->dns_tunnel_window_ns;
	st->names = w->conf->dns_tunnel_names;
	st->bytes = w->conf->dns_tunnel_bytes;
	st->allowed = w->conf->dns_tunnel_allowed;
	pk_hash_key_init(&st->hash);
	st->zones = pk_memo_new(w->conf->dns_tunnel_zones, sizeof(struct zone), true);
	*ret_state = st;
	if (st->zones)
		return 0;
	free(st);
	return -ENOMEM;
}

static void done(void *state)
{
	struct state *st = state;

	pk_memo_free(st->zones);
	free(st);
}

/* What was often long ago fades. */
static void tick(struct pk_detect *d, void *state, uint64_t now_ns)
{
	const struct state *st = state;

	(void)d;
	pk_memo_age(st->zones, now_ns, AGE_NS);
}

static void memory(const void *state, struct pk_memory *sum)
{
	const struct state *st = state;

	pk_memo_memory(st->zones, sum);
	sum->bytes += sizeof(*st);
}

static size_t bytes_max(const struct pk_conf *conf)
{
	return pk_memo_bytes_max(conf->dns_tunnel_zones, sizeof(struct zone), true) +
	       sizeof(struct state);
}

const struct pk_detector pk_detect_dns_tunnel = {
	.name = "dns_tunnel",
	.title = "Data in DNS names",
	.technique = { "T1071.004", "T1572", "T1048.003" },
	.severity = PK_HIGH,
	.confidence = 75,
	.doubt =
		"Antivirus programs, lists of senders of mail and some networks of caches ask with "
		"coded names; name theirs in detect.dns_tunnel_allowed.",
	.next = "Find the program that asks, and have the resolver refuse the domain.",
	.wants = 1u << PK_SEE_NEWS,
	.init = init,
	.done = done,
	.see = see,
	.tick = tick,
	.memory = memory,
	.bytes_max = bytes_max,
};
