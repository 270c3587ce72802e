/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attacks on web servers, by what is known of them in requests in clear text (web_match.h). An
 * attempt waits for the answer, a second at most: then it is known whether the sender can have been
 * forged, and what the server said. An attack that names a place to call is remembered; whoever was
 * attacked and then goes there has run it.
 */
#include "base/cleanup.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "decode/http.h"
#include "detect/detect.h"
#include "detect/memo.h"
#include "detect/owner.h"
#include "detect/registry.h"
#include "detect/talk.h"
#include "detect/web_match.h"
#include "flow/local.h"
#include "flow/table.h"
#include "name/fact.h"
#include "name/name.h"
#include "name/news.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 1024
#define WAIT_NS     1000000000ull
#define EXCERPT_MAX 96
#define PLACE_AFTER 160 /* letters behind the attack in which the place to call is looked for */

struct attempt {
	uint64_t seen_ns, flow;
	struct pk_flow_key key;
	uint8_t client;
	uint16_t status; /* of the answer; 0: none was seen */
	unsigned kinds;  /* set of enum pk_web_kind */
	struct {
		const char *literal;
		uint8_t part; /* enum pk_web_part */
		char excerpt[EXCERPT_MAX];
	} hit[PK_WEB_KINDS];
	char method[16], host[128], path[160];
};

/* Somebody was told to call there; found by who and where. */
struct call {
	uint64_t told_ns;
	uint8_t attacker[16];
	uint8_t kind; /* enum pk_web_kind */
	char place[128];
};

struct state {
	struct pk_web_match *match;
	struct pk_memo *waiting; /* struct attempt, by flow */
	struct pk_memo *calls;   /* struct call */
	struct pk_web_text text;
};

static void done(void *state)
{
	struct state *s = state;

	if (!s)
		return;
	pk_web_match_free(s->match);
	pk_memo_free(s->waiting);
	pk_memo_free(s->calls);
	free(s);
}

static void state_freep(struct state **s)
{
	done(*s);
}

static int init(const struct pk_world *w, void **ret_state)
{
	_cleanup_(state_freep) struct state *s = calloc(1, sizeof(*s));
	int r = s ? pk_web_match_new(&s->match) : -ENOMEM;

	if (r < 0)
		return r;
	s->waiting = pk_memo_new(WAITING_MAX, sizeof(struct attempt), false);
	s->calls = pk_memo_new(w->conf->detect_remember, sizeof(struct call), false);
	if (!s->waiting || !s->calls)
		return -ENOMEM;
	*ret_state = PK_TAKE(s);
	return 0;
}

static struct pk_memo_key key_of_flow(uint64_t flow)
{
	return (struct pk_memo_key){ .scope = flow };
}

static bool is_own(const struct pk_world *w, const struct pk_flow_key *k, unsigned end)
{
	return w->local && pk_local_has(w->local, k->netns, k->addr[end]);
}

static bool is_firm(const struct pk_world *w, const struct attempt *a)
{
	const struct pk_flow_entry *e = w->flows ? pk_flow_table_find(w->flows, a->flow) : NULL;
	struct pk_talk t;

	if (a->status || !e) /* who gets no answer can't have gone on after a handshake */
		return a->status;
	pk_talk_of(w, e, &t);
	return t.firm;
}

static void say_words(struct pk_finding *f, const struct attempt *a, unsigned kind, bool out)
{
	static const char *const where[PK_WEB_PARTS] = { "target", "header", "body" };
	const struct pk_web_attack *what = &pk_web_attacks[kind];
	char src[PK_IP_TEXT], dst[PK_IP_TEXT], status[8];

	pk_ip_format(a->key.addr[a->client], src);
	pk_ip_format(a->key.addr[!a->client], dst);
	if (out)
		pk_finding_plain(f,
				 "This computer tried to break into the web server %s by %s: "
				 "somebody may be misusing it.",
				 dst, what->what);
	else
		pk_finding_plain(f, "%s tried to break into the web server %s by %s.", src, dst,
				 what->what);
	snprintf(status, sizeof(status), "%u", a->status);
	pk_finding_detail(f,
			  "%s sent %s %s to %s port %u; its %s has what exploits of kind %s have: "
			  "\"%s\". The status of the answer: %s.",
			  src, a->method[0] ? a->method : "bytes for", a->path, dst,
			  ntohs(a->key.port[!a->client]), where[a->hit[kind].part], what->name,
			  a->hit[kind].excerpt, a->status ? status : "none was seen");
	pk_finding_field(f, "kind", "%s", what->name);
	pk_finding_field(f, "matched", "%s", a->hit[kind].literal);
	pk_finding_field(f, "where", "%s", where[a->hit[kind].part]);
	pk_finding_field(f, "excerpt", "%s", a->hit[kind].excerpt);
	pk_finding_field(f, "method", "%s", a->method);
	pk_finding_field(f, "path", "%s", a->path);
	pk_finding_field(f, "host", "%s", a->host);
	if (a->status)
		pk_finding_field(f, "status", "%u", a->status);
}

static void tell(struct pk_detect *d, const struct attempt *a, unsigned kind)
{
	const struct pk_world *w = pk_detect_world(d);
	const struct pk_web_attack *what = &pk_web_attacks[kind];
	bool out = is_own(w, &a->key, a->client) && !is_own(w, &a->key, !a->client);
	struct pk_finding f = { .ts_ns = a->seen_ns,
				.technique = { what->technique },
				.severity = what->severity,
				.confidence = what->confidence };

	if (out && f.severity < PK_HIGH)
		f.severity++;
	pk_finding_flow(&f, &a->key, a->flow, a->client, out ? !a->client : a->client);
	pk_finding_owners(&f, w, &a->key, a->flow, out ? a->client : !a->client);
	f.spoofable = !out && !is_firm(w, a);
	say_words(&f, a, kind, out);
	pk_finding_fold(&f, a->key.addr[a->client], 16);
	pk_finding_fold(&f, what->name, strlen(what->name));
	pk_detect_found(d, &pk_detect_web_attack, &f);
}

static void tell_all(struct pk_detect *d, struct state *s, struct attempt *a)
{
	for (unsigned k = 0; k < PK_WEB_KINDS; k++)
		if (a->kinds & 1u << k)
			tell(d, a, k);
	pk_memo_drop(s->waiting, a);
}

/* What was sent from the attack on, to the end of its parameter or line, printable. */
static void excerpt_of(const struct pk_web_text *t, size_t from, char out[EXCERPT_MAX])
{
	size_t n = 0;

	for (size_t i = from; i < t->len && n + 1 < EXCERPT_MAX; i++) {
		char c = t->s[i];

		if (c == '\n' || (c == '&' && n > 8))
			break;
		out[n++] = c >= ' ' && c < 0x7f ? c : '?';
	}
	out[n] = '\0';
}

/* The host of a URL behind the attack's beginning: "ldap:/HOST:389/a". False: there is none. */
static bool place_of(const struct pk_web_text *t, size_t from, char *out, size_t cap)
{
	size_t end = from + PLACE_AFTER < t->len ? from + PLACE_AFTER : t->len;
	const char *at = memmem(t->s + from, end - from, ":/", 2), *stop = t->s + t->len;
	size_t n = 0;

	if (!at)
		return false;
	at += 2;
	if (at < stop && *at == '[')
		at++;
	while (at + n < stop && n + 1 < cap && at[n] && !strchr(":/]} ;&'\"<>()|`\n?#", at[n]))
		n++;
	memcpy(out, at, n);
	out[n] = '\0';
	return n > 3 && strchr(out, '.');
}

static struct pk_memo_key key_of_call(const struct state *s, uint64_t netns, const uint8_t who[16],
				      const uint8_t *addr, const char *name)
{
	struct pk_memo_key k = { .scope = netns, .what = name != NULL };
	uint64_t hash[2];

	memcpy(k.a, who, sizeof(k.a));
	if (addr) {
		memcpy(k.b, addr, sizeof(k.b));
		return k;
	}
	for (unsigned i = 0; i < 2; i++) { /* names are longer than what one hash takes */
		size_t len = strlen(name), half = len < 64 ? 0 : i * (len - 64);

		hash[i] = pk_memo_hash(s->calls, name + half, len < 64 ? len : 64);
	}
	memcpy(k.b, hash, sizeof(k.b));
	return k;
}

static void remember_call(struct state *s, const struct pk_see *see, unsigned kind, size_t from)
{
	const struct pk_news *n = see->news;
	const uint8_t *who = n->key->addr[!(n->client & 1)];
	struct pk_memo_key key;
	struct call *c;
	uint8_t addr[16];
	char place[128];
	bool is_new;

	if (!place_of(&s->text, from, place, sizeof(place)))
		return;
	if (pk_ip_parse(place, addr) == 0)
		key = key_of_call(s, n->key->netns, who, addr, NULL);
	else
		key = key_of_call(s, n->key->netns, who, NULL, place);
	c = pk_memo_take(s->calls, &key, &is_new);
	*c = (struct call){ .told_ns = see->now_ns, .kind = (uint8_t)kind };
	memcpy(c->attacker, n->key->addr[n->client & 1], sizeof(c->attacker));
	memcpy(c->place, place, sizeof(c->place));
}

static void copy(char *out, size_t cap, struct pk_slice s)
{
	size_t n = s.len < cap - 1 ? s.len : cap - 1;

	if (n)
		memcpy(out, s.s, n);
	out[n] = '\0';
}

/* What follows '?' may have a password in it. */
static void put_request(struct attempt *a, const struct pk_http *h)
{
	const char *query = h->target.len ? memchr(h->target.s, '?', h->target.len) : NULL;
	struct pk_slice path = h->target;

	if (query)
		path.len = (uint32_t)(query - path.s);
	copy(a->method, sizeof(a->method), h->method);
	copy(a->host, sizeof(a->host), pk_http_host_name(h->host));
	copy(a->path, sizeof(a->path), path);
}

/* The attempt of this flow; the oldest is told to make room. */
static struct attempt *attempt_of(struct pk_detect *d, struct state *s, const struct pk_see *see)
{
	struct pk_memo_key key = key_of_flow(see->news->flow);
	struct attempt *a = pk_memo_find(s->waiting, &key);
	bool is_new;

	if (a)
		return a;
	if (pk_memo_used(s->waiting) == WAITING_MAX)
		tell_all(d, s, pk_memo_next(s->waiting, NULL));
	a = pk_memo_take(s->waiting, &key, &is_new);
	a->seen_ns = see->now_ns;
	a->flow = see->news->flow;
	a->key = *see->news->key;
	a->client = see->news->client & 1;
	return a;
}

static void note(struct pk_detect *d, struct state *s, const struct pk_see *see,
		 const struct pk_web_hit *hit, size_t n)
{
	struct attempt *a = attempt_of(d, s, see);

	if (see->news->http->head)
		put_request(a, see->news->http->head);
	for (size_t i = 0; i < n; i++) {
		unsigned k = hit[i].kind;

		if (a->kinds & 1u << k)
			continue;
		a->kinds |= 1u << k;
		a->hit[k].literal = hit[i].literal;
		a->hit[k].part = (uint8_t)pk_web_text_part(&s->text, hit[i].from);
		excerpt_of(&s->text, hit[i].from, a->hit[k].excerpt);
		remember_call(s, see, k, hit[i].from);
	}
}

static bool stores(const struct pk_http *h)
{
	return pk_slice_is(h->method, "PUT") || pk_slice_is(h->method, "MOVE");
}

static void see_request(struct pk_detect *d, struct state *s, const struct pk_see *see)
{
	const struct pk_news_http *n = see->news->http;
	const struct pk_http *h = n->head;
	struct pk_slice part[PK_WEB_PARTS] = { 0 },
			all = { (const char *)n->bytes, (uint32_t)n->len };
	struct pk_web_hit hit[PK_WEB_KINDS];
	size_t hits, head = h ? h->head_len : 0;

	if (h) {
		const char *first = memchr(all.s, '\n', head);
		size_t from = first ? (size_t)(first - all.s) + 1 : head;

		part[PK_WEB_TARGET] = h->target;
		part[PK_WEB_FIELDS] = (struct pk_slice){ all.s + from, (uint32_t)(head - from) };
	}
	part[PK_WEB_BODY] = (struct pk_slice){ all.s + head, (uint32_t)(all.len - head) };
	pk_web_text_make(&s->text, part);
	hits = pk_web_match_find(s->match, &s->text, h && stores(h), hit);
	if (hits && see->news->flow)
		note(d, s, see, hit, hits);
}

static void see_response(struct pk_detect *d, struct state *s, const struct pk_see *see)
{
	struct pk_memo_key key = key_of_flow(see->news->flow);
	struct attempt *a = pk_memo_find(s->waiting, &key);

	if (!a)
		return;
	a->status = see->news->http->head->status;
	tell_all(d, s, a);
}

static void tell_call(struct pk_detect *d, const struct pk_talk *t, const struct call *c,
		      uint64_t now_ns)
{
	const struct pk_web_attack *what = &pk_web_attacks[c->kind];
	struct pk_finding f = { .ts_ns = now_ns,
				.first_ns = c->told_ns,
				.title = "Attack on a web server worked",
				.technique = { what->technique },
				.severity = PK_HIGH,
				.confidence = 85 };
	char src[PK_IP_TEXT], from[PK_IP_TEXT];

	pk_ip_format(t->src, src);
	pk_ip_format(c->attacker, from);
	pk_talk_finding(t, &f);
	pk_finding_remote(&f, t->dst);
	pk_finding_plain(&f,
			 "The web server %s went where an attack by %s told it to: it was probably "
			 "broken into.",
			 src, from);
	pk_finding_detail(
		&f,
		"%s sent %s an attack of kind %s that names %s. %s opened a connection to "
		"there, port %u, %ju ms later.",
		from, src, what->name, c->place, src, t->dport,
		(uintmax_t)((now_ns - c->told_ns) / 1000000));
	pk_finding_field(&f, "kind", "%s", what->name);
	pk_finding_field(&f, "attacker", "%s", from);
	pk_finding_field(&f, "place", "%s", c->place);
	pk_finding_field(&f, "port", "%u", t->dport);
	pk_finding_fold(&f, t->src, 16);
	pk_finding_fold(&f, c->place, strlen(c->place));
	pk_detect_found(d, &pk_detect_web_attack, &f);
}

static struct call *find_call(struct state *s, const struct pk_talk *t, const struct pk_fact *fact)
{
	uint64_t netns = t->e->flow.key.netns;
	struct pk_memo_key key = key_of_call(s, netns, t->src, t->dst, NULL);
	struct call *c = pk_memo_find(s->calls, &key);
	struct pk_name_best best;

	if (c || !pk_fact_best(fact, &best))
		return c;
	key = key_of_call(s, netns, t->src, NULL, best.name);
	return pk_memo_find(s->calls, &key);
}

static void see_flow(struct pk_detect *d, struct state *s, const struct pk_see *see)
{
	const struct pk_world *w = pk_detect_world(d);
	struct call *c;
	struct pk_talk t;

	if (!pk_memo_used(s->calls) || !see->flow->is_new)
		return;
	pk_talk_of(w, see->flow, &t);
	c = find_call(s, &t, see->fact);
	if (!c || see->now_ns > c->told_ns + w->conf->web_attack_call_ns)
		return;
	tell_call(d, &t, c, see->now_ns);
	pk_memo_drop(s->calls, c);
}

static void see(struct pk_detect *d, void *state, const struct pk_see *see)
{
	if (see->kind == PK_SEE_FLOW)
		see_flow(d, state, see);
	else if (see->news->kind == PK_NEWS_REQUEST)
		see_request(d, state, see);
	else if (see->news->kind == PK_NEWS_RESPONSE)
		see_response(d, state, see);
}

static void tick(struct pk_detect *d, void *state, uint64_t now_ns)
{
	struct state *s = state;
	struct attempt *a;

	while ((a = pk_memo_next(s->waiting, NULL)) && now_ns > a->seen_ns + WAIT_NS)
		tell_all(d, s, a);
}

static void memory(const void *state, struct pk_memory *sum)
{
	const struct state *s = state;

	sum->bytes += sizeof(*s) + pk_web_match_bytes(s->match);
	pk_memo_memory(s->waiting, sum);
	pk_memo_memory(s->calls, sum);
}

#define MATCH_BYTES_MAX 131072 /* of the literals' database; the unit test looks */

static size_t bytes_max(const struct pk_conf *c)
{
	return sizeof(struct state) + MATCH_BYTES_MAX +
	       pk_memo_bytes_max(WAITING_MAX, sizeof(struct attempt), false) +
	       pk_memo_bytes_max(c->detect_remember, sizeof(struct call), false);
}

const struct pk_detector pk_detect_web_attack = {
	.name = "web_attack",
	.title = "Attack on a web server",
	.technique = { "T1190" },
	.severity = PK_MEDIUM,
	.confidence = 75,
	.doubt = "Anybody on the Internet is tried like this all day; scanners of one's own, texts "
		 "about attacks and forms for SQL look the same.",
	.next = "See whether the software that it aims at runs there and is up to date, and what "
		"the server did right after.",
	.wants = 1u << PK_SEE_NEWS | 1u << PK_SEE_FLOW,
	.bytes_max = bytes_max,
	.init = init,
	.done = done,
	.see = see,
	.tick = tick,
	.memory = memory,
};
