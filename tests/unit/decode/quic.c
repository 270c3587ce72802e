/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/quic.h"

#include "base/cleanup.h"
#include "decode/tls.h"
#include "seal.h"

#include <errno.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct pk_quic *quic;
static struct pk_quic_conn conn;
static struct bytes hello, answer; /* messages with their heads */
static struct bytes datagram, frames;

/* The client's first packets; tests change what differs. */
static const struct seal first = {
	.version = PK_QUIC_V1,
	.key_cid = "firstcid",
	.dcid = "firstcid",
	.scid = "client",
	.number_len = 1,
};

static const struct seal reply = {
	.version = PK_QUIC_V1,
	.server = true,
	.key_cid = "firstcid",
	.dcid = "client",
	.scid = "servercid",
	.number_len = 2,
};

static void begin(void)
{
	datagram.len = frames.len = 0;
}

static int feed(bool server)
{
	_cleanup_free_ uint8_t *exact = malloc(datagram.len + 1);

	assert_non_null(exact);
	memcpy(exact + 1, datagram.data, datagram.len);
	return pk_quic_feed(quic, &conn, exact + 1, datagram.len, server);
}

/* One datagram of one packet with the frames that were put. */
static int send_frames(const struct seal *s)
{
	datagram.len = 0;
	seal(quic, &datagram, s, frames.data, frames.len);
	frames.len = 0;
	return feed(s->server);
}

static int send_part(const struct seal *s, const struct bytes *message, size_t at, size_t len)
{
	put_crypto(&frames, at, message->data + at, len);
	return send_frames(s);
}

static void check_client(void)
{
	struct pk_tls_client h;
	struct pk_slice body;

	assert_true(pk_quic_hello(&conn, false, &body));
	assert_int_equal(body.len, hello.len - 4);
	assert_memory_equal(body.s, hello.data + 4, body.len);
	assert_int_equal(pk_tls_client_parse((const uint8_t *)body.s, body.len, &h), 0);
	assert_true(pk_slice_is(h.sni, "www.example.org"));
}

static void check_server(void)
{
	struct pk_tls_server h;
	struct pk_slice body;

	assert_true(pk_quic_hello(&conn, true, &body));
	assert_int_equal(pk_tls_server_parse((const uint8_t *)body.s, body.len, &h), 0);
	assert_int_equal(h.cipher, 0x1301);
}

static void test_one_packet_each(void **state)
{
	struct pk_slice body;

	(void)state;
	assert_int_equal(send_part(&first, &hello, 0, hello.len), 1);
	check_client();
	assert_false(pk_quic_hello(&conn, true, &body));
	assert_int_equal(send_part(&reply, &answer, 0, answer.len), 1);
	check_server();
	assert_int_equal(conn.opened, 2);
	assert_int_equal(conn.version, PK_QUIC_V1);
	assert_false(conn.side[0].conflict || conn.side[1].conflict);
	assert_int_equal(conn.refused + conn.restarts, 0);
}

static void test_version_2(void **state)
{
	struct seal c = first, s = reply;

	(void)state;
	c.version = s.version = PK_QUIC_V2;
	assert_int_equal(send_part(&c, &hello, 0, hello.len), 1);
	assert_int_equal(send_part(&s, &answer, 0, answer.len), 1);
	check_client();
	check_server();
	assert_int_equal(conn.version, PK_QUIC_V2);
}

/* At every place, both orders, and the second packet addressed as the server asked for. */
static void test_two_packets(void **state)
{
	struct seal second = first;
	struct pk_slice body;

	(void)state;
	second.dcid = "servercid";
	second.number = 1;
	for (size_t at = 1; at < hello.len; at += 13) {
		memset(&conn, 0, sizeof(conn));
		assert_int_equal(send_part(&first, &hello, 0, at), 0);
		assert_false(pk_quic_hello(&conn, false, &body));
		assert_int_equal(send_part(&second, &hello, at, hello.len - at), 1);
		check_client();
		memset(&conn, 0, sizeof(conn));
		assert_int_equal(send_part(&first, &hello, at, hello.len - at), 0);
		assert_int_equal(send_part(&second, &hello, 0, at), 1);
		check_client();
		assert_int_equal(conn.restarts, 0);
	}
}

static void put_ack(bool ecn)
{
	put_raw(&frames, ecn ? "\3\0\0\1\0\0\0\1\2\3" : "\2\x40\5\0\2\1\0\0\1\1", 10);
}

/* As Chrome does it: many frames in any order, and others between. */
static void test_scattered(void **state)
{
	size_t step = 37;

	(void)state;
	while (hello.len % step == 0)
		step++;
	for (size_t i = 0, at = 0; i < hello.len; i++, at = (at + step) % hello.len) {
		put_crypto(&frames, at, hello.data + at, 1);
		if (i % 5 == 0)
			put8(&frames, 1); /* PING */
		if (i % 7 == 0)
			put_zeros(&frames, 3);
		if (i % 9 == 0)
			put_ack(i % 2);
	}
	assert_int_equal(send_frames(&first), 1);
	check_client();
}

static void test_coalesced(void **state)
{
	struct seal other = first, second = first;

	(void)state;
	other.first = 0xd0; /* 0-RTT: other keys, not read */
	second.number = 1;
	begin();
	put_crypto(&frames, 0, hello.data, 50);
	seal(quic, &datagram, &first, frames.data, frames.len);
	seal(quic, &datagram, &other, "\1\1\1\1", 4);
	frames.len = 0;
	put_crypto(&frames, 50, hello.data + 50, hello.len - 50);
	seal(quic, &datagram, &second, frames.data, frames.len);
	put_zeros(&datagram, 100);
	assert_int_equal(feed(false), 1);
	check_client();
	begin();
	put_crypto(&frames, 0, answer.data, answer.len);
	seal(quic, &datagram, &reply, frames.data, frames.len);
	put_raw(&datagram, "\x45short header", 13);
	assert_int_equal(feed(true), 1);
	check_server();
}

static void test_server_first(void **state)
{
	(void)state;
	assert_int_equal(send_part(&reply, &answer, 0, answer.len), -ENOMSG);
	assert_int_equal(send_part(&first, &hello, 0, hello.len), 1);
	assert_int_equal(send_part(&reply, &answer, 0, answer.len), 1);
}

/* Seen from the middle: no key opens it, and nothing of it is believed. */
static void test_from_the_middle(void **state)
{
	struct seal later = first;

	(void)state;
	later.dcid = "servercid";
	assert_int_equal(send_part(&later, &hello, 0, hello.len), -EBADMSG);
	assert_false(conn.have_dcid);
	assert_int_equal(conn.refused, 1);
	assert_int_equal(ERR_peek_error(), 0); /* another's TLS connection may look there */
}

/* RFC 9000, 17.2.5: with a token, to the Connection ID that the server chose, from the start. */
static void test_retry(void **state)
{
	struct seal again = first, s = reply;

	(void)state;
	assert_int_equal(send_part(&first, &hello, 0, 100), 0);
	again.key_cid = again.dcid = s.key_cid = "chosenbyserver";
	again.token = "token";
	again.number = 1;
	assert_int_equal(send_part(&again, &hello, 0, 100), 0);
	assert_int_equal(conn.restarts, 1);
	again.number = 2;
	assert_int_equal(send_part(&again, &hello, 100, hello.len - 100), 1);
	check_client();
	assert_int_equal(send_part(&s, &answer, 0, answer.len), 1);
	check_server();
}

/* RFC 9000, 6.2: another version, another Connection ID, another hello. */
static void test_version_negotiation(void **state)
{
	struct seal again = first;

	(void)state;
	hello.data[10] ^= 1;
	assert_int_equal(send_part(&first, &hello, 0, 100), 0);
	hello.data[10] ^= 1;
	again.version = PK_QUIC_V2;
	again.key_cid = again.dcid = "anothercid";
	assert_int_equal(send_part(&again, &hello, 0, hello.len), 1);
	check_client();
	assert_false(conn.side[0].conflict);
	assert_int_equal(conn.version, PK_QUIC_V2);
}

/* RFC 9368: the server answers in another version, under the same Connection ID's keys. */
static void test_compatible_negotiation(void **state)
{
	struct seal c = first, s = reply;

	(void)state;
	assert_int_equal(send_part(&first, &hello, 0, 100), 0);
	s.version = PK_QUIC_V2;
	assert_int_equal(send_part(&s, &answer, 0, answer.len), 1);
	check_server();
	c.version = PK_QUIC_V2;
	c.dcid = "servercid";
	c.number = 1;
	assert_int_equal(send_part(&c, &hello, 100, hello.len - 100), 1);
	check_client();
	assert_int_equal(conn.restarts, 0);
}

/* Somebody who does not know the keys can't disturb what is there. */
static void test_forged_between(void **state)
{
	struct seal second = first, forged = first;

	(void)state;
	assert_int_equal(send_part(&first, &hello, 0, 100), 0);
	forged.key_cid = "unknown";
	assert_int_equal(send_part(&forged, &hello, 100, 50), -EBADMSG);
	forged.dcid = "forgedcid";
	assert_int_equal(send_part(&forged, &hello, 100, 50), -EBADMSG);
	second.number = 1;
	assert_int_equal(send_part(&second, &hello, 100, hello.len - 100), 1);
	check_client();
	assert_int_equal(conn.refused, 2);
}

static void test_sent_again(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(send_part(&first, &hello, 0, 200), 0);
	assert_int_equal(send_part(&first, &hello, 150, hello.len - 150), 1);
	check_client();
	assert_false(conn.side[0].conflict);
	assert_int_equal(send_part(&first, &hello, 0, 200), 1); /* whole stays whole */
}

static void test_conflict(void **state)
{
	(void)state;
	assert_int_equal(send_part(&first, &hello, 0, 200), 0);
	hello.data[150] ^= 1;
	assert_int_equal(send_part(&first, &hello, 150, hello.len - 150), 1);
	hello.data[150] ^= 1;
	check_client();
	assert_true(conn.side[0].conflict);
}

static int send_raw(const void *bytes, size_t len)
{
	begin();
	put_raw(&frames, bytes, len);
	return send_frames(&first);
}

static void test_wrong_frames(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int want;
	} rows[] = {
		{ "\1\0\1\0", 4, 0 },
		{ "\x1c\1\0\3bye", 7, 0 }, /* CONNECTION_CLOSE */
		{ "\x1c\1\0\4bye", 7, -EBADMSG },
		{ "\x08\1\0\3bye", 7, -EBADMSG }, /* STREAM: not in an Initial */
		{ "\6\0\5abcd", 7, -EBADMSG },    /* longer than the packet */
		{ "\1\1\6\0", 4, -EBADMSG },
		{ "\2\0\0\x3f\0", 5, -EBADMSG }, /* 63 ranges */
		{ "\2\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0", 12, -EBADMSG },
		{ "\6\x80\0\x3f\xff\1a", 7, 0 }, /* the last byte that is kept */
		{ "\6\x80\0\x40\0\1a", 7, -EMSGSIZE },
		{ "\6\xff\xff\xff\xff\xff\xff\xff\xff\1a", 11, -EMSGSIZE },
		{ "\6\0\4\1\0\x3f\xfc", 7, 0 }, /* the longest hello */
		{ "\6\0\4\1\0\x3f\xfd", 7, -EMSGSIZE },
		{ "\6\0\4\2\0\0\x10", 7, -EBADMSG }, /* a ServerHello from the client */
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		memset(&conn, 0, sizeof(conn));
		assert_int_equal(send_raw(rows[i].bytes, rows[i].len), rows[i].want);
		assert_int_equal(conn.opened, 1);
	}
}

static void test_not_quic(void **state)
{
	(void)state;
	assert_int_equal(pk_quic_feed(quic, &conn, (const uint8_t *)"", 0, false), -ENOMSG);
	assert_int_equal(pk_quic_feed(quic, &conn, (const uint8_t *)"\0\1\2\3", 4, false), -ENOMSG);
	begin(); /* Version Negotiation */
	put_raw(&datagram, "\x80\0\0\0\0\1a\1b\0\0\0\1", 13);
	assert_int_equal(feed(true), -ENOMSG);
	begin();
	put_crypto(&frames, 0, hello.data, hello.len);
	seal(quic, &datagram, &first, frames.data, frames.len);
	while (--datagram.len)
		assert_int_equal(feed(false), -ENODATA);
	assert_false(conn.have_dcid);
}

static int setup(void **state)
{
	struct bytes body = { .len = 0 };

	(void)state;
	memset(&conn, 0, sizeof(conn));
	hello.len = answer.len = 0;
	begin();
	put_chrome(&body, "www.example.org", 1);
	put_message(&hello, PK_TLS_CLIENT_HELLO, &body);
	body.len = 0;
	put16(&body, 0x0303);
	put_zeros(&body, 33);
	put16(&body, 0x1301);
	put8(&body, 0);
	put_message(&answer, PK_TLS_SERVER_HELLO, &body);
	return quic ? 0 : pk_quic_new(&quic);
}

static int teardown(void **state)
{
	(void)state;
	pk_quic_free(quic);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_packet_each, setup),
		cmocka_unit_test_setup(test_version_2, setup),
		cmocka_unit_test_setup(test_two_packets, setup),
		cmocka_unit_test_setup(test_scattered, setup),
		cmocka_unit_test_setup(test_coalesced, setup),
		cmocka_unit_test_setup(test_server_first, setup),
		cmocka_unit_test_setup(test_from_the_middle, setup),
		cmocka_unit_test_setup(test_retry, setup),
		cmocka_unit_test_setup(test_version_negotiation, setup),
		cmocka_unit_test_setup(test_compatible_negotiation, setup),
		cmocka_unit_test_setup(test_forged_between, setup),
		cmocka_unit_test_setup(test_sent_again, setup),
		cmocka_unit_test_setup(test_conflict, setup),
		cmocka_unit_test_setup(test_wrong_frames, setup),
		cmocka_unit_test_setup(test_not_quic, setup),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, teardown);
}
