/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS messages: RFC 1035 over UDP and TCP, multicast DNS (RFC 6762), LLMNR (RFC 4795), EDNS(0)
 * (RFC 6891), SVCB and HTTPS records (RFC 9460). Bytes to struct, nothing more: no state, no
 * allocation. Bounded by the arrays below; what did not fit or did not decode has its reason.
 */
#pragma once

#include "base/cursor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_buf;

#define PK_DNS_QUESTIONS_MAX 16
#define PK_DNS_RRS_MAX       64
#define PK_DNS_HINTS_MAX     4
/* Text of all names of a message. One name is at most 255 bytes on the wire, 1004 in text. */
#define PK_DNS_TEXT_MAX 8192

/* Which rules apply: the top bit of a class means something else in multicast DNS. */
enum pk_dns_kind {
	PK_DNS_UNICAST, /* UDP and TCP, port 53 */
	PK_DNS_MULTICAST,
	PK_DNS_LLMNR,
};

/* Why decoding stopped, or what is wrong with one record's data. */
enum pk_dns_why {
	PK_DNS_OK,
	PK_DNS_RAW,      /* record: of a type or class that is not decoded, which is no fault */
	PK_DNS_SHORT,    /* ends within a header, name or record (cut, or a lie) */
	PK_DNS_LOOP,     /* compression pointers that would be followed for ever */
	PK_DNS_POINTER,  /* one into the header, or more of them than a name can need */
	PK_DNS_LABEL,    /* label type 01 or 10: reserved */
	PK_DNS_NAME,     /* name longer than 255 bytes */
	PK_DNS_TRAILING, /* bytes behind the last record */
	PK_DNS_MANY,     /* more questions, records or text than we keep: the rest is not read */
	PK_DNS_RDATA,    /* data does not fill, or does not fit, the record's length */
	PK_DNS_OPT,      /* a second OPT record, or one out of place (RFC 6891 6.1.1) */
	PK_DNS_WHYS
};

enum pk_dns_section { PK_DNS_ANSWER, PK_DNS_AUTHORITY, PK_DNS_ADDITIONAL };

enum pk_dns_type {
	PK_DNS_A = 1,
	PK_DNS_NS = 2,
	PK_DNS_CNAME = 5,
	PK_DNS_SOA = 6,
	PK_DNS_PTR = 12,
	PK_DNS_MX = 15,
	PK_DNS_TXT = 16,
	PK_DNS_AAAA = 28,
	PK_DNS_SRV = 33,
	PK_DNS_DNAME = 39,
	PK_DNS_OPT_RR = 41,
	PK_DNS_SVCB = 64,
	PK_DNS_HTTPS = 65,
	PK_DNS_ANY = 255,
};

struct pk_dns_question {
	/* Presentation form (RFC 4343 2.1), lower case, without the last dot, the root ".", NUL
	 * ended: \. and \\ inside a label, \DDD for bytes that are not printable ASCII. */
	const char *name;
	uint16_t name_len;
	uint16_t type;
	uint16_t class;
	bool unicast;    /* multicast DNS: QU, an answer by unicast is asked for */
	bool mixed_case; /* capitals on the wire (0x20 coding, or a program's habit) */
};

struct pk_dns_soa {
	const char *mname;
	const char *rname;
	uint32_t serial, refresh, retry, expire, minimum; /* seconds, but serial */
};

struct pk_dns_svc {
	uint16_t priority;    /* 0: alias form */
	const char *target;   /* ".": the owner's name */
	struct pk_slice alpn; /* as on the wire: (length, id) repeated; see pk_dns_alpn_next() */
	bool no_default_alpn;
	bool ech;           /* an Encrypted ClientHello configuration is offered (SvcParamKey 5) */
	uint16_t port;      /* 0: none given */
	uint8_t n_v4, n_v6; /* in hints; more than PK_DNS_HINTS_MAX are not kept */
	uint8_t v4[PK_DNS_HINTS_MAX][16], v6[PK_DNS_HINTS_MAX][16]; /* 16-byte form */
};

struct pk_dns_rr {
	const char *name; /* as in the question */
	uint16_t name_len;
	uint16_t type;
	uint16_t class;
	uint32_t ttl;    /* seconds; with the top bit set 0 (RFC 2181 8) */
	uint8_t section; /* enum pk_dns_section */
	bool flush;      /* multicast DNS: replaces what is cached */
	uint8_t why;     /* enum pk_dns_why of the data; not PK_DNS_OK: the union is not filled */
	struct pk_slice rdata;      /* in the input, names in it compressed */
	union {                     /* by type, class IN (or any, for names) */
		uint8_t addr[16];   /* A, AAAA: 16-byte form */
		const char *target; /* CNAME, NS, PTR, DNAME */
		struct {
			uint16_t preference;
			const char *target;
		} mx;
		struct {
			uint16_t priority, weight, port;
			const char *target;
		} srv;
		struct {
			uint16_t strings; /* how many */
			uint16_t bytes;   /* without their lengths */
		} txt;
		struct pk_dns_soa soa;
		struct pk_dns_svc svc; /* SVCB, HTTPS */
	};
};

struct pk_dns_edns {
	bool seen;
	bool dnssec_ok;
	bool client_subnet;  /* option 8 (RFC 7871) */
	bool cookie;         /* option 10 (RFC 7873) */
	bool padding;        /* option 12 */
	bool extended_error; /* option 15 (RFC 8914); the first: */
	uint16_t error_code;
	uint8_t version;
	uint16_t udp_size; /* bytes */
	uint16_t options;
};

/* Not to be copied or moved: names point into text. */
struct pk_dns {
	uint16_t id;
	uint16_t flags; /* second word of the header, as a number */
	bool response;
	bool authoritative, truncated, recursion_desired, recursion_available, authentic,
		checking_off;
	uint8_t opcode;
	uint16_t rcode;    /* with EDNS' upper bits, where OPT was seen */
	uint16_t total[4]; /* as the header claims: questions, answers, authority, additional */
	uint16_t n_questions, n_rrs; /* decoded */
	uint8_t why;                 /* enum pk_dns_why */
	uint16_t why_at;             /* offset in the message */
	uint16_t bad_rdata;          /* records whose data has a reason of its own */
	bool forward; /* a compression pointer led forward: RFC 1035 4.1.4 knows only the way back
		       */
	struct pk_dns_edns edns;
	struct pk_dns_question questions[PK_DNS_QUESTIONS_MAX];
	struct pk_dns_rr rrs[PK_DNS_RRS_MAX]; /* without OPT, in order */
	uint32_t text_len;
	char text[PK_DNS_TEXT_MAX];
};

/*
 * One message (without the length that TCP puts in front). 0: all of it. -ENODATA: not even a
 * header; ret is not to be used. -EBADMSG: decoded up to ret->why_at, stopped there for ret->why;
 * what came before is in ret and holds. len above 65535 is read as 65535.
 */
int pk_dns_decode(struct pk_dns *ret, enum pk_dns_kind kind, const void *data, size_t len);

/*
 * The next message of a TCP stream (RFC 1035 4.2.2) from its start on, c at a length. True:
 * *ret_msg is the message, whole, and c behind it. False: it has not come whole; c stays at its
 * length, *ret_msg is what is there of it (maybe nothing) and *ret_missing how many bytes are known
 * to be missing.
 */
bool pk_dns_tcp_next(struct pk_cursor *c, struct pk_slice *ret_msg, size_t *ret_missing);

/* Cheap: might this be a DNS message? Header without nonsense, and a first question that can be
 * one. */
bool pk_dns_is(const void *data, size_t len);

/* Walks pk_dns_svc.alpn: the next id, and moves *list behind it; false at its end. */
bool pk_dns_alpn_next(struct pk_slice *list, struct pk_slice *ret_id);

/* Names as IANA writes them ("A", "HTTPS"; "NXDOMAIN"; "IN"; "QUERY"); NULL: it has none. */
const char *pk_dns_type_name(uint16_t type);
const char *pk_dns_rcode_name(uint16_t rcode);
const char *pk_dns_class_name(uint16_t class);
const char *pk_dns_opcode_name(uint8_t opcode);
const char *pk_dns_why_name(uint8_t why);                 /* "ok", "short", "pointer loop", ... */
int pk_dns_type_parse(const char *s, uint16_t *ret_type); /* "aaaa", "TYPE65"; -EINVAL */

/*
 * The data of a record as in a zone file: "192.0.2.1", "10 mail.example.org", TXT in quotes; what
 * was not decoded as RFC 3597 has it, "\\# 4 0a000001", of at most 32 bytes. Printable ASCII.
 */
void pk_dns_rdata_text(struct pk_buf *out, const struct pk_dns_rr *rr);
