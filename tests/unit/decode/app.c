/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/app.h"

#include "exact.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DNS_MSG "\x12\x34\1\0\0\1\0\0\0\0\0\0\1a\7example\0\0\1\0\1"
#define TLS_MSG "\x16\3\1\2\0\1\0\1\xfc\3\3"
#define QUIC_MSG                                                                                   \
	"\xc3\0\0\0\1\x08"                                                                         \
	"12345678\0"
#define STRATUM "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n"

static const struct {
	uint8_t l4;
	uint16_t sport, dport;
	const char *data;
	size_t len;
	enum pk_proto proto;
} rows[] = {
	{ IPPROTO_UDP, 5000, 53, BYTES(DNS_MSG), PK_PROTO_DNS },
	{ IPPROTO_UDP, 5353, 5353, BYTES(DNS_MSG), PK_PROTO_MDNS },
	{ IPPROTO_UDP, 5000, 5355, BYTES(DNS_MSG), PK_PROTO_LLMNR },
	{ IPPROTO_UDP, 5000, 4000, BYTES(DNS_MSG), PK_PROTO_DNS },
	{ IPPROTO_UDP, 137, 137, BYTES(DNS_MSG), PK_PROTO_UNKNOWN },
	{ IPPROTO_TCP, 5000, 53, BYTES("\0\x1b" DNS_MSG), PK_PROTO_DNS },
	{ IPPROTO_TCP, 5000, 4000, BYTES("\0\x1b" DNS_MSG), PK_PROTO_DNS },
	{ IPPROTO_TCP, 5000, 53, BYTES(DNS_MSG), PK_PROTO_UNKNOWN },
	{ IPPROTO_TCP, 5000, 4000, BYTES(TLS_MSG), PK_PROTO_TLS },
	{ IPPROTO_TCP, 443, 4000, BYTES("\x15\3\3\0\2\2\x28"), PK_PROTO_TLS },
	{ IPPROTO_TCP, 443, 4000, BYTES("\x16\3\5\0\2\1\x28"), PK_PROTO_UNKNOWN },
	{ IPPROTO_UDP, 5000, 443, BYTES(QUIC_MSG), PK_PROTO_QUIC },
	{ IPPROTO_UDP, 5000, 443,
	  BYTES("\xc3\0\0\0\2\x08"
		"12345678"),
	  PK_PROTO_UNKNOWN },
	{ IPPROTO_UDP, 5000, 443,
	  BYTES("\xd3\x6b\x33\x43\xcf\x14"
		"1"),
	  PK_PROTO_QUIC },
	{ IPPROTO_UDP, 5000, 443,
	  BYTES("\xd3\x6b\x33\x43\xcf\x15"
		"1"),
	  PK_PROTO_UNKNOWN },
	{ IPPROTO_TCP, 5000, 22, BYTES("GET / HTTP/1.1\r\n\r\n"), PK_PROTO_HTTP },
	{ IPPROTO_TCP, 80, 5000, BYTES("HTTP/1.1 200 OK\r\n\r\n"), PK_PROTO_HTTP },
	{ IPPROTO_TCP, 5000, 443, BYTES("SSH-2.0-x\r\n"), PK_PROTO_SSH },
	{ IPPROTO_TCP, 25, 5000, BYTES("220 ready\r\n"), PK_PROTO_SMTP },
	{ IPPROTO_TCP, 21, 5000, BYTES("220 ready\r\n"), PK_PROTO_FTP },
	{ IPPROTO_TCP, 9, 5000, BYTES("220 ready\r\n"), PK_PROTO_UNKNOWN },
	{ IPPROTO_TCP, 9, 5000, BYTES("+OK ready\r\n"), PK_PROTO_POP3 },
	{ IPPROTO_TCP, 5000, 110, BYTES("USER a\r\n"), PK_PROTO_POP3 },
	{ IPPROTO_TCP, 5000, 9, BYTES("* OK hi\r\n"), PK_PROTO_IMAP },
	{ IPPROTO_TCP, 5000, 9, BYTES("NICK a\r\n"), PK_PROTO_IRC },
	{ IPPROTO_TCP, 5000, 443, BYTES(STRATUM), PK_PROTO_STRATUM },
	{ IPPROTO_UDP, 546, 547, BYTES("\1\0\0\1"), PK_PROTO_DHCP },
	{ IPPROTO_UDP, 546, 547, BYTES("\x63\0\0\1"), PK_PROTO_UNKNOWN },
	{ IPPROTO_ICMP, 0, 0, BYTES("\x08\0\0\0\0\1\0\1"), PK_PROTO_ICMP },
	{ IPPROTO_ICMPV6, 0, 0, BYTES("\x80\0\0\0\0\1\0\1"), PK_PROTO_ICMP },
	{ IPPROTO_ICMP, 0, 0, BYTES("\3\0\0\0\0\1\0\1"), PK_PROTO_UNKNOWN },
	{ IPPROTO_SCTP, 5000, 53, BYTES(DNS_MSG), PK_PROTO_UNKNOWN },
	{ IPPROTO_TCP, 5000, 80, BYTES("\0\1\2\3\4\5\6\7\x08\x09\x0a"), PK_PROTO_UNKNOWN },
	{ IPPROTO_TCP, 5000, 80, BYTES("\x1b[2J\n"), PK_PROTO_UNKNOWN },
};

/* What is too little to tell is not told: it never becomes another protocol. */
static void test_detect(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PK_ARRAY_SIZE(rows); i++)
		for (size_t n = 0; n <= rows[i].len; n++) {
			_cleanup_free_ char *copy = exact(rows[i].data, n);
			enum pk_proto p =
				pk_app_detect(rows[i].l4, rows[i].sport, rows[i].dport, copy, n);

			assert_true(p == rows[i].proto ||
				    (p == PK_PROTO_UNKNOWN && n < rows[i].len));
		}
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned i = 1; i < PK_PROTO_MAX; i++)
		assert_int_equal(pk_app_parse(pk_app_name(i)), i);
	assert_null(pk_app_name(PK_PROTO_UNKNOWN));
	assert_null(pk_app_name(PK_PROTO_MAX));
	assert_int_equal(pk_app_parse("bogus"), PK_PROTO_UNKNOWN);
	assert_int_equal(pk_app_parse("TLS"), PK_PROTO_TLS);
}

static void test_ports(void **state)
{
	unsigned named = 0;

	(void)state;
	assert_string_equal(pk_app_port_name(IPPROTO_TCP, 443), "https");
	assert_string_equal(pk_app_port_name(IPPROTO_TCP, 514), "shell");
	assert_string_equal(pk_app_port_name(IPPROTO_UDP, 514), "syslog");
	assert_null(pk_app_port_name(IPPROTO_UDP, 22));
	assert_null(pk_app_port_name(IPPROTO_SCTP, 443));
	assert_null(pk_app_port_name(IPPROTO_TCP, 0));
	assert_null(pk_app_port_name(IPPROTO_TCP, 65535));
	assert_int_equal(pk_app_port(IPPROTO_TCP, 443), PK_PROTO_TLS);
	assert_int_equal(pk_app_port(IPPROTO_UDP, 443), PK_PROTO_QUIC);
	assert_int_equal(pk_app_port(IPPROTO_TCP, 3306), PK_PROTO_UNKNOWN);
	/* The table is searched by halves: each row must be found. */
	for (unsigned i = 0; i < 65536; i++)
		named += !!pk_app_port_name(IPPROTO_TCP, (uint16_t)i) +
			 !!pk_app_port_name(IPPROTO_UDP, (uint16_t)i);
	assert_int_equal(named, 119);
}

static void test_odd(void **state)
{
	static const struct {
		enum pk_proto proto;
		uint8_t l4;
		uint16_t port;
		bool odd;
	} odd[] = {
		{ PK_PROTO_SSH, IPPROTO_TCP, 443, true },
		{ PK_PROTO_SSH, IPPROTO_TCP, 2222, false },
		{ PK_PROTO_SSH, IPPROTO_TCP, 22, false },
		{ PK_PROTO_HTTP, IPPROTO_TCP, 443, true },
		{ PK_PROTO_HTTP, IPPROTO_TCP, 8443, false },
		{ PK_PROTO_HTTP, IPPROTO_TCP, 3306, true },
		{ PK_PROTO_TLS, IPPROTO_TCP, 587, false },
		{ PK_PROTO_TLS, IPPROTO_TCP, 80, true },
		{ PK_PROTO_TLS, IPPROTO_TCP, 8080, false },
		{ PK_PROTO_QUIC, IPPROTO_UDP, 443, false },
		{ PK_PROTO_QUIC, IPPROTO_UDP, 53, true },
		{ PK_PROTO_DNS, IPPROTO_UDP, 53, false },
		{ PK_PROTO_DNS, IPPROTO_UDP, 443, true },
		{ PK_PROTO_STRATUM, IPPROTO_TCP, 443, true },
		{ PK_PROTO_STRATUM, IPPROTO_TCP, 3333, false },
		{ PK_PROTO_IRC, IPPROTO_TCP, 6667, false },
		{ PK_PROTO_UNKNOWN, IPPROTO_TCP, 443, false },
	};

	(void)state;
	for (unsigned i = 0; i < PK_ARRAY_SIZE(odd); i++)
		assert_int_equal(pk_app_is_odd(odd[i].proto, odd[i].l4, odd[i].port), odd[i].odd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_detect),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
