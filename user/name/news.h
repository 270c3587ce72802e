/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened by name, told once, at the moment it was seen: a question was asked, a DNS
 * transaction ended, a hello was read. Everything is borrowed for the call. Texts are raw.
 */
#pragma once

#include <picket/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_dns;
struct pk_fact;
struct pk_http;

enum pk_news_kind {
	PK_NEWS_QUESTION = 1, /* a DNS question that is not answered yet: dns without a message */
	PK_NEWS_DNS,          /* a DNS transaction ended: answered, or nobody did in time */
	PK_NEWS_HELLO,        /* a ClientHello was read to its end, over TCP or QUIC */
	PK_NEWS_HTTP,         /* an HTTP request named a host: it is in the fact */
	PK_NEWS_SERVER,       /* a ServerHello was read: version and cipher are in the fact */
	PK_NEWS_REQUEST,      /* of an HTTP request its head, or more of what follows it: http */
	PK_NEWS_RESPONSE,     /* the status line of an HTTP answer: http */
};

struct pk_news_dns {
	const char *name; /* asked for: lower case, no dot at its end, the root "."; as in dns.h */
	uint16_t qtype, qclass, id;
	uint8_t kind; /* enum pk_dns_kind */
	bool tcp;
	/* The answer is one to a question that was seen: client, server, ports, id, name and type
	 * are the same. Only then the names of addresses were taken from it. */
	bool believed;
	uint32_t asked;              /* times, with retransmits; 0: the question was not seen */
	uint64_t asked_ns;           /* the first of them; 0: the question was not seen */
	uint64_t answered_ns;        /* 0: no answer */
	const struct pk_dns *answer; /* decoded; NULL: no answer */
	const uint8_t *bytes;        /* of the answer, else of the question, as on the wire; NULL:
					not at hand */
	size_t len;
};

struct pk_news_http {
	/* NULL: of the body, without a head. One that is partial is told again when there is more.
	 */
	const struct pk_http *head;
	const uint8_t *bytes; /* REQUEST: the head, and of its body what is there already */
	size_t len;
};

struct pk_news {
	enum pk_news_kind kind;
	uint8_t client; /* end of key that asks, or opened the conversation */
	bool quic;      /* HELLO, SERVER */
	uint32_t slot;  /* of the flow in the kernel */
	uint64_t flow;  /* 0: in no flow */
	uint64_t ts_ns;
	const struct pk_flow_key *key;
	const struct pk_fact *fact;      /* of the flow; NULL for flow 0 */
	const struct pk_news_dns *dns;   /* QUESTION, DNS */
	const struct pk_news_http *http; /* REQUEST, RESPONSE */
	const char *sni;                 /* HELLO: lower case; NULL: there is none */
};
