/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Initial packets of one connection: opens them, and puts the hellos together from their CRYPTO
 * frames. It follows a client through Retry, Version Negotiation (RFC 9000, 6) and a change of
 * version on the way (RFC 9368) without believing what is not authenticated: whichever keys open a
 * packet are the right ones.
 */
#include "decode/quic.h"

#include "decode/quic_keys.h"
#include "decode/quic_stream.h"
#include "decode/tls.h"

#include <errno.h>
#include <openssl/err.h>

#define MESSAGE_HEAD 4

/* Frames that Initial packets may hold: RFC 9000, 17.2.2 */
enum frame {
	PADDING = 0x00,
	PING = 0x01,
	ACK = 0x02,
	ACK_ECN = 0x03,
	CRYPTO = 0x06,
	CONNECTION_CLOSE = 0x1c,
};

static struct pk_quic_stream stream_of(struct pk_quic_conn *c, bool server)
{
	if (server)
		return (struct pk_quic_stream){ c->server, c->have_server, PK_QUIC_SERVER_MAX };
	return (struct pk_quic_stream){ c->client, c->have_client, PK_QUIC_CLIENT_MAX };
}

/* A thousand bytes of it is common: by words, what is left of it byte by byte. */
static void skip_padding(struct pk_cursor *c)
{
	uint64_t word = 0;

	for (; pk_cursor_left(c) >= sizeof(word); c->at += sizeof(word)) {
		memcpy(&word, c->data + c->at, sizeof(word));
		if (word)
			return;
	}
}

static void skip_ack(struct pk_cursor *c, bool ecn)
{
	uint64_t ranges;

	pk_quic_varint(c); /* largest */
	pk_quic_varint(c); /* delay */
	ranges = pk_quic_varint(c);
	pk_quic_varint(c); /* first range */
	for (; ranges && !c->short_; ranges--) {
		pk_quic_varint(c); /* gap */
		pk_quic_varint(c); /* length */
	}
	for (int i = 0; ecn && i < 3; i++)
		pk_quic_varint(c);
}

static void skip_close(struct pk_cursor *c)
{
	pk_quic_varint(c); /* error code */
	pk_quic_varint(c); /* type of the frame that caused it */
	pk_cursor_take(c, pk_quic_varint(c));
}

static int read_crypto(struct pk_cursor *c, struct pk_quic_conn *conn, bool server)
{
	struct pk_quic_stream s = stream_of(conn, server);
	struct pk_quic_side *side = &conn->side[server];
	uint64_t at = pk_quic_varint(c), n = pk_quic_varint(c);
	const uint8_t *bytes = pk_cursor_take(c, n);

	if (c->short_)
		return -EBADMSG;
	if (side->whole)
		return 0;
	if (at > s.cap || n > s.cap - at)
		return -EMSGSIZE;
	if (!pk_quic_stream_put(&s, (uint32_t)at, bytes, (uint32_t)n))
		side->conflict = true;
	return 0;
}

static int read_frames(struct pk_cursor c, struct pk_quic_conn *conn, bool server)
{
	int r, worst = 0;

	while (pk_cursor_left(&c) && !c.short_) {
		switch (pk_cursor_u8(&c)) {
		case PADDING:
			skip_padding(&c);
			break;
		case PING:
			break;
		case ACK:
			skip_ack(&c, false);
			break;
		case ACK_ECN:
			skip_ack(&c, true);
			break;
		case CRYPTO:
			r = read_crypto(&c, conn, server);
			if (r == -EBADMSG)
				return r;
			if (r < 0)
				worst = r;
			break;
		case CONNECTION_CLOSE:
			skip_close(&c);
			break;
		default:
			return -EBADMSG;
		}
	}
	return c.short_ ? -EBADMSG : worst;
}

/* Whether the first message is complete now: 1, 0, or what is wrong with it. */
static int look_whole(struct pk_quic_conn *conn, bool server)
{
	struct pk_quic_stream s = stream_of(conn, server);
	struct pk_quic_side *side = &conn->side[server];
	uint32_t len;

	if (side->whole)
		return 1;
	side->prefix = pk_quic_stream_prefix(&s, side->prefix);
	if (side->prefix < MESSAGE_HEAD)
		return 0;
	if (s.data[0] != (server ? PK_TLS_SERVER_HELLO : PK_TLS_CLIENT_HELLO))
		return -EBADMSG;
	len = (uint32_t)s.data[1] << 16 | (uint32_t)s.data[2] << 8 | s.data[3];
	if (len > s.cap - MESSAGE_HEAD)
		return -EMSGSIZE;
	side->whole = side->prefix >= MESSAGE_HEAD + len;
	return side->whole;
}

/* A client that begins anew is another connection, but for its addresses. */
static void restart(struct pk_quic_conn *c, const struct pk_quic_header *h)
{
	c->restarts += c->have_dcid;
	c->have_dcid = true;
	c->dcid_len = (uint8_t)h->dcid.len;
	memcpy(c->dcid, h->dcid.s, h->dcid.len);
	memset(c->side, 0, sizeof(c->side));
	memset(c->have_client, 0, sizeof(c->have_client));
	memset(c->have_server, 0, sizeof(c->have_server));
}

struct packet {
	const uint8_t *data;
	struct pk_quic_header h;
	bool server;
	uint64_t number;
	size_t len; /* of what was in it */
};

/* With the keys of the connection as it is known. */
static int open_known(struct pk_quic *q, struct pk_quic_conn *c, struct packet *p)
{
	struct pk_quic_side *side = &c->side[p->server];
	struct pk_quic_keys keys = side->keys;
	int r;

	if (!c->have_dcid)
		return -ENOMSG;
	if (side->keys_version != p->h.version) {
		r = pk_quic_keys_derive(q, p->h.version, c->dcid, c->dcid_len, p->server, &keys);
		if (r < 0)
			return r;
	}
	r = pk_quic_open(q, &keys, p->data, &p->h, side->expected, &p->number, &p->len);
	if (r < 0)
		return r;
	side->keys = keys;
	side->keys_version = p->h.version;
	return 0;
}

/* As the first packet of a connection, or of one that begins anew. */
static int open_first(struct pk_quic *q, struct pk_quic_conn *c, struct packet *p)
{
	const uint8_t *dcid = (const uint8_t *)p->h.dcid.s;
	struct pk_quic_keys keys;
	int r;

	r = pk_quic_keys_derive(q, p->h.version, dcid, p->h.dcid.len, false, &keys);
	if (r < 0)
		return r;
	r = pk_quic_open(q, &keys, p->data, &p->h, 0, &p->number, &p->len);
	if (r < 0)
		return r;
	restart(c, &p->h);
	c->side[0].keys = keys;
	c->side[0].keys_version = p->h.version;
	return 0;
}

static bool is_known_dcid(const struct pk_quic_conn *c, struct pk_slice dcid)
{
	return c->have_dcid && c->dcid_len == dcid.len && !memcmp(c->dcid, dcid.s, dcid.len);
}

static int read_initial(struct pk_quic *q, struct pk_quic_conn *c, struct packet *p)
{
	struct pk_quic_side *side = &c->side[p->server];
	int r;

	r = open_known(q, c, p);
	if ((r == -EBADMSG || r == -ENOMSG) && !p->server && !is_known_dcid(c, p->h.dcid))
		r = open_first(q, c, p);
	if (r < 0) {
		c->refused += r == -EBADMSG;
		return r;
	}
	c->opened++;
	c->version = p->h.version;
	if (p->number >= side->expected)
		side->expected = p->number + 1;
	r = read_frames(pk_cursor_of(q->plain, p->len), c, p->server);
	return r < 0 ? r : look_whole(c, p->server);
}

int pk_quic_feed(struct pk_quic *q, struct pk_quic_conn *conn, const uint8_t *data, size_t len,
		 bool server)
{
	struct packet p = { .server = server };
	int r, result = -ENOMSG;

	ERR_set_mark();
	for (size_t at = 0; at < len; at += p.h.len) {
		r = pk_quic_header_parse(data + at, len - at, &p.h);
		if (r < 0) {
			/* Behind the last packet: padding, or a short header. */
			if (!at)
				result = r;
			break;
		}
		if (p.h.type != PK_QUIC_INITIAL)
			continue;
		p.data = data + at;
		r = read_initial(q, conn, &p);
		/* One packet that is right outweighs what is wrong with its neighbours. */
		if (result < 0 || r > 0)
			result = r;
	}
	ERR_pop_to_mark();
	return result;
}

bool pk_quic_hello(const struct pk_quic_conn *conn, bool server, struct pk_slice *ret_body)
{
	const uint8_t *data = server ? conn->server : conn->client;

	if (!conn->side[server].whole)
		return false;
	ret_body->s = (const char *)data + MESSAGE_HEAD;
	ret_body->len = (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
	return true;
}
