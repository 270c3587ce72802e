/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the room: takes samples apart, puts streams together, hands them to the file that reads the
 * application (take_*.c), and says which name a flow goes by. It knows neither processes nor
 * interfaces, and never reads a clock.
 */
#include "name/name.h"

#include "base/cleanup.h"
#include "base/ip.h"
#include "decode/app.h"
#include "decode/ja4.h"
#include "decode/quic.h"
#include "name/geo.h"
#include "name/intern.h"
#include "name/take.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define ICMP_HEAD      8
#define QUESTIONS_MAX  16384
#define STREAMS_MAX    1024
#define HANDSHAKES_MAX 512
#define RETRIES        4 /* segments of a direction that are waited for when it makes no sense yet */

void pk_names_free(struct pk_names *n)
{
	if (!n)
		return;
	pk_quic_free(n->quic);
	pk_ja4_free(n->ja4);
	pk_geo_close(n->geo);
	pk_handshakes_free(n->handshakes);
	pk_reassembly_free(n->streams);
	pk_questions_free(n->questions);
	pk_addresses_free(n->addresses);
	pk_facts_free(n->facts);
	pk_intern_free(n->texts); /* last: the others point into it */
	free(n);
}

static void freep(struct pk_names **n)
{
	pk_names_free(*n);
}

int pk_names_new(const struct pk_names_opts *opts, struct pk_names **ret_names)
{
	_cleanup_(freep) struct pk_names *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->opts = *opts;
	n->texts = pk_intern_new(opts->text_bytes);
	n->facts = pk_facts_new(opts->facts_max, n->texts);
	n->addresses = pk_addresses_new(opts->addresses_max, n->texts);
	n->questions = pk_questions_new(QUESTIONS_MAX, n->texts);
	n->streams = pk_reassembly_new(STREAMS_MAX);
	n->handshakes = pk_handshakes_new(HANDSHAKES_MAX);
	if (!n->texts || !n->facts || !n->addresses || !n->questions || !n->streams ||
	    !n->handshakes)
		return -ENOMEM;
	/* a TLS library without these leaves their fields empty, which status shows */
	if (pk_ja4_new(&n->ja4) == -ENOMEM || pk_quic_new(&n->quic) == -ENOMEM)
		return -ENOMEM;
	n->geo_error = -ENOENT;
	if (opts->geo_file && opts->geo_file[0])
		n->geo_error = pk_geo_open(opts->geo_file, &n->geo);
	*ret_names = PK_TAKE(n);
	return 0;
}

void pk_names_set(struct pk_names *n, const char **field, struct pk_slice text)
{
	if (text.len)
		pk_fact_set(n->facts, field, pk_intern_text(n->texts, text.s, text.len));
}

void pk_names_set_name(struct pk_names *n, const char **field, struct pk_slice name)
{
	if (name.len)
		pk_fact_set(n->facts, field, pk_intern_name(n->texts, name.s, name.len));
}

static void tell(struct pk_names *n, const struct pk_take *t, struct pk_news *news)
{
	news->slot = t->s->slot;
	news->flow = t->s->flow;
	news->ts_ns = t->s->hdr.ts;
	news->key = &t->s->key;
	news->fact = t->fact;
	if (n->opts.news)
		n->opts.news(n->opts.arg, news);
}

void pk_names_tell(struct pk_names *n, const struct pk_take *t, enum pk_news_kind kind,
		   const struct pk_news_dns *dns)
{
	bool hello = kind == PK_NEWS_HELLO || kind == PK_NEWS_SERVER;
	struct pk_news news = { .kind = kind, .client = t->s->initiator, .dns = dns };

	if (dns) /* who asks is told by the message, not by who was first */
		news.client = dns->answer ? !t->s->dir : t->s->dir;
	if (hello) {
		news.sni = t->fact->sni;
		news.quic = t->fact->flags & PK_FACT_QUIC;
	}
	tell(n, t, &news);
}

void pk_names_tell_http(struct pk_names *n, const struct pk_take *t, enum pk_news_kind kind,
			const struct pk_news_http *http)
{
	/* who asks is told by the message here, too */
	struct pk_news news = { .kind = kind,
				.client = kind == PK_NEWS_REQUEST ? t->s->dir : !t->s->dir,
				.http = http };

	tell(n, t, &news);
}

struct pk_client pk_names_client(const struct pk_names *n, uint64_t netns, const uint8_t addr[16])
{
	struct pk_client c = { .netns = netns };

	if (!n->opts.is_own || !n->opts.is_own(n->opts.arg, netns, addr))
		memcpy(c.addr, addr, sizeof(c.addr));
	return c;
}

const char *pk_names_address(struct pk_names *n, uint64_t netns, const uint8_t client[16],
			     const uint8_t addr[16], uint64_t now_ns)
{
	struct pk_client c = pk_names_client(n, netns, client);

	return pk_addresses_name(n->addresses, &c, addr, now_ns);
}

static void find_place(struct pk_names *n, struct pk_place *place, const uint8_t addr[16])
{
	struct pk_geo_place p;

	if (!n->geo || !pk_geo_find(n->geo, addr, &p))
		return;
	place->asn = p.asn;
	place->anycast = p.anycast;
	memcpy(place->country, p.country, sizeof(place->country));
	pk_fact_set(n->facts, &place->as_name,
		    pk_intern_text(n->texts, p.as_name, strlen(p.as_name)));
}

void pk_names_ends(struct pk_names *n, struct pk_fact *f, const struct pk_flow_key *key,
		   uint64_t at_ns)
{
	for (unsigned d = 0; d < 2; d++) {
		const char *name;

		if (!(f->flags & PK_FACT_NAMED))
			find_place(n, &f->place[d], key->addr[d]);
		if (f->dns[d])
			continue;
		name = pk_names_address(n, key->netns, key->addr[!d], key->addr[d], at_ns);
		pk_fact_set(n->facts, &f->dns[d], pk_intern_again(name));
	}
	f->flags |= PK_FACT_NAMED;
}

static bool is_address(const char *name)
{
	uint8_t addr[16];

	return pk_ip_parse(name, addr) == 0;
}

/* Was the far end's address resolved from name? Then that is the one of its names that counts. */
static bool agrees(struct pk_names *n, struct pk_fact *f, const struct pk_flow_key *key,
		   const char *name, uint64_t at_ns)
{
	unsigned server = !f->client;
	struct pk_client c = pk_names_client(n, key->netns, key->addr[f->client]);

	if (!pk_addresses_has(n->addresses, &c, key->addr[server], name, at_ns))
		return false;
	if (f->dns[server] != name)
		pk_fact_set(n->facts, &f->dns[server], pk_intern_again(name));
	return true;
}

void pk_names_compare(struct pk_names *n, struct pk_fact *f, const struct pk_flow_key *key,
		      uint64_t at_ns)
{
	bool direct = !(f->flags & PK_FACT_PROXIED); /* else the address is the proxy's */
	bool cover = f->flags & PK_FACT_ECH; /* a public name stands for the one that is hidden */
	bool known;

	pk_names_ends(n, f, key, at_ns);
	known = f->dns[!f->client];
	f->conflict = PK_CONFLICT_NONE;
	if (f->http_host && !is_address(f->http_host)) {
		if (direct && !agrees(n, f, key, f->http_host, at_ns) && known)
			f->conflict = PK_CONFLICT_HTTP_DNS;
		if (f->sni && f->sni != f->http_host && !cover)
			f->conflict = PK_CONFLICT_HTTP_SNI;
	}
	if (f->sni && !is_address(f->sni) && direct && !agrees(n, f, key, f->sni, at_ns) && known &&
	    !cover)
		f->conflict = PK_CONFLICT_SNI_DNS;
}

typedef int (*take_stream)(struct pk_names *, const struct pk_take *, size_t *);

static take_stream reader_of(const struct pk_take *t)
{
	const struct pk_flow_key *k = &t->s->key;
	unsigned d = t->s->dir;

	switch (pk_app_detect((uint8_t)k->proto, t->port[d], t->port[!d], t->data, t->len)) {
	case PK_PROTO_TLS:
		return pk_take_tls;
	case PK_PROTO_HTTP:
		return pk_take_http;
	case PK_PROTO_SSH:
		return pk_take_ssh;
	case PK_PROTO_DNS:
		return pk_take_dns_stream;
	case PK_PROTO_SMTP:
	case PK_PROTO_FTP:
	case PK_PROTO_POP3:
	case PK_PROTO_IMAP:
	case PK_PROTO_IRC:
	case PK_PROTO_STRATUM:
		return pk_take_text;
	default: /* not told by this: what the kernel says, by the port maybe */
		break;
	}
	switch (t->s->app) {
	case PK_APP_TLS:
		return pk_take_tls;
	case PK_APP_HTTP:
		return pk_take_http;
	case PK_APP_SSH:
		return pk_take_ssh;
	case PK_APP_DNS:
		return pk_take_dns_stream;
	case PK_APP_TEXT:
		return pk_take_text;
	default:
		return NULL;
	}
}

/* A handshake record at the start of a segment: STARTTLS, CONNECT and the like come to this. */
static bool begins_tls(const struct pk_take *t)
{
	return t->len >= 6 && t->data[0] == 22 && t->data[1] == 3 &&
	       (t->data[5] == PK_TLS_CLIENT_HELLO || t->data[5] == PK_TLS_SERVER_HELLO);
}

/* Reads what there is of a direction: from whole, else the segment alone. */
static int read_stream(struct pk_names *n, const struct pk_take *t,
		       const struct pk_reassembled *whole, size_t *ret_used)
{
	struct pk_take view = *t;
	take_stream take;

	if (whole) {
		view.data = whole->data;
		view.len = whole->len;
		view.cut = whole->beyond || t->cut;
	}
	*ret_used = 0;
	if (!view.len)
		return -EAGAIN; /* the first byte is missing */
	take = reader_of(&view);
	if (!take)
		return -EAGAIN;
	t->fact->as_tls[t->s->dir] = take == pk_take_tls;
	return take(n, &view, ret_used);
}

static int take_tcp(struct pk_names *n, const struct pk_take *t)
{
	const struct pk_sample *s = t->s;
	struct pk_fact *f = t->fact;
	struct pk_reassembled whole;
	bool kept;
	size_t used;
	int r;

	if (!f)
		return -ENOTSUP; /* in no flow: its segments can't be told apart from others' */
	if (!t->len)
		return 0;
	kept = pk_reassembly_has(n->streams, s->flow, s->dir);
	if (begins_tls(t) && !f->as_tls[s->dir] && (f->done[s->dir] || (kept && f->app))) {
		pk_reassembly_drop(n->streams, s->flow, s->dir);
		if (f->app && f->app != PK_PROTO_TLS)
			f->flags |= PK_FACT_UPGRADED;
		f->done[s->dir] = 0;
		kept = false;
	}
	if (f->done[s->dir] == PK_PROTO_HTTP)
		pk_take_http_more(n, t);
	if (f->done[s->dir])
		return 0;
	if (kept) {
		r = pk_reassembly_add(n->streams, s->flow, s->dir, s->seq, t->data, t->len, &whole);
		if (r < 0)
			return r; /* out of reach, a forged one maybe: what is there stays */
	}
	r = read_stream(n, t, kept ? &whole : NULL, &used);
	if ((r == -EAGAIN || (r == -EBADMSG && s->number < RETRIES)) && !(kept && whole.full)) {
		if (!kept && (used < t->len || t->cut))
			(void)pk_reassembly_add(n->streams, s->flow, s->dir, s->seq, t->data,
						t->len, &whole); /* counted there */
		if (used && (kept || used < t->len))
			pk_reassembly_skip(n->streams, s->flow, s->dir, used);
		return 0;
	}
	f->done[s->dir] = f->app ? f->app : PK_PROTO_MAX;
	pk_reassembly_drop(n->streams, s->flow, s->dir);
	return r == -EAGAIN ? -EMSGSIZE : r;
}

static int take_udp(struct pk_names *n, const struct pk_take *t)
{
	switch (t->s->app) {
	case PK_APP_DNS:
		return pk_take_dns(n, t);
	case PK_APP_QUIC:
		return pk_take_quic(n, t);
	case PK_APP_DHCP:
		return pk_take_dhcp(n, t);
	default:
		return -ENOTSUP;
	}
}

static int take(struct pk_names *n, const struct pk_take *t)
{
	switch (t->s->app) {
	case PK_APP_ARP:
		return pk_take_arp(n, t);
	case PK_APP_ICMP:
		return pk_take_icmp(n, t);
	default:
		return t->s->key.proto == IPPROTO_TCP ? take_tcp(n, t) : take_udp(n, t);
	}
}

/* Payload that came with the sample; ARP, ICMP: from their headers on. */
static void cut_out(struct pk_take *t)
{
	const struct pk_sample *s = t->s;
	uint32_t off = s->app == PK_APP_ARP ? s->l3_off : s->payload_off, want = s->payload_len;
	uint32_t there;

	if (s->app == PK_APP_ICMP && off >= ICMP_HEAD) { /* its decoder wants the head too */
		off -= ICMP_HEAD;
		want += ICMP_HEAD;
	}
	there = s->data_len > off ? s->data_len - off : 0;
	t->len = s->app == PK_APP_ARP || there < want ? there : want;
	t->cut = s->app != PK_APP_ARP && t->len < want;
	t->data = (const uint8_t *)(s + 1) + (t->len ? off : 0);
}

static void open_fact(struct pk_names *n, struct pk_take *t)
{
	const struct pk_sample *s = t->s;
	struct pk_fact *f = pk_facts_make(n->facts, s->flow);

	t->fact = f;
	if (!f)
		return;
	if (!f->first_ns) {
		f->first_ns = s->hdr.ts;
		f->client = s->initiator & 1;
		f->port_app = (uint8_t)pk_app_port((uint8_t)s->key.proto, t->port[t->server]);
	}
	f->last_ns = s->hdr.ts;
	f->slot = s->slot;
}

static void note_odd(const struct pk_take *t)
{
	struct pk_fact *f = t->fact;

	if (f && f->app && !(f->flags & PK_FACT_UPGRADED) &&
	    pk_app_is_odd(f->app, (uint8_t)t->s->key.proto, t->port[t->server]))
		f->flags |= PK_FACT_ODD;
	else if (f)
		f->flags &= ~PK_FACT_ODD;
}

static unsigned why_of(int r)
{
	switch (r) {
	case -ENODATA:
		return PK_WHY_SHORT;
	case -EBADMSG:
		return PK_WHY_MALFORMED;
	case -EMSGSIZE:
	case -ERANGE:
		return PK_WHY_LONG;
	case -ENOMEM:
	case -EIO:
		return PK_WHY_NO_MEMORY;
	default:
		return PK_WHY_UNSUPPORTED;
	}
}

int pk_names_feed(struct pk_names *n, const struct pk_sample *s)
{
	struct pk_take t = { .s = s, .server = !(s->initiator & 1) };
	unsigned app = s->app < PK_APP_MAX ? s->app : PK_APP_NONE;
	int r;

	if (!(s->why & PK_SAMPLE_PAYLOAD))
		return 0;
	if (s->hdr.ts > n->now_ns)
		n->now_ns = s->hdr.ts;
	for (int d = 0; d < 2; d++)
		t.port[d] = ntohs(s->key.port[d]);
	cut_out(&t);
	open_fact(n, &t);
	n->count.samples[app]++;
	r = take(n, &t);
	if (r < 0)
		n->count.failed[app][why_of(r)]++;
	else
		n->count.named[app]++;
	note_odd(&t);
	return r;
}

/* A stream that still waited for something. A client's lines may always go on. */
static void end_streams(struct pk_names *n, uint64_t flow)
{
	const struct pk_fact *f = pk_facts_find(n->facts, flow);

	for (unsigned d = 0; d < 2; d++) {
		if (!pk_reassembly_has(n->streams, flow, d))
			continue;
		n->count.unfinished += !f || f->app == PK_PROTO_UNKNOWN || f->app == PK_PROTO_TLS ||
				       f->app == PK_PROTO_DNS;
		pk_reassembly_drop(n->streams, flow, d);
	}
	pk_handshakes_drop(n->handshakes, flow);
}

void pk_names_flow(struct pk_names *n, const struct pk_flow *flow, bool ended)
{
	const struct pk_flow_key *k = &flow->key;
	struct pk_fact *f = pk_facts_find(n->facts, flow->meta.id);
	struct pk_geo_place p;

	if (ended && f)
		end_streams(n, flow->meta.id);
	if (f && f->flags & PK_FACT_HELD)
		return;
	if (!f) { /* only if there is something to say */
		bool any = false;

		for (int d = 0; d < 2 && !any; d++)
			any = pk_names_address(n, k->netns, k->addr[!d], k->addr[d],
					       flow->meta.start_ns) ||
			      (n->geo && pk_geo_find(n->geo, k->addr[d], &p));
		if (!any)
			return;
		f = pk_facts_make(n->facts, flow->meta.id);
		f->client = flow->meta.initiator & 1;
		f->first_ns = f->last_ns = flow->meta.start_ns;
		f->port_app = (uint8_t)pk_app_port((uint8_t)k->proto, ntohs(k->port[!f->client]));
	}
	pk_facts_hold(n->facts, f);
	pk_names_ends(n, f, k, flow->meta.start_ns);
}

void pk_names_forget(struct pk_names *n, uint64_t flow)
{
	end_streams(n, flow);
	pk_facts_forget(n->facts, flow);
}

void pk_names_tick(struct pk_names *n, uint64_t now_ns)
{
	struct pk_question *q;

	if (now_ns > n->now_ns)
		n->now_ns = now_ns;
	while ((q = pk_questions_over(n->questions, n->now_ns))) {
		struct pk_news_dns d = { .name = q->name,
					 .qtype = q->key.qtype,
					 .qclass = q->qclass,
					 .id = q->key.id,
					 .kind = q->key.kind,
					 .tcp = q->key.tcp,
					 .asked = q->asked,
					 .asked_ns = q->asked_ns };
		struct pk_news news = { .kind = PK_NEWS_DNS,
					.client = q->client,
					.slot = q->slot,
					.flow = q->flow,
					.ts_ns = q->asked_ns,
					.key = &q->flow_key,
					.fact = pk_facts_find(n->facts, q->flow),
					.dns = &d };

		if (!q->answered_ns) {
			n->count.unanswered++;
			if (n->opts.news)
				n->opts.news(n->opts.arg, &news);
		}
		pk_questions_drop(n->questions, q);
	}
	pk_addresses_tick(n->addresses, n->now_ns);
}

const struct pk_fact *pk_names_fact(const struct pk_names *n, uint64_t flow)
{
	return pk_facts_find(n->facts, flow);
}

bool pk_fact_best(const struct pk_fact *f, struct pk_name_best *ret)
{
	bool cover = f && f->flags & PK_FACT_ECH && f->dns[!f->client];

	*ret = (struct pk_name_best){ .name = NULL };
	if (!f)
		return false;
	ret->conflict = f->conflict;
	if (f->sni && !cover) {
		ret->name = f->sni;
		ret->source = PK_NAME_SNI;
	} else if (f->http_host) {
		ret->name = f->http_host;
		ret->source = PK_NAME_HTTP;
	} else if (f->dns[!f->client]) {
		ret->name = f->dns[!f->client];
		ret->source = PK_NAME_DNS;
	}
	return ret->name != NULL;
}

bool pk_names_best(const struct pk_names *n, uint64_t flow, struct pk_name_best *ret)
{
	return pk_fact_best(pk_names_fact(n, flow), ret);
}

const char *pk_names_why(unsigned why)
{
	static const char *const names[PK_NAMES_WHY] = { "short", "malformed", "too_long",
							 "unsupported", "no_memory" };

	return why < PK_NAMES_WHY ? names[why] : NULL;
}

void pk_names_counts(const struct pk_names *n, struct pk_names_count *ret)
{
	*ret = n->count;
	pk_facts_counts(n->facts, &ret->facts);
	pk_intern_counts(n->texts, &ret->texts);
	pk_addresses_counts(n->addresses, &ret->addresses);
	pk_questions_counts(n->questions, &ret->questions);
	pk_reassembly_counts(n->streams, &ret->streams);
	pk_handshakes_counts(n->handshakes, &ret->handshakes);
	ret->geo_error = n->geo ? NULL : strerror(-n->geo_error);
	ret->geo_vendor = n->geo ? pk_geo_vendor(n->geo) : NULL;
	ret->geo_created = n->geo ? pk_geo_created(n->geo) : 0;
}
