/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as datagrams of a QUIC connection. The first byte of each piece says what is done with
 * it: taken as a datagram as it is, or as the content of an Initial packet that is sealed here, so
 * that frames are reached; from which side, which version, which Destination Connection ID.
 * fuzz-links: user/decode/quic.c user/decode/quic_header.c user/decode/quic_keys.c
 * fuzz-links: user/decode/quic_stream.c user/decode/tls.c
 */
#include "decode/quic.h"

#include "../unit/decode/seal.h"
#include "decode/tls.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pk_quic *quic;

static void check(int good)
{
	if (!good)
		abort();
}

static void feed(struct pk_quic_conn *conn, const uint8_t *data, size_t len, bool server)
{
	static const int known[] = { -EBADMSG, -ENODATA, -ENOMSG, -EMSGSIZE };
	uint8_t *exact = malloc(len + 1);
	struct pk_tls_client client;
	struct pk_tls_server answer;
	struct pk_slice body;
	int k, errors = 0;

	check(exact != NULL);
	memcpy(exact + 1, data, len);
	k = pk_quic_feed(quic, conn, exact + 1, len, server);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		errors += k == known[i];
	check(k == 0 || k == 1 || errors);
	check(k != 1 || pk_quic_hello(conn, server, &body));
	free(exact);
	if (pk_quic_hello(conn, false, &body)) {
		check(body.len <= PK_QUIC_CLIENT_MAX - 4);
		(void)pk_tls_client_parse((const uint8_t *)body.s, body.len, &client);
	}
	if (pk_quic_hello(conn, true, &body)) {
		check(body.len <= PK_QUIC_SERVER_MAX - 4);
		(void)pk_tls_server_parse((const uint8_t *)body.s, body.len, &answer);
	}
}

/* Pieces: what to do, a length of two bytes, the bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pk_quic_conn conn;
	static struct bytes packet;
	struct pk_cursor c = pk_cursor_of(data, size);

	if (!quic && pk_quic_new(&quic) < 0)
		abort();
	memset(&conn, 0, sizeof(conn));
	while (pk_cursor_left(&c)) {
		uint8_t how = pk_cursor_u8(&c);
		uint16_t len = pk_cursor_u16(&c);
		const uint8_t *piece;

		if (len > pk_cursor_left(&c))
			len = (uint16_t)pk_cursor_left(&c);
		piece = pk_cursor_take(&c, len);
		if (!piece)
			break;
		if (how & 1) {
			feed(&conn, piece, len, how & 2);
			continue;
		}
		struct seal s = {
			.version = how & 4 ? PK_QUIC_V2 : PK_QUIC_V1,
			.server = how & 2,
			.key_cid = how & 8 ? "another1" : "firstcid",
			.dcid = how & 16  ? "chosenby"
				: how & 8 ? "another1"
					  : "firstcid",
			.number = how >> 5,
			.number_len = 1 + (how >> 5) % 4,
		};
		packet.len = 0;
		seal(quic, &packet, &s, piece, len);
		feed(&conn, packet.data, packet.len, s.server);
	}
	return 0;
}
