/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What decoding costs. A hello: a browser's ClientHello from the bytes of its stream to JA4 and
 * JA3, each step alone, then the same hello in QUIC Initials, whose keys have to be derived first.
 * DNS messages, HTTP heads, SSH's lists with HASSH, and the question which protocol a payload is.
 * Prints "name value unit" lines; exits 1 above the project's limit for a ClientHello over TLS.
 */
#include "decode/app.h"
#include "decode/dns.h"
#include "decode/http.h"
#include "decode/ja4.h"
#include "decode/quic.h"
#include "decode/ssh.h"
#include "decode/tls.h"

#include "../unit/decode/seal.h"
#include "base/cleanup.h"

#include <errno.h>
#include <netinet/in.h>
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

#define QUESTION "\3www\7example\3org\0\0\1\0\1"

static const char query[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0" QUESTION;
/* CNAME, four addresses, OPT, with compressed names: what resolvers send. */
static const char answer[] =
	"\x12\x34\x81\x80\0\1\0\5\0\0\0\1" QUESTION "\xc0\x0c\0\5\0\1\0\0\1\x2c\0\6\3cdn\xc0\x10"
	"\xc0\x2d\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
	"\xc0\x2d\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\2"
	"\xc0\x2d\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\3"
	"\xc0\x2d\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\4"
	"\0\0\x29\x04\xd0\0\0\0\0\0\0";
static const char request[] = "GET /a/path?with=query HTTP/1.1\r\nHost: www.example.org\r\n"
			      "User-Agent: curl/8.5.0\r\nAccept: */*\r\n"
			      "Accept-Encoding: gzip, br\r\nConnection: keep-alive\r\n\r\n";
static const char unknown[] = "\x01\x02 nothing that anybody would know\r\n";
static char endless[512]; /* names that are all pointers and escapes */
static struct bytes ssh;

static void decode_dns(const char *msg, size_t len, int want)
{
	static struct pk_dns d;

	failed += pk_dns_decode(&d, PK_DNS_UNICAST, msg, len) != want;
	keep = (char)d.n_rrs;
}

static void run_query(void)
{
	decode_dns(query, sizeof(query) - 1, 0);
}

static void run_answer(void)
{
	decode_dns(answer, sizeof(answer) - 1, 0);
}

static void run_endless(void)
{
	decode_dns(endless, sizeof(endless), -EBADMSG);
}

static void run_http(void)
{
	struct pk_http h;

	failed += pk_http_decode(&h, request, sizeof(request) - 1) < 0;
	keep = h.host.s[0];
}

static void run_ssh(void)
{
	char hex[PK_SSH_HASSH_TEXT] = "";
	struct pk_ssh s;

	failed += pk_ssh_decode(&s, ssh.data, ssh.len) < 0 || pk_ssh_hassh(&s, false, hex) < 0;
	keep = hex[0];
}

static void run_detect(void)
{
	keep = (char)pk_app_detect(IPPROTO_TCP, 40000, 80, request, sizeof(request) - 1);
}

static void run_detect_none(void)
{
	keep = (char)pk_app_detect(IPPROTO_TCP, 40000, 9, unknown, sizeof(unknown) - 1);
}

/* The most work that 512 bytes can ask for: one long name, then questions that point to it. */
static void make_endless(void)
{
	size_t at = 12;

	memcpy(endless, "\x12\x34\1\0\0\x10\0\0\0\0\0", 12);
	for (size_t left = 250; left > 63; left -= 64) {
		endless[at] = 63;
		memset(endless + at + 1, '\x1b', 63);
		at += 64;
	}
	endless[at++] = '\0';
	for (at += 4; at + 6 <= sizeof(endless); at += 6) /* "x." and the long name */
		memcpy(endless + at, "\xc0\x4c\0\1\0\1", 6);
}

/* As OpenSSH sends it, in little. */
static void make_ssh(void)
{
	static const char *const lists[] = {
		"curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group14-sha256",
		"ssh-ed25519,rsa-sha2-512",
		"chacha20-poly1305@openssh.com,aes128-ctr,aes256-gcm@openssh.com",
		"chacha20-poly1305@openssh.com,aes128-ctr,aes256-gcm@openssh.com",
		"umac-64-etm@openssh.com,hmac-sha2-256-etm@openssh.com",
		"umac-64-etm@openssh.com,hmac-sha2-256-etm@openssh.com",
		"none,zlib@openssh.com",
		"none,zlib@openssh.com",
		"",
		"",
	};
	struct bytes kex = { 0 };

	for (size_t i = 0; i < PK_ARRAY_SIZE(lists); i++) {
		put16(&kex, 0);
		put16(&kex, (uint16_t)strlen(lists[i]));
		put_raw(&kex, lists[i], strlen(lists[i]));
	}
	put_raw(&ssh, "SSH-2.0-OpenSSH_9.2p1\r\n", 23);
	put16(&ssh, 0);
	put16(&ssh, (uint16_t)(kex.len + 2 + 16 + 5 + 4));
	put_raw(&ssh,
		"\4\x14"
		"0123456789abcdef",
		18);
	put_raw(&ssh, kex.data, kex.len);
	put_zeros(&ssh, 5 + 4);
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
	make_endless();
	make_ssh();
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
	measure("dns_query", run_query, ROUNDS * 5);
	measure("dns_answer", run_answer, ROUNDS * 5);
	measure("dns_worst_512_bytes", run_endless, ROUNDS);
	measure("http_request", run_http, ROUNDS * 5);
	measure("ssh_kexinit_hassh", run_ssh, ROUNDS);
	measure("app_detect_http", run_detect, ROUNDS * 5);
	measure("app_detect_nothing", run_detect_none, ROUNDS * 5);
	pk_ja4_free(ja4);
	pk_quic_free(quic);
	if (failed || cost > LIMIT_NS) {
		printf("a ClientHello over TLS has to cost less than %.0f ns\n", LIMIT_NS);
		return 1;
	}
	return 0;
}
