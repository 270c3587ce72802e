/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS over TCP and in QUIC: the hello of each end becomes names, versions and fingerprints. What is
 * behind the hellos is not looked at.
 */
#include "base/cleanup.h"
#include "decode/app.h"
#include "decode/ja4.h"
#include "decode/quic.h"
#include "name/take.h"

#include <errno.h>
#include <string.h>

#define ALPN_TEXT 128

/* "h2,http/1.1" */
static void set_alpn(struct pk_names *n, const char **field, struct pk_slice list)
{
	char text[ALPN_TEXT];
	struct pk_slice name;
	uint32_t len = 0;

	while (pk_tls_alpn_next(&list, &name)) {
		if (len + name.len + 1 > sizeof(text))
			break;
		if (len)
			text[len++] = ',';
		memcpy(text + len, name.s, name.len);
		len += name.len;
	}
	pk_names_set(n, field, (struct pk_slice){ .s = text, .len = len });
}

static void set_prints(struct pk_names *n, struct pk_fact *f, const struct pk_tls_client *h,
		       bool quic)
{
	char ja4[PK_JA4_LEN + 1], ja3[PK_JA3_LEN + 1];

	if (!n->ja4)
		return;
	if (pk_ja4_client(n->ja4, h, quic ? PK_JA4_QUIC : PK_JA4_TCP, ja4) == 0)
		pk_names_set(n, &f->ja4, (struct pk_slice){ .s = ja4, .len = PK_JA4_LEN });
	if (pk_ja3_client(n->ja4, h, ja3) == 0)
		pk_names_set(n, &f->ja3, (struct pk_slice){ .s = ja3, .len = PK_JA3_LEN });
}

static int take_client(struct pk_names *n, const struct pk_take *t, struct pk_slice body, bool quic)
{
	struct pk_fact *f = t->fact;
	struct pk_tls_client h;
	int r = pk_tls_client_parse((const uint8_t *)body.s, body.len, &h);

	if (r < 0)
		return r;
	f->app = quic ? PK_PROTO_QUIC : PK_PROTO_TLS;
	f->flags |= PK_FACT_HELLO | (quic ? PK_FACT_QUIC : 0) | (h.ech ? PK_FACT_ECH : 0);
	f->tls_offered = h.version;
	pk_names_set_name(n, &f->sni, h.sni);
	set_alpn(n, &f->alpn, h.alpn);
	set_prints(n, f, &h, quic);
	pk_names_compare(n, f, &t->s->key, t->s->hdr.ts);
	pk_names_tell(n, t, PK_NEWS_HELLO, NULL);
	return 0;
}

/* -EAGAIN: the server asked for another hello, its real one comes later. */
static int take_server(struct pk_names *n, const struct pk_take *t, struct pk_slice body, bool quic)
{
	struct pk_fact *f = t->fact;
	struct pk_tls_server h;
	int r = pk_tls_server_parse((const uint8_t *)body.s, body.len, &h);

	if (r < 0)
		return r;
	f->app = quic ? PK_PROTO_QUIC : PK_PROTO_TLS;
	f->tls_chosen = h.version;
	f->cipher = h.cipher;
	if (h.retry) {
		f->flags |= PK_FACT_RETRIED;
		return -EAGAIN;
	}
	f->flags |= PK_FACT_SERVER | (quic ? PK_FACT_QUIC : 0);
	pk_names_set(n, &f->alpn_chosen, h.alpn);
	pk_names_tell(n, t, PK_NEWS_SERVER, NULL);
	return 0;
}

int pk_take_tls(struct pk_names *n, const struct pk_take *t, size_t *ret_used)
{
	struct pk_tls_reader reader = {
		.data = t->data, .len = t->len, .room = n->room, .room_len = sizeof(n->room)
	};
	struct pk_tls_msg msg;
	size_t need;
	int r;

	*ret_used = 0;
	r = pk_tls_next(&reader, &msg, &need);
	if (r < 0)
		return r;
	if (msg.type == PK_TLS_CLIENT_HELLO)
		return take_client(n, t, msg.body, false);
	if (msg.type != PK_TLS_SERVER_HELLO)
		return -ENOMSG;
	r = take_server(n, t, msg.body, false);
	while (r == -EAGAIN) {
		r = pk_tls_next(&reader, &msg, &need);
		if (r == 0)
			r = msg.type == PK_TLS_SERVER_HELLO ? take_server(n, t, msg.body, false)
							    : -ENOMSG;
		else
			break;
	}
	return r;
}

int pk_take_quic(struct pk_names *n, const struct pk_take *t)
{
	bool server = t->s->dir == t->server;
	struct pk_quic_conn *c;
	struct pk_slice body;
	int r;

	if (!t->fact || !n->quic)
		return -ENOTSUP;
	if (t->fact->done[t->s->dir])
		return 0;
	c = server ? pk_handshakes_find(n->handshakes, t->s->flow)
		   : pk_handshakes_make(n->handshakes, t->s->flow);
	if (!c)
		return server ? -ENOMSG : -ENOMEM;
	r = pk_quic_feed(n->quic, c, t->data, t->len, server);
	t->fact->quic_version = c->version;
	if (r <= 0)
		return r;
	t->fact->done[t->s->dir] = PK_PROTO_QUIC;
	if (!pk_quic_hello(c, server, &body))
		return -ENOMSG;
	r = server ? take_server(n, t, body, true) : take_client(n, t, body, true);
	if (server)
		pk_handshakes_drop(n->handshakes, t->s->flow);
	return r == -EAGAIN ? 0 : r;
}
