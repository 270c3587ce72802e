/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the core and those that carry for it (gate, pull) say to each other over a stream socket:
 * frames of a head and a payload, host byte order, both from the same binary. Each is checked whole
 * before anybody looks into it: the other side may have been taken over.
 */
#pragma once

#include "gate/counts.h"
#include "gate/role.h"
#include "pull/news.h"

#include <stddef.h>
#include <stdint.h>

struct evbuffer;

#define PK_GATE_FRAME_MAX 65536 /* bytes with the head */
#define PK_GATE_PATH_MAX  1024
#define PK_GATE_QUERY_MAX 8192
#define PK_GATE_NAME_MAX  256
#define PK_GATE_HEAD_MAX  256 /* of the value of a request's header */
#define PK_GATE_DATA_MAX  (PK_GATE_FRAME_MAX - sizeof(struct pk_gate_head))

enum pk_gate_type {
	/* gate -> core */
	PK_GATE_ASK = 1,    /* struct pk_gate_ask, then path, query, name and headers */
	PK_GATE_BODY = 2,   /* bytes of a request's body, in order */
	PK_GATE_TAKEN = 3,  /* struct pk_gate_taken: so much of an answer is on its way */
	PK_GATE_GONE = 4,   /* nobody waits for the answer any more */
	PK_GATE_COUNTS = 5, /* struct pk_gate_counts, about no request; every second or so */
	PK_GATE_PULL = 6,   /* struct pk_pull_news, about no request; of who fetches lists */
	/* core -> gate */
	PK_GATE_ANSWER = 16, /* struct pk_gate_answer */
	PK_GATE_DATA = 17,   /* bytes of the answer */
	PK_GATE_END = 18,    /* the answer is whole */
	PK_GATE_CUT = 19,    /* it will not be: break off */
};

struct pk_gate_head {
	uint32_t size; /* of the frame, this head too */
	uint32_t type; /* enum pk_gate_type */
	uint64_t id;   /* of the request; never used twice; 0: about none */
};

/* The headers of a request that the core gets to see, and those of an answer that go out. */
enum pk_gate_said {
	PK_GATE_IF_MATCH,
	PK_GATE_IF_NONE_MATCH,
	PK_GATE_ACCEPT,
	PK_GATE_CONTENT_ENCODING,
	PK_GATE_LAST_EVENT_ID,
	PK_GATE_SAIDS
};
enum pk_gate_told {
	PK_GATE_CONTENT_TYPE,
	PK_GATE_ALLOW,
	PK_GATE_RECORDING,
	PK_GATE_ETAG,
	PK_GATE_RETRY_AFTER,
	PK_GATE_ACCEPT_ENCODING,
	PK_GATE_TOLDS
};
extern const char *const pk_gate_said[PK_GATE_SAIDS], *const pk_gate_told[PK_GATE_TOLDS];

struct pk_gate_ask {
	uint64_t body_bytes;                    /* that follow as PK_GATE_BODY */
	uint32_t method;                        /* EVHTTP_REQ_* */
	uint32_t role;                          /* enum pk_role, not NONE */
	uint16_t path_len, query_len, name_len; /* printable ASCII; path begins with / */
	uint16_t has_query;
	uint16_t said_len[PK_GATE_SAIDS]; /* printable ASCII; 0: there is none */
	uint16_t pad[3];
	uint8_t fingerprint[32]; /* SHA-256 of the certificate */
};

struct pk_gate_taken {
	uint64_t bytes;
};

struct pk_gate_answer {
	uint32_t status;
	uint32_t stream; /* 1: pieces are sent on as they come; 0: all at once, at the end */
	char told[PK_GATE_TOLDS][80]; /* "": none */
};

/* A frame; texts and data are borrowed from it. */
struct pk_gate_msg {
	uint32_t type;
	uint64_t id;
	union {
		struct pk_gate_ask ask;
		struct pk_gate_taken taken;
		struct pk_gate_answer answer;
		struct pk_gate_counts counts;
		struct pk_pull_news pull;
	};
	const char *path, *query, *name; /* of an ask; not NUL ended */
	const char *said[PK_GATE_SAIDS];
	const void *data; /* of BODY and DATA */
	size_t len;
};

/* The first frame of the bytes: its size, 0 when more must come, -EBADMSG when it is none that
 * this direction knows. */
int pk_gate_msg_read(const void *bytes, size_t len, int from_gate, struct pk_gate_msg *ret_msg);
/* The same of a buffer, which keeps it until it is drained. */
int pk_gate_msg_peek(struct evbuffer *in, int from_gate, struct pk_gate_msg *ret_msg);

/* Frames to a buffer; -ENOMEM. */
int pk_gate_msg_put(struct evbuffer *out, uint32_t type, uint64_t id, const void *payload,
		    size_t len);
int pk_gate_msg_ask(struct evbuffer *out, uint64_t id, const struct pk_gate_ask *ask,
		    const char *path, const char *query, const char *name,
		    const char *const said[PK_GATE_SAIDS]);
/* All of data, in as many frames as it takes. */
int pk_gate_msg_data(struct evbuffer *out, uint32_t type, uint64_t id, struct evbuffer *data);
