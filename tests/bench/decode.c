/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hello costs: a browser's ClientHello from the bytes of its stream to JA4 and JA3, each
 * step alone, then the same hello in QUIC Initials, whose keys have to be derived first. Prints
 * "name value unit" lines; exits 1 above the project's limit for a ClientHello over TLS.
 */
#include "decode/ja4.h"
#include "decode/quic.h"
#include "decode/tls.h"

#include "../unit/decode/seal.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <time.h>

#define LIMIT_NS 5000.0
#define ROUNDS   200000
#define PADDED   1200 /* bytes of a datagram that begins a connection */

static struct pk_ja4 *ja4;
static struct pk_quic *quic;
static struct bytes body, message, stream, split, datagram, halves[2];
static uint8_t room[PK_TLS_HELLO_MAX];
static unsigned int failed;
static volatile char keep; /* results are used */

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void parse(const struct bytes *b, struct pk_tls_client *h)
{
	struct pk_tls_reader r = { b->data, b->len, 0, 0, room, sizeof(room) };
	struct pk_tls_msg m;
	size_t need;

	failed += pk_tls_next(&r, &m, &need) < 0 ||
		  pk_tls_client_parse((const uint8_t *)m.body.s, m.body.len, h) < 0;
}

static void print_ja4(const struct pk_tls_client *h, enum pk_ja4_over over)
{
	char text[PK_JA4_LEN + 1] = "";

	failed += pk_ja4_client(ja4, h, over, text) < 0;
	keep = text[11];
}

static void run_parse(void)
{
	struct pk_tls_client h;

	parse(&stream, &h);
	keep = h.sni.s[0];
}

static void run_parse_split(void)
{
	struct pk_tls_client h;

	parse(&split, &h);
	keep = h.sni.s[0];
}

static void run_ja4(void)
{
	struct pk_tls_client h;

	parse(&stream, &h);
	print_ja4(&h, PK_JA4_TCP);
}

static void run_both(void)
{
	char hash[PK_JA3_LEN + 1] = "";
	struct pk_tls_client h;

	parse(&stream, &h);
	print_ja4(&h, PK_JA4_TCP);
	failed += pk_ja3_client(ja4, &h, hash) < 0;
	keep = hash[0];
}

static void run_derive(void)
{
	struct pk_quic_keys k;

	failed += pk_quic_keys_derive(quic, PK_QUIC_V1, (const uint8_t *)"clientid", 8, false, &k) <
		  0;
	keep = (char)k.key[0];
}

static void quic_hello(const struct bytes *packets, int n)
{
	static struct pk_quic_conn conn;
	struct pk_tls_client h;
	struct pk_slice hello = { 0 };
	int r = 0;

	memset(&conn, 0, sizeof(conn));
	for (int i = 0; i < n; i++)
		r = pk_quic_feed(quic, &conn, packets[i].data, packets[i].len, false);
	failed += r != 1 || !pk_quic_hello(&conn, false, &hello) ||
		  pk_tls_client_parse((const uint8_t *)hello.s, hello.len, &h) < 0;
	print_ja4(&h, PK_JA4_QUIC);
}

static void run_quic(void)
{
	quic_hello(&datagram, 1);
}

static void run_quic_two(void)
{
	quic_hello(halves, 2);
}

/* The best of five: what else runs on this machine only makes it slower. */
static double measure(const char *name, void (*run)(void), int rounds)
{
	double best = 0, from, took;

	for (int i = 0; i < 5; i++) {
		from = now_ns();
		for (int k = 0; k < rounds / 5; k++)
			run();
		took = (now_ns() - from) / (rounds / 5);
		if (!i || took < best)
			best = took;
	}
	printf("%s %.0f ns\n", name, best);
	return best;
}

static void put_initial(struct bytes *out, uint64_t number, size_t at, size_t len)
{
	struct seal s = { .version = PK_QUIC_V1,
			  .key_cid = "clientid",
			  .dcid = "clientid",
			  .number = number,
			  .number_len = 1 };
	struct bytes *frames = &body;

	frames->len = 0;
	put_crypto(frames, at, message.data + at, len);
	put_zeros(frames, PADDED - 16 - 20 - frames->len);
	seal(quic, out, &s, frames->data, frames->len);
}

static void make(void)
{
	put_chrome(&body, "www.example.org", 1);
	put_message(&message, PK_TLS_CLIENT_HELLO, &body);
	put_records(&stream, message.data, message.len, PK_TLS_RECORD_MAX);
	put_records(&split, message.data, message.len, 100);
	put_initial(&datagram, 0, 0, message.len);
	put_initial(&halves[0], 0, 100, message.len - 100);
	put_initial(&halves[1], 1, 0, 100);
}

int main(void)
{
	double cost;

	if (pk_ja4_new(&ja4) < 0 || pk_quic_new(&quic) < 0)
		return 1;
	make();
	measure("tls_client_parse", run_parse, ROUNDS * 5);
	measure("tls_client_parse_in_records", run_parse_split, ROUNDS * 5);
	measure("tls_client_ja4", run_ja4, ROUNDS);
	cost = measure("tls_client_ja4_ja3", run_both, ROUNDS);
	measure("quic_keys_derive", run_derive, ROUNDS);
	measure("quic_client_ja4", run_quic, ROUNDS);
	measure("quic_client_ja4_two_packets", run_quic_two, ROUNDS);
	pk_ja4_free(ja4);
	pk_quic_free(quic);
	if (failed || cost > LIMIT_NS) {
		printf("a ClientHello over TLS has to cost less than %.0f ns\n", LIMIT_NS);
		return 1;
	}
	return 0;
}
