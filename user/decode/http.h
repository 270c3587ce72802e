/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP/1 message (RFC 9112) as far as it was seen: first line and the fields that
 * say who asks whom for what. For the first bytes of a passive capture: tolerant of bare LF and of
 * folded lines, and what is missing is said. Values are slices of the input, never credentials.
 */
#pragma once

#include "base/cursor.h"

#define PK_HTTP_FIELDS_MAX 100   /* header lines that are read */
#define PK_HTTP_HEAD_MAX   16384 /* bytes that are read */

enum pk_http_kind { PK_HTTP_NONE, PK_HTTP_REQUEST, PK_HTTP_RESPONSE };

/* How far the head was read. */
enum pk_http_end {
	PK_HTTP_WHOLE,   /* to the empty line */
	PK_HTTP_PARTIAL, /* the input ended before it; the last, unfinished line is not used */
	PK_HTTP_MANY,    /* too many lines or bytes */
	PK_HTTP_ENDS
};

/* pk_http.odd: what a strict peer would refuse, and what two peers may read differently. */
#define PK_HTTP_BARE_LF     0x001 /* a line ended by LF alone */
#define PK_HTTP_FOLDED      0x002 /* obs-fold (RFC 9112 5.2) */
#define PK_HTTP_HOST_TWICE  0x004 /* more than one Host */
#define PK_HTTP_HOST_DIFFER 0x008 /* Hosts differ, or Host is not the target's authority */
#define PK_HTTP_NO_HOST     0x010 /* HTTP/1.1 request, head whole, without Host */
#define PK_HTTP_LENGTHS     0x020 /* Content-Lengths that differ, or beside Transfer-Encoding */
#define PK_HTTP_CONTROLS    0x040 /* control bytes in the first line or a value */
#define PK_HTTP_SPACE       0x080 /* blanks between a field's name and its colon */
#define PK_HTTP_NO_FIELD    0x100 /* a line that is no field: stepped over */

struct pk_http {
	uint8_t kind; /* enum pk_http_kind */
	uint8_t end;  /* enum pk_http_end */
	uint8_t major, minor;
	uint32_t odd;
	uint32_t head_len; /* bytes read, the empty line included */
	uint16_t fields;   /* header lines read */
	/* Request. */
	struct pk_slice method;
	/* As sent: origin, absolute, authority (CONNECT) or asterisk form. With user information in
	 * it (http://user:secret@host/) it begins behind that: at the host. */
	struct pk_slice target;
	bool target_cut; /* the first line did not end: target is its start */
	bool connect;
	bool absolute;
	bool userinfo;               /* the target carried user information */
	struct pk_slice target_host; /* of absolute and authority form, with its port */
	struct pk_slice host;        /* field Host: the first, with its port */
	struct pk_slice user_agent;
	struct pk_slice referer; /* without user information */
	bool authorization;      /* Authorization or Proxy-Authorization was sent */
	struct pk_slice auth;    /* its scheme, where it begins with one; never what follows */
	bool basic;              /* a Basic credential: a password in clear text */
	bool cookie;
	/* Response. */
	uint16_t status;
	struct pk_slice reason;
	struct pk_slice server;
	struct pk_slice location; /* without user information */
	/* Both. */
	struct pk_slice content_type;
	int64_t content_length; /* bytes; -1: not given or no number */
	bool chunked;
	struct pk_slice upgrade; /* "websocket", "h2c", ... */
	struct pk_slice connection;
};

/*
 * data: the stream of one direction from the start of a message on. 0, also when the head is
 * partial (see end); -ENODATA: too short to tell; -EBADMSG: not HTTP/1 (nor the preface of HTTP/2,
 * RFC 9113 3.4: method PRI, version 2.0). *ret is untouched on failure.
 */
int pk_http_decode(struct pk_http *ret, const void *data, size_t len);

/* Cheap: does this begin like an HTTP/1 request or status line? */
bool pk_http_is(const void *data, size_t len);

/* Host without port and brackets, for comparing with names: "[::1]:80" gives "::1". */
struct pk_slice pk_http_host_name(struct pk_slice host);
const char *pk_http_end_name(uint8_t end);
