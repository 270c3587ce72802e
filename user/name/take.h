/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the room: what name.c shares with the files that read one kind of application each. A
 * pk_take_*() reads a sample, writes into the fact and tells news.
 */
#pragma once

#include "decode/dns.h"
#include "decode/tls.h"
#include "name/name.h"

struct pk_geo;
struct pk_ja4;
struct pk_quic;

/* pk_names_count.failed: pk_names_why() has their names. */
enum pk_names_why {
	PK_WHY_SHORT,       /* ends before it says anything */
	PK_WHY_MALFORMED,   /* against the protocol's rules */
	PK_WHY_LONG,        /* beyond what is read */
	PK_WHY_UNSUPPORTED, /* a version or form that is not read, or another message came */
	PK_WHY_NO_MEMORY,   /* or a failure of the TLS library */
};

struct pk_names {
	struct pk_names_opts opts;
	struct pk_intern *texts;
	struct pk_facts *facts;
	struct pk_addresses *addresses;
	struct pk_questions *questions;
	struct pk_reassembly *streams;
	struct pk_handshakes *handshakes;
	struct pk_geo *geo;
	struct pk_ja4 *ja4;   /* NULL: the TLS library has no SHA-256 */
	struct pk_quic *quic; /* NULL: it can't do QUIC */
	uint64_t now_ns;      /* of the latest sample or tick */
	struct pk_names_count count;
	int geo_error;
	struct pk_dns dns;              /* the message being read */
	uint8_t room[PK_TLS_HELLO_MAX]; /* of a hello spread over records */
};

/* One sample on its way: the part of the payload that came. */
struct pk_take {
	const struct pk_sample *s;
	const uint8_t *data;
	size_t len;
	bool cut;             /* there was more on the wire */
	struct pk_fact *fact; /* NULL: in no flow */
	uint16_t port[2];     /* of each end, host order */
	uint8_t server;       /* end that did not open the flow */
};

/* Datagrams. 0, or -errno for the count of failures. */
int pk_take_dns(struct pk_names *n, const struct pk_take *t);
int pk_take_quic(struct pk_names *n, const struct pk_take *t);
int pk_take_dhcp(struct pk_names *n, const struct pk_take *t);
int pk_take_arp(struct pk_names *n, const struct pk_take *t);
int pk_take_icmp(struct pk_names *n, const struct pk_take *t);

/*
 * Streams: data is what there is of one direction from its start on, or, where *ret_used was set
 * before, from behind what was used. 0: this direction is read to its end; -EAGAIN: more of it is
 * wanted; -EBADMSG: this is not what it should be; others as datagrams.
 */
int pk_take_tls(struct pk_names *n, const struct pk_take *t, size_t *ret_used);
int pk_take_http(struct pk_names *n, const struct pk_take *t, size_t *ret_used);
/* A segment behind the first message of its direction. */
void pk_take_http_more(struct pk_names *n, const struct pk_take *t);
int pk_take_ssh(struct pk_names *n, const struct pk_take *t, size_t *ret_used);
int pk_take_text(struct pk_names *n, const struct pk_take *t, size_t *ret_used);
int pk_take_dns_stream(struct pk_names *n, const struct pk_take *t, size_t *ret_used);

/* Shared by them. */
void pk_names_tell(struct pk_names *n, const struct pk_take *t, enum pk_news_kind kind,
		   const struct pk_news_dns *dns);
void pk_names_tell_http(struct pk_names *n, const struct pk_take *t, enum pk_news_kind kind,
			const struct pk_news_http *http);
/* Interns into a field of the fact. */
void pk_names_set(struct pk_names *n, const char **field, struct pk_slice text);
void pk_names_set_name(struct pk_names *n, const char **field, struct pk_slice name);
/* As a client of names: an address in a namespace, or the namespace alone for own addresses. */
struct pk_client pk_names_client(const struct pk_names *n, uint64_t netns, const uint8_t addr[16]);
/* A name came, or the flow is new: names of its ends, and whether they contradict each other. */
void pk_names_ends(struct pk_names *n, struct pk_fact *fact, const struct pk_flow_key *key,
		   uint64_t at_ns);
void pk_names_compare(struct pk_names *n, struct pk_fact *fact, const struct pk_flow_key *key,
		      uint64_t at_ns);
