/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS as it can be read without keys: records, and the hellos in them (RFC 8446, RFC 5246). The
 * messages of TLS over TCP and those in QUIC's CRYPTO frames are the same; QUIC has no records.
 *
 * All slices stay in the input, or in the room that the caller gave for messages which are spread
 * over records. What they hold is a stranger's: escape it on output.
 */
#pragma once

#include "base/cursor.h"

/* Hellos above this are not read, their head of 4 bytes included. */
#define PK_TLS_HELLO_MAX 16384

#define PK_TLS_RECORD_MAX 16384 /* payload of a record that is not encrypted: RFC 8446, 5.1 */

/* Of handshake messages */
enum pk_tls_type {
	PK_TLS_CLIENT_HELLO = 1,
	PK_TLS_SERVER_HELLO = 2,
};

/* One direction of a TCP stream, from its first byte (or from a record's first byte) on. */
struct pk_tls_reader {
	const uint8_t *data;
	size_t len;
	size_t at;     /* of the next byte to read */
	size_t left;   /* of the record that holds it; 0: a record's head comes next */
	uint8_t *room; /* where a message spread over records is put together */
	size_t room_len;
};

struct pk_tls_msg {
	uint8_t type;         /* enum pk_tls_type, or another */
	struct pk_slice body; /* without the head of 4 bytes */
};

/*
 * The next handshake message. ChangeCipherSpec records between messages are stepped over. r goes on
 * behind the message; after an error it is as before, so that data and len may be set to more of
 * the same stream (at the same or another address) to try again.
 * -EAGAIN: more bytes are needed, len must be *ret_need or more before anything new can be said;
 * -EBADMSG: this is not TLS, or against its rules; -ENOMSG: alerts or application data come next;
 * -EMSGSIZE: the message is longer than PK_TLS_HELLO_MAX, or spread over records and longer than
 * room_len.
 */
int pk_tls_next(struct pk_tls_reader *r, struct pk_tls_msg *ret_msg, size_t *ret_need);

/* Bits of pk_tls_client.malformed and pk_tls_server.malformed: extensions not as they must be. */
#define PK_TLS_BAD_SNI       0x001
#define PK_TLS_BAD_ALPN      0x002
#define PK_TLS_BAD_VERSIONS  0x004
#define PK_TLS_BAD_GROUPS    0x008
#define PK_TLS_BAD_POINTS    0x010
#define PK_TLS_BAD_SIGALGS   0x020
#define PK_TLS_BAD_KEY_SHARE 0x040
#define PK_TLS_BAD_REPEATED  0x100 /* one of those we read came twice: the first counts */
#define PK_TLS_BAD_BLOCK     0x200 /* their lengths disagree: the block ends before the first wrong */

struct pk_tls_client {
	uint16_t legacy_version; /* the field of the hello, not of the record */
	uint16_t
		version; /* highest of supported_versions that is not GREASE, else legacy_version */
	uint16_t extension_count; /* GREASE included */
	uint16_t malformed;       /* PK_TLS_BAD_* */
	struct pk_slice session_id;
	struct pk_slice ciphers;    /* 16-bit numbers, in the client's order: pk_tls_u16() */
	struct pk_slice extensions; /* the block as sent, without its length */
	struct pk_slice versions;   /* 16-bit, of supported_versions */
	struct pk_slice groups;     /* 16-bit, of supported_groups */
	struct pk_slice points;     /* 8-bit, of ec_point_formats */
	struct pk_slice sigalgs;    /* 16-bit, of signature_algorithms */
	struct pk_slice alpn;       /* the list: pk_tls_alpn_next() */
	struct pk_slice sni;        /* first host_name; with ECH the public name */
	bool has_sni;               /* server_name was sent, whatever it held */
	bool has_alpn;
	bool ech;        /* encrypted_client_hello offered; GREASE ECH looks the same (RFC 9849) */
	bool psk;        /* pre_shared_key: wants to resume */
	bool early_data; /* means to send 0-RTT */
	bool grease;     /* GREASE (RFC 8701) among ciphers or extensions */
};

struct pk_tls_server {
	uint16_t legacy_version;
	uint16_t version;   /* chosen: supported_versions, else legacy_version */
	uint16_t cipher;    /* chosen */
	uint16_t group;     /* of the key share; of a retry: the one asked for; 0: none */
	uint16_t malformed; /* PK_TLS_BAD_* */
	struct pk_slice session_id;
	struct pk_slice extensions; /* the block as sent, without its length */
	struct pk_slice alpn;       /* chosen, TLS 1.2 and older: 1.3 encrypts it */
	bool has_alpn;
	bool retry; /* HelloRetryRequest: the client sends a second hello */
	bool psk;   /* pre_shared_key: resumed */
};

/*
 * Bodies of messages. -EBADMSG: the part before the extensions is not whole. What is wrong with
 * extensions is marked in malformed, and the rest is read: a peer may be more forgiving than the
 * standard, and what it is asked for counts.
 */
int pk_tls_client_parse(const uint8_t *body, size_t len, struct pk_tls_client *ret_hello);
int pk_tls_server_parse(const uint8_t *body, size_t len, struct pk_tls_server *ret_hello);

/* Element i of a list of 16-bit numbers, which must be there. */
static inline uint16_t pk_tls_u16(struct pk_slice list, size_t i)
{
	const uint8_t *p = (const uint8_t *)list.s + 2 * i;

	return (uint16_t)(p[0] << 8 | p[1]);
}

/* RFC 8701: ciphers, extensions, groups, versions, signature algorithms that mean nothing. */
static inline bool pk_tls_is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/* The next extension of a block that was parsed without error; false at its end. */
bool pk_tls_extension_next(struct pk_cursor *c, uint16_t *ret_type, struct pk_slice *ret_body);

/* The next protocol name of a parsed list, which is shortened by it; false at its end. */
bool pk_tls_alpn_next(struct pk_slice *list, struct pk_slice *ret_name);

/* As IANA and the standards name them: "TLS 1.3", "TLS_AES_128_GCM_SHA256"; NULL: unknown. */
const char *pk_tls_version_name(uint16_t version);
const char *pk_tls_cipher_name(uint16_t cipher);
const char *pk_tls_group_name(uint16_t group);
