/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First lines of protocols that begin in clear text: SMTP (RFC 5321), FTP (RFC 959), POP3 (RFC
 * 1939), IMAP (RFC 9051), IRC (RFC 2812), Stratum (JSON-RPC of mining pools). One direction at a
 * time. A password is seen, never kept.
 */
#pragma once

#include "base/cursor.h"

#define PK_TEXT_LINES_MAX 64   /* that are read */
#define PK_TEXT_LINE_MAX  4096 /* bytes of one JSON line */

enum pk_text_proto {
	PK_TEXT_NONE,
	PK_TEXT_SMTP,
	PK_TEXT_FTP,
	PK_TEXT_POP3,
	PK_TEXT_IMAP,
	PK_TEXT_IRC,
	PK_TEXT_STRATUM,
	PK_TEXT_PROTOS
};

struct pk_text {
	uint8_t proto;           /* enum pk_text_proto */
	bool server;             /* these are a server's lines */
	bool partial;            /* the last line is not ended */
	uint16_t lines;          /* whole ones */
	uint16_t code;           /* server: the first reply code; 0: none */
	struct pk_slice banner;  /* server: text of its first line, without its code */
	struct pk_slice command; /* client: word of its first line; Stratum: method */
	struct pk_slice helo;    /* SMTP: name of HELO, EHLO, LHLO */
	struct pk_slice user;    /* FTP, POP3: USER; IMAP: LOGIN; IRC: USER */
	struct pk_slice nick;    /* IRC */
	bool password;    /* a credential was sent in clear text: PASS, LOGIN, AUTH with data */
	bool tls_offered; /* STARTTLS, STLS, AUTH TLS among what a server can */
	bool tls_asked;   /* a client asked to go on with TLS */
	/* Stratum: decoded copies, NUL ended; raw otherwise: escape on output. */
	char agent[96];  /* of mining.subscribe or login */
	char login[128]; /* account or wallet of mining.authorize or login */
};

/*
 * data: the stream of one direction from its start on (or any whole lines of it). hint: what the
 * port stands for, for lines that several protocols share ("USER x", "220 ready"); content that
 * says otherwise wins. 0; -ENODATA: no line yet, and nothing to tell; -EBADMSG: none of these
 * protocols. *ret is untouched on failure.
 */
int pk_text_decode(struct pk_text *ret, enum pk_text_proto hint, const void *data, size_t len);
const char *pk_text_name(enum pk_text_proto p); /* "smtp", ...; NULL for none */
