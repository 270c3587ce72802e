/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/dns.h"

#include "exact.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A response whose question is "a.example" at 12 and which has one record of the root. */
#define FRONT      "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\1a\7example\0\0\1\0\1"
#define FRONT_IN   FRONT "\0\0"
#define AT_EXAMPLE "\xc0\x0e"

static struct pk_dns d;
static uint8_t *input;

static const struct pk_dns_rr *with_class(uint16_t type, uint16_t class, const void *rdata,
					  size_t n)
{
	uint8_t msg[2048] = FRONT;
	size_t at = sizeof(FRONT) - 1;

	msg[at++] = 0;
	msg[at++] = (uint8_t)(type >> 8);
	msg[at++] = (uint8_t)type;
	msg[at++] = (uint8_t)(class >> 8);
	msg[at++] = (uint8_t) class;
	at += 4;
	msg[at++] = (uint8_t)(n >> 8);
	msg[at++] = (uint8_t)n;
	memcpy(msg + at, rdata, n);
	free(input);
	input = exact(msg, at + n);
	assert_int_equal(pk_dns_decode(&d, PK_DNS_UNICAST, input, at + n), 0);
	assert_int_equal(d.n_rrs, 1);
	assert_int_equal(d.bad_rdata, d.rrs[0].why > PK_DNS_RAW);
	assert_int_equal(d.rrs[0].rdata.len, n);
	return &d.rrs[0];
}

static const struct pk_dns_rr *with(uint16_t type, const void *rdata, size_t n)
{
	return with_class(type, 1, rdata, n);
}

/* Every shorter form of good data has a reason; so has one byte more. */
static void cuts(uint16_t type, const char *rdata, size_t n)
{
	char more[600];

	assert_int_equal(with(type, rdata, n)->why, PK_DNS_OK);
	for (size_t i = 0; i < n; i++)
		assert_true(with(type, rdata, i)->why > PK_DNS_RAW);
	memcpy(more, rdata, n);
	more[n] = '\1';
	assert_true(with(type, more, n + 1)->why > PK_DNS_RAW);
}

static void test_addresses(void **state)
{
	static const uint8_t v4[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };

	(void)state;
	cuts(PK_DNS_A, BYTES("\xc0\0\2\1"));
	assert_memory_equal(with(PK_DNS_A, BYTES("\xc0\0\2\1"))->addr, v4, 16);
	cuts(PK_DNS_AAAA, BYTES("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"));
	/* In class CH it is no IPv4 address. */
	assert_int_equal(with_class(PK_DNS_A, 3, BYTES("\xc0\0\2\1"))->why, PK_DNS_RAW);
}

static void test_targets(void **state)
{
	static const uint16_t types[] = { PK_DNS_CNAME, PK_DNS_NS, PK_DNS_PTR, PK_DNS_DNAME };

	(void)state;
	for (unsigned i = 0; i < PK_ARRAY_SIZE(types); i++) {
		cuts(types[i], BYTES("\3WWW" AT_EXAMPLE));
		assert_string_equal(with(types[i], BYTES("\3WWW" AT_EXAMPLE))->target,
				    "www.example");
	}
	/* A name whose labels leave the data, though not the message, is refused. */
	assert_int_equal(with(PK_DNS_CNAME, BYTES("\5ab"))->why, PK_DNS_SHORT);
	assert_int_equal(with(PK_DNS_CNAME, BYTES("\xc0\xff"))->why, PK_DNS_SHORT);
	assert_int_equal(with(PK_DNS_CNAME, BYTES("\xc0\1"))->why, PK_DNS_POINTER);
}

static void test_mx_srv_soa(void **state)
{
	const struct pk_dns_rr *rr;

	(void)state;
	cuts(PK_DNS_MX, BYTES("\0\x0a\2mx" AT_EXAMPLE));
	rr = with(PK_DNS_MX, BYTES("\0\x0a\2mx" AT_EXAMPLE));
	assert_int_equal(rr->mx.preference, 10);
	assert_string_equal(rr->mx.target, "mx.example");
	cuts(PK_DNS_SRV, BYTES("\0\1\0\2\x01\xbb\1s" AT_EXAMPLE));
	rr = with(PK_DNS_SRV, BYTES("\0\1\0\2\x01\xbb\1s" AT_EXAMPLE));
	assert_int_equal(rr->srv.priority, 1);
	assert_int_equal(rr->srv.weight, 2);
	assert_int_equal(rr->srv.port, 443);
	assert_string_equal(rr->srv.target, "s.example");
#define SOA                                                                                        \
	"\2ns" AT_EXAMPLE "\4root\0"                                                               \
	"\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"
	cuts(PK_DNS_SOA, BYTES(SOA));
	rr = with(PK_DNS_SOA, BYTES(SOA));
	assert_string_equal(rr->soa.mname, "ns.example");
	assert_string_equal(rr->soa.rname, "root");
	assert_int_equal(rr->soa.serial, 1);
	assert_int_equal(rr->soa.refresh, 2);
	assert_int_equal(rr->soa.retry, 3);
	assert_int_equal(rr->soa.expire, 4);
	assert_int_equal(rr->soa.minimum, 5);
}

static void test_txt(void **state)
{
	const struct pk_dns_rr *rr = with(PK_DNS_TXT, BYTES("\3abc\0\2\x1b\n"));

	(void)state;
	assert_int_equal(rr->why, PK_DNS_OK);
	assert_int_equal(rr->txt.strings, 3);
	assert_int_equal(rr->txt.bytes, 5);
	cuts(PK_DNS_TXT, BYTES("\5hello"));
}

#define ALPN "\0\1\0\6\2h2\2h3"
#define PORT "\0\3\0\2\x20\xfb"
#define V4   "\0\4\0\x08\xc0\0\2\1\xc0\0\2\2"
#define ECH  "\0\5\0\3xyz"
#define V6   "\0\6\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"

static void test_https(void **state)
{
	const struct pk_dns_rr *rr = with(
		PK_DNS_HTTPS, BYTES("\0\1\3svc\0" ALPN "\0\2\0\0" PORT V4 ECH V6 "\0\x09\0\1x"));
	struct pk_slice list, id;

	(void)state;
	assert_int_equal(rr->why, PK_DNS_OK);
	assert_int_equal(rr->svc.priority, 1);
	assert_string_equal(rr->svc.target, "svc");
	list = rr->svc.alpn;
	assert_true(pk_dns_alpn_next(&list, &id) && pk_slice_is(id, "h2"));
	assert_true(pk_dns_alpn_next(&list, &id) && pk_slice_is(id, "h3"));
	assert_int_equal(list.len, 0);
	assert_true(rr->svc.no_default_alpn && rr->svc.ech);
	assert_int_equal(rr->svc.port, 8443);
	assert_int_equal(rr->svc.n_v4, 2);
	assert_int_equal(rr->svc.v4[1][15], 2);
	assert_int_equal(rr->svc.n_v6, 1);
	assert_int_equal(rr->svc.v6[0][15], 1);
	rr = with(PK_DNS_SVCB, BYTES("\0\0\0"));
	assert_int_equal(rr->why, PK_DNS_OK);
	assert_string_equal(rr->svc.target, ".");
	for (size_t i = 0; i < sizeof("\0\1\0" ALPN) - 1; i++)
		assert_int_equal(with(PK_DNS_HTTPS, "\0\1\0" ALPN, i)->why > PK_DNS_RAW, i != 3);
}

static void test_https_refused(void **state)
{
	static const struct {
		const char *rdata;
		size_t len;
	} bad[] = {
		{ BYTES("\0\1\0" PORT ALPN) },   /* keys that fall */
		{ BYTES("\0\1\0" PORT PORT) },   /* twice */
		{ BYTES("\0\1\0\0\1\0\0") },     /* no id */
		{ BYTES("\0\1\0\0\1\0\1\0") },   /* an empty id */
		{ BYTES("\0\1\0\0\1\0\3\5h2") }, /* an id beyond its list */
		{ BYTES("\0\1\0\0\2\0\1x") },    /* a flag with a value */
		{ BYTES("\0\1\0\0\3\0\1x") },    /* half a port */
		{ BYTES("\0\1\0\0\4\0\3xyz") },  /* part of an address */
		{ BYTES("\0\1\0\0\4\0\0") },     /* no address */
		{ BYTES("\0\1\0\0\6\0\4wxyz") }, /* part of an address */
		{ BYTES("\0\1\0\0\7\xff\xff") }, /* beyond the data */
	};

	(void)state;
	for (unsigned i = 0; i < PK_ARRAY_SIZE(bad); i++)
		assert_int_equal(with(PK_DNS_HTTPS, bad[i].rdata, bad[i].len)->why, PK_DNS_RDATA);
}

static void test_hints_are_bounded(void **state)
{
	const struct pk_dns_rr *rr =
		with(PK_DNS_HTTPS,
		     BYTES("\0\1\0\0\4\0\x18\1\1\1\1\2\2\2\2\3\3\3\3\4\4\4\4\5\5\5\5\6\6\6\6"));

	(void)state;
	assert_int_equal(rr->why, PK_DNS_OK);
	assert_int_equal(rr->svc.n_v4, PK_DNS_HINTS_MAX);
	assert_int_equal(rr->svc.v4[3][15], 4);
}

static void test_others_are_raw(void **state)
{
	(void)state;
	assert_int_equal(with(43, BYTES("anything"))->why, PK_DNS_RAW);
	assert_int_equal(with(65535, BYTES(""))->why, PK_DNS_RAW);
}

/* RFC 2136: "delete this" and "there must be none" have classes of their own, and no data. */
static void test_update(void **state)
{
	static const char msg[] = "\x12\x34\x28\0\0\1\0\1\0\2\0\0\1a\7example\0\0\6\0\1"
				  "\xc0\x0c\0\1\0\xfe\0\0\0\0\0\0"
				  "\xc0\x0c\0\1\0\xff\0\0\0\0\0\0"
				  "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4";

	(void)state;
	assert_int_equal(pk_dns_decode(&d, PK_DNS_UNICAST, BYTES(msg)), 0);
	assert_int_equal(d.opcode, 5);
	assert_int_equal(d.bad_rdata, 0);
	assert_int_equal(d.rrs[0].why, PK_DNS_RAW);
	assert_int_equal(d.rrs[1].why, PK_DNS_RAW);
	assert_int_equal(d.rrs[2].why, PK_DNS_OK);
}

static void opt(const char *options, size_t n)
{
	uint8_t msg[200] = "\x12\x34\1\0\0\0\0\0\0\0\0\1\0\0\x29\x04\xd0\0\0\0\0\0";

	msg[22] = (uint8_t)n;
	memcpy(msg + 23, options, n);
	assert_int_equal(pk_dns_decode(&d, PK_DNS_UNICAST, msg, 23 + n), 0);
	assert_true(d.edns.seen);
}

static void test_options(void **state)
{
	(void)state;
	opt(BYTES("\0\x0c\0\2\0\0\0\x0f\0\5\0\x12zzz\xff\xff\0\0"));
	assert_int_equal(d.bad_rdata, 0);
	assert_int_equal(d.edns.options, 3);
	assert_true(d.edns.padding && d.edns.extended_error);
	assert_int_equal(d.edns.error_code, 18);
	assert_false(d.edns.cookie || d.edns.client_subnet);
	opt(BYTES("\0\x0a\0\x08short"));
	assert_int_equal(d.bad_rdata, 1);
	assert_false(d.edns.cookie);
	opt(BYTES("\0\x0a\0"));
	assert_int_equal(d.bad_rdata, 1);
}

static int done(void **state)
{
	(void)state;
	free(input);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_mx_srv_soa),
		cmocka_unit_test(test_txt),
		cmocka_unit_test(test_https),
		cmocka_unit_test(test_https_refused),
		cmocka_unit_test(test_hints_are_bounded),
		cmocka_unit_test(test_others_are_raw),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
