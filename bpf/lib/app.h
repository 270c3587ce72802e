/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the first bytes of a payload are, and how much of it is worth a look. Pure functions of
 * bytes and numbers: no map, no clock. They decide only what leaves the kernel: what it means, and
 * whether it is well-formed, is user space's to say.
 */
#ifndef PICKET_APP_H
#define PICKET_APP_H

#include "packet.h"

/* The first 16 bytes of a stream or datagram: byte i is bits 8 * (i % 8) of word i / 8. */
struct pk_peek {
	__u64 w[2];
	__u32 from, to; /* bytes that are known: from <= i < to */
};

/* Bytes enough to name a text that has no more of them. */
#define PK_TELLS 4

/* How a stream begins: len bytes of at most 8. */
struct pk_start {
	char text[8] __attribute__((aligned(8)));
	__u8 len;
	__u8 app;
};

static const struct pk_start pk_starts[] = {
	{ "GET ", 4, PK_APP_HTTP },      { "POST ", 5, PK_APP_HTTP },
	{ "HEAD ", 5, PK_APP_HTTP },     { "PUT ", 4, PK_APP_HTTP },
	{ "DELETE ", 7, PK_APP_HTTP },   { "OPTIONS ", 8, PK_APP_HTTP },
	{ "CONNECT ", 8, PK_APP_HTTP },  { "PATCH ", 6, PK_APP_HTTP },
	{ "TRACE ", 6, PK_APP_HTTP },    { "PROPFIND", 8, PK_APP_HTTP },
	{ "SUBSCRIB", 8, PK_APP_HTTP },  { "NOTIFY ", 7, PK_APP_HTTP },
	{ "HTTP/1.", 7, PK_APP_HTTP },   { "SSH-", 4, PK_APP_SSH },
	{ "220 ", 4, PK_APP_TEXT },      { "220-", 4, PK_APP_TEXT },
	{ "EHLO ", 5, PK_APP_TEXT },     { "HELO ", 5, PK_APP_TEXT },
	{ "LHLO ", 5, PK_APP_TEXT },     { "USER ", 5, PK_APP_TEXT },
	{ "PASS ", 5, PK_APP_TEXT },     { "NICK ", 5, PK_APP_TEXT },
	{ "CAP ", 4, PK_APP_TEXT },      { "AUTH ", 5, PK_APP_TEXT },
	{ "+OK", 3, PK_APP_TEXT },       { "* OK", 4, PK_APP_TEXT },
	{ "* PREAUT", 8, PK_APP_TEXT },  { "NOTICE ", 7, PK_APP_TEXT },
	{ "PING :", 6, PK_APP_TEXT },    { "ERROR :", 7, PK_APP_TEXT },
	{ "{\"id\"", 5, PK_APP_TEXT },   { "{\"method", 8, PK_APP_TEXT },
	{ "{\"jsonrp", 8, PK_APP_TEXT }, { "{\"params", 8, PK_APP_TEXT },
	{ "{\"result", 8, PK_APP_TEXT }, { "{\"error\"", 8, PK_APP_TEXT },
	{ "{ \"id\"", 6, PK_APP_TEXT },  { "{ \"metho", 8, PK_APP_TEXT },
	{ "{\"worker", 8, PK_APP_TEXT },
};
#define PK_STARTS (sizeof(pk_starts) / sizeof(pk_starts[0]))

static __always_inline __u8 pk_peek_at(const struct pk_peek *k, __u32 i)
{
	return k->w[i >> 3 & 1] >> 8 * (i & 7);
}

static __always_inline bool pk_peek_has(const struct pk_peek *k, __u32 i)
{
	return k->from <= i && i < k->to;
}

/* Does byte i, where it is known, lie between lo and hi? */
static __always_inline bool pk_peek_fits(const struct pk_peek *k, __u32 i, __u8 lo, __u8 hi)
{
	__u8 b = pk_peek_at(k, i);

	return !pk_peek_has(k, i) || (b >= lo && b <= hi);
}

/* The words hold n bytes from byte 0 on; they are those from byte `from` (0 to 7) on. */
static __always_inline void pk_peek_set(struct pk_peek *k, __u64 w0, __u64 w1, __u32 n, __u32 from)
{
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) {
		w0 = __builtin_bswap64(w0);
		w1 = __builtin_bswap64(w1);
	}
	from &= 7;
	if (from) {
		w1 = w1 << 8 * from | w0 >> (64 - 8 * from);
		w0 <<= 8 * from;
	}
	k->w[0] = w0;
	k->w[1] = w1;
	k->from = from;
	k->to = from + n < 16 ? from + n : 16;
}

static __always_inline __u64 pk_low_bytes(__u32 n)
{
	return n >= 8 ? ~0ull : (1ull << 8 * n) - 1;
}

/* A TLS record (RFC 8446, 5.1) with a ClientHello or ServerHello (4). */
static __always_inline bool pk_is_tls(const struct pk_peek *k)
{
	return k->from < 3 && pk_peek_fits(k, 0, 0x16, 0x16) && pk_peek_fits(k, 1, 3, 3) &&
	       pk_peek_fits(k, 2, 0, 4) && pk_peek_fits(k, 5, 1, 2);
}

/* An IRC server's line: a colon, then its name. */
static __always_inline bool pk_is_irc(const struct pk_peek *k)
{
	__u32 i;
	__u8 b;

	if (k->from || k->to < 8 || pk_peek_at(k, 0) != ':')
		return false;
	for (i = 1; i < 8; i++) {
		b = pk_peek_at(k, i);
		if ((b < '0' || b > '9') && ((b | 0x20) < 'a' || (b | 0x20) > 'z') && b != '.' &&
		    b != '-')
			return false;
	}
	return true;
}

/* PK_APP_NONE: nothing begins like this; PK_APP_SHORT: more bytes are needed to tell. */
static __always_inline __u32 pk_app_of_start(const struct pk_peek *k)
{
	__u32 i, best = PK_APP_NONE;
	__u64 known = pk_low_bytes(k->to) & ~pk_low_bytes(k->from), m, text;

	for (i = 0; i < PK_STARTS; i++) {
		const struct pk_start *s = &pk_starts[i];

		text = *(const pk_words *)s->text;
		if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
			text = __builtin_bswap64(text);
		m = known & pk_low_bytes(s->len);
		if (!m || ((k->w[0] ^ text) & m))
			continue;
		if (k->to >= s->len || k->to >= PK_TELLS)
			return s->app;
		best = PK_APP_SHORT;
	}
	return best;
}

/* The same for all that TCP carries. */
static __always_inline __u32 pk_app_of_stream(const struct pk_peek *k)
{
	if (pk_is_tls(k))
		return k->to >= 3 ? PK_APP_TLS : PK_APP_SHORT;
	if (pk_is_irc(k))
		return PK_APP_TEXT;
	return pk_app_of_start(k);
}

static __always_inline bool pk_is_dns_port(__be16 port)
{
	return port == PK_BE16(53) || port == PK_BE16(5353) || port == PK_BE16(5355);
}

static __always_inline bool pk_is_dhcp_port(__be16 port)
{
	return port == PK_BE16(67) || port == PK_BE16(68) || port == PK_BE16(546) ||
	       port == PK_BE16(547);
}

/* A long header (RFC 9000, 17.2) of version 1 or 2 (RFC 9369): bytes 1 to 4, network order. */
static __always_inline bool pk_is_quic(const struct pk_peek *k)
{
	__u32 version = k->w[0] >> 8;

	return k->to >= 7 && (k->w[0] & 0x80) &&
	       (version == __builtin_bswap32(1) || version == __builtin_bswap32(0x6b3343cf));
}

static __always_inline __u32 pk_app_of_datagram(const struct pk_peek *k,
						const struct pk_flow_key *key)
{
	__be16 a = key->port[0], b = key->port[1];

	if (pk_is_quic(k))
		return PK_APP_QUIC;
	if (pk_is_dns_port(a) || pk_is_dns_port(b))
		return PK_APP_DNS;
	return pk_is_dhcp_port(a) && pk_is_dhcp_port(b) ? PK_APP_DHCP : PK_APP_NONE;
}

#define PK_HELLO_MAX  16384u /* bytes of a ClientHello, over all its records */
#define PK_SERVER_MAX 2048u  /* of a ServerHello: SecP384r1MLKEM1024 takes 1,665 of them */
#define PK_SERVER_MIN 512u   /* holds a HelloRetryRequest and the ServerHello behind it */

/* Bytes from the start of the stream on that hold a TLS hello. */
static __always_inline __u32 pk_tls_bytes(const struct pk_peek *k, bool from_client)
{
	__u32 record, message, max, min;

	if (pk_peek_has(k, 5))
		from_client = pk_peek_at(k, 5) == 1;
	max = from_client ? PK_HELLO_MAX : PK_SERVER_MAX;
	min = from_client ? 0 : PK_SERVER_MIN;
	if (!pk_peek_has(k, 3) || !pk_peek_has(k, 8))
		return max; /* its lengths lie in several segments */
	record = (__u32)pk_peek_at(k, 3) << 8 | pk_peek_at(k, 4);
	message = (__u32)pk_peek_at(k, 6) << 16 | (__u32)pk_peek_at(k, 7) << 8 | pk_peek_at(k, 8);
	/* In one record, behind two heads; or in several, each of them with a head of its own. */
	if (message + 4 > record || message + 9 >= max)
		return max;
	return message + 9 > min ? message + 9 : min;
}

/* How much of each application leaves the kernel; per direction. */
#define PK_APPS 16 /* for the verifier: a power of two */
PK_ASSERT(PK_APP_MAX <= PK_APPS, "an index of four bits");
struct pk_app_limit {
	__u16 packets; /* with payload; 0: any number */
	__u16 each;    /* bytes of one */
	__u32 stream;  /* TCP: bytes from its start on; 0: any */
};
static const struct pk_app_limit pk_app_limits[PK_APPS] = {
	[PK_APP_SHORT] = { 8, 1500, 0 },
	[PK_APP_DNS] = { 0, 4096, 0 },
	[PK_APP_TLS] = { 64, PK_HELLO_MAX, 0 /* pk_tls_bytes() */ },
	[PK_APP_QUIC] = { 6, 1500, 0 },
	[PK_APP_HTTP] = { 4, 4096, 4096 },
	[PK_APP_SSH] = { 6, 4096, 4096 },
	[PK_APP_TEXT] = { 6, 512, 3072 },
	[PK_APP_DHCP] = { 0, 1500, 0 },
	[PK_APP_ARP] = { 0, 64, 0 },
	[PK_APP_ICMP] = { 0, 256, 0 },
};

#endif
