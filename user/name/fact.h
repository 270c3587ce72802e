/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a flow besides its counters: names, protocol, fingerprints. Found by flow id.
 * Texts are in the pool (name/intern.h), NULL where unknown, raw: escape them on output.
 */
#pragma once

#include "name/intern.h"

#include <picket/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a name comes from, and pk_fact.conflict: which two contradict each other. */
enum pk_name_source { PK_NAME_NONE = 0, PK_NAME_SNI, PK_NAME_HTTP, PK_NAME_DNS };

enum pk_name_conflict {
	PK_CONFLICT_NONE = 0,
	PK_CONFLICT_SNI_DNS,  /* the address was never resolved from the name in the SNI */
	PK_CONFLICT_HTTP_DNS, /* the same of the HTTP Host */
	PK_CONFLICT_HTTP_SNI, /* Host and SNI of one flow differ */
};

/* pk_fact.flags */
#define PK_FACT_ODD      0x0001u /* the content is not what the port is for */
#define PK_FACT_QUIC     0x0002u /* the hello came over QUIC */
#define PK_FACT_HELLO    0x0004u /* a ClientHello was read */
#define PK_FACT_SERVER   0x0008u /* a ServerHello was read */
#define PK_FACT_ECH      0x0010u /* Encrypted ClientHello offered: the SNI may be a cover */
#define PK_FACT_HTTP     0x0020u
#define PK_FACT_PROXIED  0x0040u          /* HTTP to a proxy: Host is not the address' name */
#define PK_FACT_CLEAR    0x0080u          /* a password in clear text */
#define PK_FACT_ECHO     0x0100u          /* ICMP echo: sizes and entropy are known */
#define PK_FACT_NAMED    0x0200u          /* the addresses' names were looked up */
#define PK_FACT_HELD     0x0400u          /* its flow is in the flow table */
#define PK_FACT_RETRIED  0x0800u          /* the server asked for a second hello */
#define PK_FACT_UPGRADED 0x4000u          /* TLS began within another protocol */
#define PK_FACT_KEX(d)   (0x1000u << (d)) /* SSH key exchange of end d was read */

/* Where an address is, by the database. */
struct pk_place {
	uint32_t asn;    /* 0: unknown */
	char country[3]; /* ISO 3166-1 alpha-2, "": unknown */
	uint8_t anycast;
	const char *as_name;
};

struct pk_fact {
	uint64_t flow;
	uint64_t first_ns, last_ns; /* of its samples */
	uint32_t slot;              /* of the flow in the kernel */
	uint32_t flags;             /* PK_FACT_* */
	uint8_t app;                /* enum pk_proto of decode/app.h, by content */
	uint8_t port_app;           /* enum pk_proto that the responder's port is for */
	uint8_t conflict;           /* enum pk_name_conflict */
	uint8_t client;             /* end that opened the conversation */
	uint8_t done[2];            /* nothing more is read of what end d sends */
	bool as_tls[2];             /* what end d sends was read as TLS, the last time */

	const char *dns[2]; /* name that the address of end d was resolved from by the other end */
	struct pk_place place[2];

	/* TLS, QUIC */
	const char *sni;
	const char *alpn;        /* offered, with commas */
	const char *alpn_chosen; /* by the server; TLS 1.3 hides it */
	const char *ja4, *ja3;
	uint16_t tls_offered, tls_chosen; /* highest offered; 0x0304 is TLS 1.3; 0: unknown */
	uint16_t cipher;                  /* chosen, IANA number */
	uint32_t quic_version;

	const char *http_method, *http_host, *http_path, *http_agent, *http_server;
	uint16_t http_status;

	const char *ssh[2], *hassh[2]; /* of end d */
	const char *banner;            /* of a server that speaks in lines (SMTP, FTP, ...) */
	const char *user;              /* that a client said to be, in clear text */

	const char *dns_question; /* the last one */
	uint16_t dns_qtype;
	uint32_t dns_questions, dns_answers;
	uint32_t dns_rcode[6]; /* answers by rcode: NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP,
				  others */

	const char *dhcp_hostname, *dhcp_vendor;
	uint32_t echoes, echo_bytes_max; /* ICMP echo samples and the largest payload */
	uint16_t echo_entropy_max;       /* of a payload, in hundredths of a bit per byte */
	uint8_t echo_fill;               /* enum pk_icmp_fill of the last */

	uint32_t next, older, newer; /* of the table */
};

struct pk_facts;

struct pk_facts_count {
	uint64_t used, max, evicted, bytes; /* bytes: of one fact, without its texts */
};

struct pk_facts *pk_facts_new(size_t max, struct pk_intern *texts); /* NULL: out of memory */
void pk_facts_free(struct pk_facts *f);

struct pk_fact *pk_facts_find(struct pk_facts *f, uint64_t flow); /* NULL: nothing is known */
/*
 * The fact of this flow, made if there is none. When full the one not touched longest goes, first
 * among those whose flow is not held. Never NULL for a flow other than 0.
 */
struct pk_fact *pk_facts_make(struct pk_facts *f, uint64_t flow);
/* The flow is in the flow table now, and will be forgotten by name. */
void pk_facts_hold(struct pk_facts *f, struct pk_fact *fact);
void pk_facts_forget(struct pk_facts *f, uint64_t flow);
void pk_facts_counts(const struct pk_facts *f, struct pk_facts_count *ret_counts);

/* Puts a text into a field, ending what was there; takes text. */
void pk_fact_set(struct pk_facts *f, const char **field, const char *text);

const char *pk_app_name(unsigned app);            /* "dns", "tls", ...; NULL: none */
const char *pk_conflict_name(unsigned conflict);  /* "sni_dns", ...; NULL: none */
const char *pk_name_source_name(unsigned source); /* "sni", "http", "dns"; NULL: none */
