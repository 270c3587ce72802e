/* SPDX-License-Identifier: Apache-2.0 */
/* Made samples for tests of names: a conversation of two ends, and messages in it. */
#pragma once

#include "base/ip.h"
#include "decode/dns.h"
#include "name/name.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S   1000000000ull
#define NET 7 /* cookie of the namespace */

/* News as they came, the latest last. */
struct heard {
	enum pk_news_kind kind;
	uint64_t flow;
	uint8_t client;
	bool believed, answered, quic;
	uint16_t rcode;
	uint32_t asked;
	char name[256], sni[256];
};
static struct heard heard[64] __attribute__((unused));
static size_t n_heard;

static inline void on_news(void *arg, const struct pk_news *n)
{
	struct heard *h = &heard[n_heard++ % 64];

	(void)arg;
	*h = (struct heard){
		.kind = n->kind, .flow = n->flow, .client = n->client, .quic = n->quic
	};
	if (n->sni)
		snprintf(h->sni, sizeof(h->sni), "%s", n->sni);
	if (!n->dns)
		return;
	snprintf(h->name, sizeof(h->name), "%s", n->dns->name);
	h->believed = n->dns->believed;
	h->answered = n->dns->answer != NULL;
	h->rcode = n->dns->answer ? n->dns->answer->rcode : 0;
	h->asked = n->dns->asked;
}

/* 10.0.0.0/24 is this host. */
static inline bool is_own(void *arg, uint64_t netns, const uint8_t addr[16])
{
	(void)arg;
	return netns == NET && addr[12] == 10 && addr[13] == 0 && addr[14] == 0;
}

static inline struct pk_names *names_new(void)
{
	struct pk_names_opts o = { .facts_max = 1000,
				   .addresses_max = 1000,
				   .text_bytes = 1 << 20,
				   .is_own = is_own,
				   .news = on_news };
	struct pk_names *n = NULL;

	n_heard = 0;
	assert_int_equal(pk_names_new(&o, &n), 0);
	return n;
}

/* A conversation: the client is end 0 of the key here, whatever the addresses. */
struct talk {
	uint64_t flow;
	struct pk_flow_key key;
	uint64_t ts;
	uint8_t app;
	uint32_t seq[2], number[2];
};

static inline struct talk talk_of(uint64_t flow, uint8_t app, uint16_t proto, const char *client,
				  uint16_t cport, const char *server, uint16_t sport)
{
	struct talk t = { .flow = flow, .app = app, .ts = 100 * S, .seq = { 1000, 9000 } };

	t.key.proto = proto;
	t.key.netns = NET;
	t.key.port[0] = htons(cport);
	t.key.port[1] = htons(sport);
	pk_ip_parse(client, t.key.addr[0]);
	pk_ip_parse(server, t.key.addr[1]);
	return t;
}

/* Feeds payload of one end; cut: bytes that did not come with it. */
static inline int say_at(struct pk_names *n, struct talk *t, unsigned dir, uint32_t seq,
			 const void *data, size_t len, size_t cut)
{
	static uint64_t room[10000];
	struct pk_sample *s = (struct pk_sample *)room;

	*s = (struct pk_sample){ .key = t->key,
				 .flow = t->flow,
				 .slot = 5,
				 .frame_len = (uint32_t)(54 + len + cut),
				 .data_len = (uint32_t)(54 + len),
				 .l3_off = 14,
				 .payload_off = 54,
				 .payload_len = (uint32_t)(len + cut),
				 .seq = seq,
				 .number = ++t->number[dir],
				 .why = PK_SAMPLE_PAYLOAD,
				 .app = t->app,
				 .dir = (uint8_t)dir,
				 .where = PK_AT_INGRESS };
	s->hdr = (struct pk_hdr){ .ts = t->ts += 1000, .type = PK_EV_SAMPLE };
	s->hdr.size = (uint32_t)(sizeof(*s) + 54 + len + 7) & ~7u;
	memset(s + 1, 0, 54);
	memcpy((char *)(s + 1) + 54, data, len);
	return pk_names_feed(n, s);
}

static inline int say(struct pk_names *n, struct talk *t, unsigned dir, const void *data,
		      size_t len)
{
	uint32_t seq = t->seq[dir];

	t->seq[dir] += (uint32_t)len;
	return say_at(n, t, dir, seq, data, len, 0);
}

/* A ClientHello as OpenSSL sends it. */
static inline size_t client_hello(const char *sni, uint8_t *out, size_t cap)
{
	static const uint8_t alpn[] = "\x02h2\x08http/1.1";
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	BIO *in = BIO_new(BIO_s_mem()), *wire = BIO_new(BIO_s_mem());
	int len;

	SSL_set_bio(ssl, in, wire);
	SSL_set_tlsext_host_name(ssl, sni);
	SSL_set_alpn_protos(ssl, alpn, sizeof(alpn) - 1);
	(void)SSL_connect(ssl); /* wants the server's answer, which never comes */
	len = BIO_read(wire, out, (int)cap);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	assert_true(len > 100);
	return (size_t)len;
}

static inline size_t put_name(uint8_t *out, const char *name)
{
	size_t n = 0;

	while (*name) {
		size_t len = strcspn(name, ".");

		out[n++] = (uint8_t)len;
		memcpy(out + n, name, len);
		n += len;
		name += len + (name[len] == '.');
	}
	out[n++] = 0;
	return n;
}

/* One record of an answer: type 1 data is an IPv4 address in text, type 5 a name. */
struct record {
	const char *name;
	uint16_t type;
	uint32_t ttl;
	const char *data;
};

static inline size_t put16(uint8_t *out, size_t n, unsigned v)
{
	out[n] = (uint8_t)(v >> 8);
	out[n + 1] = (uint8_t)v;
	return n + 2;
}

static inline size_t dns_message(uint8_t *out, uint16_t id, unsigned flags, const char *name,
				 uint16_t type, const struct record *rr, unsigned n_rr)
{
	size_t n = 0, at;
	uint8_t addr[16];

	n = put16(out, n, id);
	n = put16(out, n, flags);
	n = put16(out, n, 1);
	n = put16(out, n, n_rr);
	n = put16(out, n, 0);
	n = put16(out, n, 0);
	n += put_name(out + n, name);
	n = put16(out, n, type);
	n = put16(out, n, 1);
	for (unsigned i = 0; i < n_rr; i++) {
		n += put_name(out + n, rr[i].name);
		n = put16(out, n, rr[i].type);
		n = put16(out, n, 1);
		n = put16(out, n, rr[i].ttl >> 16);
		n = put16(out, n, rr[i].ttl & 0xffff);
		at = n;
		n += 2;
		if (rr[i].type == 1) {
			pk_ip_parse(rr[i].data, addr);
			memcpy(out + n, addr + 12, 4);
			n += 4;
		} else {
			n += put_name(out + n, rr[i].data);
		}
		(void)put16(out, at, (unsigned)(n - at - 2));
	}
	return n;
}

#define QUERY  0x0100
#define ANSWER 0x8180

static inline int ask_dns(struct pk_names *n, struct talk *t, uint16_t id, const char *name)
{
	uint8_t m[512];

	return say(n, t, 0, m, dns_message(m, id, QUERY, name, 1, NULL, 0));
}

static inline int answer_dns(struct pk_names *n, struct talk *t, uint16_t id, const char *name,
			     const struct record *rr, unsigned n_rr)
{
	uint8_t m[1024];

	return say(n, t, 1, m, dns_message(m, id, ANSWER, name, 1, rr, n_rr));
}

/* The whole exchange: name is addr, for client. */
static inline void resolve(struct pk_names *n, const char *client, const char *name,
			   const char *addr, uint64_t flow)
{
	struct talk t = talk_of(flow, PK_APP_DNS, IPPROTO_UDP, client, (uint16_t)(40000 + flow),
				"192.0.2.53", 53);
	struct record rr = { name, 1, 300, addr };

	assert_int_equal(ask_dns(n, &t, (uint16_t)flow, name), 0);
	assert_int_equal(answer_dns(n, &t, (uint16_t)flow, name, &rr, 1), 0);
}
