/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The beginning of a QUIC connection (RFC 9000): Initial packets of version 1 (RFC 9001) and 2
 * (RFC 9369). They are encrypted under keys that follow from the client's first Destination
 * Connection ID, so whoever saw that packet can read them, and the TLS hellos in them.
 *
 * Nothing is believed that did not pass the packet's authentication tag.
 */
#pragma once

#include "base/cursor.h"

#define PK_QUIC_V1 0x00000001u
#define PK_QUIC_V2 0x6b3343cfu

#define PK_QUIC_CID_MAX 20

/* Bytes of CRYPTO that are kept from each side. The server's Initials hold its ServerHello alone.
 */
#define PK_QUIC_CLIENT_MAX 16384
#define PK_QUIC_SERVER_MAX 2048

enum pk_quic_type {
	PK_QUIC_INITIAL = 1,
	PK_QUIC_0RTT,
	PK_QUIC_HANDSHAKE,
	PK_QUIC_RETRY,
	PK_QUIC_NEGOTIATION, /* Version Negotiation */
	PK_QUIC_OTHER,       /* long header of a version that we do not know */
};

/* Long header of one packet. */
struct pk_quic_header {
	enum pk_quic_type type;
	uint32_t version;
	struct pk_slice dcid, scid;
	struct pk_slice token; /* of Initial */
	size_t number_off;     /* of the (protected) packet number: Initial, 0-RTT, Handshake */
	size_t len;            /* of the whole packet; the next one of the datagram follows */
};

/*
 * Reads the header of the first packet of data. -EBADMSG: not QUIC; -ENOMSG: short header, or what
 * pads a datagram behind its last packet; -ENODATA: the packet says it is longer than len: either
 * it was cut on its way here, or it lies.
 */
int pk_quic_header_parse(const uint8_t *data, size_t len, struct pk_quic_header *ret_header);

/* Variable-length integer (RFC 9000, 16). */
uint64_t pk_quic_varint(struct pk_cursor *c);

struct pk_quic_keys {
	uint8_t key[16], iv[12], hp[16];
};

/* What one side sent in CRYPTO frames, put in order. */
struct pk_quic_side {
	struct pk_quic_keys keys;
	uint32_t keys_version; /* of keys; 0: none yet */
	uint32_t prefix;       /* bytes from the start on without a hole */
	uint64_t expected;     /* the highest packet number opened so far, and 1 */
	bool whole;            /* the first message is complete */
	bool conflict;         /* an offset came twice with different bytes: the first stay */
};

/*
 * One connection, as far as its hellos need it: zeroed at first, then owned by the caller (no
 * memory hangs on it). Datagrams of both sides are fed in the order they came.
 */
struct pk_quic_conn {
	uint32_t version; /* of the last Initial that was opened */
	bool have_dcid;
	uint8_t dcid_len;
	uint8_t dcid[PK_QUIC_CID_MAX]; /* the client's first, or after a Retry the server's choice:
					  the keys follow from it */
	uint32_t opened;               /* Initial packets that passed their tag */
	uint32_t refused;              /* that did not */
	uint32_t restarts;             /* the client began anew: after Retry, Version Negotiation */
	struct pk_quic_side side[2];   /* 0 client, 1 server */
	uint64_t have_client[PK_QUIC_CLIENT_MAX / 64], have_server[PK_QUIC_SERVER_MAX / 64];
	uint8_t client[PK_QUIC_CLIENT_MAX], server[PK_QUIC_SERVER_MAX];
};

/* The algorithms, fetched once, and room to decrypt. For one thread. */
struct pk_quic;

/* -ENOTSUP: the TLS library lacks AES, HKDF or SHA-256; -ENOMEM. */
int pk_quic_new(struct pk_quic **ret_quic);
void pk_quic_free(struct pk_quic *q);

/*
 * One UDP payload, with all the packets in it; data is not changed. server: the server sent it.
 * Returns 1 when the hello of that side is whole (pk_quic_hello() gives it), 0 when more datagrams
 * are needed. -EBADMSG: an Initial that is not right; -ENODATA: cut short; -ENOMSG: nothing that
 * could bring us further (no Initial, another version, a server before its client); -EMSGSIZE: the
 * hello does not fit; -EIO: the TLS library failed.
 */
int pk_quic_feed(struct pk_quic *q, struct pk_quic_conn *conn, const uint8_t *data, size_t len,
		 bool server);

/* The body of one side's hello, for pk_tls_client_parse() or pk_tls_server_parse(). */
bool pk_quic_hello(const struct pk_quic_conn *conn, bool server, struct pk_slice *ret_body);
